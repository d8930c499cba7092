"""Estimates without labels: right where what they assume holds."""

from __future__ import annotations

import numpy as np
import pytest

from serlab import metrics
from serlab.errors import ProtocolError
from serlab.evaluation import estimates
from serlab.evaluation.estimates import ESTIMATORS, Reference, from_correctness


def drawn(seed: int, n: int = 1500, *, sharp: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities and the truth."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet([sharp] * 4, n)
    y = (rng.random((n, 1)) > proba.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    return proba, y


@pytest.fixture(scope="module")
def reference() -> Reference:
    proba, y = drawn(0)
    right = (proba.argmax(axis=1) == y).astype(float)
    return Reference(proba=proba, y=y, corpus=np.tile(["a", "b"], 750), agree=right)


def truth(proba: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    counts = metrics.confusion(y, proba.argmax(axis=1), 4)
    return float(metrics.accuracy(counts)), float(metrics.uar(counts))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_without_a_shift_all_are_right(reference: Reference, name: str):
    proba, y = drawn(1)
    agree = (proba.argmax(axis=1) == y).astype(float)
    found = ESTIMATORS[name](reference, proba, agree, 0)
    assert (found.accuracy, found.uar) == pytest.approx(truth(proba, y), abs=0.05)


def test_a_threshold_falls_with_confidence_too_far(reference: Reference):
    proba, y = drawn(2, sharp=1.5)
    found = ESTIMATORS["thresholded"](reference, proba, np.full(len(y), np.nan), 0)
    assert found.uar < truth(proba, y)[1], "all or nothing for an utterance: known to exaggerate"


@pytest.mark.parametrize("name", ["confidence", "difference", "importance"])
def test_a_target_that_is_harder_and_says_so_is_expected_to_be_harder(reference: Reference, name: str):
    proba, y = drawn(2, sharp=1.5)
    found = ESTIMATORS[name](reference, proba, np.full(len(y), np.nan), 0)
    before = ESTIMATORS["held out"](reference, proba, np.full(len(y), np.nan), 0)
    accuracy, uar = truth(proba, y)
    assert abs(found.uar - uar) < abs(before.uar - uar) / 2
    assert abs(found.accuracy - accuracy) < abs(before.accuracy - accuracy) / 2


def test_uar_of_known_correctness_is_the_uar():
    proba, y = drawn(3, n=500)
    right = proba.argmax(axis=1) == y
    sure = np.full_like(proba, 1e-9)
    # Where an answer is wrong, the rest of the probability is on the truth.
    sure[np.arange(500), proba.argmax(axis=1)] = 0.6
    sure[np.arange(500)[~right], y[~right]] = 0.4
    found = from_correctness(sure, right.astype(float))
    assert (found.accuracy, found.uar) == pytest.approx(truth(proba, y), abs=0.01)


def test_what_cannot_be_known_is_left_out(reference: Reference, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(estimates, "ESTIMATORS", {**ESTIMATORS, "importance": ESTIMATORS["held out"]})
    proba, _ = drawn(4, n=50)
    found = estimates.estimate_all(reference, proba, np.full(50, np.nan))
    assert set(found) == set(ESTIMATORS) - {"disagreement"}
    with pytest.raises(ProtocolError, match="too few to estimate from"):
        estimates.estimate_all(reference, proba[:5], np.zeros(5))


def test_a_reference_without_a_corpus_has_none_of_it(reference: Reference):
    assert set(reference.without("a").corpus) == {"b"}
