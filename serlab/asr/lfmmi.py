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
from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from serlab.asr.graphs import Graph
from serlab.errors import ParameterError, TrainingError
from serlab.wording import count

#: Coefficient of the leaky hidden Markov model (Povey et al. 2016, section 2.7, and Kaldi's default).
LEAKY = 1e-5

#: Bytes of what the forward recursion may leave for the one from the end, which makes it again otherwise.
_KEPT = 2**28
#: Frames of which the recursion from the end takes together what it can.
_FRAMES = 4


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
        row, said = short[0], count(len(short), "utterance is", "utterances are")
        raise TrainingError(
            f"{said} shorter than their units: number {row} of the batch has "
            f"{int(lengths[row])} frames for {needed[row]} units; leave such utterances "
            "out, or subsample time less",
            rows=short,
        )
    return total - correct


def frame_cross_entropy(
    branch: Tensor, log_scores: Tensor, lengths: Tensor, numerators: Sequence[Graph]
) -> Tensor:
    """Cross-entropy of a second output layer with the occupancies of the numerators, one an utterance.

    The regulariser of Povey et al. (2016), section 2.7: frame by frame the second
    layer is to say which pdf the transcript is in, as the first layer believes.

    Parameters
    ----------
    branch : Tensor, shape (B, T, P)
        Outputs of the second layer, unnormalised.
    log_scores, lengths, numerators
        See :func:`lf_mmi`; they get no gradient.

    Returns
    -------
    Tensor, shape (B,)
        Not divided by the numbers of frames.
    """
    with torch.enable_grad():
        scores = log_scores.detach().float().requires_grad_()
        paths = forward_log(scores, lengths, numerators)
        (occupancies,) = torch.autograd.grad(paths.sum(), scores)
    inside = torch.arange(branch.shape[1], device=branch.device) < lengths.to(branch.device)[:, None]
    # Filled before the softmax: NaN would come back through its gradient.
    log_probs = branch.float().masked_fill(~inside[:, :, None], 0.0).log_softmax(dim=2)
    return -(occupancies * log_probs).sum(dim=(1, 2))


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
    graphs = [graph] if isinstance(graph, Graph) else graph
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
    scores = scores.masked_fill(after_end[:, :, None], 0.0).permute(1, 2, 0)
    return _PathSum.apply(scores, ~after_end.T, _pack(graph, n, scores), leaky)


class _Sums(NamedTuple):
    """What a frame leaves for the recursion from the end: of states (S, B) and of arcs (A, B).

    Of a shared graph they are sums of probabilities and their products with its
    weights, which are half of what a frame costs; of separate graphs logarithms.
    """

    of_states: Tensor
    of_arcs: Tensor
    dtype: torch.dtype | None = None


@dataclass(frozen=True)
class _Separate:
    """One graph an utterance: arcs (A, B), smaller graphs filled up with arcs of weight 0.

    Arc by arc in logarithms: in the graph of a transcript, what is hopeless
    now by hundreds of nats may be all that reaches the end.
    """

    source: Tensor
    log_weight: Tensor

    def sums(self, log_alpha: Tensor) -> _Sums:
        return _Sums(log_alpha, log_alpha.gather(0, self.source))

    def enter(self, sums: _Sums) -> Tensor:
        return sums.of_arcs + self.log_weight

    def spread(self, through: Tensor, sums: _Sums) -> Tensor:
        return torch.zeros_like(sums.of_states).scatter_add(0, self.source, through)


@dataclass(frozen=True)
class _Shared:
    """One graph of all utterances: arcs into the same state with the same pdf are one sum.

    A product with a sparse matrix (sums, S) in float64, faster than arc by arc.
    """

    weights: Tensor
    transposed: Tensor

    def sums(self, log_alpha: Tensor) -> _Sums:
        alpha = log_alpha.double().exp()
        return _Sums(alpha, self.weights @ alpha, log_alpha.dtype)

    def enter(self, sums: _Sums) -> Tensor:
        return sums.of_arcs.log().to(sums.dtype)

    def spread(self, through: Tensor, sums: _Sums) -> Tensor:
        shares = through / sums.of_arcs.clamp(min=torch.finfo(torch.float64).tiny)
        return ((self.transposed @ shares) * sums.of_states).to(sums.dtype)


