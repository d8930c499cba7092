"""What answers hang on: who is tested, who was learned from, the seed.

An answer is one of a *cell* (fold, seed, utterance). Cells of one unit are alike; intervals come from
leaving out units, see :mod:`serlab.evaluation.intervals`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab import metrics
from serlab.evaluation import intervals
from serlab.evaluation.intervals import Spread
from serlab.protocols import FoldIs


@dataclass(frozen=True)
class Units:
    """A kind of unit, and which of them each cell is of.

    Attributes
    ----------
    kind : {"speaker", "fold", "seed"}
    n : int
    of : tuple of ndarray of int
        Unit of each cell, an array a role: a speaker is tested in some cells, and the training
        subject in others.
    """

    kind: str
    n: int
    of: tuple[np.ndarray, ...]

    def sums(self, cells: np.ndarray, n_kinds: int, weights: np.ndarray | None = None) -> np.ndarray:
        """Sum of weights (number of cells without) by unit and by what the cells are of.

        Parameters
        ----------
        cells : ndarray of int
            What each cell is of, below ``n_kinds``: a class, a field of a confusion.

        Returns
        -------
        ndarray, shape (n, n_kinds)
            A cell is in the sums of the units of all its roles.
        """
        flat = (
            np.bincount(unit * n_kinds + cells, weights=weights, minlength=self.n * n_kinds)
            for unit in self.of
        )
        return sum(flat, np.zeros(self.n * n_kinds)).reshape(self.n, n_kinds)


def units_of(cells: pd.DataFrame, speakers: pd.Series, *, fold_is: FoldIs = "part") -> tuple[Units, ...]:
    """Units that would be others if the study were made again: speakers, draws, seeds.

    Parameters
    ----------
    cells : DataFrame
        fold, seed, utterance.
    speakers : Series
        Utterance -> speaker.
    fold_is : {"part", "subject", "draw"}
        See :data:`serlab.protocols.FoldIs`. Parts are no units of their own: who is tested is in one
        of them, whatever the division.

    Returns
    -------
    tuple of Units
        Speakers first; draws and seeds where there are at least two.
    """
    tested, names = coded(cells["utterance"], speakers)
    if fold_is == "subject":
        learned, folds = pd.factorize(cells["fold"])
        code, both = pd.factorize(
            np.concatenate([names, np.asarray(folds).astype(str).astype(object)]), sort=True
        )
        found = [Units("speaker", len(both), (code[: len(names)][tested], code[len(names) :][learned]))]
    else:
        found = [Units("speaker", len(names), (tested,))]
    for kind in (["fold"] if fold_is == "draw" else []) + ["seed"]:
        code, names = pd.factorize(cells[kind], sort=True)
        if len(names) > 1:
            found.append(Units(kind, len(names), (code,)))
    return tuple(found)


def coded(utterances: pd.Series, speakers: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Number of each utterance's speaker, and the speakers' names in sorted order.

    Each utterance is looked up once, however often it was tested.
    """
    number, tested = pd.factorize(utterances)
    own = speakers.reindex(np.asarray(tested, dtype=object)).astype(str).to_numpy(dtype=object)
    code, names = pd.factorize(own, sort=True)
    return code[number], names


def crossed(one: Units, other: Units) -> Units:
    """Cells of a unit of each kind, as units; of the first role of either."""
    code, names = pd.factorize(one.of[0] * other.n + other.of[0])
    return Units(f"{one.kind} x {other.kind}", len(names), (code,))


def variances(
    kinds: Sequence[Units], spread: Callable[[Units], Spread], *, chance: float
) -> tuple[Spread, ...]:
    """What each kind of unit adds to the variance of a measure.

    Speakers and draws (or seeds) are crossed: what varies with both at once is in the variance by
    either, and is taken away once. It is found from the variance by their cells, which has it
    whole, and of what varies with one of them a part as small as the other kind has units.

    Parameters
    ----------
    kinds : sequence of Units
        Speakers first.
    spread : callable
        :func:`serlab.evaluation.intervals.jackknife` of the measure by units.
    chance : float
        See :func:`serlab.evaluation.intervals.beside_chance`.
    """
    speakers, *others = kinds
    by_speaker = spread(speakers)
    found = [intervals.beside_chance(by_speaker, chance, n=speakers.n)]
    for units in others:
        by_unit, by_cell = spread(units), spread(crossed(speakers, units))
        rest = 1 - 1 / speakers.n - 1 / units.n
        both = by_cell.variance - by_unit.variance / speakers.n - by_speaker.variance / units.n
        twice = min(max(both / rest, 0.0), by_unit.variance) if rest > 0 else 0.0
        # A class of one draw alone varies by draws as the others do: its speakers are several.
        known = (1 - by_unit.unknown) ** 2
        found.append(Spread((by_unit.variance - twice) / known if known else float("nan"), by_unit.df))
    return tuple(found)


def spreads(
    kinds: Sequence[Units], cells: np.ndarray, weights: np.ndarray, *, chance: float
) -> tuple[Spread, ...]:
    """:func:`variances` of a mean of ratios.

    Parameters
    ----------
    kinds : sequence of Units
    cells : ndarray of int
        Component of each cell (its true class), all of them in use.
    weights : ndarray
        What is averaged in it: 1 for a right answer, or a difference of two.
    chance : float
        See :func:`serlab.evaluation.intervals.beside_chance`.
    """
    total, n = np.bincount(cells, weights=weights), np.bincount(cells)

    def spread(units: Units) -> Spread:
        own, own_n = units.sums(cells, len(n), weights), units.sums(cells, len(n))
        return intervals.jackknife(total / n, metrics.ratio(total - own, n - own_n), own_n)

    return variances(kinds, spread, chance=chance)
