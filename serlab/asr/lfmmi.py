"""Lattice-free maximum mutual information: sums over all paths of graphs, in logarithms.

Povey et al. (2016), "Purely sequence-trained neural networks for ASR based on
lattice-free MMI"; of whole utterances as in Hadian et al. (2018), "End-to-end
speech recognition using lattice-free MMI". The graphs are those of
:mod:`serlab.asr.graphs`.

All arithmetic is in float32 at least, also for half-precision input and under autocast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from serlab.asr.graphs import Graph
from serlab.errors import ParameterError, TrainingError

#: Coefficient of the leaky hidden Markov model (Povey et al. 2016, section 2.7, and Kaldi's default).
LEAKY = 1e-5


def lf_mmi(
    log_scores: Tensor,
    lengths: Tensor,
    numerators: Sequence[Graph],
    denominator: Graph,
    *,
    leaky: float = LEAKY,
) -> Tensor:
    """Negative log posterior probability of transcripts, one an utterance.

    ``log sum over paths of the denominator - log sum over those that spell the
    transcript``: never negative but for rounding. Without a leak, and over all
    transcripts that fit in the frames, ``exp(-loss)`` sums to 1.

    Parameters
    ----------
    log_scores : Tensor, shape (B, T, P)
        The network's outputs, unnormalised. What comes after the end is ignored.
    lengths : Tensor of int, shape (B,)
        Frames of each utterance.
    numerators : sequence of Graph
        One an utterance, made with the n-gram of the denominator.
    denominator : Graph
    leaky : float
        Of the denominator, see :func:`forward_log`.

    Returns
    -------
    Tensor, shape (B,)
        Not divided by the numbers of frames.

    Raises
    ------
    TrainingError
        If an utterance has fewer frames than units; its ``rows`` are positions in the batch.
    ValueError
        If shapes do not fit each other.
    """
    total = forward_log(log_scores, lengths, denominator, leaky=leaky)
    correct = forward_log(log_scores, lengths, numerators)
    needed = [graph.fewest_frames for graph in numerators]
    short = [
        row for row, (has, needs) in enumerate(zip(lengths.tolist(), needed, strict=True)) if has < needs
    ]
    if short:
        row = short[0]
        raise TrainingError(
            f"{len(short)} utterance(s) are shorter than their units: number {row} of the batch has "
            f"{int(lengths[row])} frames for {needed[row]} units; leave such utterances "
            "out, or subsample time less",
            rows=short,
        )
    return total - correct


def forward_log(
    log_scores: Tensor, lengths: Tensor, graph: Graph | Sequence[Graph], *, leaky: float = 0.0
) -> Tensor:
    """Logarithm of the sum over all paths through a graph of the exponential of their weight.

    A path's weight is that of its beginning, arcs and end, and the scores of
    its arcs' pdfs, frame by frame. Gradients are the pdfs' occupancies: the
    expected numbers of a path's arcs that have a pdf in a frame.

    Parameters
    ----------
    log_scores : Tensor, shape (B, T, P)
        What comes after an utterance's end is ignored, also if it is not a number.
    lengths : Tensor of int, shape (B,)
        Frames of each utterance, 1 to T.
    graph : Graph or sequence of Graph
        The same for all utterances, or one an utterance.
    leaky : float
        Between two frames a path may jump from any state to state ``j`` at a
        weight of ``leaky * exp(graph.leak[j])`` (the leaky hidden Markov model
        of Povey et al. 2016, section 2.7).

    Returns
    -------
    Tensor, shape (B,)
        float32, or float64 for such scores; -inf, with a gradient of 0, where
        the graph has no path of the utterance's length.

    Raises
    ------
    ValueError
        If shapes do not fit each other.
    ParameterError
        If the leak is negative.
    """
    graphs = [graph] if isinstance(graph, Graph) else list(graph)
    if log_scores.ndim != 3 or lengths.shape != log_scores.shape[:1]:
        raise ValueError(
            f"scores (B, T, P) and lengths (B,) are needed, not {tuple(log_scores.shape)} and "
            f"{tuple(lengths.shape)}"
        )
    n, n_frames, n_pdfs = log_scores.shape
    if not isinstance(graph, Graph) and len(graphs) != n:
        raise ValueError(f"one graph an utterance is needed, not {len(graphs)} for {n}")
    if n and not 1 <= int(lengths.min()) <= int(lengths.max()) <= n_frames:
        raise ValueError(f"lengths must be 1 to {n_frames}, not {lengths.tolist()}")
    if max(int(g.pdf.max()) for g in graphs) >= n_pdfs:
        raise ValueError(f"the graph has more pdfs than the {n_pdfs} outputs of the network")
    if leaky < 0:
        raise ParameterError(f"leaky must not be negative, not {leaky}")
    scores = log_scores if log_scores.dtype == torch.float64 else log_scores.float()
    lengths = lengths.to(scores.device)
    after_end = torch.arange(n_frames, device=scores.device) >= lengths[:, None]
    scores = scores.masked_fill(after_end[:, :, None], 0.0)
    return _PathSum.apply(scores, lengths, _pack(graphs, n, scores), leaky)


@dataclass(frozen=True)
class _Packed:
    """Graphs of a batch as tensors: arcs (B, A), states (B, S)."""

    source: Tensor
    to: Tensor
    pdf: Tensor
    log_weight: Tensor
    initial: Tensor
    final: Tensor
    leak: Tensor


def _pack(graphs: Sequence[Graph], n: int, like: Tensor) -> _Packed:
    """Smaller graphs get arcs and states of weight 0; one graph is shared by all without copies."""

    def stack(name: str, fill: float, dtype: torch.dtype) -> Tensor:
        rows = [getattr(graph, name) for graph in graphs]
        padded = np.full((len(rows), max(map(len, rows))), fill)
        for row, values in zip(padded, rows, strict=True):
            row[: len(values)] = values
        return torch.as_tensor(padded, dtype=dtype, device=like.device).expand(n, -1)

    return _Packed(
        *(stack(name, 0, torch.int64) for name in ("source", "to", "pdf")),
        *(stack(name, -np.inf, like.dtype) for name in ("log_weight", "initial", "final", "leak")),
    )


class _PathSum(torch.autograd.Function):
    """Forward recursion; its gradient by a recursion from the end.

    ``log_alpha`` (T + 1, B, S) is kept relative to each frame's highest, so that it has
    all its digits however long the utterance is.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, scores: Tensor, lengths: Tensor, graph: _Packed, leaky: float) -> Tensor:
        n, n_frames, _ = scores.shape
        log_alpha = scores.new_empty(n_frames + 1, *graph.initial.shape)
        tops = scores.new_zeros(n_frames, n)
        log_alpha[0] = graph.initial
        for t in range(n_frames):
            before = log_alpha[t]
            after = _log_add(_arcs(_leaked(before, graph, leaky, t), scores[:, t], graph), graph)
            active = t < lengths
            tops[t] = torch.where(active, _finite(after.amax(dim=1)), 0.0)
            log_alpha[t + 1] = torch.where(active[:, None], after - tops[t, :, None], before)
        ends = log_alpha[n_frames] + graph.final
        ctx.save_for_backward(scores, lengths, log_alpha, tops)
        ctx.graph, ctx.leaky = graph, leaky
        return ends.logsumexp(dim=1) + tops.sum(dim=0)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        scores, lengths, log_alpha, tops = ctx.saved_tensors
        graph, leaky = ctx.graph, ctx.leaky
        occupancies = torch.zeros_like(scores)
        ends = log_alpha[-1] + graph.final
        # Posterior probability of the states after frame t, times the gradient from outside.
        gamma = _softmax(ends) * gradient[:, None]
        for t in reversed(range(scores.shape[1])):
            before = _leaked(log_alpha[t], graph, leaky, t)
            # A state's posterior is shared among its incoming arcs; each share is at most 1.
            arcs = _arcs(before, scores[:, t], graph) - tops[t, :, None]
            shares = (arcs - _finite(log_alpha[t + 1]).gather(1, graph.to)).exp()
            active = t < lengths
            through = torch.where(active[:, None], gamma.gather(1, graph.to) * shares, 0.0)
            occupancies[:, t].scatter_add_(1, graph.pdf, through)
            earlier = torch.zeros_like(gamma).scatter_add(1, graph.source, through)
            if leaky and t:
                stayed = (log_alpha[t] - _finite(before)).exp()
                jumped = (earlier * (1 - stayed)).sum(dim=1, keepdim=True)
                earlier = earlier * stayed + jumped * _softmax(log_alpha[t])
            gamma = torch.where(active[:, None], earlier, gamma)
        return occupancies, None, None, None


