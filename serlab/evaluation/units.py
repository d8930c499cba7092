"""What answers hang on: who is tested, who was learned from, the seed.

An answer is one of a *cell* (fold, seed, utterance). Cells of one unit are alike; intervals come from
leaving out units, see :mod:`serlab.evaluation.intervals`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab import metrics
from serlab.evaluation import intervals
from serlab.evaluation.intervals import Spread
from serlab.protocols import FoldIs

#: Column of how many answers a row stands for.
ALIKE = "alike"
#: Rows that are counted at once.
_ROWS = 1 << 20


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
    known = utterances.array
    if isinstance(known, pd.Categorical):
        number, tested = known.codes, known.categories
        used = np.zeros(len(tested), dtype=bool)
        used[number] = True
    else:
        number, tested = pd.factorize(utterances)
        used = np.ones(len(tested), dtype=bool)
    own = speakers.reindex(np.asarray(tested[used], dtype=object)).astype(str).to_numpy(dtype=object)
    code = np.zeros(len(tested), dtype=np.intp)
    code[used], names = pd.factorize(own, sort=True)
    return code[number], names


def counted(
    cells: pd.DataFrame, speakers: pd.Series, by: Mapping[str, np.ndarray], *, fold_is: FoldIs = "part"
) -> tuple[pd.DataFrame, pd.Series]:
    """Cells that no interval tells apart, once each: of millions of answers some thousands.

    Parameters
    ----------
    cells : DataFrame
        fold, seed, utterance.
    speakers : Series
        Utterance -> speaker.
    by : mapping of str to ndarray of int, shape (n,)
        Columns that are kept apart, not negative.
    fold_is : {"part", "subject", "draw"}

    Returns
    -------
    cells : DataFrame
        seed, utterance (its speaker stands for it), fold where it is no part, those of ``by``, and
        :data:`ALIKE`: how many they were.
    speakers : Series
        Of these "utterances".
    """
    tested, names = coded(cells["utterance"], speakers)
    columns = {"utterance": (tested, names)}
    for kind in ["seed"] + (["fold"] if fold_is != "part" else []):
        code, values = pd.factorize(cells[kind], sort=True)
        columns[kind] = code, np.asarray(values)
    columns |= {name: (code, np.arange(code.max(initial=0) + 1)) for name, code in by.items()}
    shape = [max(len(values), 1) for _, values in columns.values()]
    keys: np.ndarray = np.zeros(0, dtype=np.int64)
    n: np.ndarray = np.zeros(0)
    for start in range(0, len(cells), _ROWS):
        part = tuple(code[start : start + _ROWS] for code, _ in columns.values())
        more, more_n = np.unique(np.ravel_multi_index(part, shape), return_counts=True)
        keys, place = np.unique(np.concatenate([keys, more]), return_inverse=True)
        n = np.bincount(place, weights=np.concatenate([n, more_n]))
    codes = np.unravel_index(keys, shape)
    found = {
        name: code if name in by else pd.Categorical.from_codes(code, categories=values)
        for (name, (_, values)), code in zip(columns.items(), codes, strict=True)
    }
    return pd.DataFrame({**found, ALIKE: n}), pd.Series(names, index=names)


def alike(cells: pd.DataFrame) -> np.ndarray | None:
    """How many answers each row stands for, of :func:`counted` ones; None where each is one."""
    return cells[ALIKE].to_numpy(dtype=float) if ALIKE in cells else None


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
    kinds: Sequence[Units],
    cells: np.ndarray,
    weights: np.ndarray,
    *,
    chance: float,
    counts: np.ndarray | None = None,
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
    counts : ndarray, optional
        How many cells each stands for, see :func:`alike`; ``weights`` are their sums then.
    """
    total, n = np.bincount(cells, weights=weights), np.bincount(cells, weights=counts)

    def spread(units: Units) -> Spread:
        own, own_n = units.sums(cells, len(n), weights), units.sums(cells, len(n), counts)
        return intervals.jackknife(total / n, metrics.ratio(total - own, n - own_n), own_n)

    return variances(kinds, spread, chance=chance)
