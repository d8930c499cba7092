"""A lesson as a student does it: predictions are kept, wrong answers get a hint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab import lessons
from serlab.errors import ParameterError
from serlab.lessons import hints


@pytest.fixture
def lesson(tmp_path: Path) -> lessons.Lesson:
    return lessons.open("1", answers=str(tmp_path), student="anna")


def test_a_prediction_is_kept_until_its_result_is_known(lesson, tmp_path: Path) -> None:
    lesson.predict("mine", "Which UAR?")
    lesson.write("mine", "0,4")
    lesson.write("mine", "0.5")
    again = lessons.open("1_listen", answers=str(tmp_path), student="anna")
    assert again.record.predictions["mine"]["answer"] == 0.5
    shown = again.compare("mine", 0.75).data
    assert "You predicted 0.50. It came out as 0.75. That is 0.25 more." in shown
    with pytest.raises(ParameterError, match="stays as it was"):
        again.write("mine", 0.75)
    with pytest.raises(ParameterError, match="a number is asked for"):
        again.write("forest", "half")
    with pytest.raises(lessons.Wrong, match="not solved"):
        again.compare("forest", ...)
    assert "No prediction was written down" in again.compare("pair", "joy for anger").data
    assert "0.50" in again.summary().to_html()


def test_a_wrong_answer_gets_a_hint_and_is_counted(lesson) -> None:
    classes = ["a", "b", "c", "d"]
    for answer, hint in [(25, "percent"), (0.75, "share of all the others"), (..., "no answer yet")]:
        with pytest.raises(lessons.Wrong, match=hint):
            lesson.check("chance", answer, classes)
    lesson.check("chance", 0.25, classes)
    assert lesson.record.checks["chance"] == {"tries": 4, "right": True}
    with pytest.raises(KeyError, match="no check 'chanse'"):
        lesson.check("chanse", 0.25, classes)
    html = lesson.summary().to_html()
    assert "right (4 tries)" in html and "not tried" in html


def test_a_hint_is_shown_without_a_traceback(lesson) -> None:
    with pytest.raises(lessons.Wrong) as caught:
        lesson.check("chance", 0.5, ["a", "b", "c"])
    lines = caught.value._render_traceback_()
    assert lines[0].startswith("Not yet. 0.5 is too high.") and not any("File" in line for line in lines)


def test_what_cannot_be_compared_is_no_crash(lesson) -> None:
    for answer in ({}, [1, 2], np.zeros(3), pd.DataFrame(), object(), "x", None, float("nan"), True, 1j):
        for name, more in (("chance", [["a", "b"]]), ("uar", [np.eye(2)]), ("kappa", [np.eye(2)])):
            with pytest.raises(lessons.Wrong):
                lesson.check(name, answer, *more)
        with pytest.raises(lessons.Wrong):
            lesson.check("confused", answer, np.eye(2), ["a", "b"])


def test_hints_of_lesson_one(lesson) -> None:
    counts = np.array([[8, 2], [3, 1]])
    with pytest.raises(lessons.Wrong, match="accuracy"):
        lesson.check("uar", 9 / 14, counts)
    with pytest.raises(lessons.Wrong, match="other way round"):
        lesson.check("confused", ("a", "b"), counts, ["a", "b"])
    with pytest.raises(lessons.Wrong, match="did you mean 'a1'"):
        lesson.check("confused", ("aa1", "b"), counts, ["a1", "b"])
    with pytest.raises(lessons.Wrong, match="by chance as well"):
        lesson.check("kappa", 9 / 14, counts)
    table = pd.DataFrame({"emotion": ["joy", "anger"], "f0": [200.0, np.nan]})
    with pytest.raises(lessons.Wrong, match="Not anger"):
        lesson.check("highest", "anger", table)


def test_hints_about_words_and_names() -> None:
    known = ["a", "b", "c"]
    assert hints.names(["a", "b"], {"a", "b"}, known=known) == ""
    assert "1 of your 2 does not belong" in hints.names(["a", "c"], {"a", "b"}, known=known)
    assert "1 more is missing" in hints.names(["a"], {"a", "b"}, known=known)
    assert "as a list" in hints.names("a", {"a"}, known=known)
    assert "whole sentence" in hints.words("too short", n_least=4)
    assert hints.words("The voice gave the label away.", n_least=4, about=["voice|speaker"]) == ""
    assert "speak of the voice" in hints.words(
        "It was something else altogether.", n_least=4, about=["voice"]
    )
    assert "sign" in hints.number(-0.2, 0.2) and "not lie between" in hints.between(2, 0, 1)


def test_a_damaged_record_is_set_aside(lesson, tmp_path: Path) -> None:
    lesson.record.path.write_text('{"predictions": [', encoding="utf-8")
    with pytest.warns(UserWarning, match="a new one begins"):
        again = lessons.open("1", answers=str(tmp_path), student="anna")
    assert again.record.predictions == {}
    assert json.loads(lesson.record.path.read_text(encoding="utf-8"))["student"] == "anna"
    assert (tmp_path / "1_listen.json.damaged").is_file()


def test_a_code_is_drawn_once_for_a_folder(tmp_path: Path) -> None:
    first = lessons.open("1", answers=str(tmp_path))
    assert len(first.student) == 6
    (tmp_path / "1_listen.json").unlink()
    assert lessons.open("1", answers=str(tmp_path)).student == first.student
    assert first.file("guesses.csv").name == f"1_listen-guesses-{first.student}.csv"
    with pytest.raises(ParameterError, match="no name or code"):
        lessons.open("1", answers=str(tmp_path), student="../up")
    with pytest.raises(ParameterError, match="no lesson '9'"):
        lessons.open("9", answers=str(tmp_path))
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ParameterError, match="folder you may write to"):
        lessons.open("1", answers=str(tmp_path / "file"))
