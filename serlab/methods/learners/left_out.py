"""What is known of a target before it is seen: each source corpus in turn is taken for one.

Penalties, temperatures, rates of confusion and choices among ways to adapt are found on corpora that have
labels, without a label of the target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.model_selection import GroupKFold

from serlab import metrics
from serlab.methods.learners.weighting import weights
from serlab.samples import Labelled

_FOLDS = 5
#: Between which a temperature is looked for.
_TEMPERATURES = (1e-2, 1e2)


def parts(source: Labelled) -> Iterator[tuple[str, np.ndarray]]:
    """Rows that are left out in turn: those of a corpus, or of a fifth of the speakers of a single one.

    Parts without which fewer than two classes are left to learn from are passed over; with one speaker there
    is nobody to leave out.

    Yields
    ------
    name : str
    out : ndarray of bool, shape (n,)
    """
    names = np.unique(source.corpus)
    if len(names) > 1:
        found = [(str(name), source.corpus == name) for name in names]
    else:
        n_folds = min(_FOLDS, len(np.unique(source.speaker)))
        folds = GroupKFold(n_folds).split(source.X, groups=source.speaker) if n_folds > 1 else ()
        found = [
            (f"speakers {number}", np.isin(np.arange(len(source)), rows))
            for number, (_, rows) in enumerate(folds, start=1)
        ]
    for name, out in found:
        if len(np.unique(source.y[~out])) > 1:
            yield name, out


@dataclass(frozen=True)
class LeftOut:
    """Scores of utterances by a classifier that has not heard their corpus.

    Attributes
    ----------
    scores : ndarray, shape (n, n_classes)
        -inf for a class that training lacked.
    y : ndarray of int, shape (n,)
    weight : ndarray, shape (n,)
        1 on average; every class of every corpus weighs the same.
    """

    scores: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def temperature(self) -> float:
        """What scores are divided by for the likeliest labels; 1 where nothing was left out.

        Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, section 4.2. Rows
        whose class training lacked have no likelihood and are passed over.
        """
        known = np.isfinite(self.scores[np.arange(len(self.y)), self.y])
        if not known.any():
            return 1.0
        scores, y, weight = self.scores[known], self.y[known], self.weight[known]

        def loss(log_temperature: float) -> float:
            own = log_softmax(scores / np.exp(log_temperature), axis=1)[np.arange(len(y)), y]
            return float(-(weight @ own) / weight.sum())

        return float(np.exp(minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded").x))

    def uar(self) -> float:
        """Mean recall of the classes that occur."""
        n_classes = self.scores.shape[1]
        return float(metrics.uar(metrics.confusion(self.y, self.scores.argmax(axis=1), n_classes)))

    def confusion(self) -> np.ndarray:
        """Share of the answers (rows) among utterances of each class (columns), shape (n_classes, n_classes).

        A class that nothing was left out of is taken to be answered rightly.
        """
        n_classes = self.scores.shape[1]
        found = np.eye(n_classes)
        answers = self.scores.argmax(axis=1)
        for label in np.unique(self.y):
            own = self.y == label
            found[:, label] = np.bincount(answers[own], self.weight[own], minlength=n_classes)
            found[:, label] /= self.weight[own].sum()
        return found


def scores(source: Labelled, classifier: Callable[[], Any], n_classes: int) -> LeftOut:
    """Scores of each part of :func:`parts` by a classifier of the others.

    Parameters
    ----------
    source : Labelled
    classifier : callable() -> object
        A classifier with ``fit(part)``, ``scores(X)`` and ``classes``.
    n_classes : int
    """
    weight = weights(source)
    found = []
    for _, out in parts(source):
        fitted = classifier().fit(source.take(~out))
        own = spread_scores(fitted.scores(source.X[out]), fitted.classes, n_classes)
        found.append(LeftOut(own, source.y[out], weight[out]))
    return joined(found, n_classes=n_classes)


def spread_scores(scores: np.ndarray, classes: np.ndarray, n_classes: int) -> np.ndarray:
    """Scores of some classes among those of all; -inf for the others."""
    full = np.full((len(scores), n_classes), -np.inf)
    full[:, classes] = scores
    return full


def joined(found: Iterable[LeftOut], *, n_classes: int = 0) -> LeftOut:
    """All parts together; of none, nothing."""
    kept = [(own.scores, own.y, own.weight) for own in found]
    kept = kept or [(np.zeros((0, n_classes)), np.array([], dtype=int), np.array([]))]
    return LeftOut(*(np.concatenate(column) for column in zip(*kept, strict=True)))