@dataclass(frozen=True)
class _Packed:
    """Graphs of a batch as tensors.

    ``arcs.sums`` is what the states of a frame (S, B) come to; of that ``arcs.enter`` gives
    the log weights of the paths that leave them, (A, B); ``to`` and ``pdf`` (A, B) are where
    they lead and what scores them; ``arcs.spread`` shares posteriors (A, B) among the states, (S, B).
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
        return torch.as_tensor(padded, dtype=dtype, device=like.device).expand(n, -1).T

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

    ``log_alpha`` (T + 1, S, B) is kept normalised in each frame, a distribution of
    states, so that it has all its digits however long the utterance is.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, scores: Tensor, active: Tensor, graph: _Packed, leaky: float) -> Tensor:
        n_frames = scores.shape[0]
        log_alpha = scores.new_empty(n_frames + 1, *graph.initial.shape)
        norms = scores.new_zeros(n_frames + 1, scores.shape[2])
        scored = scores.gather(1, graph.pdf.expand(n_frames, -1, -1))
        norms[0] = _log_sum(graph.initial)
        log_alpha[0] = graph.initial - norms[0]
        size = sum(part[0].numel() for part in (log_alpha, scored)) * 8 * n_frames
        kept: list[_Sums] | None = [] if size <= _KEPT else None
        for t in range(n_frames):
            sums = graph.arcs.sums(_leaked(log_alpha[t], graph, leaky, t))
            if kept is not None:
                kept.append(sums)
            entered = graph.arcs.enter(sums) + scored[t]
            after = _log_add(entered, graph)
            norm = torch.where(active[t], _log_sum(after), 0.0)
            log_alpha[t + 1] = torch.where(active[t], after - norm, log_alpha[t])
            norms[t + 1] = norm
        ctx.save_for_backward(scored, active, log_alpha, norms)
        ctx.graph, ctx.leaky, ctx.shape, ctx.kept = graph, leaky, scores.shape, kept
        return (log_alpha[-1] + graph.final).logsumexp(dim=0) + norms.sum(dim=0)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        scored, active, log_alpha, norms = ctx.saved_tensors
        graph, leaky = ctx.graph, ctx.leaky
        through = torch.zeros_like(scored)
        ends = log_alpha[-1] + graph.final
        # Posterior probability of the states after frame t, times the gradient from outside.
        gamma = (ends - _log_sum(ends)).exp() * gradient
        # All that does not depend on what comes later, for some frames at once.
        for start in reversed(range(0, len(scored), _FRAMES)):
            block = slice(start, min(start + _FRAMES, len(scored)))
            now, after = log_alpha[block], log_alpha[1:][block]
            before = _leaked(now, graph, leaky, start)
            sums = [graph.arcs.sums(part) for part in before] if ctx.kept is None else ctx.kept[block]
            entered = graph.arcs.enter(_Sums(before, torch.stack([part.of_arcs for part in sums]), now.dtype))
            entered = entered + scored[block] - norms[1:][block, None]
            to = graph.to.expand_as(entered)
            # A state's posterior is shared among its incoming arcs; each share is at most 1.
            shares = (entered - _finite(after).gather(1, to)).exp()
            stays, alpha = (now - _finite(before)).exp(), now.exp()
            for t in reversed(range(block.start, block.stop)):
                at = t - start
                through[t] = torch.where(active[t], gamma.gather(0, graph.to) * shares[at], 0.0)
                earlier = graph.arcs.spread(through[t], sums[at])
                if leaky and t:
                    stayed = earlier * stays[at]
                    earlier = stayed + (earlier - stayed).sum(dim=0) * alpha[at]
                gamma = torch.where(active[t], earlier, gamma)
        occupancies = scored.new_zeros(ctx.shape)
        return occupancies.scatter_add(1, graph.pdf.expand_as(through), through), None, None, None


def _leaked(log_alpha: Tensor, graph: _Packed, leaky: float, first: int) -> Tensor:
    """With the jumps before a frame, or before each of several; there is none before frame 0."""
    if not leaky:
        return log_alpha
    leaked = torch.logaddexp(log_alpha, graph.leak + np.log(leaky))
    if first:
        return leaked
    return log_alpha if log_alpha.ndim == 2 else torch.cat([log_alpha[:1], leaked[1:]])


def _log_add(entered: Tensor, graph: _Packed) -> Tensor:
    """Log of the sum of the exponentials of what enters each state."""
    top = _finite(torch.full_like(graph.initial, -torch.inf).scatter_reduce(0, graph.to, entered, "amax"))
    relative = (entered - top.gather(0, graph.to)).exp()
    return torch.zeros_like(top).scatter_add(0, graph.to, relative).log() + top


def _log_sum(x: Tensor) -> Tensor:
    """Over the states."""
    return _finite(x.logsumexp(dim=0))


def _finite(x: Tensor) -> Tensor:
    """Nothing leads where it is -inf, and a difference of two infinities is not a number."""
    return x.clamp(min=-1e30)
