"""The type checker agrees with what the face and its floors declare."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")


def mypy(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mypy", *arguments],
        cwd=ROOT, env=os.environ | {"MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_package_is_typed_as_pyproject_says() -> None:
    done = mypy()
    assert done.returncode == 0, done.stdout + done.stderr


def test_who_uses_the_face_is_checked(tmp_path: Path) -> None:
    """What is found late is known to a type checker all the same."""
    program = tmp_path / "program.py"
    program.write_text("""
import serlab
reveal_type(serlab.Parameters(target="urdu").folds)
reveal_type(serlab.labels.SCHEMES)
reveal_type(serlab.corpora.get("urdu"))
reveal_type(serlab.Session(serlab.Parameters(target="urdu")).run())
serlab.Parameters(traget="urdu")
serlab.corpus
""")
    found = mypy(str(program)).stdout
    for line in (
        'Revealed type is "int"',
        'Revealed type is "dict[str, serlab.labels.LabelScheme]"',
        'Revealed type is "serlab.corpora.base.Corpus"',
        'Revealed type is "serlab.experiment.outcome.Outcome"',
        'Unexpected keyword argument "traget" for "Parameters"; did you mean "target"?',
        'Module has no attribute "corpus"',
    ):
        assert line in found.replace("builtins.", ""), found
