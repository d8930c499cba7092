"""Lattice-free maximum mutual information: sums over all paths of graphs, in logarithms.

Povey et al. (2016), "Purely sequence-trained neural networks for ASR based on
lattice-free MMI"; of whole utterances as in Hadian et al. (2018), "End-to-end
speech recognition using lattice-free MMI". The graphs are those of
:mod:`serlab.asr.graphs`.

All arithmetic is in float32 at least, also for half-precision input and under autocast.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
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
        The same for all utterances, or one an utterance. In a shared graph,
        states that are more than 700 nats behind the best of their frame count
        as not reached (with a leak, none is); of separate graphs nothing is lost.
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
    return _PathSum.apply(
        scores, lengths, _pack(graph if isinstance(graph, Graph) else graphs, n, scores), leaky
    )


@dataclass(frozen=True)
class _Separate:
    """One graph an utterance: arcs (B, A), smaller graphs filled up with arcs of weight 0.

    Arc by arc in logarithms: in the graph of a transcript, what is hopeless
    now by hundreds of nats may be all that reaches the end.
    """

    source: Tensor
    log_weight: Tensor

    def enter(self, log_alpha: Tensor) -> Tensor:
        return log_alpha.gather(1, self.source) + self.log_weight

    def spread(self, entered: Tensor, log_alpha: Tensor) -> Tensor:
        return torch.zeros_like(log_alpha).scatter_add(1, self.source, entered)


@dataclass(frozen=True)
class _Shared:
    """One graph of all utterances: arcs into the same state with the same pdf are one sum.

    A product with a sparse matrix (sums, S) in float64: ten times as fast as arc by arc.
    """

    weights: Tensor
    transposed: Tensor

    def enter(self, log_alpha: Tensor) -> Tensor:
        top, alpha = _scaled(log_alpha)
        return ((self.weights @ alpha.T).T.log() + top).to(log_alpha.dtype)

    def spread(self, entered: Tensor, log_alpha: Tensor) -> Tensor:
        _, alpha = _scaled(log_alpha)
        sums = (self.weights @ alpha.T).T
        shares = torch.where(sums > 0, entered / sums, 0.0)
        return ((self.transposed @ shares.T).T * alpha).to(log_alpha.dtype)


@dataclass(frozen=True)
class _Packed:
    """Graphs of a batch as tensors.

    ``arcs.enter`` gives the log weights of the paths that come from each state
    of the frame before, (B, A); ``to`` and ``pdf`` (B, A) are where they lead and
    what scores them; ``arcs.spread`` shares posteriors (B, A) among the states before.
    """

    arcs: _Separate | _Shared
    to: Tensor
    pdf: Tensor
    initial: Tensor
    final: Tensor
    leak: Tensor


def _pack(graphs: Graph | Sequence[Graph], n: int, like: Tensor) -> _Packed:
    def stack(rows: Sequence[np.ndarray], fill: float, dtype: torch.dtype = like.dtype) -> Tensor:
        padded = np.full((len(rows), max(map(len, rows))), fill)
        for row, values in zip(padded, rows, strict=True):
            row[: len(values)] = values
        return torch.as_tensor(padded, dtype=dtype, device=like.device).expand(n, -1)

    if isinstance(graphs, Graph):
        graph, graphs = graphs, [graphs]
        n_pdfs = int(graph.pdf.max()) + 1
        sums, number = np.unique(graph.to * n_pdfs + graph.pdf, return_inverse=True)
        shape = (len(sums), graph.n_states)
        weights = sparse.csr_array((np.exp(graph.log_weight), (number, graph.source)), shape=shape)
        arcs = _Shared(_sparse(weights, like.device), _sparse(weights.T.tocsr(), like.device))
        tos, pdfs = [sums // n_pdfs], [sums % n_pdfs]
    else:
        arcs = _Separate(
            stack([graph.source for graph in graphs], 0, torch.int64),
            stack([graph.log_weight for graph in graphs], -np.inf),
        )
        tos, pdfs = [graph.to for graph in graphs], [graph.pdf for graph in graphs]
    states = (stack([getattr(g, name) for g in graphs], -np.inf) for name in ("initial", "final", "leak"))
    return _Packed(arcs, stack(tos, 0, torch.int64), stack(pdfs, 0, torch.int64), *states)


def _sparse(matrix: sparse.csr_array, device: torch.device) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse ")  # invariants unchecked; CSR is "beta"
        return torch.sparse_csr_tensor(
            *map(torch.from_numpy, (matrix.indptr, matrix.indices, matrix.data)), matrix.shape
        ).to(device)


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
            entered = graph.arcs.enter(_leaked(before, graph, leaky, t))
            after = _log_add(entered + scores[:, t].gather(1, graph.pdf), graph)
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
            entered = graph.arcs.enter(before) + scores[:, t].gather(1, graph.pdf) - tops[t, :, None]
            shares = (entered - _finite(log_alpha[t + 1]).gather(1, graph.to)).exp()
            active = t < lengths
            through = torch.where(active[:, None], gamma.gather(1, graph.to) * shares, 0.0)
            occupancies[:, t].scatter_add_(1, graph.pdf, through)
            earlier = graph.arcs.spread(through, before)
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


def _log_add(entered: Tensor, graph: _Packed) -> Tensor:
    """Log of the sum of the exponentials of what enters each state."""
    top = torch.full_like(graph.initial, -torch.inf).scatter_reduce(1, graph.to, entered, "amax")
    relative = (entered - _finite(top).gather(1, graph.to)).exp()
    return torch.zeros_like(top).scatter_add(1, graph.to, relative).log() + _finite(top)


def _scaled(log_alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Highest of the states, and the exponentials relative to it, in float64."""
    top = _finite(log_alpha.amax(dim=1, keepdim=True))
    return top, (log_alpha - top).double().exp()


def _softmax(x: Tensor) -> Tensor:
    """Over the states; 0 where none can be reached."""
    return (x - _finite(x.logsumexp(dim=1, keepdim=True))).exp()


def _finite(x: Tensor) -> Tensor:
    """0 for -inf: nothing leads there, and a difference of two infinities is not a number."""
    return x.masked_fill(x == -torch.inf, 0.0)
