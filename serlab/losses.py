"""Distances between the distributions of two batches: pure functions of tensors."""

from __future__ import annotations

import torch
from torch import Tensor


def coral(source: Tensor, target: Tensor) -> Tensor:
    """Correlation alignment: squared distance of two covariance matrices.

    ``||C_s - C_t||_F^2 / (4 d^2)`` (Sun & Saenko 2016, Deep CORAL, eq. 1),
    with unbiased covariances.

    Parameters
    ----------
    source, target : Tensor, shapes (n, d) and (m, d)
        At least two rows each; n and m may differ.

    Returns
    -------
    Tensor
        A scalar.
    """
    _require_batches(source, target, at_least=2)
    d = source.shape[1]
    return (torch.cov(source.T) - torch.cov(target.T)).square().sum() / (4 * d**2)


def mmd2(x: Tensor, y: Tensor, bandwidth: float | Tensor, biased: bool = True) -> Tensor:
    """Squared maximum mean discrepancy under a Gaussian kernel.

    ``k(a, b) = exp(-||a - b||^2 / (2 bandwidth^2))``. The biased estimate is
    Baklouti et al., eq. 2 (Gretton et al. 2012, eq. 5) and never negative; the
    unbiased one (Gretton et al. 2012, eq. 3) leaves out the pairs of a row
    with itself and is about 0 for two samples of the same distribution.

    Parameters
    ----------
    x, y : Tensor, shapes (n, d) and (m, d)
        n and m may differ; at least two rows each for the unbiased estimate.
    bandwidth : float
        Standard deviation of the kernel; :func:`median_bandwidth` is usual.
    biased : bool

    Returns
    -------
    Tensor
        A scalar. Needs memory for (n + m)^2 numbers, not (n + m)^2 d.
    """
    _require_batches(x, y, at_least=1 if biased else 2)
    n, m = len(x), len(y)
    k = torch.exp(_squared_distances(torch.cat([x, y])) / (-2 * bandwidth**2))
    xx, xy, yy = k[:n, :n].sum(), k[:n, n:].sum(), k[n:, n:].sum()
    if biased:
        return xx / n**2 - 2 * xy / (n * m) + yy / m**2
    # The kernel of a row with itself is 1.
    return (xx - n) / (n * (n - 1)) - 2 * xy / (n * m) + (yy - m) / (m * (m - 1))


def median_bandwidth(x: Tensor, y: Tensor) -> float:
    """Median distance between different rows of both batches together.

    The median heuristic (Gretton et al. 2012, section 8).
    """
    rows = torch.cat([x, y]).detach()
    above = torch.triu_indices(len(rows), len(rows), offset=1)
    return _squared_distances(rows)[above[0], above[1]].median().sqrt().item()


def _squared_distances(rows: Tensor) -> Tensor:
    """All pairs, by ``a^2 + b^2 - 2ab``: no (n, n, d) tensor."""
    rows = rows - rows.mean(dim=0)  # less cancellation
    norms = rows.square().sum(dim=1)
    squared = (norms[:, None] + norms - 2 * rows @ rows.T).clamp(min=0)
    # Exactly 0 between a row and itself, whatever the rounding.
    return squared - torch.diag(squared.diagonal())


def _require_batches(x: Tensor, y: Tensor, *, at_least: int) -> None:
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(
            f"two batches of rows of equal width are needed, not {tuple(x.shape)} and {tuple(y.shape)}"
        )
    if min(len(x), len(y)) < at_least:
        raise ValueError(f"at least {at_least} row(s) in each batch are needed, not {len(x)} and {len(y)}")
