"""Whether probabilities mean what they say on what was held out: calibration, its error, abstention.

Classes and corpora have different sizes, and the question is about a corpus that is in none of them:
here every class of every corpus weighs the same (:func:`cell_weights`), so that what is right
on average is a UAR.

References
----------
Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks.
Zadrozny & Elkan (2002), Transforming classifier scores into accurate multiclass probability estimates.
Geifman & El-Yaniv (2017), Selective classification for deep neural networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from serlab.errors import ParameterError

#: Least probability: a forest may give 0, whose logarithm there is not.
_LEAST = 1e-6
#: Of the logarithm of a temperature.
_BOUNDS = (-4.0, 4.0)
#: What isotonic regression lets a class be at least, and at most one minus it: nothing is impossible.
_ISOTONIC_LEAST = 0.01
#: Ways to calibrate, see :func:`learn`; the plainer first.
HOW: tuple[str, ...] = ("none", "temperature", "isotonic")


def cell_weights(corpus: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weights of sum 1: each corpus the same, and in it each class that occurs.

    Parameters
    ----------
    corpus : ndarray of str, shape (n,)
    y : ndarray of int, shape (n,)

    Examples
    --------
    >>> cell_weights(np.array(["a", "a", "a", "b"]), np.array([0, 0, 1, 0]))
    array([0.125, 0.125, 0.25 , 0.5  ])
    """
    weight = np.zeros(len(y))
    names = np.unique(corpus)
    for name in names:
        own = corpus == name
        classes, row, count = np.unique(y[own], return_inverse=True, return_counts=True)
        weight[own] = 1 / (len(names) * len(classes) * count[row])
    return weight


