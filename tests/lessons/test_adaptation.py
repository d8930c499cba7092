"""Lesson 6: what its checks take for right, and what they say of slips."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from serlab.lessons import adaptation
from tests.lessons.fakes import hint, outcome

PLAN = adaptation.LESSON
SWEPT = SimpleNamespace(
    fits=pd.DataFrame(
        {"method": "light-mmd", "title": "MMD", "trade_off": [0.0, 1.0, 10.0], "fold": "all", "seed": 0,
         "uar": [0.5, 0.6, 0.4], "information": [0.1, 0.2, 0.9]}
    )
)  # fmt: skip


def test_a_squared_distance_of_means() -> None:
    S, T = pd.DataFrame([[0.0, 0.0], [2.0, 0.0]]), pd.DataFrame([[4.0, -4.0]])
    assert hint(PLAN, "mmd", 25.0, S, T) == ""
    assert "squared is asked for" in hint(PLAN, "mmd", 5.0, S, T)
    assert "sum" in hint(PLAN, "mmd", 12.5, S, T)
    assert "cancel" in hint(PLAN, "mmd", 1.0, S, T)


def test_an_error_rate_from_a_distance() -> None:
    assert hint(PLAN, "error", 0.1, 1.6) == hint(PLAN, "error", 0.5, 0.0) == ""
    assert "others" in hint(PLAN, "error", 0.9, 1.6)


def test_alignment_is_over_the_same_statistics_and_steps() -> None:
    found = outcome({"light-source": 0.4, "light-adabn": 0.5, "light-unaligned": 0.55, "light-mmd": 0.58})
    assert hint(PLAN, "alignment", 0.03, found) == ""
    assert "statistics have brought a part" in hint(PLAN, "alignment", 0.18, found)
    assert "training further has brought a part" in hint(PLAN, "alignment", 0.08, found)


def test_who_chooses_by_the_truth_is_told() -> None:
    assert hint(PLAN, "chosen", 10, SWEPT) == ""
    assert "takes the labels to know" in hint(PLAN, "chosen", 1, SWEPT)
    assert hint(PLAN, "cost", 0.2, SWEPT) == ""
    assert "always 0" in hint(PLAN, "cost", 0.1, SWEPT)


def test_sure_and_wrong() -> None:
    y = np.array([0, 1, 2, 0])
    one_class = np.tile([0.0, 1.0, 0.0, 0.0], (4, 1))
    assert hint(PLAN, "sure-and-wrong", one_class, y, 4) == ""
    assert "Be surer" in hint(PLAN, "sure-and-wrong", np.full((4, 4), 0.25), y, 4)
    assert "knows too much" in hint(PLAN, "sure-and-wrong", np.eye(4)[y], y, 4)
    assert "sum 1" in hint(PLAN, "sure-and-wrong", one_class * 2, y, 4)
    assert "shape" in hint(PLAN, "sure-and-wrong", one_class[:2], y, 4)


def test_a_distance_that_cannot_be_measured_says_why() -> None:
    shift = pd.DataFrame({"method": ["light-mmd"], "layer": ["dense"], "a_distance": [np.nan]})
    assert "too few speakers" in str(adaptation.distance(outcome({"a": 1.0}, shift=shift), "light-mmd"))
    assert adaptation.distance(outcome({"a": 1.0}, shift=shift.assign(a_distance=0.5)), "light-mmd") == 0.5
