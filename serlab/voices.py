"""Whose voice it is, and whether the voice tells the emotion.

Speakers differ more than emotions do, so features are centred by speaker where
each speaker shows several emotions. Where a speaker shows one (in URDU, 26 of
29), that takes the emotion away with the voice. Labels say which it is in
training corpora; of a target only a classifier's guesses are at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Association of speakers and emotions from which voices are left as they are. In acted corpora with a
#: design it is 0, in URDU .92; by guesses of a linear classifier .1 to .4, and .5 to .7.
VOICE_IS_EMOTION = 0.5
#: Utterances of the corpus' mean and variance that are added to each speaker's: one utterance is no voice.
PRIOR = 1.0
#: Of the classifier that guesses, with features of mean square 1 / d and weights of sum 1.
PENALTY = 1.5e-3


def association(speaker: np.ndarray, label: np.ndarray) -> float:
    """How far the speaker tells the label: Cramér's V without its bias for small tables.

    Bergsma (2013), A bias-correction for Cramér's V and Tschuprow's T.

    Parameters
    ----------
    speaker, label : ndarray, shape (n,)

    Returns
    -------
    float
        0 (independent) to 1; NaN where there is one speaker or one label.

    Examples
    --------
    >>> association(np.array(["a", "a", "b", "b"] * 9), np.array([0, 0, 1, 1] * 9)) > 0.99
    True
    """
    _, row = np.unique(speaker, return_inverse=True)
    _, column = np.unique(label, return_inverse=True)
    r, k, n = row.max() + 1, column.max() + 1, len(row)
    if min(r, k) < 2:
        return float("nan")
    counts = np.bincount(row * k + column, minlength=r * k).reshape(r, k).astype(float)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / n
    phi = ((counts - expected) ** 2 / expected).sum() / n
    unbiased = max(0.0, phi - (r - 1) * (k - 1) / (n - 1))
    least = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(min(1.0, unbiased / least))) if least > 0 else float("nan")


def are_kept(speaker: np.ndarray, label: np.ndarray) -> bool:
    """Whether voices are to be left as they are: the speaker tells the label, or there is one of either."""
    found = association(speaker, label)
    return bool(np.isnan(found) or found >= VOICE_IS_EMOTION)


def scales(X: np.ndarray, speaker: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Mean and standard deviation of each speaker, drawn towards 0 and 1.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        z-scored over the corpus.
    speaker : ndarray of str, shape (n,)
    """
    found = {}
    for name in np.unique(speaker):
        own = X[speaker == name].astype(float)
        mean = own.sum(axis=0) / (len(own) + PRIOR)
        variance = (((own - mean) ** 2).sum(axis=0) + PRIOR) / (len(own) + PRIOR)
        found[str(name)] = mean, np.sqrt(variance)
    return found


def scaled(X: np.ndarray, speaker: np.ndarray, by: dict[str, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Each utterance on the scale of its speaker; those of unknown speakers as they are."""
    out = X.copy()
    for name in set(np.unique(speaker)) & by.keys():
        rows, (mean, sd) = speaker == name, by[name]
        out[rows] = (X[rows] - mean) / sd
    return out


@dataclass(frozen=True)
class Guesser:
    """A linear classifier whose answers decide of a target whether its voices tell the emotion.

    Attributes
    ----------
    weights : ndarray, shape (d, k)
        For features of a corpus' mean 0 and variance 1, divided by the square root of their number.
    centre : ndarray, shape (k,)
    classes : ndarray of int, shape (k,)
    """

    weights: np.ndarray
    centre: np.ndarray
    classes: np.ndarray

    def guess(self, X: np.ndarray) -> np.ndarray:
        """Classes of utterances, of shape (n, d), z-scored by corpus; shape (n,)."""
        return self.classes[(X / np.sqrt(X.shape[1]) @ self.weights + self.centre).argmax(axis=1)]


def guesser(X: np.ndarray, y: np.ndarray, corpus: np.ndarray) -> Guesser:
    """Learn to guess, by ridge regression in which each class of each corpus weighs the same.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        z-scored by corpus.
    y : ndarray of int, shape (n,)
    corpus : ndarray of str, shape (n,)
    """
    classes, row = np.unique(y, return_inverse=True)
    _, cell = np.unique(
        [f"{name}/{label}" for name, label in zip(corpus, y, strict=True)], return_inverse=True
    )
    weight = 1.0 / np.bincount(cell)[cell]
    weight /= weight.sum()
    root = np.sqrt(weight)[:, None]
    wanted = np.where(np.arange(len(classes)) == row[:, None], 1.0, -1.0)
    centre = weight @ wanted
    A = X / np.sqrt(X.shape[1]) * root
    B = (wanted - centre) * root
    if len(A) < A.shape[1]:
        solution = A.T @ np.linalg.solve(A @ A.T + PENALTY * np.eye(len(A)), B)
    else:
        solution = np.linalg.solve(A.T @ A + PENALTY * np.eye(A.shape[1]), A.T @ B)
    return Guesser(solution, centre, classes)


def guesses(X: np.ndarray, y: np.ndarray, corpus: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Classes of further utterances, by :func:`guesser`.

    Parameters
    ----------
    X, y, corpus
        As there.
    others : ndarray, shape (m, d)

    Returns
    -------
    ndarray of int, shape (m,)
    """
    return guesser(X, y, corpus).guess(others)
