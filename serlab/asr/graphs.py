"""Graphs of hidden Markov models for lattice-free MMI, as plain arrays of arcs.

A unit's model is that of Kaldi's "chain" systems (Povey et al. 2016,
"Purely sequence-trained neural networks for ASR based on lattice-free MMI",
section 2.5): its first frame has one output of the network, each further frame
another (or the same), and it lasts one frame at least. Units follow each other
as an n-gram says. The network's outputs are called *pdfs*, as in the literature,
though they are scores.

The graphs are of whole utterances (Hadian et al. 2018, "End-to-end speech
recognition using lattice-free MMI"): they have a beginning and an end, and the
numerator keeps all ways to divide the frames among the units.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from serlab import files
from serlab.errors import ParameterError

_START = -1  # stands before the first unit
_LOG_HALF = float(np.log(0.5))  # to stay in a unit for a further frame, and to leave it
_FRAMES = 100  # over which occupancies are averaged


@dataclass(frozen=True)
class Topology:
    """Which output of the network scores which frame of a unit.

    Attributes
    ----------
    n_units : int
    two_states : bool
        Whether the first frame of a unit has another output than the rest of it.
    """

    n_units: int
    two_states: bool = True

    @property
    def n_pdfs(self) -> int:
        return self.n_units * (2 if self.two_states else 1)

    def entry(self, unit: int) -> int:
        """Output for the first frame of a unit."""
        return unit

    def loop(self, unit: int) -> int:
        """Output for each further frame."""
        return unit + self.n_units if self.two_states else unit


@dataclass(frozen=True)
class Graph:
    """A weighted automaton; each arc takes one frame.

    Attributes
    ----------
    source, to : ndarray of int, shape (A,)
        States that an arc joins.
    pdf : ndarray of int, shape (A,)
        Output of the network that scores the arc's frame.
    unit : ndarray of int, shape (A,)
        Unit that begins with the arc, -1 if it goes on.
    log_weight : ndarray, shape (A,)
    initial, final : ndarray, shape (S,)
        Log weights to begin and to end in a state; -inf where that cannot be.
    leak : ndarray, shape (S,)
        Logarithm of how much of its time the graph spends in a state if all
        frames score alike: where a leak goes, see :func:`serlab.asr.lfmmi.forward_log`.
    fewest_frames : int
        On the shortest path.
    """

    source: np.ndarray
    to: np.ndarray
    pdf: np.ndarray
    unit: np.ndarray
    log_weight: np.ndarray
    initial: np.ndarray
    final: np.ndarray
    leak: np.ndarray
    fewest_frames: int

    @property
    def n_states(self) -> int:
        return len(self.initial)


@dataclass(frozen=True)
class NGram:
    """Probabilities of the next unit, as an automaton whose states are what came before.

    Attributes
    ----------
    log_prob : ndarray, shape (S, U)
        Of each unit in each state; -inf where it cannot follow. State 0 is the beginning.
    log_end : ndarray, shape (S,)
        Of the transcript's end.
    next_state : ndarray of int, shape (S, U)
    silence : int or None
        Unit that may stand before and after each transcript.
    """

    log_prob: np.ndarray
    log_end: np.ndarray
    next_state: np.ndarray
    silence: int | None = None

    def save(self, path: Path) -> None:
        """Write an .npz file, whole or not at all."""
        arrays = {
            "log_prob": self.log_prob,
            "log_end": self.log_end,
            "next_state": self.next_state,
            "silence": np.array(-1 if self.silence is None else self.silence),
        }
        files.write_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> NGram:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ParameterError
            If it is not such a file.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                silence = int(arrays["silence"])
                values = (arrays[name] for name in ("log_prob", "log_end", "next_state"))
                return cls(*values, None if silence < 0 else silence)
        except (OSError, ValueError, KeyError) as error:
            raise ParameterError(f"{path} is no n-gram of units saved by serlab: {error}") from error


def estimate_ngram(
    targets: Iterable[Sequence[int]],
    *,
    n_units: int,
    order: int = 2,
    smoothed: bool = True,
    silence: int | None = None,
) -> NGram:
    """N-gram of units from training transcripts.

    Smoothed after Witten & Bell (1991), interpolated down to equal
    probabilities: ``p(x | h) = (c(h, x) + n(h) p(x | h')) / (c(h) + n(h))``,
    where ``n(h)`` is the number of different successors of ``h`` and ``h'`` is
    ``h`` without its oldest unit. Unsmoothed, as in Kaldi's chain
    recipes, only what was seen has a probability, and the graphs are smaller.

    Parameters
    ----------
    targets : iterable of sequence of int
        Transcripts as units.
    n_units : int
    order : int
        2 for a bigram, 3 for a trigram.
    smoothed : bool
    silence : int, optional
        Unit that may stand before and after a transcript. Where it does is not
        known, so the four forms of each transcript count a quarter each.

    Raises
    ------
    ParameterError
        If there is no transcript, one is empty, has unknown units or begins or
        ends with the silence, or the order is less than 1.
    """
    if order < 1:
        raise ParameterError(f"the order of an n-gram is 1 or more, not {order}")
    counts: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    ends = [()] if silence is None else [(), (silence,)]
    for target in targets:
        target = _checked(target, n_units, silence)
        for before, after in product(ends, ends):
            # The end counts as one more unit.
            padded = (_START,) * (order - 1) + before + target + after + (n_units,)
            for position in range(order - 1, len(padded)):
                for length in range(order):
                    counts[padded[position - length : position]][padded[position]] += 1 / len(ends) ** 2
    if not counts:
        raise ParameterError("an n-gram needs one transcript at least")

    probabilities: dict[tuple[int, ...], np.ndarray] = {}
    for context in sorted(counts, key=len):
        seen = np.zeros(n_units + 1)
        seen[list(counts[context])] = list(counts[context].values())
        shorter = probabilities[context[1:]] if context else np.full(n_units + 1, 1 / (n_units + 1))
        mass = len(counts[context]) if smoothed else 0
        probabilities[context] = (seen + mass * shorter) / (seen.sum() + mass)

    contexts = [(_START,) * (order - 1)]
    numbers = {contexts[0]: 0}
    next_state = np.zeros((len(counts), n_units), dtype=np.int64)
    for context in contexts:  # grows
        for unit in np.flatnonzero(probabilities[context][:-1]):
            after = (*context, int(unit))[-(order - 1) :] if order > 1 else ()
            while after not in counts:
                after = after[1:]
            if after not in numbers:
                numbers[after] = len(contexts)
                contexts.append(after)
            next_state[numbers[context], unit] = numbers[after]
    with np.errstate(divide="ignore"):
        log_prob = np.log([probabilities[context] for context in contexts])
    return NGram(log_prob[:, :-1], log_prob[:, -1], next_state[: len(contexts)], silence)


def denominator(ngram: NGram, topology: Topology) -> Graph:
    """Graph of all sequences of units, weighed by an n-gram.

    Raises
    ------
    ParameterError
        If the topology has another number of units.
    """
    _require_same_units(ngram, topology)

    def follow(state: int) -> list[tuple[int, float, int]]:
        units = np.flatnonzero(np.isfinite(ngram.log_prob[state])).tolist()
        return [(u, ngram.log_prob[state, u], int(ngram.next_state[state, u])) for u in units]

    return _graph(0, follow, lambda state: ngram.log_end[state], topology, fewest_frames=1)


def numerator(target: Sequence[int], ngram: NGram, topology: Topology) -> Graph:
    """Graph of the paths of the denominator that spell a transcript, with their weights.

    So the likelihood of a transcript divided by that of the denominator is its
    posterior probability, and never above 1. If the n-gram has a silence, it may
    stand before and after the transcript.

    Parameters
    ----------
    target : sequence of int
        Units of the transcript.
    ngram : NGram
    topology : Topology

    Raises
    ------
    ParameterError
        If the transcript is empty, has unknown units, begins or ends with the
        silence, or cannot be by an unsmoothed n-gram; or if the topology has
        another number of units.
    """
    _require_same_units(ngram, topology)
    target = _checked(target, topology.n_units, ngram.silence)
    written = (ngram.silence, *target, ngram.silence)
    last = len(target) + 1

    # Its states: how much is written, and the n-gram's state.
    def follow(state: tuple[int, int]) -> list[tuple[int, float, tuple[int, int]]]:
        n, after = state
        further = [m for m in ([1, 2] if n == 0 else [n + 1]) if m <= last + 1]
        units = [(m, written[m - 1]) for m in further if written[m - 1] is not None]
        return [
            (u, ngram.log_prob[after, u], (m, int(ngram.next_state[after, u])))
            for m, u in units
            if np.isfinite(ngram.log_prob[after, u])
        ]

    def end(state: tuple[int, int]) -> float:
        return ngram.log_end[state[1]] if state[0] >= last else -np.inf

    graph = _graph((0, 0), follow, end, topology, fewest_frames=len(target))
    if not np.isfinite(graph.final).any():
        raise ParameterError(
            f"the n-gram gives the transcript {list(target)} no probability; estimate it with smoothing "
            "or on transcripts that include this one"
        )
    return graph


def _checked(target: Sequence[int], n_units: int, silence: int | None) -> tuple[int, ...]:
    target = tuple(int(unit) for unit in target)
    if not target:
        raise ParameterError("a transcript has no unit; leave its utterance out")
    if not all(0 <= unit < n_units for unit in target):
        raise ParameterError(f"a transcript has units outside 0 to {n_units - 1}: {list(target)}")
    if silence in (target[0], target[-1]):
        raise ParameterError(f"a transcript begins or ends with unit {silence}, the silence; leave it out")
    return target


def _graph(
    start: Hashable,
    follow: Callable[[Hashable], list[tuple[int, float, Hashable]]],
    end: Callable[[Hashable], float],
    topology: Topology,
    *,
    fewest_frames: int,
) -> Graph:
    """Replace each unit of an automaton by its hidden Markov model.

    ``follow`` gives the unit, log weight and next state of what may follow a state, ``end`` the
    log weight to end there. A state of the graph is one of the automaton with the unit that led there.
    """
    states: list[tuple[Hashable, int]] = [(start, -1)]
    numbers = {states[0]: 0}
    arcs: list[tuple[int, int, int, int, float]] = []
    final = []
    for here, (state, unit) in enumerate(states):  # grows
        leave = 0.0
        if unit >= 0:
            arcs.append((here, here, topology.loop(unit), -1, _LOG_HALF))
            leave = _LOG_HALF
        final.append(end(state) + leave)
        for following, log_weight, after in follow(state):
            key = (after, following)
            if key not in numbers:
                numbers[key] = len(states)
                states.append(key)
            arcs.append((here, numbers[key], topology.entry(following), following, log_weight + leave))
    source, to, pdf, units = np.array([arc[:4] for arc in arcs], dtype=np.int64).reshape(-1, 4).T
    log_weight = np.array([arc[4] for arc in arcs])
    initial = np.full(len(states), -np.inf)
    initial[0] = 0.0
    leak = _occupancy(source, to, log_weight, initial)
    return Graph(source, to, pdf, units, log_weight, initial, np.array(final), leak, fewest_frames)


def _occupancy(source: np.ndarray, to: np.ndarray, log_weight: np.ndarray, initial: np.ndarray) -> np.ndarray:
    """Log of the mean over time of the distribution of states, all frames scoring alike.

    The initial distribution of Kaldi's chain systems (Povey et al. 2016, section 2.3).
    """
    now, weight = np.exp(initial), np.exp(log_weight)
    total = np.zeros_like(now)
    for _ in range(_FRAMES):
        now = np.bincount(to, weights=now[source] * weight, minlength=len(now))
        if not now.any():
            break
        now /= now.sum()
        total += now
    with np.errstate(divide="ignore"):
        return np.log(total / total.sum())


def _require_same_units(ngram: NGram, topology: Topology) -> None:
    if ngram.log_prob.shape[1] != topology.n_units:
        raise ParameterError(
            f"the n-gram is of {ngram.log_prob.shape[1]} units and the topology of {topology.n_units}"
        )
