"""Unsupervised alignment of feature distributions."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh


def coral(source: np.ndarray, target: np.ndarray, *, ridge: float = 1.0) -> np.ndarray:
    """CORAL: give the source the mean and covariance of the target.

    Sun, Feng & Saenko (2016), Return of frustratingly easy domain adaptation,
    algorithm 1: source rows are whitened and then coloured by the target,
    ``(x - m_s) (C_s + ridge I)^(-1/2) (C_t + ridge I)^(1/2) + m_t``. They
    assume centred data; we move the mean, too. No labels are used.

    Parameters
    ----------
    source, target : ndarray, shapes (n, d) and (m, d)
        Z-scored features, so that a ridge of 1 (the authors' value) is as
        large as the variance of a feature. With fewer rows than features it
        is what makes the covariances invertible; the smaller it is against
        the variances, the closer the aligned covariance comes to the target's.

    Returns
    -------
    ndarray of float32, shape (n, d)
        Aligned source rows.
    """
    whitened = _times_power(source - source.mean(axis=0, dtype=float), source, -0.5, ridge)
    coloured = _times_power(whitened, target, 0.5, ridge)
    return (coloured + target.mean(axis=0, dtype=float)).astype(np.float32)


def _times_power(rows: np.ndarray, X: np.ndarray, power: float, ridge: float) -> np.ndarray:
    """``rows @ (cov(X) + ridge I)^power``.

    Outside the span of X's centred rows the matrix is a multiple of the
    identity, so the eigenvectors within it are enough. With fewer rows than
    features they come from the smaller matrix of inner products.
    """
    centred = X - X.mean(axis=0, dtype=float)
    if len(X) <= X.shape[1]:
        squared, left = eigh(centred @ centred.T)
        kept = squared > 1e-12 * squared[-1]
        squared = squared[kept]
        directions = centred.T @ (left[:, kept] / np.sqrt(squared))
    else:
        squared, directions = eigh(centred.T @ centred)
        squared = squared.clip(min=0)
    beyond = (squared / (len(X) - 1) + ridge) ** power - ridge**power
    return ridge**power * rows + (rows @ directions * beyond) @ directions.T
