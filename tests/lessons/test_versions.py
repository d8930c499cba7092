"""The student version is nbgrader's, made without nbgrader."""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec

import nbformat
import pytest

from serlab.errors import ParameterError
from serlab.lessons import LESSONS, copying
from serlab.lessons.versions import student_version, text, with_corpora


def notebook(*cells: tuple[str, str, dict]) -> dict:
    made = []
    for number, (kind, source, marks) in enumerate(cells):
        metadata = {"nbgrader": {"grade_id": f"c{number}", "schema_version": 3, **marks}} if marks else {}
        cell = {"cell_type": kind, "id": f"c{number}", "metadata": metadata, "source": source}
        made.append(cell | ({"outputs": [], "execution_count": 3} if kind == "code" else {}))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


SOLUTION = {"grade": False, "locked": False, "solution": True, "task": False}
TEST = {"grade": True, "locked": True, "solution": False, "task": False, "points": 1}
MANUAL = {"grade": True, "locked": False, "solution": True, "task": False, "points": 2}
READ_ONLY = {"grade": False, "locked": True, "solution": False, "task": False}

#: Of each kind one, with what there may be in it.
EVERYTHING = notebook(
    ("markdown", "# Title\n", {}),
    ("code", "a = 1\nif a:\n    ### BEGIN SOLUTION\n    b = 2\n    ### END SOLUTION\nc = 3", SOLUTION),
    ("code", "whole = 1", SOLUTION),
    ("code", "assert b == 2\n### BEGIN HIDDEN TESTS\nassert a == 1\n### END HIDDEN TESTS", TEST),
    ("markdown", "My answer.", MANUAL),
    ("markdown", "Read this.", READ_ONLY),
    ("code", "print(1)", {}),
)


def nbgraders(source: dict) -> dict:
    """What nbgrader generate_assignment makes of a notebook."""
    if sys.version_info < (3, 12):  # another test may have imported the standard library's distutils
        os.environ.setdefault("SETUPTOOLS_USE_DISTUTILS", "stdlib")
    from nbgrader import preprocessors as p

    made = nbformat.from_dict(json.loads(text(source)))
    for cell in made.cells:
        cell.source = "".join(cell.source)
    order = (
        p.LockCells, p.ClearSolutions, p.ClearOutput, p.CheckCellMetadata, p.ComputeChecksums,
        p.ClearHiddenTests, p.ClearMarkScheme, p.ComputeChecksums, p.CheckCellMetadata,
    )  # fmt: skip
    for step in order:
        made, _ = step().preprocess(made, {})
    return json.loads(json.dumps(made))


def own(source: dict) -> dict:
    return json.loads(json.dumps(student_version(source)))


needs_nbgrader = pytest.mark.skipif(find_spec("nbgrader") is None, reason="needs nbgrader")


@needs_nbgrader
def test_it_is_what_nbgrader_makes() -> None:
    assert own(EVERYTHING) == nbgraders(EVERYTHING)


@needs_nbgrader
@pytest.mark.parametrize("plan", LESSONS, ids=lambda plan: plan.name)
def test_it_is_what_nbgrader_makes_of_each_lesson(plan) -> None:
    source = json.loads((copying.source_folder() / f"{plan.name}.ipynb").read_text(encoding="utf-8"))
    assert own(source) == nbgraders(source)


def test_nothing_of_a_solution_is_left() -> None:
    before = json.dumps(EVERYTHING)
    made = student_version(EVERYTHING)
    assert json.dumps(EVERYTHING) == before, "the argument stays as it is"
    sources = [cell["source"] for cell in made["cells"]]
    assert sources[1] == "a = 1\nif a:\n    # YOUR CODE HERE\n    raise NotImplementedError()\nc = 3"
    assert sources[2] == "# YOUR CODE HERE\nraise NotImplementedError()"
    assert sources[3:5] == ["assert b == 2", "YOUR ANSWER HERE"]
    assert [cell["metadata"].get("editable", True) for cell in made["cells"]] == [
        True, True, True, False, True, False, True,
    ]  # fmt: skip
    assert all(cell.get("execution_count") is None for cell in made["cells"])


@pytest.mark.parametrize(
    ("source", "marks", "message"),
    [
        ("### BEGIN SOLUTION\na = 1", SOLUTION, "without END SOLUTION"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", SOLUTION, "within BEGIN SOLUTION"),
        ("### BEGIN SOLUTION\na = 1\n### END SOLUTION", {}, "not marked as one"),
        ("### BEGIN HIDDEN TESTS\na = 1", TEST, "without END HIDDEN TESTS"),
    ],
)
def test_marks_that_do_not_fit_are_refused(source: str, marks: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        student_version(notebook(("code", source, marks)))


def test_other_corpora_are_written_into_the_first_cell() -> None:
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}}
    source = {"cells": [{**cell, "source": ['corpora: list[str] = ["a"]\n', 'data: str = ""']}]}
    made = with_corpora(source, ["emodb", "own-käse"])
    assert made["cells"][0]["source"] == 'corpora: list[str] = ["emodb", "own-käse"]\ndata: str = ""'
    with pytest.raises(ParameterError, match="no parameter 'corpora'"):
        with_corpora({"cells": [{**cell, "source": "a = 1"}]}, ["emodb"])
