"""Decoding against enumeration, error rates by hand."""

from __future__ import annotations

import sys
from itertools import groupby, pairwise, product

import numpy as np
import pytest
import torch

from serlab.asr.error_rates import best_path, error_rates, greedy
from serlab.asr.graphs import Graph, Topology, denominator, estimate_ngram, numerator
from serlab.errors import ParameterError

TARGETS = [(1, 2), (2, 2, 1), (1,)]


def random_scores(n: int, n_frames: int, n_outputs: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(n, n_frames, n_outputs, generator=generator)


def enumerated(graph: Graph, scores: np.ndarray) -> tuple[int, ...]:
    """Units of the best of all sequences of arcs."""
    best, best_units = -np.inf, ()
    for arcs in product(range(len(graph.source)), repeat=len(scores)):
        joined = all(graph.to[a] == graph.source[b] for a, b in pairwise(arcs))
        if joined:
            weight = graph.initial[graph.source[arcs[0]]] + graph.final[graph.to[arcs[-1]]]
            weight += sum(graph.log_weight[a] + scores[t, graph.pdf[a]] for t, a in enumerate(arcs))
            if weight > best:
                best, best_units = weight, tuple(int(u) for u in graph.unit[list(arcs)] if u >= 0)
    return best_units


@pytest.mark.parametrize("two_states", [True, False])
def test_best_path_against_enumeration(two_states):
    topology = Topology(3, two_states)
    graph = denominator(estimate_ngram(TARGETS, n_units=3, silence=0), topology)
    scores, lengths = random_scores(6, 3, topology.n_pdfs), [3, 2, 3, 1, 3, 2]
    expected = [enumerated(graph, row[:n].numpy()) for row, n in zip(scores, lengths, strict=True)]
    assert best_path(scores, torch.tensor(lengths), graph) == expected


def test_best_path_finds_what_the_scores_say():
    units = (2, 1, 1, 0, 2)
    topology = Topology(3)
    frames = [pdf for unit in units for pdf in (topology.entry(unit), topology.loop(unit))]
    scores = 50 * torch.eye(6)[frames][None]
    graph = denominator(estimate_ngram(TARGETS, n_units=3), topology)
    assert best_path(scores, torch.tensor([10]), graph) == [units]


def test_best_path_of_too_little_audio():
    ngram, topology = estimate_ngram(TARGETS, n_units=3), Topology(3)
    with pytest.raises(ParameterError, match="no path of 1 frame"):
        best_path(random_scores(1, 1, 6), torch.tensor([1]), numerator((1, 2), ngram, topology))


def test_greedy_against_groupby():
    scores, lengths = random_scores(4, 9, 4), [9, 1, 5, 8]
    expected = [
        tuple(unit for unit, _ in groupby(row[:n].argmax(dim=1).tolist()) if unit != 3)
        for row, n in zip(scores, lengths, strict=True)
    ]
    assert greedy(scores, torch.tensor(lengths)) == expected
    spelled = torch.eye(4)[[3, 0, 0, 3, 0, 1, 1, 3]][None]
    assert greedy(spelled, torch.tensor([8])) == [(0, 0, 1)]


def test_error_rates_by_hand():
    rates = error_rates(["a b c", "dd"], ["a c", "de dd"])
    assert (rates.n_words, rates.n_characters) == (4, 7)
    assert rates.words == 2 / 4  # b is missing, de is too much
    assert rates.characters == (2 + 3) / 7
    assert error_rates(["a b"], [""]).words == 1
    assert error_rates(["a"], ["b c"]).words == 2
    assert error_rates(["a b"], ["a b"]).characters == 0


def test_impossible_references_are_refused():
    with pytest.raises(ParameterError, match="number 1 has no word"):
        error_rates(["a", " "], ["a", "b"])
    with pytest.raises(ParameterError, match="hypothesis"):
        error_rates(["a"], [])
    with pytest.raises(ParameterError, match="hypothesis"):
        error_rates([], [])


def test_without_jiwer_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(ParameterError, match=r"serlab\[asr\]"):
        error_rates(["a"], ["a"])
