"""Ridge regression again and again on parts of the same rows: what they have in common is computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import solve


@dataclass(frozen=True)
class RidgeOfRows:
    """Ridge regression without intercept on +1 for an utterance's class and -1 for the others.

    The same as :class:`serlab.methods.learners.self_training.BalancedRidge` with the same penalty and
    weights. With no more rows than features the products of all rows are kept.

    Attributes
    ----------
    X : ndarray, shape (n, d)
        Rows on the scale of :func:`serlab.methods.learners.weighting.scaled`.
    """

    X: np.ndarray

    @cached_property
    def _products(self) -> np.ndarray | None:
        return self.X @ self.X.T if len(self.X) <= self.X.shape[1] else None

    def coefficients(
        self, rows: np.ndarray, y: np.ndarray, *, classes: np.ndarray, weight: np.ndarray, penalty: float
    ) -> np.ndarray:
        """Of a fit on some rows: shape (d, len(classes)).

        Parameters
        ----------
        rows : ndarray of int, shape (m,)
        y : ndarray of int, shape (m,)
        classes : ndarray of int
        weight : ndarray, shape (m,)
            1 on average.
        penalty : float
        """
        wanted = np.where(classes == y[:, None], 1.0, -1.0)
        root = np.sqrt(weight)[:, None]
        if self._products is not None:
            inner = self._products[np.ix_(rows, rows)] * root * root.T
            inner[np.diag_indices(len(rows))] += penalty
            return self.X[rows].T @ (root * solve(inner, root * wanted, assume_a="pos"))
        own = self.X[rows] * root
        inner = own.T @ own
        inner[np.diag_indices(inner.shape[0])] += penalty
        return solve(inner, own.T @ (root * wanted), assume_a="pos")
