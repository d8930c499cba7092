"""What a command loads before it answers: libraries of learning and audio take seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serlab.provenance import PACKAGE

#: Libraries that take a tenth of a second or more, pandas and NumPy apart.
SLOW = {
    "IPython", "ipywidgets", "joblib", "jupyterlab", "librosa", "matplotlib", "nbclient", "nbconvert",
    "nbformat", "numba", "opensmile", "papermill", "requests", "scipy", "seaborn", "sklearn", "skada",
    "soundfile", "torch", "transformers",
}  # fmt: skip
TABLES = {"numpy", "pandas"}


def loaded(program: str, folder: Path) -> set[str]:
    """Slow modules that a Python has loaded at the end of a program."""
    look = f"print(*[m for m in {sorted(SLOW | TABLES)!r} if m in sys.modules], file=open('loaded', 'w'))"
    subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\n{look}"],
        check=True, capture_output=True, cwd=folder, env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
    )  # fmt: skip
    return set((folder / "loaded").read_text(encoding="utf-8").split())


def loaded_by(arguments: str, folder: Path, *, code: int = 0) -> set[str]:
    """Slow modules that a command line has loaded when it ends, with an exit code."""
    return loaded(
        "from serlab import cli\n"
        f"try: code = cli.main({arguments.split()!r})\n"
        "except SystemExit as end: code = end.code\n"
        f"assert code == {code}, code",
        folder,
    )


def test_the_face_loads_nothing(tmp_path: Path) -> None:
    assert loaded("import serlab; dir(serlab); serlab.SerlabError", tmp_path) == set()


@pytest.mark.parametrize("arguments", ["--help", "--version", "run --help"])
def test_help_loads_nothing(tmp_path: Path, arguments: str) -> None:
    assert loaded_by(arguments, tmp_path) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        "methods",
        "features",
        "schemes",
        "corpora",
        "notebooks mine",
    ],
)
def test_lists_load_tables_at_most(tmp_path: Path, arguments: str) -> None:
    assert loaded_by(arguments, tmp_path) <= TABLES


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "runn 01",
        "run",
        "run 99",
        "run 01 -p shot=3",
        "run 01 -p shots=three",
        "run 01 -p preset=demo --preset paper",
        "run 01 -p methods=rf-sorce",
        "matrix 01 --corpora a",
        "matrix 01 --corpora a,b --each shots=1,two",
        "matrix 01 --corpora a,b -p methods=rf-sorce",
    ],
)
def test_wrong_usage_loads_tables_at_most(tmp_path: Path, arguments: str) -> None:
    assert loaded_by(arguments, tmp_path, code=2) <= TABLES


def test_an_unknown_corpus_loads_tables_at_most(tmp_path: Path) -> None:
    assert loaded_by("run 01 -p target=atlantis", tmp_path, code=1) <= TABLES
