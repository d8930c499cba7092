"""N-grams against counts by hand, graphs against what they must accept."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from serlab.asr.graphs import Graph, NGram, Topology, denominator, estimate_ngram, numerator
from serlab.errors import ParameterError

TARGETS = [(1, 2), (2, 2, 1), (1,)]


def ngram(**options) -> NGram:
    return estimate_ngram(TARGETS, **({"n_units": 3} | options))


def paths(graph: Graph, n_frames: int) -> list[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    """Log weight, units and pdfs of all paths of a length."""
    states = np.flatnonzero(np.isfinite(graph.initial))
    open_paths = [(graph.initial[state], (), (), state) for state in states]
    for _ in range(n_frames):
        open_paths = [
            (
                weight + graph.log_weight[arc],
                units + ((int(graph.unit[arc]),) if graph.unit[arc] >= 0 else ()),
                (*pdfs, int(graph.pdf[arc])),
                graph.to[arc],
            )
            for weight, units, pdfs, state in open_paths
            for arc in np.flatnonzero(graph.source == state)
        ]
    ended = [(weight + graph.final[state], units, pdfs) for weight, units, pdfs, state in open_paths]
    return [path for path in ended if path[0] > -math.inf]


def as_probabilities(found) -> dict[tuple, float]:
    """Of units and pdfs together; paths of the same ones added up."""
    total: dict[tuple, float] = {}
    for weight, units, pdfs in found:
        total[units, pdfs] = total.get((units, pdfs), 0.0) + math.exp(weight)
    return total


def test_unsmoothed_bigram_by_hand():
    bigram = ngram(smoothed=False)
    after = {unit: bigram.next_state[0, unit] for unit in (1, 2)}
    with np.errstate(divide="ignore"):
        expected = {
            0: np.log([0, 2 / 3, 1 / 3, 0]),  # three beginnings: 1, 2, 1
            after[1]: np.log([0, 0, 1 / 3, 2 / 3]),  # after a 1: 2, end, end
            after[2]: np.log([0, 1 / 3, 1 / 3, 1 / 3]),  # after a 2: end, 2, 1
        }
    for state, log_prob in expected.items():
        np.testing.assert_allclose([*bigram.log_prob[state], bigram.log_end[state]], log_prob)
    assert len(bigram.log_end) == 3


def test_witten_bell_by_hand():
    bigram = ngram()
    uniform = np.full(4, 1 / 4)
    unigram = (np.array([0, 3, 3, 3]) + 3 * uniform) / (9 + 3)
    after_1 = (np.array([0, 0, 1, 2]) + 2 * unigram) / (3 + 2)
    state = bigram.next_state[0, 1]
    np.testing.assert_allclose(np.exp([*bigram.log_prob[state], bigram.log_end[state]]), after_1)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("smoothed", [True, False])
@pytest.mark.parametrize("silence", [None, 0])
def test_probabilities_of_each_state_sum_to_one(order, smoothed, silence):
    model = ngram(order=order, smoothed=smoothed, silence=silence)
    total = np.exp(model.log_prob).sum(axis=1) + np.exp(model.log_end)
    np.testing.assert_allclose(total, 1)


def test_silence_stands_before_and_after_half_of_the_transcripts():
    unsmoothed = ngram(smoothed=False, silence=0)
    assert math.exp(unsmoothed.log_prob[0, 0]) == pytest.approx(1 / 2)


def test_trigram_remembers_two_units():
    model = estimate_ngram([(0, 1, 2), (2, 1, 0)], n_units=3, order=3, smoothed=False)

    def probability(target: tuple[int, ...]) -> float:
        state, total = 0, 0.0
        for unit in target:
            total += model.log_prob[state, unit]
            state = model.next_state[state, unit]
        return math.exp(total + model.log_end[state])

    assert probability((0, 1, 2)) == pytest.approx(1 / 2)
    assert probability((0, 1, 0)) == 0


@pytest.mark.parametrize("two_states", [True, False])
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("silence", [None, 0])
def test_numerator_is_the_denominator_where_it_spells_the_transcript(two_states, order, silence):
    model, topology = ngram(order=order, silence=silence), Topology(3, two_states)
    everything = paths(denominator(model, topology), 4)
    ends = [()] if silence is None else [(), (0,)]
    for target in [*TARGETS, (1, 0, 2)]:
        spelled = [before + target + after for before, after in product(ends, ends)]
        expected = as_probabilities(path for path in everything if path[1] in spelled)
        found = as_probabilities(paths(numerator(target, model, topology), 4))
        assert found == pytest.approx(expected)


def test_each_unit_has_one_entry_and_further_frames():
    graph = numerator((1, 2), ngram(), Topology(3))
    assert {pdfs for _, _, pdfs in paths(graph, 2)} == {(1, 2)}
    assert {pdfs for _, _, pdfs in paths(graph, 3)} == {(1, 4, 2), (1, 2, 5)}
    assert not paths(graph, 1) and graph.fewest_frames == 2
    one_state = numerator((1, 2), ngram(), Topology(3, two_states=False))
    assert {pdfs for _, _, pdfs in paths(one_state, 3)} == {(1, 1, 2), (1, 2, 2)}


def test_sizes_of_a_bigram():
    graph = denominator(ngram(silence=0), Topology(3))
    assert graph.n_states == 4  # the beginning, and after each unit
    assert len(graph.source) == 4 * 3 + 3
    assert np.exp(graph.leak).sum() == pytest.approx(1)
    assert graph.leak[0] == -math.inf  # never again at the beginning


def test_save_and_load(tmp_path):
    for silence in (None, 0):
        model = ngram(order=3, silence=silence)
        model.save(tmp_path / "ngram.npz")
        again = NGram.load(tmp_path / "ngram.npz")
        assert again.silence == silence
        for name in ("log_prob", "log_end", "next_state"):
            np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
    assert [path.name for path in tmp_path.iterdir()] == ["ngram.npz"]


def test_foreign_files_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", x=1)
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("other.npz", "text.npz", "missing.npz"):
        with pytest.raises(ParameterError, match=name):
            NGram.load(tmp_path / name)


@pytest.mark.parametrize(
    ("targets", "options", "complaint"),
    [
        ([], {}, "one transcript at least"),
        ([()], {}, "no unit"),
        ([(1, 3)], {}, "outside 0 to 2"),
        ([(0, 1)], {"silence": 0}, "the silence"),
        ([(1,)], {"order": 0}, "order"),
    ],
)
def test_impossible_ngrams_are_refused(targets, options, complaint):
    with pytest.raises(ParameterError, match=complaint):
        estimate_ngram(targets, n_units=3, **options)


def test_impossible_numerators_are_refused():
    with pytest.raises(ParameterError, match="no probability"):
        numerator((2, 1, 2, 0, 1), ngram(smoothed=False), Topology(3))
    with pytest.raises(ParameterError, match="no unit"):
        numerator((), ngram(), Topology(3))
    with pytest.raises(ParameterError, match="3 units and the topology of 4"):
        numerator((1,), ngram(), Topology(4))
