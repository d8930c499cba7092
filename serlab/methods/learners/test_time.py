"""A linear classifier of the source that is changed by the unlabelled target, and by nothing else.

**T3A** (Iwasawa & Matsuo 2021): its weights become prototypes, means of the target utterances that it is
surest of, and of the weights themselves. **TENT** (Wang et al. 2021): the scale and shift of each feature,
which a normalisation has, are moved until it is surer of the target. **SHOT** (Liang et al. 2020): the
same features are moved until it is sure of each utterance and answers all classes (information maximisation),
and agrees with the centroids of its own answers.

What is found on ``adapt`` is kept: utterances that were not among them are answered by it, too.

References
----------
Iwasawa & Matsuo (2021), Test-time classifier adjustment module for model-agnostic domain generalization.
Wang, Shelhamer, Liu, Olshausen & Darrell (2021), Tent: fully test-time adaptation by entropy minimization.
Liang, Hu & Feng (2020), Do we really need to access the source data? Source hypothesis transfer for
unsupervised domain adaptation.
"""

from __future__ import annotations

import copy
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
    answers, doubt = proba.argmax(axis=1), entr(proba).sum(axis=1)
    unit = _unit(X)
    found = np.empty_like(start, dtype=float)
    for label in range(start.shape[1]):
        own = np.flatnonzero(answers == label)
        own = own[np.argsort(doubt[own], kind="stable")][:most]
        found[:, label] = np.vstack([_unit(start[:, label][None]), unit[own]]).mean(axis=0)
    return _unit(found.T).T  # as the authors' code has it: a class of unlike utterances is not put last


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
        X = scaled(adapt.X.astype(float))
        self._weights = prototypes(
            X, self._proba(self.classifier.scores(adapt.X)), self.classifier.coefficients
        )
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        scores = _unit(scaled(X.astype(float))) @ self._weights
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
        X = scaled(adapt.X.astype(float))
        weights = self.classifier.coefficients / self.temperature
        scale, shift = np.ones(X.shape[1]), np.zeros(X.shape[1])
        # Of size 1 / sqrt(d), as the features are: a step means the same for any number of them.
        unit = 1 / np.sqrt(X.shape[1])
        adam = _Adam(2 * X.shape[1])
        for _ in range(STEPS):
            moved = X * scale + shift * unit
            slope = self._slope(moved, weights)
            step = adam.step(np.concatenate([(slope * X).sum(axis=0), slope.sum(axis=0) * unit]))
            scale, shift = scale + step[: len(scale)], shift + step[len(scale) :]
        self._scale, self._shift, self._weights = scale, shift * unit, weights
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        moved = scaled(X.astype(float)) * self._scale + self._shift
        return self.classifier.spread(softmax(moved @ self._weights, axis=1))

    def _slope(self, X: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Derivative of the loss by each feature of each row, shape (n, d)."""
        log_proba = log_softmax(X @ weights, axis=1)
        by_logits = entropy_slope(log_proba)
        if self.diverse:
            by_logits += diversity_slope(log_proba)
            proba = np.exp(log_proba)
            by_logits += AGREEMENT * (proba - _centroid_answers(X, proba)) / len(X)
        return by_logits @ weights.T


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


def _centroid_answers(X: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """What the nearest centroid says, one-hot (Liang et al. 2020, equations 4 to 6), by cosine."""
    unit, belief = _unit(X), proba
    for _ in range(2):
        centroids = _unit(belief.T @ unit)
        belief = np.eye(proba.shape[1])[(unit @ centroids.T).argmax(axis=1)]
    return belief


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
