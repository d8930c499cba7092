"""A linear classifier of the source that is changed by the unlabelled target, and by nothing else.

**T3A** (Iwasawa & Matsuo 2021): its weights become prototypes, means of the target utterances that it is
surest of, and of the weights themselves. **TENT** (Wang et al. 2021): the scale and shift of each feature,
which a normalisation has, are moved until it is surer of the target. **SHOT** (Liang et al. 2020): the
same features are moved until it is sure of each utterance and answers all classes (information maximisation),
and agrees with the centroids of its own answers.

What is found on ``adapt`` is kept: utterances that were not among them are answered by it, too. Of the
target nothing is copied whole: products with its features are taken a block of rows at a time.

References
----------
Iwasawa & Matsuo (2021), Test-time classifier adjustment module for model-agnostic domain generalization.
Wang, Shelhamer, Liu, Olshausen & Darrell (2021), Tent: fully test-time adaptation by entropy minimization.
Liang, Hu & Feng (2020), Do we really need to access the source data? Source hypothesis transfer for
unsupervised domain adaptation.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.special import entr, log_softmax, softmax

from serlab.methods.learners import left_out
from serlab.methods.learners.self_training import BalancedRidge
from serlab.methods.learners.weighting import scaled
from serlab.samples import Labelled, Unlabelled

#: Of T3A: utterances that are kept of each class, the largest of those its authors choose from but "all".
MOST_SUPPORTS = 100
#: Steps of Adam, each over the whole target, and its rate (Wang et al. 2021, section 4: 1e-3 with Adam).
#: With 30 steps of 1e-2 TENT answered one class for everything on a real target.
STEPS, RATE = 10, 1e-3
#: Of the centroids' answers in SHOT (Liang et al. 2020, section 4.2: beta of digits and Office).
AGREEMENT = 0.3
#: Rows of features that are computed with at once, in double precision.
BLOCK = 1024


def prototypes(
    X: np.ndarray, proba: np.ndarray, start: np.ndarray, *, most: int = MOST_SUPPORTS
) -> np.ndarray:
    """Prototype of each class (Iwasawa & Matsuo 2021, equations 5 to 7).

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Of the unlabelled target.
    proba : ndarray, shape (n, k)
        What is believed of it.
    start : ndarray, shape (d, k)
        Weights of the classifier: a support of each class.
    most : int
        Supports of a class besides that; those with the least entropy.

    Returns
    -------
    ndarray, shape (d, k)
        Means of supports of length 1, brought to length 1.
    """
    found = np.empty_like(start, dtype=float)
    for label, own in enumerate(supports(proba, most=most)):
        found[:, label] = _unit(np.vstack([start[:, label], X[own]])).mean(axis=0)
    return _unit(found.T).T  # as the authors' code has it: a class of unlike utterances is not put last


def supports(proba: np.ndarray, *, most: int = MOST_SUPPORTS) -> list[np.ndarray]:
    """Rows that are answered with each class, those with the least entropy first, so many at most."""
    answers, doubt = proba.argmax(axis=1), entr(proba).sum(axis=1)
    each = (np.flatnonzero(answers == label) for label in range(proba.shape[1]))
    return [own[np.argsort(doubt[own], kind="stable")][:most] for own in each]


def _unit(X: np.ndarray) -> np.ndarray:
    return X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), np.finfo(float).tiny)


@dataclass
class _Adjusted:
    """A classifier of the source and its temperature on corpora left out; the rest a public class says."""

    classifier: BalancedRidge
    temperature: float = field(default=1.0, init=False)

    def _learn(self, source: Labelled) -> None:
        self.classifier.fit(source)
        known = left_out.scores(source, lambda: copy.copy(self.classifier), self.classifier.n_classes)
        self.temperature = known.temperature()

    def _proba(self, scores: np.ndarray) -> np.ndarray:
        return softmax(scores / self.temperature, axis=1)


class Prototypes(_Adjusted):
    """T3A.

    Attributes
    ----------
    classifier : BalancedRidge
    """

    def fit(self, *, source: Labelled, adapt: Unlabelled) -> Prototypes:
        """Train on the source, then take prototypes from the target.

        Raises
        ------
        ProtocolError
            If the source has fewer than two classes.
        """
        self._learn(source)
        believed = self._proba(self.classifier.scores(adapt.X))
        rows = np.concatenate(supports(believed))
        X = scaled(adapt.X[rows].astype(float))
        self._weights = prototypes(X, believed[rows], self.classifier.coefficients)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        scores = np.concatenate([_unit(rows) @ self._weights for _, rows in _blocks(X)])
        return self.classifier.spread(self._proba(scores))


@dataclass
class AffineAdapted(_Adjusted):
    """TENT, and SHOT where ``diverse``.

    Attributes
    ----------
    classifier : BalancedRidge
    diverse : bool
        Whether all classes are to be answered, and centroids to be agreed with.
    """

    diverse: bool = False

    def fit(self, *, source: Labelled, adapt: Unlabelled) -> AffineAdapted:
        """Train on the source, then move scale and shift of each feature on the target.

        Raises
        ------
        ProtocolError
            If the source has fewer than two classes.
        """
        self._learn(source)
        X, weights = adapt.X, self.classifier.coefficients / self.temperature
        d = X.shape[1]
        self._weights, self._scale, self._shift = weights, np.ones(d), np.zeros(d)
        # Of size 1 / sqrt(d), as the features are: a step means the same for any number of them.
        unit = 1 / np.sqrt(d)
        adam = _Adam(2 * d)
        for _ in range(STEPS):
            by_logits = self._slope(X)
            # By the scale of a feature: of each row its slope times the feature, in sum.
            by_scale = (_transposed_product(X, by_logits) * weights).sum(axis=1)
            by_shift = (by_logits.sum(axis=0) @ weights.T) * unit
            step = adam.step(np.concatenate([by_scale, by_shift]))
            self._scale, self._shift = self._scale + step[:d], self._shift + step[d:] * unit
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.classifier.spread(softmax(self._logits(X), axis=1))

    def _moved(self, X: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Features with their scale and shift, a block of rows at a time."""
        for rows, block in _blocks(X):
            yield rows, block * self._scale + self._shift

    def _logits(self, X: np.ndarray) -> np.ndarray:
        return np.concatenate([block @ self._weights for _, block in self._moved(X)])

    def _slope(self, X: np.ndarray) -> np.ndarray:
        """Derivative of the loss by the logits of each row, shape (n, k)."""
        log_proba = log_softmax(self._logits(X), axis=1)
        by_logits = entropy_slope(log_proba)
        if self.diverse:
            by_logits += diversity_slope(log_proba)
            proba = np.exp(log_proba)
            by_logits += AGREEMENT * (proba - self._centroid_answers(X, proba)) / len(X)
        return by_logits

    def _centroid_answers(self, X: np.ndarray, proba: np.ndarray) -> np.ndarray:
        """What the nearest centroid says, one-hot (Liang et al. 2020, equations 4 to 6), by cosine."""
        belief = proba
        for _ in range(2):
            sums = np.zeros((proba.shape[1], X.shape[1]))
            for rows, block in self._moved(X):
                sums += belief[rows].T @ _unit(block)
            centroids = _unit(sums)
            nearest = [(block @ centroids.T).argmax(axis=1) for _, block in self._moved(X)]
            belief = np.eye(proba.shape[1])[np.concatenate(nearest)]
        return belief


