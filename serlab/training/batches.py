"""Some rows at a time: vectors, or sequences cut at the longest utterance among them.

Sequences, shape (n, t, d), are NaN after the end of an utterance, and models
respect that: without the frames that no utterance of a batch has, the numbers
are the same (to rounding) and there is less to compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from serlab.sequences import IN_MEMORY, Sequences

#: What is trained on: vectors or dense sequences, or sequences from which batches are cut.
Rows: TypeAlias = Tensor | Sequences

#: Bytes of a dense array up to which sequences are kept on a GPU: what is brought to it is waited for.
_ON_GPU = 2**30


def as_rows(X: np.ndarray | Tensor | Sequences) -> Rows:
    """An array as a tensor; sequences as they are."""
    return X if isinstance(X, Sequences) else torch.as_tensor(X)


def on_device(X: Rows, device: str | torch.device) -> Rows:
    """Where batches are best cut from: the device, or memory if they are sequences.

    Sequences are scaled once, not in each epoch, where memory has room for that.
    """
    if not isinstance(X, Sequences):
        return X.to(device)
    n, longest, d = X.shape
    if torch.device(device).type != "cpu" and n * longest * d * X.dtype.itemsize <= _ON_GPU:
        return torch.from_numpy(X.dense()).to(device)
    return X.carried_out() if X.scales is not None and X.nbytes <= IN_MEMORY else X


def lengths(X: Rows) -> Tensor | None:
    """Frames of each utterance, at least 1, of sequences (n, t, d); None for any other shape."""
    if isinstance(X, Sequences):
        return torch.from_numpy(X.lengths)
    if X.dim() != 3:
        return None
    position = torch.arange(1, X.shape[1] + 1, device=X.device)
    return torch.where(X[:, :, 0].isnan(), 1, position).amax(dim=1)


def take(X: Rows, rows: Tensor, lengths: Tensor | None) -> Tensor:
    """Copy of some rows, without the frames that none of them has; of sequences, in memory."""
    if isinstance(X, Sequences):
        some = X[rows.numpy()]
        return torch.from_numpy(some.dense(int(some.lengths.max())))
    return X[rows] if lengths is None else X[:, : lengths[rows].max()][rows]


def apply(function: Callable[[Tensor], Tensor], X: Rows, *, batch_size: int, device: str) -> Tensor:
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
