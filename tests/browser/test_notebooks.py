"""Every notebook and every lesson as a whole, with Run All Cells, and a voice; `make browser-test` alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab.lessons import LESSONS
from serlab.reporting import notebooks
from tests.browser.jupyter import TELEPHONE, edit, place, sources

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


def test_a_voice_is_recorded_in_lesson_2(lab, folder: Path, picture) -> None:
    codes = sources(folder / "work" / "lessons" / "2_your_voice.ipynb")
    lab.open("lessons/2_your_voice.ipynb")
    recorder = place(codes, "widgets.recorder(")
    lab.run(*(n for n, code in enumerate(codes[: recorder + 1]) if code))
    lab.show(recorder)
    lab.page.get_by_role("button", name="Record").click()
    stop = lab.page.get_by_role("button", name="Stop")
    lab.page.wait_for_function(
        "[...document.querySelectorAll('[role=status]')].some(e => e.textContent.includes('1 s'))"
    )
    stop.click()
    lab.page.get_by_text("kept").first.wait_for()
    assert len(list((folder / "work" / "lessons").rglob("voice/*.wav"))) == 1
    lab.page.locator("audio").first.wait_for(state="attached")
    picture(lab.page, "lesson-2-voice")
    after = [place(codes, text) for text in ("speaking.phrases(", "plot_among", "speaking.said(")]
    lab.run(after[0], after[1], after[2])
    assert lab.errors() == [] and lab.unreadable() == []
