"""What a command loads before it answers: libraries of learning and audio take seconds."""

from __future__ import annotations

import json
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


#: Command lines with their exit codes, one after the other in one Python, and what they may load.
CALLS: dict[str, tuple[dict[str, int], set[str]]] = {
    "help": (dict.fromkeys(["--help", "--version", "run --help"], 0), set()),
    "lists": (dict.fromkeys(["methods", "features", "schemes", "corpora", "notebooks mine"], 0), TABLES),
    "wrong usage": (
        dict.fromkeys(
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
            2,
        )
        | {"run 01 -p target=atlantis": 1},
        TABLES,
    ),
}

PROGRAM = """
import json, sys
calls, slow = json.loads(sys.argv[1])
import serlab
dir(serlab), serlab.SerlabError
found = {"import serlab": [name for name in slow if name in sys.modules]}
from serlab import cli
for arguments, code in calls.items():
    try:
        ended = cli.main(arguments.split())
    except SystemExit as end:
        ended = end.code
    assert ended == code, f"serlab {arguments} ended with {ended}"
    found[arguments] = [name for name in slow if name in sys.modules]
json.dump(found, open("loaded", "w"))
"""


@pytest.mark.parametrize("kind", CALLS)
def test_little_is_loaded_before_an_answer(kind: str, tmp_path: Path) -> None:
    calls, allowed = CALLS[kind]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([calls, sorted(SLOW | TABLES)])],
        capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "loaded").read_text(encoding="utf-8"))
    assert found.pop("import serlab") == []
    assert found.keys() == calls.keys()
    for arguments, names in found.items():
        assert set(names) <= allowed, f"serlab {arguments}"
