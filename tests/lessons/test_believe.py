"""Lesson 7: two reports, from their numbers; and what its checks say of slips."""

from __future__ import annotations

import pytest

from serlab.lessons import believe
from serlab.lessons.reports import Report
from tests.lessons.fakes import hint, outcome, utterances

PLAN = believe.LESSON
CHOSEN = ("ridge-source", "ridge-pooled", "svm-pooled")
A = Report(
    "A",
    "t",
    "a",
    "s",
    outcome(
        {
            "ridge-source": 0.5,
            "ridge-pooled": 0.7,
            "svm-pooled": 0.8,
            "ridge-target": 0.68,
            "svm-target": 0.76,
        },
        chosen=CHOSEN,
    ),
)
B = Report(
    "B",
    "t",
    "a",
    "s",
    outcome(
        {
            "ridge-source": 0.5,
            "ridge-pooled": 0.65,
            "svm-pooled": 0.7,
            "ridge-target": 0.63,
            "svm-target": 0.69,
        },
        chosen=CHOSEN,
        protocol="speaker-groups",
        gains=(("ridge-pooled", "ridge-target", -0.02, 0.06, 4),),
    ),
)


def test_the_gain_is_traced_from_one_report_to_the_other() -> None:
    found = believe.steps(A, B)
    assert found["gain"].tolist() == pytest.approx([0.3, 0.04, 0.01, 0.02])
    assert found["change"].tolist()[1:] == pytest.approx([-0.26, -0.03, 0.01])
    assert believe.apart(A, B).startswith(
        "the reports are 0.28 of UAR apart; the largest step is -0.26: over"
    )


def test_over_what() -> None:
    assert hint(PLAN, "over-what", "ridge-source", A) == hint(PLAN, "control", "svm-target", A) == ""
    assert "setup" in hint(PLAN, "over-what", "svm-target", A)
    assert "labels of the target" in hint(PLAN, "control", "ridge-source", A)
    assert "which row is svm" in hint(PLAN, "control", "ridge-target", A)
    assert hint(PLAN, "right-gain", 0.04, A) == ""
    assert "that is printed" in hint(PLAN, "right-gain", 0.3, A)


def test_split_and_people() -> None:
    assert hint(PLAN, "protocol", "random", A) == ""
    assert "describe" in hint(PLAN, "protocol", "loso", A)
    assert hint(PLAN, "heard", 1.0, utterances(), utterances()) == ""
    assert hint(PLAN, "speakers", 4, B) == ""
    assert "utterances" in hint(PLAN, "speakers", 24, B)


def test_how_many_were_tried() -> None:
    assert hint(PLAN, "comparisons", 2, A) == hint(PLAN, "luck", 0.05, A) == ""
    assert "controls" in hint(PLAN, "comparisons", 5, A)


def test_what_is_not_excluded_is_not_absent() -> None:
    assert hint(PLAN, "excluded", False, B) == ""
    assert "does it hold +0.05" in hint(PLAN, "excluded", True, B)


def test_names_of_corpora_are_escaped() -> None:
    shown = Report("A", "<b>", "x & y", "s", A.outcome)._repr_html_()
    assert "&lt;b&gt;" in shown and "x &amp; y" in shown
