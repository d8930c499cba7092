"""Lesson 3: what its checks take for right, and what they say of slips."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.errors import ParameterError
from serlab.lessons import shift
from tests.lessons.fakes import hint, outcome, utterances

PLAIN = outcome({"ridge-source": 0.6, "ridge-source-z": 0.7})
SOFTER = outcome({"ridge-source": 0.4, "ridge-source-z": 0.65})
FOUND = shift.table(
    {"plain": PLAIN, "softer": SOFTER, "dull": outcome({"ridge-source": 0.35, "ridge-source-z": 0.4}),
     "skewed": outcome({"ridge-source": 0.62, "ridge-source-z": 0.7})}
)  # fmt: skip
PLAN = shift.LESSON


def test_a_loss_has_a_sign_and_a_row() -> None:
    assert hint(PLAN, "loss", 0.2, PLAIN, SOFTER) == ""
    assert "sign" in hint(PLAN, "loss", -0.2, PLAIN, SOFTER)
    assert "per-corpus z" in hint(PLAN, "loss", 0.05, PLAIN, SOFTER)
    assert "no answer yet" in hint(PLAN, "loss", ..., PLAIN, SOFTER)


def test_columns_are_normalised_not_rows() -> None:
    X = pd.DataFrame(np.random.default_rng(0).normal(3, 2, (30, 4))).assign(constant=1.0)
    z = (X - X.mean()) / X.std(ddof=0).replace(0, 1)
    for right in (z, z.to_numpy(), (X - X.mean()) / X.std().replace(0, 1)):
        assert hint(PLAN, "z", right, X) == ""
    assert "standard deviation" in hint(PLAN, "z", X - X.mean(), X)
    rows = X.sub(X.mean(axis=1), axis=0)
    assert "column" in hint(PLAN, "z", rows, X)
    assert "shape" in hint(PLAN, "z", z.T, X)
    assert "own mean" in hint(PLAN, "z", X, X)


def test_accuracy_and_uar_of_one_class_are_told_apart() -> None:
    tested = utterances().query("emotion != 'joy' or text_id == 't0'")
    assert hint(PLAN, "accuracy", 0.4, tested) == hint(PLAN, "one-class", 1 / 3, tested) == ""
    assert "UAR" in hint(PLAN, "accuracy", 1 / 3, tested)
    assert "accuracy" in hint(PLAN, "one-class", 0.4, tested)


def test_dials_are_ranked_by_what_they_cost() -> None:
    assert hint(PLAN, "hardest", "dull", FOUND) == ""
    assert "another costs more" in hint(PLAN, "hardest", "softer", FOUND)
    assert "none of" in hint(PLAN, "hardest", "loud", FOUND)
    assert hint(PLAN, "won-back", ["softer"], FOUND) == ""
    assert "1 more" in hint(PLAN, "won-back", [], FOUND)
    assert "not belong" in hint(PLAN, "won-back", ["softer", "dull"], FOUND)
    assert "list" in hint(PLAN, "won-back", "softer", FOUND)


def test_recordings_have_no_dial_for_prosody() -> None:
    assert "styled" in shift.dials("synthetic-b") and "styled" not in shift.dials("emodb")
    with pytest.raises(ParameterError, match=r"no dial 'softe'.*softer"):
        shift.turn(utterances(), "synthetic-b", "softe")


def test_the_figure_says_its_numbers() -> None:
    figure = shift.plot(FOUND, chance=0.25)
    assert "softer, ridge-source: 0.40" in figure.finding and "chance 0.25" in figure.finding
