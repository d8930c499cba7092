"""Do a lesson as a student would: cell by cell, in this process, first without the solution, then with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from serlab.lessons import copying
from serlab.lessons.versions import student_version


def cells(name: str, *, student: bool) -> list[dict[str, Any]]:
    """Cells of a lesson, each with its source as one string."""
    notebook = json.loads((copying.source_folder() / f"{name}.ipynb").read_text(encoding="utf-8"))
    made = student_version(notebook) if student else notebook
    return [{**cell, "source": "".join(cell["source"])} for cell in made["cells"]]


def is_solution(cell: dict[str, Any]) -> bool:
    return cell["metadata"].get("nbgrader", {}).get("solution", False)


def is_check(cell: dict[str, Any]) -> bool:
    return cell["metadata"].get("nbgrader", {}).get("grade", False) and not is_solution(cell)


def run(source: str, names: dict[str, Any], where: str) -> None:
    exec(compile(source, where, "exec"), names)


def do(name: str, values: dict[str, Any], folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Run all code cells; stubs and the checks behind them are tried first, on a copy of the names.

    Returns
    -------
    dict
        Names at the end.
    list of str
        Checks that the student's version passed, which none should.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    stubs, passed = cells(name, student=True), []
    # Of the student's names: a stub leaves the solution's own names missing.
    unsolved: dict[str, Any] | None = None
    for number, cell in enumerate(cells(name, student=False)):
        if cell["cell_type"] != "code":
            continue
        where = f"{name}, cell {number}"
        if is_solution(cell):
            unsolved = dict(names)
            try:
                run(stubs[number]["source"], unsolved, where)
            except NotImplementedError:
                pass
            else:
                passed.append(f"{where}: the stub runs")
        elif is_check(cell) and unsolved is not None:
            try:
                run(cell["source"], dict(unsolved), where)
            except Exception:
                pass
            else:
                passed.append(f"{where}: the check passes without a solution")
        run(cell["source"], names, where)
        if "parameters" in cell["metadata"].get("tags", []):
            names |= values | {"answers": str(folder)}
    return names, passed
