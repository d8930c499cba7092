"""Measures against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix, f1_score, recall_score

from serlab import metrics


@pytest.mark.parametrize("seed", range(60))
def test_against_scikit_learn(seed):
    """Random answers, from one to forty; with few of them, classes are absent."""
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.integers(0, 4, size=(2, rng.integers(1, 41)))
    counts = metrics.confusion(y_true, y_pred, 4)
    assert (counts == confusion_matrix(y_true, y_pred, labels=range(4))).all()
    present = np.unique(y_true)
    assert metrics.uar(counts) == pytest.approx(recall_score(y_true, y_pred, labels=present, average="macro"))
    assert metrics.accuracy(counts) == pytest.approx(accuracy_score(y_true, y_pred))
    assert metrics.macro_f1(counts) == pytest.approx(
        f1_score(y_true, y_pred, labels=present, average="macro", zero_division=0)
    )
    if len(present) > 1 or len(np.unique(y_pred)) > 1:
        assert metrics.kappa(counts) == pytest.approx(cohen_kappa_score(y_true, y_pred))


def test_kappa_of_two_who_always_say_the_same_is_unknown():
    assert np.isnan(metrics.kappa(np.array([[5, 0], [0, 0]])))
    assert metrics.kappa(np.array([[[3, 0], [0, 3]], [[0, 3], [3, 0]]])).tolist() == [1, -1]


def test_absent_class_is_nan_and_left_out():
    counts = metrics.confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    assert np.isnan(metrics.recall(counts)[2])
    assert metrics.uar(counts) == pytest.approx((0.5 + 1.0) / 2)


def test_leading_axes_are_independent():
    rng = np.random.default_rng(0)
    many = rng.integers(0, 9, size=(5, 2, 3, 3))
    for name, measure in metrics.SCALARS.items():
        assert measure(many).shape == (5, 2), name
        assert measure(many)[3, 1] == pytest.approx(float(measure(many[3, 1])))


def test_empty_is_nan_without_a_warning(recwarn):
    assert np.isnan(metrics.uar(np.zeros((2, 2))))
    assert not recwarn
