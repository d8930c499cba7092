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


#: What is found late is known to a type checker all the same, and what is wrong is named.
PROGRAM = """
import serlab
reveal_type(serlab.Parameters(target="urdu").folds)
reveal_type(serlab.labels.SCHEMES)
reveal_type(serlab.corpora.get("urdu"))
reveal_type(serlab.Session(serlab.Parameters(target="urdu")).run())
serlab.Parameters(traget="urdu")
serlab.corpus
"""
SAID = (
    'Revealed type is "int"',
    'Revealed type is "dict[str, serlab.labels.LabelScheme]"',
    'Revealed type is "serlab.corpora.base.Corpus"',
    'Revealed type is "serlab.experiment.outcome.Outcome"',
    'Unexpected keyword argument "traget" for "Parameters"; did you mean "target"?',
    'Module has no attribute "corpus"',
)


def test_the_package_is_typed_as_pyproject_says_and_who_uses_it_is_checked(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "-p", "serlab", "-m", "program"],
        cwd=ROOT, env=os.environ | {"MYPYPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 2 and all("program.py" in line for line in errors), done.stdout + done.stderr
    for said in SAID:
        assert said in done.stdout.replace("builtins.", ""), done.stdout
