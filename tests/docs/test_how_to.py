"""The how-to pages are followed, word for word, in a copy of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, change, follow

HOW_TO = DOCS / "how-to"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What a contributor has: package, tests and notebooks, to be changed at will."""
    root = tmp_path / "serlab"
    ignored = shutil.ignore_patterns("__pycache__", "docs")
    for name in ("serlab", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def python(root: Path, *arguments: str) -> str:
    """Run Python on the copy; what it prints is returned."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def serlab(root: Path, *arguments: str) -> str:
    """Run the command line of the copy."""
    return python(root, "-c", "import sys, serlab.cli; sys.exit(serlab.cli.main())", *arguments)


def passed(root: Path, *arguments: str) -> int:
    """Run pytest on the copy; how many passed."""
    shown = python(root, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
    return int(re.search(r"(\d+) passed", shown)[1])


@pytest.mark.slow
def test_a_method_is_added_as_the_page_says(copy: Path):
    follow(HOW_TO / "add-a-method.md", copy)
    assert "light-means" in python(copy, "-c", LIST_AND_REMEMBER)
    assert passed(copy, "tests/training/objectives", "tests/methods/test_contract.py", "-k", "means") >= 4


#: Of step 4 only what is new: the numbers of all others are remembered already.
LIST_AND_REMEMBER = """
import numpy as np
from serlab import cli
from serlab.methods import METHODS
from tests.methods import test_contract as contract
cli.main(["methods"])
with np.load(contract.REMEMBERED) as known:
    answers = dict(known)
arguments, X = contract.given(METHODS["light-means"])
fitted = contract.fitted(METHODS["light-means"], arguments)
answers["light-means"] = fitted.predict_proba(X).astype(np.float16)
np.savez_compressed(contract.REMEMBERED, **answers)
"""


@pytest.mark.slow
def test_a_place_to_run_is_added_as_the_page_says(copy: Path, small_corpora: Path, tmp_path: Path):
    follow(HOW_TO / "add-a-backend.md", copy)
    plan = tmp_path / "plan.csv"
    plan.write_text("target,sources,features,preset,methods\nfar,near,librosa,demo,majority\n")
    folders = [
        "--data",
        str(small_corpora),
        "--units",
        str(tmp_path / "units"),
        "--out",
        str(tmp_path / "out"),
    ]
    page = serlab(copy, "run-plan", str(plan), "--backend", "here", *folders)
    assert "1 done, 0 running, 0 waiting" in Path(page.strip()).read_text()


@pytest.mark.slow
def test_a_corpus_is_added_as_the_page_says(copy: Path):
    follow(HOW_TO / "add-a-corpus.md", copy)
    assert "duo" in serlab(copy, "corpora")
    assert passed(copy, "tests/corpora", "-k", "duo or tree") >= 8


def test_a_diff_is_refused_where_it_does_not_fit(tmp_path: Path):
    path = tmp_path / "a.py"
    path.write_text("a = 1\nb = 2\n")
    change(path, " a = 1\n-b = 2\n+b = 3\n")
    assert path.read_text() == "a = 1\nb = 3\n"
    with pytest.raises(AssertionError, match="0 places"):
        change(path, " a = 1\n-b = 2\n+b = 3\n")
