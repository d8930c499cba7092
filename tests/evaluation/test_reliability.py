"""Error of calibration with its interval, what luck makes of it, and temperatures of fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.evaluation import calibration, reliability
from tests.toys import answers

CLASSES = ("anger", "joy", "neutral", "sadness")


def _made(n: int = 800, *, surer: float = 1.0, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Answers that are right as often as they say, made surer; ten speakers."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(4), n)
    y = (rng.random((n, 1)) > proba.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    proba = calibration.tempered(proba, 1 / surer)
    table = answers("a", y, proba.argmax(axis=1)).assign(
        **{f"p_{name}": proba[:, place] for place, name in enumerate(CLASSES)}
    )
    return table, pd.Series([f"s{i % 10}" for i in range(n)], index=table["utterance"])


def test_what_is_right_as_often_as_it_says_has_the_error_of_luck():
    table, speakers = _made(4000)
    row = reliability.errors(table, speakers).iloc[0]
    assert row["ece"] < 2.5 * row["by_luck"] < 0.1
    assert row["confidence"] == pytest.approx(row["right"], abs=0.03)
    spoiled, speakers = _made(4000, surer=4)
    worse = reliability.errors(spoiled, speakers).iloc[0]
    assert worse["ece_low"] > row["ece_high"] and worse["confidence"] > worse["right"] + 0.1


def test_luck_is_what_draws_of_right_probabilities_leave():
    rng = np.random.default_rng(1)
    proba = rng.dirichlet(np.ones(4), 400)
    weight = np.full(400, 1 / 400)
    drawn = []
    for _ in range(100):
        right = rng.random(400) < proba.max(axis=1)
        y = np.where(right, proba.argmax(axis=1), (proba.argmax(axis=1) + 1) % 4)
        drawn.append(calibration.calibration_error(proba, y, weight))
    assert reliability.by_luck(proba, weight) == pytest.approx(np.mean(drawn), rel=0.12)


def test_the_curve_adds_up_to_the_error():
    table, _ = _made(surer=3)
    points = reliability.curve(table)
    proba, y, weight = reliability.parts(table)
    order = np.argsort(proba.max(axis=1), kind="stable")
    share = np.bincount(reliability.bin_of(weight[order]), weight[order])
    found = float((share * (points["confidence"] - points["right"]).abs()).sum())
    assert found == pytest.approx(calibration.calibration_error(proba, y, weight))
    assert points["n"].sum() == len(table)


def test_speakers_that_differ_widen_the_interval_and_one_alone_has_none():
    table, speakers = _made(surer=2)
    rng = np.random.default_rng(2)
    y = table["y_true"].to_numpy()
    own = speakers.reindex(table["utterance"]).isin(["s0", "s1", "s2"]).to_numpy()
    turned = table.assign(y_true=np.where(own, rng.integers(0, 4, len(y)), table["y_pred"]))
    width = []
    for some in (table, turned):
        row = reliability.errors(some, speakers).iloc[0]
        assert 0 <= row["ece_low"] <= row["ece"] <= row["ece_high"] <= 1
        width.append(row["ece_high"] - row["ece_low"])
    assert width[1] > width[0]
    alone = reliability.errors(table, pd.Series("s0", index=speakers.index)).iloc[0]
    assert np.isnan(alone["ece_low"]) and not np.isnan(alone["ece"])


def test_each_fit_gets_its_own_temperature_and_those_without_are_left_out():
    one, _ = _made(200)
    table = pd.concat([one.assign(fold=name) for name in ("x", "y", "z")], ignore_index=True)
    given = pd.DataFrame({"method": "a", "fold": ["x", "y"], "seed": 0, "temperature": [1.0, 2.0]})
    hot = reliability.heated(table, given)
    assert set(hot["fold"]) == {"x", "y"} and list(hot.columns) == list(table.columns)
    columns = [f"p_{name}" for name in CLASSES]
    before = one[columns].to_numpy()
    for fold, T in (("x", 1.0), ("y", 2.0)):
        after = hot.loc[hot["fold"] == fold, columns].to_numpy()
        assert after == pytest.approx(calibration.tempered(before, T))
