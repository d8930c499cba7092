"""Installed, not checked out: the wheel does its job in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from serlab import provenance

ROOT = Path(__file__).resolve().parents[1]

#: Packages of extras, which a headless run has to do without.
EXTRAS = ("ipywidgets", "jiwer", "jupyterlab", "opensmile", "skada", "transformers")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("hatchling") is None or find_spec("pip") is None, reason="needs pip and hatchling"
    ),
]


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """What a command prints, in a folder and an environment of its own."""
    plain = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder, env=plain | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this checkout, without a network."""
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", out, folder=ROOT)
    (built,) = out.glob("serlab-*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment with the wheel, and the libraries of this one without those of extras."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment, folder=wheel.parent)
    found = environment / ("Scripts" if os.name == "nt" else "bin")
    (site,) = environment.glob("Lib/site-packages" if os.name == "nt" else "lib/*/site-packages")
    # A folder that a .pth file names is searched, but its own .pth files are not
    # read: the checkout that may be installed there is not found.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    for package in EXTRAS:
        (site / f"{package}.py").write_text('raise ImportError("hidden by the test")', encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", found / "python"]
    run(*pip, "install", "--no-deps", "--no-index", "--no-compile", wheel, folder=wheel.parent)
    return found


def files_of(folder: Path, pattern: str) -> set[str]:
    return {
        path.relative_to(folder.parent).as_posix()
        for path in folder.rglob(pattern)
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)
    }


def test_the_wheel_holds_the_package_and_the_notebooks(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = files_of(ROOT / "serlab", "*") | {
        f"serlab/{name}" for name in files_of(ROOT / "notebooks", "*.ipynb")
    }
    assert packed == expected


def test_in_an_empty_folder_the_installed_package_makes_a_report(programs: Path, tmp_path: Path) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    here.mkdir()

    # nbconvert's templates lie beside the libraries.
    environment = {"HOME": str(home), "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter")}

    def serlab(*arguments: str) -> str:
        return run(programs / "serlab", *arguments, folder=here, **environment)

    where = run(programs / "python", "-c", "import serlab; print(serlab.__file__)", folder=here)
    assert Path(where.strip()).is_relative_to(programs.parent), "the wheel, not the checkout"
    assert serlab("--version").startswith("serlab ")

    # Fewer methods than notebook 00 has: what is installed is tested, not what they score.
    printed = serlab("run", "00", "-p", "methods=rf-source,rf-target")
    report = here / printed.strip()
    assert "<h1" in report.read_text(encoding="utf-8")
    made = json.loads((report.parent / "run.json").read_text(encoding="utf-8"))
    assert made["state"] == "complete"
    assert made["provenance"]["commit"] is None
    own = ROOT / "notebooks" / "00_start_here.ipynb"
    assert made["provenance"]["code"] == provenance.code_digest(own), "the same code as in the checkout"
    assert {"numpy", "torch"} <= set(made["provenance"]["packages"])

    serlab("notebooks", "mine")
    assert {path.read_bytes() for path in (here / "mine").rglob("*.ipynb")} == {
        path.read_bytes() for path in (ROOT / "notebooks").glob("*.ipynb")
    }
    # Solutions are not copied with them.
    serlab("lessons", "class")
    made = {path.stem: path.read_text(encoding="utf-8") for path in (here / "class").glob("*.ipynb")}
    assert made.keys() == {path.stem for path in (ROOT / "notebooks/lessons").glob("*.ipynb")}
    assert not any("SOLUTION" in text for text in made.values())
