"""Set-up files agree with each other and with what is imported."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.syntax import parsed

ROOT = Path(__file__).resolve().parents[1]

#: Name on conda-forge, where it is not the one on PyPI.
CONDA = {
    "huggingface-hub": "huggingface_hub",
    "jupyter-client": "jupyter_client",
    "lazy-loader": "lazy_loader",
    "matplotlib": "matplotlib-base",
    "soundfile": "pysoundfile",
    "soxr": "soxr-python",
    "torch": "pytorch",
}


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def required(project: dict) -> list[Requirement]:
    """Everything in pyproject.toml, with the extras."""
    extras = project["optional-dependencies"].values()
    found = [Requirement(text) for texts in (project["dependencies"], *extras) for text in texts]
    return [requirement for requirement in found if requirement.name != "serlab"]


@pytest.fixture(scope="module")
def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_pins_are_names_and_exact_versions_only(pinned: dict[str, str]) -> None:
    for name, version in pinned.items():
        assert re.fullmatch(r"[A-Za-z0-9][\w.-]*", name), name
        assert re.fullmatch(r"\d+(\.\d+)*(\.?(a|b|rc|post|dev)\d+)?", version), f"{name}: no local versions"
    assert pinned["torch"] == "2.13.0"
    assert "serlab" not in pinned


def test_every_requirement_is_pinned_within_its_bound(required, pinned: dict[str, str]) -> None:
    versions = {canonicalize_name(name): version for name, version in pinned.items()}
    for requirement in required:
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is pinned to {version}"


def test_conda_users_get_the_same_packages(project: dict, required) -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge"]
    *conda, pip = environment["dependencies"]
    assert pip["pip"][-1] == "-e ."
    listed = {Requirement(text) for text in [*conda, *pip["pip"][:-1]]}
    python = Requirement(f"python{project['requires-python']}")
    expected = {Requirement(f"{CONDA.get(r.name, r.name)}{r.specifier}") for r in required}
    assert {str(r) for r in listed} == {str(r) for r in expected | {python, Requirement("pip")}}


def test_every_import_is_a_requirement(required) -> None:
    distributions = metadata.packages_distributions()
    wanted = {canonicalize_name(requirement.name) for requirement in required}
    for path in (ROOT / "serlab").rglob("*.py"):
        for node in ast.walk(parsed(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module]
            given = sys.stdlib_module_names | {"serlab"}
            for name in {full.split(".")[0] for full in names} - given:
                providers = {canonicalize_name(found) for found in distributions[name]}
                assert providers & wanted, f"{path.name} imports {name}; add it to pyproject.toml"


def test_the_extra_all_is_every_extra_for_users(project: dict) -> None:
    (everything,) = map(Requirement, project["optional-dependencies"]["all"])
    assert everything.name == "serlab"
    assert everything.extras == set(project["optional-dependencies"]) - {"all", "docs", "test"}


def test_what_builds_the_package_is_there_for_the_tests(project: dict) -> None:
    """The test of the wheel builds it without a network."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    assert set(build) <= set(project["optional-dependencies"]["test"])


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    # `make test` runs this test too: its own flags are not for the make started here.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=inherited | environment, capture_output=True, text=True
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@needs_make
@pytest.mark.parametrize("target", ["demo", "test", "lab", "lessons", "docs", "types"])
def test_make_installs_once(checkout: Path, target: str) -> None:
    first = make(checkout, "-n", target, f"PYTHON={sys.executable}")
    assert f"{sys.executable} -m venv .venv" in first.stdout
    assert "pip install --quiet -c constraints.txt -e '.[all,docs,test]'" in first.stdout
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / ".installed").touch()
    assert "pip install" not in make(checkout, "-n", target).stdout
    later = (checkout / ".venv" / ".installed").stat().st_mtime + 10
    os.utime(checkout / "constraints.txt", (later, later))
    assert "pip install" in make(checkout, "-n", target).stdout, "new pins are installed"


@needs_make
def test_make_says_what_is_missing(checkout: Path) -> None:
    programs = checkout / "bin"
    programs.mkdir()
    for name in ("make", "sh", "test", "rm", "echo"):
        (programs / name).symlink_to(shutil.which(name))
    for name in ("python3.11", "python3"):  # too old, and a name that does not run
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    done = make(checkout, "demo", PATH=str(programs))
    assert done.returncode != 0
    assert "serlab needs Python 3.11 or later" in done.stderr

    (programs / "python3").write_text('#!/bin/sh\ntest "$1" = -c\n')  # no module venv
    done = make(checkout, "demo", PATH=str(programs))
    assert done.returncode != 0
    assert "apt install python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_ci_runs_the_tests() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make test" in text and "make docs" in text
