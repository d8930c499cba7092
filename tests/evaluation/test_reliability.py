"""Error of calibration with its interval, what luck makes of it, and temperatures of fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.evaluation import calibration, intervals, reliability, units
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


def _parts(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y = table["y_true"].to_numpy()
    proba = table[[f"p_{name}" for name in CLASSES]].to_numpy()
    return proba, y, calibration.cell_weights(np.full(len(y), ""), y)


def test_luck_is_what_draws_of_right_probabilities_leave():
    table, _ = _made(400, seed=1)
    table = table.assign(y_true=0)  # one class: all weigh the same
    rng = np.random.default_rng(1)
    proba, _, weight = _parts(table)
    drawn = []
    for _ in range(100):
        right = rng.random(400) < proba.max(axis=1)
        y = np.where(right, proba.argmax(axis=1), (proba.argmax(axis=1) + 1) % 4)
        drawn.append(calibration.calibration_error(proba, y, weight))
    tally, _ = reliability.tally(table)
    assert reliability.by_luck(tally) == pytest.approx(np.mean(drawn), rel=0.12)


def test_the_curve_adds_up_to_the_error():
    table, _ = _made(surer=3)
    points = reliability.curve(table)
    found = float((points["weight"] * (points["confidence"] - points["right"]).abs()).sum())
    assert found == pytest.approx(calibration.calibration_error(*_parts(table)))
    assert points["n"].sum() == len(table) and points["weight"].sum() == pytest.approx(1)


@pytest.mark.parametrize("fold_is", ["part", "subject", "draw"])
def test_counts_say_what_leaving_out_rows_says(monkeypatch, fold_is):
    """Every unit left out by hand, of answers with many equal confidences."""
    table, speakers = _made(300, surer=2)
    columns = [f"p_{name}" for name in CLASSES]
    table[columns] = table[columns].round(1)
    table = table.assign(fold=np.where(np.arange(300) % 4, "s11", "s2"), seed=np.arange(300) % 2)
    proba, y, weight = _parts(table)
    value = calibration.calibration_error(proba, y, weight)

    def spread(kind: units.Units) -> intervals.Spread:
        without, sizes = [], []
        for unit in range(kind.n):
            own = np.any([role == unit for role in kind.of], axis=0)
            without.append(calibration.calibration_error(*_parts(table[~own])))
            sizes.append(float(own.sum()))
        return intervals.jackknife(np.array([value]), np.array([without]).T, np.array([sizes]).T)

    chance = float((weight**2 * proba.max(axis=1) * (1 - proba.max(axis=1))).sum())
    kinds = units.units_of(table, speakers, fold_is=fold_is)
    expected = intervals.student(value, units.variances(kinds, spread, chance=chance))
    for at_once in (1, 1 << 20):
        monkeypatch.setattr(reliability, "_COUNTS", at_once)
        row = reliability.errors(table, speakers, fold_is=fold_is).iloc[0]
        assert (row["ece"], row["ece_low"], row["ece_high"]) == pytest.approx((value, *expected))
        assert row["right"] == pytest.approx(weight @ (proba.argmax(axis=1) == y))


def test_of_many_answers_confidences_have_16_bits_and_the_order_of_rows_says_nothing(monkeypatch):
    table, speakers = _made(800)
    columns = [f"p_{name}" for name in CLASSES]
    kept = table.assign(**{name: table[name].astype(np.float16).astype(np.float32) for name in columns})
    exact = reliability.errors(kept, speakers)
    monkeypatch.setattr(reliability, "_FEW", 0)
    for some in (kept, table, kept.sample(frac=1, random_state=0)):
        pd.testing.assert_frame_equal(reliability.errors(some, speakers), exact, atol=1e-2)
    pd.testing.assert_frame_equal(reliability.errors(kept[::-1], speakers), exact)


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
