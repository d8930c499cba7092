"""Path sums against the enumeration of all paths, gradients against autograd and finite differences."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from serlab.asr.graphs import Graph, Topology, denominator, estimate_ngram, numerator
from serlab.asr.lfmmi import forward_log, frame_cross_entropy, lf_mmi
from serlab.errors import ParameterError, TrainingError

TARGETS = [(1, 2), (2, 2, 1), (1,)]


def graphs(*, two_states: bool = True, order: int = 2, silence: int | None = 0, smoothed: bool = True):
    """A denominator of three units, and the numerators of the transcripts."""
    topology = Topology(3, two_states)
    ngram = estimate_ngram(TARGETS, n_units=3, order=order, silence=silence, smoothed=smoothed)
    return denominator(ngram, topology), [numerator(target, ngram, topology) for target in TARGETS]


def random_scores(n: int = 3, n_frames: int = 4, n_pdfs: int = 6, *, scale: float = 2.0) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return scale * torch.randn(n, n_frames, n_pdfs, generator=generator, dtype=torch.float64)


def transitions(graph: Graph, scores: np.ndarray, t: int, leaky: float) -> np.ndarray:
    """Weights (S, S) of frame t, not logarithms, the leak before it included."""
    frame = np.zeros((graph.n_states, graph.n_states))
    for source, to, pdf, log_weight in zip(graph.source, graph.to, graph.pdf, graph.log_weight, strict=True):
        frame[source, to] += np.exp(log_weight + scores[t, pdf])
    jumps = np.eye(graph.n_states) + leaky * np.exp(graph.leak)
    return jumps @ frame if t else frame


def enumerated(graph: Graph, scores: Tensor, length: int, leaky: float = 0.0) -> float:
    """Logarithm of the sum over all sequences of states, one by one."""
    frames = [transitions(graph, scores.numpy(), t, leaky) for t in range(length)]
    total = 0.0
    for states in product(range(graph.n_states), repeat=length + 1):
        weight = math.exp(graph.initial[states[0]] + graph.final[states[-1]])
        for t, frame in enumerate(frames):
            weight *= frame[states[t], states[t + 1]]
        total += weight
    return math.log(total) if total else -math.inf


def by_autograd(graph: Graph, scores: Tensor, length: int, leaky: float = 0.0) -> Tensor:
    """The same sum with torch's own gradients, arc after arc."""
    alpha = list(torch.from_numpy(graph.initial))
    for t in range(length):
        if leaky and t:
            everything = torch.stack(alpha).logsumexp(0) + math.log(leaky)
            alpha = [torch.logaddexp(a, everything + leak) for a, leak in zip(alpha, graph.leak, strict=True)]
        into: list[list[Tensor]] = [[] for _ in alpha]
        for source, to, pdf, log_weight in zip(
            graph.source, graph.to, graph.pdf, graph.log_weight, strict=True
        ):
            if alpha[source] > -math.inf:
                into[to].append(alpha[source] + log_weight + scores[t, pdf])
        nothing = torch.tensor(-math.inf, dtype=torch.float64)
        alpha = [torch.stack(arcs).logsumexp(0) if arcs else nothing for arcs in into]
    ends = [a + final for a, final in zip(alpha, graph.final, strict=True) if a + final > -math.inf]
    return torch.stack(ends).logsumexp(0)


@pytest.mark.parametrize("two_states", [True, False])
@pytest.mark.parametrize("leaky", [0.0, 0.1])
def test_path_sums_against_enumeration(two_states, leaky):
    graph, _ = graphs(two_states=two_states)
    scores, lengths = random_scores(), torch.tensor([4, 1, 3])
    expected = [enumerated(graph, row, n, leaky) for row, n in zip(scores, lengths.tolist(), strict=True)]
    assert forward_log(scores, lengths, graph, leaky=leaky).tolist() == pytest.approx(expected, abs=1e-12)
    assert forward_log(scores.float(), lengths, graph, leaky=leaky).tolist() == pytest.approx(
        expected, abs=1e-5
    )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_numerators_of_a_batch_against_enumeration(order):
    _, numerators = graphs(order=order, silence=None)
    scores, lengths = random_scores(), torch.tensor([3, 4, 2])
    expected = [enumerated(g, row, n) for g, row, n in zip(numerators, scores, lengths.tolist(), strict=True)]
    assert forward_log(scores, lengths, numerators).tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("leaky", [0.0, 0.1])
