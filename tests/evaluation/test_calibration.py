"""Temperature, error of calibration and abstention, against what they are defined as."""

from __future__ import annotations

import numpy as np
import pytest

from serlab.errors import ParameterError
from serlab.evaluation import calibration


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that are right as often as they say, the truth, and weights."""
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([1.0, 1.0, 1.0], 3000)
    y = (rng.random((3000, 1)) > proba.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    return proba, y, np.full(3000, 1 / 3000)


def test_cells_weigh_the_same():
    rng = np.random.default_rng(1)
    corpus, y = rng.choice(["a", "b", "c"], 200, p=[0.7, 0.2, 0.1]), rng.integers(0, 4, 200)
    weight = calibration.cell_weights(corpus, y)
    assert weight.sum() == pytest.approx(1)
    for name in "abc":
        own = [weight[(corpus == name) & (y == label)].sum() for label in np.unique(y[corpus == name])]
        assert own == pytest.approx([1 / 3 / len(own)] * len(own))


def test_the_temperature_that_was_applied_is_found(answers):
    proba, y, weight = answers
    for applied in (0.3, 1.0, 3.0):
        spoiled = calibration.tempered(proba, applied)
        assert calibration.temperature_of(spoiled, y, weight) == pytest.approx(1 / applied, rel=0.1)


def test_a_temperature_keeps_the_order_and_classes_that_cannot_be():
    proba = np.array([[0.6, 0.4, 0.0], [0.1, 0.9, 0.0]])
    hot = calibration.tempered(proba, 5.0)
    assert (hot.argmax(axis=1) == proba.argmax(axis=1)).all()
    assert (hot[:, 2] == 0).all() and hot.sum(axis=1) == pytest.approx(1)


def test_isotonic_mends_what_no_temperature_can(answers):
    """A class that is believed too often, and rising curves by hand."""
    proba, y, weight = answers
    spoiled = proba ** np.array([0.3, 1.0, 2.0])
    spoiled /= spoiled.sum(axis=1, keepdims=True)
    found = {how: calibration.learn(how, spoiled, y, weight) for how in calibration.HOW}
    losses = {how: calibration.log_loss(own.applied(spoiled), y, weight) for how, own in found.items()}
    assert losses["isotonic"] < losses["temperature"] < losses["none"]
    isotonic = found["isotonic"]
    assert all(list(curve) == sorted(curve) for curve in (*isotonic.at, *isotonic.value))
    applied = isotonic.applied(spoiled)
    assert applied.sum(axis=1) == pytest.approx(1) and (applied > 0).all()
    # The curve of a class has the share of that class among neighbours.
    by_hand = np.interp(spoiled[:, 0], isotonic.at[0], isotonic.value[0])
    assert by_hand @ weight == pytest.approx(weight[y == 0].sum(), abs=0.01)
    assert (found["none"].applied(spoiled) == spoiled).all()
    lacking = isotonic.applied(np.where(np.arange(3) == 2, 0.0, spoiled))
    assert (lacking[:, 2] == 0).all() and lacking.sum(axis=1) == pytest.approx(1)
    with pytest.raises(ParameterError, match="calibrates nothing"):
        calibration.learn("cold", proba, y, weight)


def test_the_best_calibration_is_that_of_corpora_without_part_in_it(answers):
    proba, y, _ = answers
    corpus = np.arange(len(y)) % 3
    assert calibration.best(calibration.tempered(proba, 0.3), y, corpus) == "temperature"
    assert calibration.best(proba[:9], y[:9], np.zeros(9)) == "temperature"
    spoiled = proba ** np.array([0.3, 1.0, 2.0])
    assert calibration.best(spoiled / spoiled.sum(axis=1, keepdims=True), y, corpus) == "isotonic"


def test_calibrated_answers_have_a_small_error_and_spoiled_ones_a_large_one(answers):
    proba, y, weight = answers
    assert calibration.calibration_error(proba, y, weight) < 0.03
    assert calibration.calibration_error(calibration.tempered(proba, 0.2), y, weight) > 0.2


def test_error_of_one_bin_is_the_distance_of_the_means(answers):
    proba, y, weight = answers
    expected = abs(proba.max(axis=1).mean() - (proba.argmax(axis=1) == y).mean())
    assert calibration.calibration_error(proba, y, weight, bins=1) == pytest.approx(expected)


def test_abstention_keeps_the_risk_and_answers_most():
    rng = np.random.default_rng(2)
    confidence = np.round(rng.random(400), 2)
    right, weight = rng.random(400) < confidence, rng.random(400)
    for risk in (0.05, 0.2, 0.4):
        found = calibration.abstain_at(risk, confidence, right, weight)
        wrong, answered = calibration.risk_of(found.threshold, confidence, right, weight)
        assert wrong <= risk and answered == pytest.approx(found.answered)
        lower = [t for t in np.unique(confidence) if t < found.threshold]
        assert all(calibration.risk_of(t, confidence, right, weight)[0] > risk for t in lower)


def test_where_nothing_is_sure_enough_nothing_is_answered():
    confidence = np.linspace(0, 1, 50)
    found = calibration.abstain_at(0.1, confidence, np.zeros(50, bool), np.ones(50))
    assert found.answered == 0 and not (confidence >= found.threshold).any()
    assert np.isnan(calibration.risk_of(found.threshold, confidence, np.ones(50, bool), np.ones(50))[0])


def test_equal_confidences_are_in_one_bin_whatever_the_order_of_rows():
    """Who always says the same is as sure as right, on average."""
    proba, y = np.tile([0.5, 0.3, 0.2], (60, 1)), np.repeat([0, 1], 30)
    for order in (np.arange(60), np.random.default_rng(0).permutation(60)):
        assert calibration.calibration_error(proba, y[order], np.ones(60)) == pytest.approx(0)
