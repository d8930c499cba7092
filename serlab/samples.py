"""Feature matrices on their way into a method.

Two types, so that leakage is impossible by signature: whatever takes
:class:`Unlabelled` has no field that could carry a label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Unlabelled:
    """Utterances without labels.

    Attributes
    ----------
    X : ndarray, shape (n, d)
        Features.
    corpus, speaker : ndarray of str, shape (n,)
        Where each row comes from; normalisation by corpus or speaker needs it.
    """

    X: np.ndarray
    corpus: np.ndarray
    speaker: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.X) == len(self.corpus) == len(self.speaker):
            raise ValueError("X, corpus and speaker must have the same length")

    def __len__(self) -> int:
        return len(self.X)


@dataclass(frozen=True)
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


def concatenate(*parts: Labelled) -> Labelled:
    """Stack labelled parts, skipping None and empty ones."""
    kept = [part for part in parts if part is not None and len(part)]
    return Labelled(
        X=np.concatenate([part.X for part in kept]),
        corpus=np.concatenate([part.corpus for part in kept]),
        speaker=np.concatenate([part.speaker for part in kept]),
        y=np.concatenate([part.y for part in kept]),
    )


def without_labels(part: Unlabelled) -> Unlabelled:
    """The same rows, with no label to leak."""
    return Unlabelled(X=part.X, corpus=part.corpus, speaker=part.speaker)
