"""Distances between the distributions of two batches: pure functions of tensors.

All compute in float32 at least, also for half-precision input and under
autocast: a difference of means of kernels has few digits to spare.
Unless said otherwise, batches may differ in size and may be of one row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn.functional import softplus

from serlab.errors import ParameterError
from serlab.wording import count

#: Multiples of the bandwidth in a multi-kernel: variances over a range of 2^8.
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)

# Of a class, in utterances of a batch; its weights are divided by its mass.
_LEAST_MASS = 1e-3


def mmd2(x: Tensor, y: Tensor, bandwidth: float | Tensor | None = None, biased: bool = True) -> Tensor:
    """Squared maximum mean discrepancy under a Gaussian kernel.

    ``mean k(x, x') - 2 mean k(x, y) + mean k(y, y')`` with
    ``k(a, b) = exp(-||a - b||^2 / (2 bandwidth^2))``. The biased estimate is
    Baklouti et al., eq. 2 (Gretton et al. 2012, eq. 5), 0 for equal batches
    and never negative but for rounding; the unbiased one (Gretton et al. 2012,
    eq. 3) leaves out the pairs of a row with itself and is 0 on average for
    two samples of the same distribution.

    Parameters
    ----------
    x, y : Tensor, shapes (n, d) and (m, d)
        At least two rows each for the unbiased estimate.
    bandwidth : float or Tensor, optional
        Standard deviation of the kernel; :func:`median_bandwidth` if not given.
    biased : bool

    Returns
    -------
    Tensor
        A scalar. Needs memory for (n + m)^2 numbers, not (n + m)^2 d.

    Raises
    ------
    ValueError
        If the widths differ or rows are too few.
    ParameterError
        If the bandwidth is not positive.
    """
    return multi_kernel_mmd2(x, y, bandwidth=bandwidth, factors=(1.0,), biased=biased)


def multi_kernel_mmd2(
    x: Tensor,
    y: Tensor,
    *,
    bandwidth: float | Tensor | None = None,
    factors: Sequence[float] = FACTORS,
    biased: bool = True,
) -> Tensor:
    """Squared maximum mean discrepancy under the mean of several Gaussian kernels.

    As :func:`mmd2`, with ``k = mean over f of k_f``, where ``k_f`` has the
    bandwidth ``f * bandwidth``: no one width need be right (Long et al. 2015,
    Deep Adaptation Networks; here with equal coefficients).

    Parameters
    ----------
    x, y : Tensor, shapes (n, d) and (m, d)
    bandwidth : float or Tensor, optional
        :func:`median_bandwidth` of the two batches if not given.
    factors : sequence of float
    biased : bool

    Returns
    -------
    Tensor
        A scalar.

    Raises
    ------
    ValueError
        If the widths differ or rows are too few.
    ParameterError
        If the bandwidth is not positive.
    """
    _require_batches(x, y, at_least=1 if biased else 2)
    return _difference_of_means(kernel_minus_1(_together(x, y), bandwidth, factors), len(x), biased)


def joint_mmd2(
    xs: Sequence[Tensor],
    ys: Sequence[Tensor],
    *,
    bandwidths: Sequence[float | Tensor | None] | None = None,
    factors: Sequence[float] = FACTORS,
    biased: bool = True,
) -> Tensor:
    """Squared maximum mean discrepancy of the joint distribution of several layers.

    As :func:`multi_kernel_mmd2`, with the product over layers of their kernels,
    ``k = prod over l of k_l(x_l, x'_l)`` (Long et al. 2017, Joint Adaptation
    Networks, JMMD of section 4.1). It also sees shifts in how layers
    go together, such as features with predictions.

    Parameters
    ----------
    xs, ys : sequence of Tensor, shapes (n, d_l) and (m, d_l)
        Layer by layer, the same rows in each.
    bandwidths : sequence of float, Tensor or None, optional
        One a layer; the median of each layer if not given.
    factors : sequence of float
    biased : bool

    Returns
    -------
    Tensor
        A scalar.

    Raises
    ------
    ValueError
        If there is no layer, numbers of layers or of rows differ, or rows are too few.
    ParameterError
        If a bandwidth is not positive.
    """
    bandwidths = [None] * len(xs) if bandwidths is None else bandwidths
    if not len(xs) == len(ys) == len(bandwidths) or not len(xs):
        raise ValueError(
            f"as many layers of both batches are needed, one at least, not {len(xs)} and {len(ys)} "
            f"(with {len(bandwidths)} bandwidths)"
        )
    for x, y in zip(xs, ys, strict=True):
        _require_batches(x, y, at_least=1 if biased else 2)
        if (len(x), len(y)) != (len(xs[0]), len(ys[0])):
            raise ValueError("all layers need the same rows; their numbers differ")
    kernels = [
        1 + kernel_minus_1(_together(x, y), bandwidth, factors)
        for x, y, bandwidth in zip(xs, ys, bandwidths, strict=True)
    ]
    return _difference_of_means(math.prod(kernels) - 1, len(xs[0]), biased)


def local_mmd2(
    x: Tensor,
    y: Tensor,
    x_weight: Tensor,
    y_weight: Tensor,
    *,
    bandwidth: float | Tensor | None = None,
    factors: Sequence[float] = FACTORS,
) -> Tensor:
    """Class-conditional maximum mean discrepancy: each class is aligned with itself.

    ``mean over c of || sum_i w_ic phi(x_i) - sum_j v_jc phi(y_j) ||^2``, where
    ``w_ic = x_weight_ic / sum_i' x_weight_i'c`` and ``v`` likewise from
    ``y_weight`` (LMMD of Zhu et al. 2021, Deep Subdomain Adaptation Network).
    The kernel is that of :func:`multi_kernel_mmd2`. With a single class and
    equal weights it is the biased :func:`multi_kernel_mmd2`.

    Parameters
    ----------
    x, y : Tensor, shapes (n, d) and (m, d)
    x_weight, y_weight : Tensor, shapes (n, C) and (m, C)
        How much a row belongs to each class, not negative: one-hot labels of
        the source, predicted probabilities of the target. A class of which a
        batch has less than a thousandth of a row is left out of the mean.
        Gradients flow into the weights; usually they are not wanted there:
        pass ``probabilities.detach()``.
    bandwidth : float or Tensor, optional
        :func:`median_bandwidth` of the two batches if not given.
    factors : sequence of float

    Returns
    -------
    Tensor
        A scalar; 0, with gradients of 0, if no class is in both batches.

    Raises
    ------
    ValueError
        If widths, numbers of rows or of classes differ.
    ParameterError
        If the bandwidth is not positive.
    """
    _require_batches(x, y, at_least=1)
    _require_batches(x_weight, y_weight, at_least=1)
    if len(x_weight) != len(x) or len(y_weight) != len(y):
        raise ValueError(
            f"one row of weights for each row is needed, not {len(x_weight)} for {len(x)} "
            f"and {len(y_weight)} for {len(y)}"
        )
    rows = _together(x, y)
    x_weight, y_weight = x_weight.to(rows.dtype), y_weight.to(rows.dtype)
    x_mass, y_mass = x_weight.sum(dim=0), y_weight.sum(dim=0)
    kept = (x_mass > _LEAST_MASS) & (y_mass > _LEAST_MASS)
    signed = torch.cat(
        [x_weight / torch.where(kept, x_mass, 1.0), -y_weight / torch.where(kept, y_mass, 1.0)]
    )
    signed = torch.where(kept, signed, 0.0)
    k = kernel_minus_1(rows, bandwidth, factors)
    with _exactly(rows):
        return (signed * (k @ signed)).sum() / kept.sum().clamp(min=1)


def coral(source: Tensor, target: Tensor) -> Tensor:
    """Correlation alignment: squared distance of two covariance matrices.

    ``||C_s - C_t||_F^2 / (4 d^2)`` (Sun & Saenko 2016, Deep CORAL, eq. 1),
    with unbiased covariances.

    Parameters
    ----------
    source, target : Tensor, shapes (n, d) and (m, d)
        Two rows each at least. A batch of one has no covariance and is an
        error: a caller that may meet one has to leave the term out.

    Returns
    -------
    Tensor
        A scalar. Needs memory for (n + m)^2 or d^2 numbers, whichever is less.

    Raises
    ------
    ValueError
        If the widths differ or a batch has one row.
    """
    _require_batches(source, target, at_least=2)
    d = source.shape[1]
    s, t = (_full(part) for part in (source, target))
    s, t = ((part - part.mean(dim=0)) / math.sqrt(len(part) - 1) for part in (s, t))
    with _exactly(s):
        if len(s) + len(t) >= d:
            return (s.T @ s - t.T @ t).square().sum() / (4 * d**2)
        # The same norm from inner products of rows: batches are small and layers wide.
        ss, st, tt = s @ s.T, s @ t.T, t @ t.T
        return (ss.square().sum() - 2 * st.square().sum() + tt.square().sum()) / (4 * d**2)


def domain_adversarial(source_logits: Tensor, target_logits: Tensor) -> Tensor:
    """Binary cross-entropy of a classifier that tells the corpora apart.

    ``(mean softplus(s) + mean softplus(-t)) / 2``: both corpora weigh the
    same, whatever their number of rows; ln 2 for a classifier that does not
    know (domain loss of Ganin et al. 2016). The discriminator lowers it, the
    encoder raises it: see :func:`reverse_gradient`.

    Parameters
    ----------
    source_logits, target_logits : Tensor, shapes (n,) or (n, 1) and (m,) or (m, 1)
        High where a row is taken for the target's.

    Returns
    -------
    Tensor
        A scalar.

    Raises
    ------
    ValueError
        If there is not one logit a row, or no row.
    """
    for logits in (source_logits, target_logits):
        if not len(logits) or logits.numel() != len(logits):
            raise ValueError(f"one logit a row and at least one row are needed, not {tuple(logits.shape)}")
    return (softplus(_full(source_logits)).mean() + softplus(-_full(target_logits)).mean()) / 2


def reverse_gradient(x: Tensor, strength: float) -> Tensor:
    """The same values, whose gradient comes back times ``-strength``.

    Between an encoder and a discriminator, so that one backward pass trains
    the discriminator to tell the corpora apart and the encoder to prevent it
    (Ganin et al. 2016, section 4.2).

    Parameters
    ----------
    x : Tensor, any shape
    strength : float
        How much the encoder minds; 0 lets it be.
    """
    return x.detach() + strength * (x.detach() - x)


def median_bandwidth(x: Tensor, y: Tensor) -> Tensor:
    """Median distance between the rows of both batches together, as a constant.

    The median heuristic (Gretton et al. 2012, section 8). Pairs of equal rows
    do not count (of a layer with ReLU many rows may be 0). If no two rows
    differ by more than rounding, it is the size of the rounding error:
    positive, so that kernels and gradients stay finite.

    Parameters
    ----------
    x, y : Tensor, shapes (n, d) and (m, d)

    Returns
    -------
    Tensor
        A scalar, positive, without gradient; the lower of the two in the
        middle of an even number.
    """
    _require_batches(x, y, at_least=1)
    rows = _together(x, y).detach()
    return _median(_squared_distances(rows), rows)


def kernel_minus_1(
    rows: Tensor, bandwidth: float | Tensor | None = None, factors: Sequence[float] = (1.0,)
) -> Tensor:
    """Mean of Gaussian kernels, less 1, of all pairs of rows.

    In a difference of means the 1 cancels; without it small distances keep their digits.

    Parameters
    ----------
    rows : Tensor, shape (n, d)
    bandwidth : float or Tensor, optional
        Median distance of the rows if not given, see :func:`median_bandwidth`.
    factors : sequence of float
        Multiples of the bandwidth, one a kernel.

    Returns
    -------
    Tensor, shape (n, n)
        0 between a row and itself, at least -1.

    Raises
    ------
    ParameterError
        If the bandwidth is not positive.
    """
    squared = _squared_distances(rows)
    if bandwidth is None:
        bandwidth = _median(squared.detach(), rows.detach())
    elif not isinstance(bandwidth, Tensor) and not bandwidth > 0:
        raise ParameterError(f"the bandwidth of a kernel must be positive, not {bandwidth}")
    return sum(torch.expm1(squared / (-2 * (factor * bandwidth) ** 2)) for factor in factors) / len(factors)


def _median(squared: Tensor, rows: Tensor) -> Tensor:
    limits = torch.finfo(rows.dtype)
    rounding = (limits.eps * rows.square().sum(dim=1).mean()).clamp(min=math.sqrt(limits.tiny))
    median = squared.masked_fill(squared <= rounding, torch.nan).nanmedian()
    return torch.where(median.isnan(), rounding, median).sqrt()


def _difference_of_means(k: Tensor, n: int, biased: bool) -> Tensor:
    """MMD of the first n rows and the others, of kernels less 1."""
    m = len(k) - n
    # A row and itself add 0 either way.
    xx, yy = (n**2, m**2) if biased else (n * (n - 1), m * (m - 1))
    return k[:n, :n].sum() / xx - 2 * k[:n, n:].mean() + k[n:, n:].sum() / yy


def _squared_distances(rows: Tensor) -> Tensor:
    """All pairs, by ``a^2 + b^2 - 2ab``: no (n, n, d) tensor."""
    return _SquaredDistances.apply(rows - rows.mean(dim=0).detach())  # less cancellation


class _SquaredDistances(torch.autograd.Function):
    """Of centred rows, differentiable once.

    The product is of a matrix with itself, so that both of its sides have the same gradient:
    by hand it takes one product of matrices, where autograd would make two.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        norms = rows.square().sum(dim=1)
        with _exactly(rows):
            squared = (norms[:, None] + norms - 2 * (rows @ rows.T)).clamp_(min=0)
        # Exactly 0 between a row and itself, whatever the rounding.
        return squared.fill_diagonal_(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        (rows,) = ctx.saved_tensors
        both = gradient + gradient.T
        with _exactly(rows):
            return 2 * (both.sum(dim=1, keepdim=True) * rows - both @ rows)


def _together(x: Tensor, y: Tensor) -> Tensor:
    return torch.cat([_full(x), _full(y)])


def _full(x: Tensor) -> Tensor:
    """In float32 at least."""
    return x if x.dtype == torch.float64 else x.float()


def _exactly(x: Tensor) -> torch.autocast:
    """Matrix products of full precision, also where autocast has them in 16 bits."""
    return torch.autocast(x.device.type, enabled=False)


def _require_batches(x: Tensor, y: Tensor, *, at_least: int) -> None:
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(
            f"two batches of rows of equal width are needed, not {tuple(x.shape)} and {tuple(y.shape)}"
        )
    if min(len(x), len(y)) < at_least:
        raise ValueError(f"each batch needs at least {count(at_least, 'row')}, not {len(x)} and {len(y)}")
