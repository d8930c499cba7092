"""From a network's outputs to units, and how wrong they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from serlab import extras
from serlab.asr.graphs import Graph
from serlab.errors import ParameterError
from serlab.wording import count


@dataclass(frozen=True)
class ErrorRates:
    """Edits (substitutions, deletions, insertions) per word and per character of the references.

    A space between words is a character.
    Above 1 if more is inserted than was said.
    """

    words: float
    characters: float
    n_words: int
    n_characters: int


def error_rates(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRates:
    """Word and character error rate over all utterances together, through jiwer.

    Parameters
    ----------
    references, hypotheses : sequence of str
        Normalised alike, see :func:`serlab.asr.units.normalize`. A hypothesis
        may be empty.

    Raises
    ------
    ParameterError
        If jiwer is missing, their numbers differ, or there is no word in a reference.
    """
    extras.require("jiwer", extra="asr", purpose="an error rate")
    import jiwer

    references, hypotheses = list(references), list(hypotheses)
    if len(references) != len(hypotheses) or not references:
        raise ParameterError(
            f"each reference needs a hypothesis; there are {len(references)} and {len(hypotheses)}"
        )
    empty = [number for number, text in enumerate(references) if not text.strip()]
    if empty:
        raise ParameterError(f"reference number {empty[0]} has no word; leave its utterance out")
    words = jiwer.process_words(references, hypotheses)
    characters = jiwer.process_characters(references, hypotheses)
    return ErrorRates(words.wer, characters.cer, _length(words), _length(characters))


def _length(output: object) -> int:
    """Words or characters in the references: hits, substitutions and deletions."""
    return output.hits + output.substitutions + output.deletions


def greedy(log_probs: Tensor, lengths: Tensor) -> list[tuple[int, ...]]:
    """Units of CTC's best output frame by frame: repeats are one, blanks are left out.

    Parameters
    ----------
    log_probs : Tensor, shape (B, T, U + 1)
        The blank is the last. Logits will do.
    lengths : Tensor of int, shape (B,)
    """
    blank = log_probs.shape[2] - 1
    decoded = []
    for best, length in zip(log_probs.argmax(dim=2), lengths.tolist(), strict=True):
        runs = torch.unique_consecutive(best[:length])
        decoded.append(tuple(runs[runs != blank].tolist()))
    return decoded


def best_path(log_scores: Tensor, lengths: Tensor, graph: Graph) -> list[tuple[int, ...]]:
    """Units on the path of the highest weight through a graph (Viterbi).

    Parameters
    ----------
    log_scores : Tensor, shape (B, T, P)
        As for :func:`serlab.asr.lfmmi.forward_log`.
    lengths : Tensor of int, shape (B,)
    graph : Graph
        Usually the denominator.

    Raises
    ------
    ParameterError
        If the graph has no path of an utterance's length.
    """
    scores = log_scores.detach().double().cpu().numpy()
    return [_viterbi(row[:n], graph) for row, n in zip(scores, lengths.tolist(), strict=True)]


def _viterbi(scores: np.ndarray, graph: Graph) -> tuple[int, ...]:
    by_state = np.argsort(graph.to, kind="stable")  # arcs into the same state lie together
    states, first = np.unique(graph.to[by_state], return_index=True)
    source, pdf, log_weight = (a[by_state] for a in (graph.source, graph.pdf, graph.log_weight))
    best_arcs = np.zeros((len(scores), graph.n_states), dtype=np.int64)
    weight = graph.initial
    for t, frame in enumerate(scores):
        arcs = weight[source] + log_weight + frame[pdf]
        weight = np.full(graph.n_states, -np.inf)
        weight[states] = np.maximum.reduceat(arcs, first)
        # Where several arcs are best, the last of them is written last.
        best = np.flatnonzero(arcs == weight[graph.to[by_state]])
        best_arcs[t, graph.to[by_state[best]]] = by_state[best]
    state = int(np.argmax(weight + graph.final))
    if not np.isfinite(weight[state] + graph.final[state]):
        raise ParameterError(f"the graph has no path of {count(len(scores), 'frame')}; decode longer audio")
    units = []
    for t in reversed(range(len(scores))):
        arc = best_arcs[t, state]
        if graph.unit[arc] >= 0:
            units.append(int(graph.unit[arc]))
        state = graph.source[arc]
    return tuple(reversed(units))
