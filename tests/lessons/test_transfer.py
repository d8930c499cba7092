"""Lesson 4: what its checks take for right, and what they say of slips."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from serlab.lessons import transfer
from tests.lessons.fakes import hint, outcome

UAR = dict(zip(transfer.METHODS, (0.5, 0.7, 0.75, 0.6, 0.72, 0.8), strict=True))
OUTCOME = outcome(UAR, gains=(("ridge-pooled", "ridge-target", -0.02, 0.12, 8),))
PLAN = transfer.LESSON
FOUND = SimpleNamespace(
    summary=pd.DataFrame(
        [
            ("ridge-pooled", 0, 0.5),
            ("ridge-pooled", 5, 0.6),
            ("ridge-target", 1, 0.3),
            ("ridge-target", 5, 0.55),
        ],
        columns=["method", "shots", "uar"],
    ),
    fits=pd.DataFrame({"method": "ridge-target", "shots": [1, 1, 5], "uar": [0.2, 0.4, 0.55]}),
)


def test_who_heard_recordings_has_not_seen_labels() -> None:
    right = [name for name in transfer.METHODS if "source" not in name]
    assert hint(PLAN, "seen", right, OUTCOME) == ""
    assert "of its labels it knows none" in hint(PLAN, "seen", [*right, "ridge-source-z"], OUTCOME)
    assert "missing" in hint(PLAN, "seen", right[1:], OUTCOME)


def test_a_gain_is_over_its_control() -> None:
    assert hint(PLAN, "control", "ridge-target", OUTCOME) == ""
    assert "labels add" in hint(PLAN, "control", "ridge-source", OUTCOME)
    assert "two things" in hint(PLAN, "control", "ridge-target-z", OUTCOME)
    assert hint(PLAN, "gain", 0.05, OUTCOME) == ""
    assert "labels add to the source" in hint(PLAN, "gain", 0.25, OUTCOME)
    assert "sign" in hint(PLAN, "gain", -0.05, OUTCOME)


def test_an_interval_that_holds_0_decides_nothing() -> None:
    assert hint(PLAN, "decided", False, OUTCOME) == hint(PLAN, "decided", np.False_, OUTCOME) == ""
    assert "does it hold 0" in hint(PLAN, "decided", True, OUTCOME)
    assert "True or False" in hint(PLAN, "decided", "no", OUTCOME)


def test_labels_that_are_as_good_as_the_source() -> None:
    assert hint(PLAN, "reach", 5, FOUND) == ""
    assert "reaches 0.30" in hint(PLAN, "reach", 1, FOUND)
    assert hint(PLAN, "draws", np.std([0.2, 0.4], ddof=1), FOUND) == hint(PLAN, "draws", 0.1, FOUND) == ""
    assert "variance" in hint(PLAN, "draws", 0.02, FOUND)
    # From 1 (.3) to 5 (.55) a straight line reaches .5 at 4.2 labels of each of four emotions.
    assert transfer.in_all(FOUND, chance=0.25, n_classes=4) == pytest.approx(4 * 4.2)
    low = SimpleNamespace(summary=FOUND.summary.replace({0.55: 0.4}))
    assert transfer.in_all(low, chance=0.25, n_classes=4) == "more than 20"