def tempered(proba: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities whose logarithms are divided by a temperature; the order of classes stays.

    Parameters
    ----------
    proba : ndarray, shape (n, k)
    temperature : float
        Above 1 they are less sure, below 1 surer.
    """
    z = np.log(np.maximum(proba, _LEAST)) / temperature
    z = np.exp(z - z.max(axis=1, keepdims=True))
    # A class that training lacks stays impossible.
    z = np.where(proba > 0, z, 0.0) if (proba == 0).all(axis=0).any() else z
    return z / z.sum(axis=1, keepdims=True)


def log_loss(proba: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """Weighted mean of minus the logarithm of the true class' probability, nats."""
    return float(-(weight @ np.log(np.maximum(proba[np.arange(len(y)), y], _LEAST))) / weight.sum())


def temperature_of(proba: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """The temperature with the least :func:`log_loss` on what was held out.

    Parameters
    ----------
    proba : ndarray, shape (n, k)
    y : ndarray of int, shape (n,)
    weight : ndarray, shape (n,)
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log: log_loss(tempered(proba, np.exp(log)), y, weight), bounds=_BOUNDS, method="bounded"
    )
    return float(np.exp(found.x))


class Calibration(Protocol):
    """What is done to probabilities so that they mean what they say."""

    def applied(self, proba: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, shape (n, k), rows of sum 1; a class that is 0 everywhere stays so."""
        ...


@dataclass(frozen=True)
class Temperature:
    """Logarithms divided by a number; the answer stays, and 1 changes nothing.

    Attributes
    ----------
    value : float
    """

    value: float = 1.0

    def applied(self, proba: np.ndarray) -> np.ndarray:
        """See :func:`tempered`."""
        return proba if self.value == 1.0 else tempered(proba, self.value)


#: Probabilities as they are.
UNCHANGED = Temperature()


@dataclass(frozen=True)
class Isotonic:
    """A rising curve for each class (Zadrozny & Elkan 2002), then rows of sum 1; the answer may change.

    Attributes
    ----------
    at, value : tuple of tuple of float
        Corners of the curve of each class: probability before and after, both rising; none for a class that
        was not among the answers.
    """

    at: tuple[tuple[float, ...], ...]
    value: tuple[tuple[float, ...], ...]

    def applied(self, proba: np.ndarray) -> np.ndarray:
        """See :class:`Calibration`."""
        found = np.zeros(proba.shape)
        for number, (at, value) in enumerate(zip(self.at, self.value, strict=True)):
            if at:
                found[:, number] = np.interp(proba[:, number], at, value)
        found[:, (proba == 0).all(axis=0)] = 0.0
        total = found.sum(axis=1, keepdims=True)
        return np.where(total > 0, found / np.where(total > 0, total, 1.0), proba)


def learn(how: str, proba: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Calibration:
    """Calibrate by answers whose truth is known.

    Parameters
    ----------
    how : {"none", "temperature", "isotonic"}
    proba : ndarray, shape (n, k)
    y : ndarray of int, shape (n,)
    weight : ndarray, shape (n,)

    Raises
    ------
    ParameterError
        If there is no such way.
    """
    if how not in HOW:
        raise ParameterError(f"{how!r} calibrates nothing; choose {', '.join(HOW)}")
    if how == "none":
        return UNCHANGED
    if how == "temperature":
        return Temperature(temperature_of(proba, y, weight))
    from sklearn.isotonic import IsotonicRegression

    corners = []
    for number in range(proba.shape[1]):
        curve = IsotonicRegression(y_min=_ISOTONIC_LEAST, y_max=1 - _ISOTONIC_LEAST, out_of_bounds="clip")
        curve.fit(proba[:, number], y == number, sample_weight=weight)
        corners.append([tuple(map(float, ends)) for ends in (curve.X_thresholds_, curve.y_thresholds_)])
    return Isotonic(*(tuple(ends) for ends in zip(*corners, strict=True)))


def best(proba: np.ndarray, y: np.ndarray, corpus: np.ndarray, ways: Sequence[str] = HOW) -> str:
    """The way with the least mean :func:`log_loss` on corpora that it was not learned on.

    Parameters
    ----------
    proba : ndarray, shape (n, k)
    y : ndarray of int, shape (n,)
    corpus : ndarray of str, shape (n,)
    ways : sequence of str

    Returns
    -------
    str
        Of ``ways``; with one corpus nothing can be told, and it is "temperature".
    """
    names = np.unique(corpus)
    if len(names) < 2:
        return "temperature"
    losses = dict.fromkeys(ways, 0.0)
    for name in names:
        out = corpus == name
        others, own = cell_weights(corpus[~out], y[~out]), cell_weights(corpus[out], y[out])
        for how in ways:
            found = learn(how, proba[~out], y[~out], others).applied(proba[out])
            losses[how] += log_loss(found, y[out], own)
    return min(losses, key=lambda how: losses[how])


def calibration_error(proba: np.ndarray, y: np.ndarray, weight: np.ndarray, *, bins: int = 10) -> float:
    """Mean distance of confidence and share of right answers, over bins of confidence with equal weight.

    Answers of the same confidence are in the same bin, so that the order of rows says nothing.

    Parameters
    ----------
    proba : ndarray, shape (n, k)
    y : ndarray of int, shape (n,)
    weight : ndarray, shape (n,)
    bins : int

    Returns
    -------
    float
        0 to 1 (the expected calibration error of the answer).
    """
    right = proba.argmax(axis=1) == y
    level, place = np.unique(proba.max(axis=1), return_inverse=True)
    share = np.bincount(place, weight / weight.sum())
    hits = np.bincount(place, weight / weight.sum() * right)
    gap = np.bincount(bins_of(share, bins=bins), share * level - hits, minlength=bins)
    return float(np.abs(gap).sum())


def bins_of(share: np.ndarray, *, bins: int) -> np.ndarray:
    """Bin of each confidence, in ascending order: bins have equal weight, as far as equals let them.

    Parameters
    ----------
    share : ndarray, shape (..., L)
        Weight of the answers of each confidence; they sum to 1.

    Examples
    --------
    >>> bins_of(np.array([0.25, 0.25, 0.5]), bins=2)
    array([0, 0, 1])
    """
    return np.minimum((np.cumsum(share, axis=-1) - share / 2) * bins, bins - 1).astype(int)


@dataclass(frozen=True)
class Abstention:
    """From which confidence on answers are given, so that of these no larger share is wrong than asked.

    Attributes
    ----------
    risk : float
        That was asked for.
    threshold : float
        Least confidence of an answer; above 1 where no threshold keeps the risk.
    answered : float
        Share of what was held out that is answered.
    """

    risk: float
    threshold: float
    answered: float


def abstain_at(
    risk: float, confidence: np.ndarray, right: np.ndarray, weight: np.ndarray, *, least: float = 0.02
) -> Abstention:
    """The lowest threshold that keeps the risk on what was held out.

    Parameters
    ----------
    risk : float
        Largest share of wrong answers among those given, 0 to 1.
    confidence : ndarray, shape (n,)
    right : ndarray of bool, shape (n,)
    weight : ndarray, shape (n,)
        Non-negative.
    least : float
        Share of the weight that has to be answered: the risk of a handful is nobody's.
    """
    order = np.argsort(-confidence, kind="stable")
    share = weight[order] / weight.sum()
    answered = np.cumsum(share)
    wrong = np.cumsum(share * ~right[order]) / answered
    ends = np.append(confidence[order][1:] < confidence[order][:-1], True)  # equals are answered together
    kept = np.flatnonzero(ends & (wrong <= risk) & (answered >= least))
    if not len(kept):
        return Abstention(risk, float("inf"), 0.0)
    last = kept[-1]
    return Abstention(risk, float(confidence[order][last]), float(answered[last]))


def risk_of(
    threshold: float, confidence: np.ndarray, right: np.ndarray, weight: np.ndarray
) -> tuple[float, float]:
    """Share of wrong answers among those given, and share of what is answered; NaN risk without an answer."""
    given = confidence >= threshold
    answered = float(weight[given].sum() / weight.sum())
    if not answered:
        return float("nan"), 0.0
    return float(weight[given & ~right].sum() / weight[given].sum()), answered