@pytest.mark.parametrize("which", ["denominator", "numerators"])
def test_gradient_against_autograd_and_finite_differences(which, leaky):
    graph, numerators = graphs(order=3)
    chosen = {"denominator": [graph] * 3, "numerators": numerators}[which]
    scores, lengths = random_scores(n_frames=4).requires_grad_(), torch.tensor([4, 3, 2])
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    given = graph if which == "denominator" else numerators

    values = forward_log(scores, lengths, given, leaky=leaky)
    (ours,) = torch.autograd.grad(values @ weights, scores)
    reference = torch.stack(
        [by_autograd(g, s, n, leaky) for g, s, n in zip(chosen, scores, lengths.tolist(), strict=True)]
    )
    (theirs,) = torch.autograd.grad(reference @ weights, scores)
    torch.testing.assert_close(values, reference)
    torch.testing.assert_close(ours, theirs)
    assert torch.autograd.gradcheck(
        lambda s: forward_log(s, lengths, given, leaky=leaky), scores, fast_mode=True
    )


def test_a_shared_graph_and_one_an_utterance_agree():
    graph, _ = graphs(order=3)
    scores, lengths = random_scores(n_frames=30, scale=20.0).requires_grad_(), torch.tensor([30, 12, 25])
    shared = forward_log(scores, lengths, graph, leaky=1e-5)
    separate = forward_log(scores, lengths, [graph] * 3, leaky=1e-5)
    torch.testing.assert_close(shared, separate)
    gradients = [torch.autograd.grad(total.sum(), scores)[0] for total in (shared, separate)]
    torch.testing.assert_close(*gradients)


def test_occupancies_sum_to_one_in_each_frame():
    graph, _ = graphs()
    scores, lengths = random_scores(n_frames=7).requires_grad_(), torch.tensor([7, 2, 5])
    (occupancies,) = torch.autograd.grad(forward_log(scores, lengths, graph, leaky=1e-5).sum(), scores)
    within = torch.arange(7) < lengths[:, None]
    torch.testing.assert_close(occupancies.sum(dim=2), within.double())
    assert (occupancies >= 0).all()


@pytest.mark.parametrize("two_states", [True, False])
@pytest.mark.parametrize(("order", "silence"), [(1, None), (2, None), (3, None), (2, 0), (3, 0)])
def test_posteriors_of_all_transcripts_sum_to_one(two_states, order, silence):
    topology = Topology(3, two_states)
    ngram = estimate_ngram(TARGETS, n_units=3, order=order, silence=silence)
    everything = denominator(ngram, topology)
    spoken = [
        target
        for n in range(1, 5)
        for target in product(range(3), repeat=n)
        if silence is None or silence not in (target[0], target[-1])
    ]
    numerators = [numerator(target, ngram, topology) for target in spoken]
    scores = random_scores(n=1).expand(len(spoken), -1, -1)
    lengths = torch.full((len(spoken),), 4)
    correct = forward_log(scores, lengths, numerators)
    posterior = (correct - forward_log(scores, lengths, everything)).exp().sum().item()
    if silence is None:
        assert posterior == pytest.approx(1.0, abs=1e-12)
    else:  # what is missing is silence alone
        assert 0.9 < posterior < 1.0


def test_all_durations_of_a_proper_ngram_sum_to_one():
    graph, _ = graphs(silence=None, smoothed=False)
    lengths = torch.arange(1, 121)
    totals = forward_log(torch.zeros(120, 120, 6, dtype=torch.float64), lengths, graph)
    assert totals.exp().sum().item() == pytest.approx(1.0, abs=1e-9)


def test_loss_is_the_difference_and_not_negative():
    graph, numerators = graphs()
    scores, lengths = random_scores(n_frames=6), torch.tensor([6, 4, 5])
    exact = lf_mmi(scores, lengths, numerators, graph, leaky=0.0)
    difference = forward_log(scores, lengths, graph) - forward_log(scores, lengths, numerators)
    torch.testing.assert_close(exact, difference)
    leaked = lf_mmi(scores, lengths, numerators, graph)
    assert (leaked >= exact).all() and (exact > 0).all()
    torch.testing.assert_close(leaked, exact, rtol=0, atol=1e-2)


def test_result_does_not_depend_on_batch_or_padding():
    graph, numerators = graphs()
    scores, lengths = random_scores(n_frames=6), torch.tensor([6, 3, 4])
    scores[1, 3:] = torch.nan
    scores[2, 4:] = torch.inf
    scores.requires_grad_()
    together = lf_mmi(scores, lengths, numerators, graph)
    (gradient,) = torch.autograd.grad(together.sum(), scores)
    assert gradient.isfinite().all() and not gradient[1, 3:].any()
    for row, n in enumerate(lengths.tolist()):
        alone = lf_mmi(scores[row : row + 1, :n], torch.tensor([n]), [numerators[row]], graph)
        torch.testing.assert_close(alone[0], together[row], rtol=1e-12, atol=1e-12)


