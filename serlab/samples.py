"""Features on their way into a method.

Two types, so that leakage is impossible by signature: whatever takes
:class:`Unlabelled` has no field that could carry a label.

Sequences carry their own mask: frames after the end of an utterance are NaN.
A model that forgets the mask gives NaN at once instead of learning, unnoticed,
from padding.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from serlab import sequences
from serlab.sequences import Sequences


@dataclass(frozen=True)
class Unlabelled:
    """Utterances without labels.

    Attributes
    ----------
    X : ndarray of float32, shape (n, d) or (n, t, d), or Sequences
        Features: one vector an utterance, or a vector a frame. Frames after
        the end of an utterance are NaN. Experiments give frames as
        :class:`serlab.sequences.Sequences`, which are indexed alike.
    corpus, speaker : ndarray of str, shape (n,)
        Where each row comes from; normalisation by corpus or speaker needs it.
    row : ndarray of int, shape (n,), optional
        Position in the utterance table, so that an error can name the file.
    """

    X: np.ndarray | Sequences
    corpus: np.ndarray
    speaker: np.ndarray
    row: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not len(self.X) == len(self.corpus) == len(self.speaker):
            raise ValueError("X, corpus and speaker must have the same length")
        if self.row is not None and len(self.row) != len(self.X):
            raise ValueError("row must have one entry per row of X")

    def __len__(self) -> int:
        return len(self.X)


@dataclass(frozen=True, kw_only=True)
class Labelled(Unlabelled):
    """Utterances with their labels, coded 0 .. n_classes - 1.

    Attributes
    ----------
    y : ndarray of int, shape (n,)
    """

    y: np.ndarray

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.y) != len(self.X):
            raise ValueError("y must have one entry per row of X")

    def take(self, rows: np.ndarray) -> Labelled:
        """Some of the rows, by position or mask."""
        return Labelled(
            X=self.X[rows],
            corpus=self.corpus[rows],
            speaker=self.speaker[rows],
            row=None if self.row is None else self.row[rows],
            y=self.y[rows],
        )


def concatenate(*parts: Labelled) -> Labelled:
    """Stack labelled parts, skipping None and empty ones."""
    kept = [part for part in parts if part is not None and len(part)]
    return Labelled(
        X=stacked([part.X for part in kept]),
        corpus=np.concatenate([part.corpus for part in kept]),
        speaker=np.concatenate([part.speaker for part in kept]),
        row=None if any(part.row is None for part in kept) else np.concatenate([part.row for part in kept]),
        y=np.concatenate([part.y for part in kept]),
    )


def stacked(parts: list[np.ndarray | Sequences]) -> np.ndarray | Sequences:
    """Rows one below the other; sequences stay sequences."""
    if any(isinstance(part, Sequences) for part in parts):
        return sequences.concatenate(
            [part if isinstance(part, Sequences) else Sequences.of_dense(part) for part in parts]
        )
    return np.concatenate(parts)


def without_labels(part: Unlabelled) -> Unlabelled:
    """The same rows, with no label to leak.

    Examples
    --------
    >>> corpus, speaker = np.array(["a", "a"]), np.array(["a/1", "a/2"])
    >>> labelled = Labelled(X=np.zeros((2, 3)), corpus=corpus, speaker=speaker, y=np.array([0, 1]))
    >>> hasattr(without_labels(labelled), "y")
    False
    """
    return Unlabelled(X=part.X, corpus=part.corpus, speaker=part.speaker, row=part.row)


def frames(X: np.ndarray) -> np.ndarray:
    """Which frames belong to the utterance: bool, shape (n, t), of a dense array (n, t, d)."""
    return ~np.isnan(X[:, :, 0])


def digest(utterance: np.ndarray) -> str:
    """Short hash of the frames (t, d) of an utterance, however long the padding."""
    inside = np.ascontiguousarray(utterance[~np.isnan(utterance[:, 0])])
    return hashlib.blake2b(inside.data, digest_size=16).hexdigest()


def statistics(X: np.ndarray | Sequences) -> np.ndarray:
    """Mean and standard deviation of each feature over an utterance's frames.

    Parameters
    ----------
    X : ndarray, shape (n, t, d), or Sequences
        An array is NaN after the end of an utterance.

    Returns
    -------
    ndarray of float32, shape (n, 2 d)
        All means, then all deviations.
    """
    if isinstance(X, Sequences):
        return np.concatenate([statistics(X[rows].dense(X.lengths[rows].max())) for rows in X.blocks()])
    inside = frames(X)[:, :, None]
    count = inside.sum(axis=1)
    filled = np.where(inside, X, 0.0)
    mean = filled.sum(axis=1, dtype=float) / count
    centred = np.where(inside, X - mean[:, None], 0.0)
    sd = np.sqrt((centred**2).sum(axis=1) / count)
    return np.concatenate([mean, sd], axis=1).astype(np.float32)
