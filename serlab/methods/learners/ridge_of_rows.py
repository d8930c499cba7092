"""Ridge regression again and again on parts of the same rows: what they have in common is computed once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve

#: Products of all rows are kept where there are at most so many rows a feature.
_MOST_ROWS_A_FEATURE = 1.5


@dataclass(frozen=True)
class RidgeOfRows:
    """Ridge regression without intercept on +1 for an utterance's class and -1 for the others.

    A fit on no more rows than features needs products of rows only. These are computed once, for all fits
    on some of the rows and all penalties; a penalty more costs a Cholesky factor.

    Attributes
    ----------
    X : ndarray, shape (n, d)
        Rows on the scale of :func:`serlab.methods.learners.weighting.scaled`.
    """

    X: np.ndarray

    @cached_property
    def _products(self) -> np.ndarray | None:
        few = len(self.X) <= _MOST_ROWS_A_FEATURE * self.X.shape[1]
        return self.X @ self.X.T if few else None

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
        problem = self._problem(rows, y, classes, weight)
        found = problem.solved(penalty)
        return self.X[rows].T @ (problem.root * found) if problem.of_rows else found

    def scores(
        self,
        rows: np.ndarray,
        y: np.ndarray,
        asked: np.ndarray,
        *,
        classes: np.ndarray,
        weight: np.ndarray,
        penalties: Sequence[float],
    ) -> Iterator[np.ndarray]:
        """Scores of other rows by a fit with each penalty in turn, each of shape (len(asked), len(classes)).

        Parameters
        ----------
        rows, y, classes, weight
            As for :meth:`coefficients`.
        asked : ndarray of int
        penalties : sequence of float
        """
        problem = self._problem(rows, y, classes, weight)
        if problem.of_rows and self._products is not None:
            like = self._products[np.ix_(asked, rows)] * problem.root.T
        else:
            like = self.X[asked]
        for penalty in penalties:
            yield like @ problem.solved(penalty)

    def _problem(self, rows: np.ndarray, y: np.ndarray, classes: np.ndarray, weight: np.ndarray) -> _Problem:
        wanted = np.where(classes == y[:, None], 1.0, -1.0)
        root = np.sqrt(weight)[:, None]
        if len(rows) <= self.X.shape[1] and self._products is not None:
            inner = self._products[np.ix_(rows, rows)] * root
            inner *= root.T
            return _Problem(inner, root * wanted, root, of_rows=True)
        own = self.X[rows] * root
        return _Problem(own.T @ own, own.T @ (root * wanted), root, of_rows=False)


@dataclass(frozen=True)
class _Problem:
    """Normal equations without their penalty, of rows or of features.

    ``root`` has the square roots of the weights, shape (m, 1).
    """

    inner: np.ndarray
    right: np.ndarray
    root: np.ndarray
    of_rows: bool

    def solved(self, penalty: float) -> np.ndarray:
        """Shape as ``right``."""
        inner = self.inner.copy(order="F")
        inner[np.diag_indices(len(inner))] += penalty
        factor = cho_factor(inner, lower=True, overwrite_a=True, check_finite=False)
        return cho_solve(factor, self.right, check_finite=False)
