"""All lessons: their form, their two versions, and that every solution is one."""

from __future__ import annotations

import ast
import json
import re

import nbformat
import pytest

from serlab.lessons import LESSONS, copying
from serlab.lessons.record import Record
from serlab.reporting import notebooks
from tests.lessons import doing

NAMES = [plan.name for plan in LESSONS]

#: Parameters of each lesson that make it small; what is not named runs with ``quick``.
SMALL: dict[str, dict] = {}


@pytest.fixture(params=LESSONS, ids=lambda plan: plan.name)
def plan(request):
    return request.param


def test_every_notebook_is_a_lesson_and_the_other_way_round() -> None:
    assert sorted(NAMES) == sorted(path.stem for path in copying.source_folder().glob("*.ipynb"))
    assert [plan.name.split("_")[0] for plan in LESSONS] == [plan.key for plan in LESSONS]


def test_form(plan) -> None:
    path = copying.source_folder() / f"{plan.name}.ipynb"
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    nbformat.validate(json.loads(text))
    cells = doing.cells(plan.name, student=False)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code), "committed with outputs"
    assert list(notebooks.parameters(path))[:5] == ["corpora", "data", "answers", "student", "quick"]
    for cell in code:
        nodes = list(ast.walk(ast.parse(cell["source"])))
        assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) for node in nodes)
        assert len(cell["source"].splitlines()) <= 15, cell["source"]
    calls = [call for cell in code for call in re.findall(r"lesson\.(\w+)", cell["source"])]
    assert calls[0] == "predict" and calls[-1] == "summary", "a lesson begins with a prediction"


def test_every_check_is_asked_once_and_every_cell_has_its_marks(plan) -> None:
    cells = doing.cells(plan.name, student=False)
    asked = [name for cell in cells for name in re.findall(r'lesson\.check\("([^"]+)"', cell["source"])]
    assert asked == [check.name for check in plan.checks]
    marks = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
    ids = [mark["grade_id"] for mark in marks]
    assert len(ids) == len(set(ids)) and all(re.fullmatch(r"[\w-]+", name) for name in ids)
    for cell in cells:
        mark = cell["metadata"].get("nbgrader", {})
        assert ("### BEGIN SOLUTION" in cell["source"]) <= bool(mark.get("solution"))
        assert ("lesson.check(" in cell["source"]) == doing.is_check(cell)
        assert not mark.get("grade") or mark["points"] > 0


def test_every_solution_runs_and_every_check_fails_without_it(plan, small_corpora, tmp_path) -> None:
    values = {"quick": True, "corpora": ["near", "far"], "data": str(small_corpora)} | SMALL.get(
        plan.name, {}
    )
    names, passed = doing.do(plan.name, values, tmp_path)
    assert not passed, passed
    record: Record = names["lesson"].record
    assert {name for name, kept in record.checks.items() if kept["right"]} == {c.name for c in plan.checks}
    # A prediction that is asked for is shown again beside what came out.
    assert all(kept["result"] is not None for kept in record.predictions.values()), record.predictions
