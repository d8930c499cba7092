"""Connectionist temporal classification around torch's, with checks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import ctc_loss

from serlab.errors import TrainingError
from serlab.wording import count


def ctc(log_probs: Tensor, lengths: Tensor, targets: Sequence[Sequence[int]]) -> Tensor:
    """Negative log probability of transcripts, one an utterance.

    The sum over all ways to spread the units over the frames, with blanks
    between them (Graves et al. 2006, "Connectionist temporal classification").

    Parameters
    ----------
    log_probs : Tensor, shape (B, T, U + 1)
        Log probabilities of U units and of the blank, which is the last; or
        logits, which are normalised. What comes after the end is ignored.
        Half precision is computed in float32.
    lengths : Tensor of int, shape (B,)
        Frames of each utterance, 1 to T.
    targets : sequence of sequence of int
        Units of each utterance.

    Returns
    -------
    Tensor, shape (B,)
        Not divided by the numbers of units.

    Raises
    ------
    TrainingError
        If an utterance has fewer frames than :func:`frames_needed`; its
        ``rows`` are positions in the batch.
    ValueError
        If shapes do not fit each other, or a transcript is empty or has unknown units.
    """
    n, n_frames, n_outputs = log_probs.shape
    blank = n_outputs - 1
    if len(targets) != n or lengths.shape != (n,):
        raise ValueError(
            f"{n} utterances need as many lengths and transcripts, not {len(lengths)}, {len(targets)}"
        )
    if n and not 1 <= int(lengths.min()) <= int(lengths.max()) <= n_frames:
        raise ValueError(f"lengths must be 1 to {n_frames}, not {lengths.tolist()}")
    if not all(len(target) and 0 <= min(target) <= max(target) < blank for target in targets):
        raise ValueError(f"each transcript needs units, all of them from 0 to {blank - 1}")
    needed = [frames_needed(target) for target in targets]
    short = [
        row for row, (has, needs) in enumerate(zip(lengths.tolist(), needed, strict=True)) if has < needs
    ]
    if short:
        row, said = short[0], count(len(short), "utterance is", "utterances are")
        raise TrainingError(
            f"{said} shorter than their units: number {row} of the batch has "
            f"{int(lengths[row])} frames, its {len(targets[row])} units need {needed[row]} (there is a blank "
            "between two equal ones); leave such utterances out, or subsample time less",
            rows=short,
        )
    scores = log_probs if log_probs.dtype == torch.float64 else log_probs.float()
    lengths = lengths.to(scores.device)
    after_end = torch.arange(n_frames, device=scores.device) >= lengths[:, None]
    # Filled before the softmax: NaN would come back through its gradient.
    scores = scores.masked_fill(after_end[:, :, None], 0.0).log_softmax(dim=2)
    units = torch.tensor([unit for target in targets for unit in target], device=scores.device)
    n_units = torch.tensor([len(target) for target in targets], device=scores.device)
    return ctc_loss(scores.transpose(0, 1), units, lengths, n_units, blank=blank, reduction="none")


def frames_needed(target: Sequence[int]) -> int:
    """Fewest frames that hold a transcript: one a unit, and a blank between two equal ones."""
    return len(target) + sum(a == b for a, b in pairwise(target))
