"""Lesson 5: boxes hold what they say, and what its checks say of slips."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from serlab.errors import ParameterError
from serlab.lessons import leakage
from tests.lessons.fakes import hint, outcome, utterances

PLAN = leakage.LESSON
FOUND = SimpleNamespace(
    scores=pd.DataFrame(
        {"condition": ["both seen", "unseen speakers", "unseen sentences", "both unseen"],
         "uar": [0.8, 0.7, 0.75, 0.6]}
    ),
    parts=pd.DataFrame({"part": ["what a random split adds"], "low": [0.1], "high": [0.3]}),
)  # fmt: skip
BOXES = {
    letter: leakage.Box(letter, utterances(), kind, "anger" if kind == "telephone" else "")
    for letter, kind in zip("ABCD", leakage.KINDS, strict=True)
}


def test_what_a_random_split_adds_is_over_neither_seen() -> None:
    assert hint(PLAN, "random-adds", 0.2, FOUND) == hint(PLAN, "shown", True, FOUND) == ""
    assert "both are unseen" in hint(PLAN, "random-adds", 0.1, FOUND)
    assert "does it hold 0" in hint(PLAN, "shown", False, FOUND)


def test_shared_speakers_are_a_share() -> None:
    table = utterances()
    train, test = table[table["speaker"] != "here/s0"], table
    assert hint(PLAN, "shared", 0.75, train, test) == ""
    assert "percent" in hint(PLAN, "shared", 75, train, test)
    assert "others" in hint(PLAN, "shared", 0.25, train, test)


def test_a_wrong_box_is_told_what_it_would_look_like() -> None:
    right = {letter: box.kind for letter, box in BOXES.items()}
    assert hint(PLAN, "boxes", right, BOXES) == ""
    wrong = hint(PLAN, "boxes", right | {"C": "sentences"}, BOXES)
    assert wrong.startswith("3 of 4 are right. Box C: Not sentences.") and "count" in wrong
    assert "Nothing is said of box B" in hint(PLAN, "boxes", right | {"B": "..."}, BOXES)
    assert "dictionary" in hint(PLAN, "boxes", "rooms", BOXES)
    assert "none of" in hint(PLAN, "boxes", right | {"A": "room"}, BOXES)
    assert hint(PLAN, "telephone", "anger", BOXES) == ""
    assert "lowest floor" in hint(PLAN, "telephone", "joy", BOXES)
    assert "rooms" not in repr(BOXES["C"]), "what is to be found is not shown"


def test_what_is_lost_on_unseen_sentences() -> None:
    before, after = outcome({"rf-target": 0.8}), outcome({"rf-target": 0.3})
    assert hint(PLAN, "unseen-sentences", 0.5, before, after) == ""
    assert "sign" in hint(PLAN, "unseen-sentences", -0.5, before, after)


def test_who_has_not_opened_the_boxes_is_told_to() -> None:
    assert leakage.box_of({"A": "nothing", "B": "sentences"}, "sentences") == "B"
    with pytest.raises(ParameterError, match="four boxes come first"):
        leakage.box_of({"A": "..."}, "sentences")
