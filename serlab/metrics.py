"""Measures of agreement, as pure functions of confusion counts.

A confusion is an array (..., C, C) of counts or weights: rows are true
classes, columns are answers. Leading axes are independent problems: leaving
out each speaker in turn is a single call.

Classes are fixed by the label scheme. A class without any true utterance has
no recall: it is NaN there and left out of the mean, never counted as 0 or 1.
"""

from __future__ import annotations

import numpy as np


def confusion(y_true: np.ndarray, y_pred: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts, shape (n_classes, n_classes).

    Examples
    --------
    >>> confusion([0, 0, 1, 1], [0, 1, 1, 1], 2)
    array([[1, 1],
           [0, 2]])
    """
    flat = np.asarray(y_true, dtype=int) * n_classes + np.asarray(y_pred, dtype=int)
    return np.bincount(flat, minlength=n_classes**2).reshape(n_classes, n_classes)


def recall(counts: np.ndarray) -> np.ndarray:
    """Recall of each class, shape (..., C); NaN where the class never occurs."""
    return ratio(_diagonal(counts), counts.sum(axis=-1))


def uar(counts: np.ndarray) -> np.ndarray:
    """Unweighted average recall, shape (...): the mean over classes that occur.

    Examples
    --------
    Always the frequent class: right for 8 of 10, and no better than chance.

    >>> answers = np.array([[8, 0], [2, 0]])
    >>> float(accuracy(answers)), float(uar(answers))
    (0.8, 0.5)
    """
    return mean_known(recall(counts))


def accuracy(counts: np.ndarray) -> np.ndarray:
    """Share of right answers, shape (...)."""
    return ratio(_diagonal(counts).sum(axis=-1), counts.sum(axis=(-2, -1)))


def f1(counts: np.ndarray) -> np.ndarray:
    """F1 of each class, shape (..., C); NaN where the class never occurs in the truth."""
    hits, true, answers = _diagonal(counts), counts.sum(axis=-1), counts.sum(axis=-2)
    return np.where(true > 0, ratio(2 * hits, true + answers), np.nan)


def macro_f1(counts: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes that occur in the truth, shape (...)."""
    return mean_known(f1(counts))


def kappa(counts: np.ndarray) -> np.ndarray:
    """Agreement of two raters above what their shares of classes give by chance, shape (...).

    Cohen (1960), A coefficient of agreement for nominal scales. Rows are the classes of one rater,
    columns those of the other. NaN where both always say the same class.

    Examples
    --------
    Both say "yes" nine times of ten: 82 of 100 agreements are chance.

    >>> round(float(kappa(np.array([[81, 9], [9, 1]]))), 2)
    0.0
    """
    counts = np.asarray(counts, dtype=float)
    total = counts.sum(axis=(-2, -1))
    observed = ratio(_diagonal(counts).sum(axis=-1), total)
    expected = ratio((counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1), total**2)
    return ratio(observed - expected, 1 - expected)


#: Name -> function of a confusion; all give one number per confusion.
SCALARS = {"uar": uar, "accuracy": accuracy, "macro_f1": macro_f1}


def _diagonal(counts: np.ndarray) -> np.ndarray:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """Elementwise quotient; NaN, without a warning, where ``under`` is not positive."""
    over, under = np.broadcast_arrays(np.asarray(over, dtype=float), np.asarray(under, dtype=float))
    return np.divide(over, under, out=np.full(under.shape, np.nan), where=under > 0)


def mean_known(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without its NaN; NaN where all are."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))
