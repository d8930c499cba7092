"""One source of a lesson, two versions: with solutions for who teaches, without for who learns.

The source carries nbgrader's marks. The student version is what ``nbgrader generate_assignment`` makes of
it with its default settings; it is made here, because thirty laptops need not have nbgrader (a test
compares the two).
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from serlab.errors import ParameterError

CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
TEXT_STUB = ("YOUR ANSWER HERE",)

#: What is taken away altogether, by the words in its first and last line.
_REGIONS = ("HIDDEN TESTS", "MARK SCHEME")


def student_version(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """A notebook without its solutions.

    Parameters
    ----------
    notebook : mapping
        JSON of a notebook, format 4.

    Returns
    -------
    dict
        Solutions are stubs, hidden tests and marking schemes are gone, tests are locked, outputs
        cleared; the argument is left as it is.

    Raises
    ------
    ParameterError
        If a mark is opened and not closed, or a solution stands in a cell that is none.
    """
    made = copy.deepcopy(dict(notebook))
    made["metadata"].pop("celltoolbar", None)
    for cell in made["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        lines = "".join(cell["source"]).split("\n")
        kept = _without(lines, "SOLUTION", TEXT_STUB if cell["cell_type"] == "markdown" else CODE_STUB)
        if kept != lines and not marks.get("solution"):
            raise ParameterError(f"a solution stands in a cell that is not marked as one: {lines[0]}")
        if kept == lines and marks.get("solution"):
            kept = list(TEXT_STUB if cell["cell_type"] == "markdown" else CODE_STUB)
        for region in _REGIONS:
            kept = _without(kept, region, ())
        cell["source"] = "\n".join(kept)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            for name in ("collapsed", "scrolled"):
                cell["metadata"].pop(name, None)
        _lock(cell)
    return made


def _without(lines: Sequence[str], name: str, stub: Sequence[str]) -> list[str]:
    """Lines without those from ``BEGIN name`` to ``END name``; a stub in their place, as far to the right."""
    kept: list[str] = []
    inside = False
    for line in lines:
        if f"BEGIN {name}" in line:
            if inside:
                raise ParameterError(f"BEGIN {name} within BEGIN {name}: {line.strip()}")
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + text for text in stub]
        elif f"END {name}" in line:
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise ParameterError(f"BEGIN {name} without END {name}: {lines[0]}")
    return kept


def _lock(cell: dict[str, Any]) -> None:
    """Say what may be edited, and by what a change is found out."""
    marks = cell["metadata"].get("nbgrader")
    if not marks:
        return
    grade, solution = bool(marks.get("grade")), bool(marks.get("solution"))
    locked = not solution and (grade or bool(marks.get("locked")))
    if solution or locked:
        cell["metadata"]["deletable"] = False
    if locked:
        cell["metadata"]["editable"] = False
    if not (grade or solution or locked):
        return
    said = [cell["source"], cell["cell_type"], str(grade), str(solution), str(locked), marks["grade_id"]]
    if grade:
        said.append(str(float(marks["points"])))
    # Not for secrecy: nbgrader's own way to see that a cell was left as it was.
    marks["checksum"] = hashlib.md5("".join(said).encode(), usedforsecurity=False).hexdigest()
    marks["cell_type"] = cell["cell_type"]


def with_corpora(notebook: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The same lesson on other corpora: the line of the first cell that names them is written anew.

    Raises
    ------
    ParameterError
        If no parameters cell names corpora.
    """
    made = copy.deepcopy(dict(notebook))
    for cell in made["cells"]:
        if "parameters" not in cell["metadata"].get("tags", []):
            continue
        lines = "".join(cell["source"]).split("\n")
        for number, line in enumerate(lines):
            if line.startswith("corpora:"):
                lines[number] = f"corpora: list[str] = {json.dumps(list(names), ensure_ascii=False)}"
                cell["source"] = "\n".join(lines)
                return made
    raise ParameterError("the notebook has no parameter 'corpora'")


def text(notebook: Mapping[str, Any]) -> str:
    """A notebook as a file: lines of its cells one by one, as Jupyter writes it."""
    made = copy.deepcopy(dict(notebook))
    for cell in made["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"
