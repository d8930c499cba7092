"""Some rows at a time: vectors, or sequences cut at the longest utterance among them.

Sequences, shape (n, t, d), are NaN after the end of an utterance, and models
respect that: without the frames that no utterance of a batch has, the numbers
are the same (to rounding) and there is less to compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad


def lengths(X: Tensor) -> Tensor | None:
    """Frames of each utterance, at least 1, of sequences (n, t, d); None for any other shape."""
    if X.dim() != 3:
        return None
    position = torch.arange(1, X.shape[1] + 1, device=X.device)
    return torch.where(X[:, :, 0].isnan(), 1, position).amax(dim=1)


def take(X: Tensor, rows: Tensor, lengths: Tensor | None) -> Tensor:
    """Copy of some rows, without the frames that none of them has."""
    return X[rows] if lengths is None else X[:, : lengths[rows].max()][rows]


def apply(function: Callable[[Tensor], Tensor], X: Tensor, *, batch_size: int, device: str) -> Tensor:
    """Call a function on all rows, in batches of similar length.

    Returns
    -------
    Tensor of float, shape (n, ...), on the CPU
        Outputs of unequal width (one for each step in time) are NaN-padded.
    """
    of_rows = lengths(X)
    order = torch.arange(len(X)) if of_rows is None else of_rows.argsort(stable=True).cpu()
    with torch.inference_mode():
        parts = [function(take(X, rows, of_rows).to(device)).cpu() for rows in order.split(batch_size)]
    return _joined(parts)[order.argsort()]


def _joined(parts: Sequence[Tensor]) -> Tensor:
    if parts[0].dim() == 2:
        widest = max(part.shape[1] for part in parts)
        parts = [pad(part, (0, widest - part.shape[1]), value=torch.nan) for part in parts]
    return torch.cat(parts)