def _leaked(log_alpha: Tensor, graph: _Packed, leaky: float, t: int) -> Tensor:
    """With the jumps between frame t - 1 and t."""
    if not leaky or t == 0:
        return log_alpha
    return torch.logaddexp(log_alpha, graph.leak + log_alpha.logsumexp(dim=1, keepdim=True) + np.log(leaky))


def _arcs(log_alpha: Tensor, scores: Tensor, graph: _Packed) -> Tensor:
    """Weight of all paths that end with each arc."""
    return log_alpha.gather(1, graph.source) + graph.log_weight + scores.gather(1, graph.pdf)


def _log_add(arcs: Tensor, graph: _Packed) -> Tensor:
    """Log of the sum of the exponentials of the arcs into each state."""
    empty = torch.full_like(graph.initial, -torch.inf)
    top = _finite(empty.scatter_reduce(1, graph.to, arcs, "amax"))
    return torch.zeros_like(top).scatter_add(1, graph.to, (arcs - top.gather(1, graph.to)).exp()).log() + top


def _softmax(x: Tensor) -> Tensor:
    """Over the states; 0 where none can be reached."""
    return (x - _finite(x.logsumexp(dim=1, keepdim=True))).exp()


def _finite(x: Tensor) -> Tensor:
    """0 for -inf: nothing leads there, and a difference of two infinities is not a number."""
    return x.masked_fill(x == -torch.inf, 0.0)
