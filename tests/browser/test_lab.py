"""What a person does in JupyterLab, in a real browser: choose, run, cancel, change and guess."""

from __future__ import annotations

from pathlib import Path

from tests.browser.jupyter import edit, place, sources

BAR = ".serlab-bar"


def says(lab, *texts: str, where: str = BAR) -> None:
    """Wait until an element says one of the texts."""
    lab.page.wait_for_function(
        "([where, texts]) => texts.some(text => document.querySelector(where)?.innerText.includes(text))",
        arg=[where, list(texts)],
    )


def test_the_panel_keeps_its_word(lab, folder: Path, picture) -> None:
    name = "short.ipynb"
    path = folder / "work" / name
    path.write_bytes((folder / "work" / "00_start_here.ipynb").read_bytes())
    codes = sources(path)
    uar = place(codes, "outcome = panel.session.run()")
    edit(path, replace={}, keep=uar + 1)
    panel, counts = place(codes, "widgets.show("), place(codes, "plot_counts")
    prepare = place(codes, "panel.session.prepare()")
    lab.open(name)
    lab.run(*(number for number, code in enumerate(codes[: panel + 1]) if code))
    says(lab, "synthetic-a \N{RIGHTWARDS ARROW} synthetic-b")
    lab.run(prepare, counts)

    # Run and Cancel are in view wherever the panel is scrolled to, and keys reach them.
    run = lab.page.locator(f"{BAR} button:text-is('Run')")
    cancel = lab.page.locator(f"{BAR} button:text-is('Cancel')")
    lab.show(panel).evaluate("cell => cell.scrollIntoView({block: 'end'})")
    for button in (run, cancel):
        box = button.bounding_box()
        assert box is not None and 0 < box["y"] < 768 and box["x"] + box["width"] < 1366
    lab.show(panel)
    picture(lab.page, "panel")
    run.focus()
    lab.page.keyboard.press("Enter")
    cancel.click()
    says(lab, "cancelled", "finished in")  # a quick machine is done before the button is pressed
    assert run.is_enabled() and cancel.is_disabled()

    run.click()
    says(lab, "finished in")

    # Another choice: what is below says that it is older, until all below is run again.
    lab.page.get_by_label("target", exact=True).select_option("synthetic-c")
    says(lab, "Cells below describe")
    says(lab, "synthetic-a \N{RIGHTWARDS ARROW} synthetic-c")
    lab.page.get_by_text("Older than the choice above.").first.wait_for(state="attached")
    lab.show(counts)
    picture(lab.page, "stale")
    lab.show(panel)
    lab.page.get_by_role("button", name="Run all cells below").click()
    lab.page.wait_for_function(
        "cell => window.jupyterapp.shell.currentWidget.content.widgets[cell].model.outputs.length > 0",
        arg=uar,
    )
    says(lab, "synthetic-a \N{RIGHTWARDS ARROW} synthetic-c")
    assert "Cells below describe" not in lab.page.locator(BAR).inner_text()

    # The menu's Run All Cells keeps the choice, too.
    lab.run_all()
    says(lab, "synthetic-a \N{RIGHTWARDS ARROW} synthetic-c")
    assert lab.errors() == [] and lab.not_run() == 0
    assert "synthetic-c" in str(lab.outputs(counts)) and "synthetic-b" not in str(lab.outputs(counts))
    assert lab.unreadable() == []


def test_a_lesson_as_a_student_does_it(lab, folder: Path, picture) -> None:
    """Lesson 1: predict, guess by keys, a wrong answer with its hint, a right one, the summary."""
    path = folder / "work" / "lessons" / "1_listen.ipynb"
    edit(path, replace={"quick: bool = False": "quick: bool = True"})
    codes = sources(path)
    lab.open("lessons/1_listen.ipynb")
    quiz, first_check = place(codes, "widgets.guess("), place(codes, 'lesson.check("highest"')
    lab.run(*(n for n, code in enumerate(codes[: first_check - 1]) if code))
    field = lab.page.get_by_placeholder("a number").first
    field.fill("much")
    field.press("Enter")
    lab.page.get_by_text("a number is asked for").wait_for()
    field.fill("0,6")
    field.press("Enter")
    lab.page.get_by_text("kept", exact=True).first.wait_for()

    # As it came: a hint, no traceback and no NameError.
    lab.run(first_check - 1, first_check)
    (wrong,) = lab.outputs(first_check)
    assert wrong["ename"] == "Wrong" and wrong["evalue"].startswith("Not yet. ")
    assert "Traceback" not in str(wrong["traceback"])
    picture_cell = lab.show(first_check - 1)
    picture_cell.wait_for()
    picture(lab.page, "lesson-1-hint")
    lab.write(first_check - 1, 'highest = "sadness"')
    lab.run(first_check - 1, first_check)
    assert "Not yet" in str(lab.outputs(first_check))
    lab.write(first_check - 1, 'highest = heard.set_index("emotion")["f0"].idxmax()')
    lab.run(first_check - 1, first_check)
    assert "Right." in str(lab.outputs(first_check))

    lab.run(quiz)
    lab.show(quiz)
    classes = ("anger", "joy", "neutral", "sadness")
    lab.page.get_by_text("1 of 8: how does it sound?").wait_for()
    picture(lab.page, "lesson-1-guess")
    for number in range(8):
        lab.page.get_by_role("button", name=classes[number % 4], exact=True).focus()
        lab.page.keyboard.press("Space")
        lab.page.get_by_text(
            "All 8 are answered" if number == 7 else f"{number + 2} of 8: how does it sound?"
        ).wait_for()
    lab.page.get_by_role("button", name="take back").click()
    lab.page.get_by_text("8 of 8: how does it sound?").wait_for()
    lab.page.get_by_role("button", name="sadness", exact=True).click()
    lab.page.get_by_text("All 8 are answered").wait_for()
    (guesses,) = (folder / "work" / "lessons").rglob("*guesses*.csv")
    assert len(guesses.read_text(encoding="utf-8").splitlines()) == 9

    mine = place(codes, "hearing.of_listeners(guess.answers")
    summary = place(codes, "lesson.summary()")
    lab.run(mine, summary)
    assert not [error for error in lab.errors() if "NameError" in error]
    assert "right (3 tries)" in str(lab.outputs(summary)) and "0.60" in str(lab.outputs(summary))
    assert lab.unreadable() == []
