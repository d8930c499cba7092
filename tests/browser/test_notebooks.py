"""Every notebook and every lesson as a whole, with Run All Cells; minutes: `make browser-test` alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab.lessons import LESSONS
from serlab.reporting import notebooks
from tests.browser.jupyter import TELEPHONE, edit

ALL = [path.stem for path in sorted(notebooks.own_folder().glob("[0-9]*.ipynb"))]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ALL)
def test_all_cells_of_a_notebook_run(lab, name: str) -> None:
    lab.page.set_default_timeout(1_500_000)
    lab.open(f"{name}.ipynb")
    lab.run_all()
    assert lab.errors() == [] and lab.not_run() == 0
    assert lab.unreadable() == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [plan.name for plan in LESSONS])
def test_a_lesson_stops_at_its_first_exercise_and_nowhere_else(lab, folder: Path, name: str, picture) -> None:
    edit(folder / "work" / "lessons" / f"{name}.ipynb", replace={"quick: bool = False": "quick: bool = True"})
    lab.open(f"lessons/{name}.ipynb")
    lab.run_all()
    (stopped,) = lab.errors()
    assert "NotImplementedError" in stopped
    assert lab.unreadable() == []
    lab.show(0)
    picture(lab.page, f"lesson-{name}")
    lab.page.set_viewport_size(TELEPHONE)
    picture(lab.page, f"lesson-{name}-390")