def test_a_constant_added_to_a_frame_cancels():
    graph, numerators = graphs()
    scores, lengths = random_scores(n_frames=5), torch.tensor([5, 5, 5])
    shift = 100 * torch.randn(3, 5, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(
        lf_mmi(scores + shift, lengths, numerators, graph), lf_mmi(scores, lengths, numerators, graph)
    )


def test_large_scores_and_long_utterances_stay_exact():
    graph, numerators = graphs()
    scores, lengths = random_scores(n_frames=200, scale=100.0), torch.tensor([200, 150, 200])
    exact = scores.clone().requires_grad_()
    rounded = scores.float().requires_grad_()
    for x in (exact, rounded):
        lf_mmi(x, lengths, numerators, graph).sum().backward()
    assert rounded.grad.isfinite().all()
    torch.testing.assert_close(rounded.grad.double(), exact.grad, rtol=0, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    graph, numerators = graphs()
    half, lengths = random_scores(n_frames=6).to(dtype).requires_grad_(), torch.tensor([6, 3, 4])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = lf_mmi(half, lengths, numerators, graph)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, lf_mmi(half.float(), lengths, numerators, graph))
    loss.sum().backward()
    assert half.grad.dtype == dtype and half.grad.isfinite().all()


def test_utterance_shorter_than_its_units_is_named():
    graph, numerators = graphs()
    with pytest.raises(TrainingError, match=r"number 1 of the batch has 2 frames for 3 units") as error:
        lf_mmi(random_scores(), torch.tensor([4, 2, 1]), numerators, graph)
    assert error.value.rows == [1]


def test_no_path_is_minus_infinity_without_a_gradient():
    _, numerators = graphs(silence=None)
    scores = random_scores().requires_grad_()
    totals = forward_log(scores, torch.tensor([1, 2, 1]), numerators)
    assert totals[:2].tolist() == [-math.inf, -math.inf] and totals[2].isfinite()
    (gradient,) = torch.autograd.grad(totals[2] + 0 * totals[:2].nan_to_num().sum(), scores)
    assert not gradient[:2].any() and gradient.isfinite().all()


def test_forbidden_outputs_are_possible():
    graph, numerators = graphs(silence=None)
    scores = random_scores()
    scores[:, :, 0] = -math.inf  # a unit that no transcript has
    scores.requires_grad_()
    loss = lf_mmi(scores, torch.tensor([4, 4, 4]), numerators, graph, leaky=1e-5)
    (gradient,) = torch.autograd.grad(loss.sum(), scores)
    assert loss.isfinite().all() and gradient.isfinite().all()


def test_wrong_shapes_are_named():
    graph, numerators = graphs()
    scores, lengths = random_scores(), torch.tensor([4, 4, 4])
    with pytest.raises(ValueError, match=r"lengths must be 1 to 4, not \[4, 5, 4\]"):
        forward_log(scores, torch.tensor([4, 5, 4]), graph)
    with pytest.raises(ValueError, match="lengths must be"):
        forward_log(scores, torch.tensor([4, 0, 4]), graph)
    with pytest.raises(ValueError, match="not 2 for 3"):
        forward_log(scores, lengths, numerators[:2])
    with pytest.raises(ValueError, match="more pdfs than the 4"):
        forward_log(scores[:, :, :4], lengths, graph)
    with pytest.raises(ValueError, match="scores"):
        forward_log(scores[0], lengths, graph)
    with pytest.raises(ParameterError, match="leaky"):
        forward_log(scores, lengths, graph, leaky=-1.0)


def test_the_branch_learns_the_occupancies_of_the_numerator_and_moves_nothing_else():
    _, numerators = graphs()
    scores, branch = random_scores().requires_grad_(), random_scores(scale=0.5).requires_grad_()
    lengths = torch.tensor([4, 3, 2])
    numerators[1] = numerators[2]
    with torch.no_grad():  # as on held-out speech
        loss = frame_cross_entropy(branch, scores, lengths, numerators)
    for row, (graph, n) in enumerate(zip(numerators, lengths.tolist(), strict=True)):
        own = scores[row].detach().requires_grad_()
        (occupancy,) = torch.autograd.grad(by_autograd(graph, own, n), own)
        assert occupancy[:n].sum(dim=1).tolist() == pytest.approx([1] * n), "one pdf a frame"
        expected = -(occupancy[:n] * branch[row, :n].log_softmax(dim=1)).sum()
        assert loss[row].item() == pytest.approx(expected.item(), abs=1e-5)
    padded = branch.detach().clone()
    padded[1, 3:] = padded[2, 2:] = torch.nan
    padded.requires_grad_()
    frame_cross_entropy(padded, scores, lengths, numerators).sum().backward()
    assert scores.grad is None and padded.grad.isfinite().all()
    assert not padded.grad[1, 3:].any() and padded.grad[1, :3].any()
