"""Several feature sets of an utterance: one classifier of all, or the joint answer of one a set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from serlab.methods.learners.weighting import MOST
from serlab.samples import Labelled

#: Below which no probability counts in a product.
_LEAST = 1e-6


@dataclass(frozen=True)
class Balance:
    """Scale of features on which each set has the same part in all distances, however many features it has.

    Attributes
    ----------
    widths : tuple of int
        Features of each set, in order; none: one set.
    """

    widths: tuple[int, ...] = ()

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Rows of mean square 1 over all features together, shape as ``X``."""
        widths = np.array(self.widths or (X.shape[1],))
        return np.clip(X, -MOST, MOST) / np.sqrt(np.repeat(widths, widths) * len(widths)).astype(X.dtype)


@dataclass(frozen=True)
class OfSet:
    """The features of one set, on the usual scale.

    Attributes
    ----------
    widths : tuple of int
    number : int
        Which of them.
    """

    widths: tuple[int, ...]
    number: int = 0

    def __call__(self, X: np.ndarray) -> np.ndarray:
        if not self.widths:
            return X
        first = sum(self.widths[: self.number])
        return X[:, first : first + self.widths[self.number]]


@dataclass
class OneASet:
    """A classifier for each feature set; the answer is their mean or their product.

    Attributes
    ----------
    make : callable
        A classifier with ``fit(part)`` and ``predict_proba(X)``.
    widths : sequence of int
        Features of each set, in order; none: one set.
    how : {"mean", "product"}
        Of the probabilities; a product lets the surer set decide (Kittler et al. 1998).
    sets : sequence of int, optional
        Which sets take part; all, if not given.
    """

    make: Callable[[], Any]
    widths: tuple[int, ...] = ()
    how: Literal["mean", "product"] = "mean"
    sets: Sequence[int] | None = None

    def fit(self, part: Labelled) -> OneASet:
        """Fit one classifier a set.

        Raises
        ------
        ProtocolError
            If there are fewer than two classes.
        """
        numbers = range(len(self.widths) or 1) if self.sets is None else self.sets
        views = [OfSet(self.widths, number) for number in numbers]
        self._fitted = [(own, self.make().fit(replace(part, X=own(part.X)))) for own in views]
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        proba = [classifier.predict_proba(own(X)) for own, classifier in self._fitted]
        if self.how == "mean" or len(proba) == 1:
            return np.mean(proba, axis=0)
        never = np.max(proba, axis=0) == 0
        product = np.exp(np.log(np.maximum(proba, _LEAST)).sum(axis=0))
        product[never] = 0.0  # a class that training lacks
        return product / product.sum(axis=1, keepdims=True)
