"""Sequences that end at different frames: what belongs to the utterance and what is padding."""

from __future__ import annotations

import torch
from torch import Tensor


def split(X: Tensor) -> tuple[Tensor, Tensor]:
    """Separate a batch of sequences into values and mask.

    Parameters
    ----------
    X : Tensor, shape (B, t, d)
        NaN in all features after the end of an utterance.

    Returns
    -------
    filled : Tensor, shape (B, t, d)
        Zeros after the end.
    mask : Tensor of bool, shape (B, t)
        True for the frames of the utterance.
    """
    mask = ~torch.isnan(X[:, :, 0])
    return torch.where(mask[:, :, None], X, 0.0), mask


def softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last dimension; weight exactly 0 where ``mask`` is False.

    Every row needs at least one True.
    """
    return scores.masked_fill(~mask, -torch.inf).softmax(dim=-1)


def nan_outside(values: Tensor, mask: Tensor) -> Tensor:
    """``values`` with NaN where ``mask`` is False, as sequences are handed on."""
    return values.masked_fill(~mask, torch.nan)


def mean_and_deviation(values: Tensor, mask: Tensor) -> Tensor:
    """Over the steps of each utterance, side by side, shape (B, 2 * d).

    Parameters
    ----------
    values : Tensor, shape (B, t, d)
        Zeros where ``mask`` is False.
    mask : Tensor of bool, shape (B, t)
    """
    count = mask.sum(dim=1, keepdim=True)
    mean = values.sum(dim=1) / count
    centred = (values - mean[:, None]) * mask[:, :, None]
    # Off zero, where a root has no finite gradient.
    return torch.cat([mean, (centred.square().sum(dim=1) / count + 1e-5).sqrt()], dim=1)