def _blocks(X: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Which rows, and these as :func:`serlab.methods.learners.weighting.scaled`, in double precision."""
    for first in range(0, max(len(X), 1), BLOCK):
        rows = slice(first, first + BLOCK)
        yield rows, scaled(X[rows].astype(float))


def _transposed_product(X: np.ndarray, by_rows: np.ndarray) -> np.ndarray:
    """Scaled features, transposed, times what rows have, shape (d, k)."""
    product = np.zeros((X.shape[1], by_rows.shape[1]))
    for rows, block in _blocks(X):
        product += block.T @ by_rows[rows]
    return product


def entropy_slope(log_proba: np.ndarray) -> np.ndarray:
    """Derivative of the mean entropy of answers by their logits, shape (n, k)."""
    proba = np.exp(log_proba)
    entropy = -(proba * log_proba).sum(axis=1, keepdims=True)
    return -proba * (log_proba + entropy) / len(proba)


def diversity_slope(log_proba: np.ndarray) -> np.ndarray:
    """Derivative of minus the entropy of the mean answer by the logits, shape (n, k)."""
    proba = np.exp(log_proba)
    log_mean = np.log(np.maximum(proba.mean(axis=0), np.finfo(float).tiny))
    return proba * (log_mean - (proba @ log_mean)[:, None]) / len(proba)


class _Adam:
    """Kingma & Ba (2015) with their constants."""

    def __init__(self, size: int) -> None:
        self._mean, self._square, self._n = np.zeros(size), np.zeros(size), 0

    def step(self, slope: np.ndarray) -> np.ndarray:
        self._n += 1
        self._mean = 0.9 * self._mean + 0.1 * slope
        self._square = 0.999 * self._square + 0.001 * slope**2
        mean, square = self._mean / (1 - 0.9**self._n), self._square / (1 - 0.999**self._n)
        return -RATE * mean / (np.sqrt(square) + 1e-8)
