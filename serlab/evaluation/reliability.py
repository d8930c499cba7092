"""Whether answers are right as often as they are sure: reliability and its error, with intervals.

Every class that occurs weighs the same, so that what is right on average is the UAR. The error of
calibration is the mean distance of confidence and share of right answers over ten bins of equal
weight (:func:`serlab.evaluation.calibration.calibration_error`). Probabilities that are right leave an
error, too, since bins hold few answers: ``by_luck`` is what it would be then.

All of it depends on how many answers there are of each confidence and class that are right and wrong. They
are counted once, for each unit that is left out as well: millions of answers have some thousand confidences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab.evaluation import compact, intervals
from serlab.evaluation.calibration import bins_of, tempered
from serlab.evaluation.scoring import class_names
from serlab.evaluation.units import Units, units_of, variances
from serlab.protocols import FoldIs

#: Bins of confidence.
N_BINS = 10
#: Answers whose confidences are told apart whatever they are; of more they have the 16 bits of a run folder.
_FEW = 1 << 14
#: Counts of units that are held at once.
_COUNTS = 1 << 20

COLUMNS = ("method", "n", "n_speakers", "confidence", "right", "ece", "ece_low", "ece_high", "by_luck")


def errors(
    predictions: pd.DataFrame,
    speakers: pd.Series,
    *,
    methods: Sequence[str] | None = None,
    fold_is: FoldIs = "part",
    level: float = intervals.LEVEL,
) -> pd.DataFrame:
    """Expected calibration error of each method, over all folds and seeds together.

    Its interval is Student's, from leaving out each speaker. An error is never below 0 and luck adds to it:
    read it beside ``by_luck``.

    Parameters
    ----------
    predictions : DataFrame
        As of :func:`serlab.evaluation.run`, with probabilities.
    speakers : Series
        Utterance -> speaker.
    methods : sequence of str, optional
        Which, in order; default: all.
    fold_is : {"part", "subject", "draw"}
    level : float

    Returns
    -------
    DataFrame
        :data:`COLUMNS`: confidence and share of right answers, classes of equal weight; more confidence than
        right answers is overconfidence.
    """
    names = compact.methods_in(predictions) if methods is None else methods
    rows = []
    for name in names:
        own = compact.of_method(predictions, name)
        table, field = tally(own)
        mass, right = table.masses()
        low, high = _interval(table, field, units_of(own, speakers, fold_is=fold_is), level)
        tested = pd.Index(own["utterance"].unique().astype(object))
        rows.append(
            (name, len(tested), speakers.reindex(tested).nunique(), float(mass @ table.level),
             float(right.sum()), float(_errors(table.level, table.counts)), low, high, by_luck(table))
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


@dataclass(frozen=True)
class Tally:
    """How many answers there are of each kind.

    Attributes
    ----------
    level : ndarray, shape (L,)
        Confidences, ascending.
    counts : ndarray of int, shape (L, K, 2)
        Answers of each confidence and true class: wrong ones and right ones.
    """

    level: np.ndarray
    counts: np.ndarray

    def masses(self) -> tuple[np.ndarray, np.ndarray]:
        """Weight of all answers and of right ones, shape (L,) both: of sum 1, each class the same."""
        return _masses(self.counts)


def tally(predictions: pd.DataFrame) -> tuple[Tally, np.ndarray]:
    """Count answers of one method.

    Returns
    -------
    Tally
    ndarray of int, shape (n,)
        Which of the counts, in one row, each answer is in.
    """
    columns = [f"p_{name}" for name in class_names(predictions)]
    sure = predictions[columns[0]].to_numpy(copy=True)
    answer = np.zeros(len(sure), dtype=np.int16)
    for number, column in enumerate(columns[1:], start=1):
        own = predictions[column].to_numpy()
        more = own > sure
        sure[more], answer[more] = own[more], number
    level, place = _levels(sure)
    y = predictions["y_true"].to_numpy()
    field = (place * len(columns) + y) * 2 + (answer == y)
    counts = np.bincount(field, minlength=len(level) * len(columns) * 2)
    return Tally(level, counts.reshape(len(level), len(columns), 2)), field


def _levels(confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Confidences that occur, ascending, and the place of each answer's among them."""
    if len(confidence) <= _FEW:
        level, place = np.unique(confidence, return_inverse=True)
        return level.astype(float), place
    bits = confidence.astype(np.float16).view(np.uint16)  # in the order of the numbers, which are positive
    occurs = np.bincount(bits, minlength=1 << 16) > 0
    level = np.flatnonzero(occurs).astype(np.uint16).view(np.float16).astype(float)
    return level, (np.cumsum(occurs) - 1)[bits]


def _shares(counts: np.ndarray) -> np.ndarray:
    """Weight of one answer of each class, shape (..., K): of sum 1 over answers, each class the same."""
    n = counts.sum(axis=(-3, -1), dtype=float)
    return np.divide(1.0, n * (n > 0).sum(axis=-1, keepdims=True), out=np.zeros(n.shape), where=n > 0)


def _masses(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight of all answers and of right ones by confidence, shape (..., L) both."""
    share = _shares(counts)[..., None]
    right = (counts[..., 1] @ share)[..., 0]
    return (counts[..., 0] @ share)[..., 0] + right, right


def _errors(level: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Error of calibration of counts (..., L, K, 2), see :func:`calibration_error`; NaN without an answer."""
    mass, right = _masses(counts)
    of_bin = bins_of(mass, bins=N_BINS)
    gap = mass * level - right
    by_bin = np.stack([np.where(of_bin == number, gap, 0.0).sum(axis=-1) for number in range(N_BINS)])
    return np.where(counts.any(axis=(-3, -2, -1)), np.abs(by_bin).sum(axis=0), np.nan)


def by_luck(table: Tally, *, bins: int = N_BINS) -> float:
    """Error of calibration to be expected of probabilities that are right, with so many independent answers.

    The sum of a bin is normal then, with the variance of its answers: its mean distance is sqrt(2 / pi) SD.

    Parameters
    ----------
    table : Tally
    """
    of_bin = bins_of(table.masses()[0], bins=bins)
    variance = np.bincount(of_bin, _variance(table), minlength=bins)
    return float(np.sqrt(2 / np.pi) * np.sqrt(np.maximum(variance, 0.0)).sum())


def _variance(table: Tally) -> np.ndarray:
    """Of the weight of right answers of each confidence, were it right and were answers independent."""
    return (table.counts.sum(axis=2) @ _shares(table.counts) ** 2) * table.level * (1 - table.level)


def curve(predictions: pd.DataFrame, *, bins: int = N_BINS) -> pd.DataFrame:
    """Points of a reliability diagram of one method.

    Returns
    -------
    DataFrame
        bin, n (answers), weight (of sum 1), confidence, right (shares, classes of equal weight).
    """
    counted, _ = tally(predictions)
    mass, right = counted.masses()
    of_bin = bins_of(mass, bins=bins)
    n, weight, sure, hits = (
        np.bincount(of_bin, values, minlength=bins)
        for values in (counted.counts.sum(axis=(1, 2)), mass, mass * counted.level, right)
    )
    table = pd.DataFrame({"bin": np.arange(bins), "n": n.astype(int), "weight": weight})
    shares = {
        name: values / np.where(weight > 0, weight, 1)
        for name, values in (("confidence", sure), ("right", hits))
    }
    return table.assign(**shares)[n > 0].reset_index(drop=True)


def heated(predictions: pd.DataFrame, temperatures: pd.DataFrame) -> pd.DataFrame:
    """The same answers with the temperature of their fit; those without one are left out.

    Parameters
    ----------
    predictions : DataFrame
    temperatures : DataFrame
        method, fold, seed, temperature.
    """
    columns = [f"p_{name}" for name in class_names(predictions)]
    both = predictions.merge(temperatures, on=["method", "fold", "seed"], how="inner")
    proba = both[columns].to_numpy(dtype=float)
    for temperature, rows in both.groupby("temperature").indices.items():
        proba[rows] = tempered(proba[rows], float(temperature))
    both = both.assign(**{name: proba[:, place] for place, name in enumerate(columns)})
    return both.drop(columns="temperature")


def _interval(table: Tally, field: np.ndarray, kinds: Sequence[Units], level: float) -> tuple[float, float]:
    """Student's interval of the error, from leaving out units: each class that is left weighs the same."""
    value = _errors(table.level, table.counts)[None]

    def spread(units: Units) -> intervals.Spread:
        parts = list(_by_unit(units, field, table.counts.size))
        without = [_errors(table.level, table.counts - own.reshape(-1, *table.counts.shape)) for own in parts]
        return intervals.jackknife(
            value,
            np.concatenate(without)[:, None],
            np.concatenate([own.sum(axis=1) for own in parts])[:, None],
        )

    chance = float(_variance(table).sum())
    return intervals.student(float(value[0]), variances(kinds, spread, chance=chance), level=level)


def _by_unit(units: Units, field: np.ndarray, n_fields: int) -> Iterator[np.ndarray]:
    """Answers of each unit in any role by field, shape (some units, fields), a few units after the others."""
    few = max(_COUNTS // n_fields, 1)
    for first in range(0, units.n, few):
        last = min(first + few, units.n)
        own = np.zeros((last - first) * n_fields, dtype=np.int64)
        for number, of in enumerate(units.of):
            here = (of >= first) & (of < last)
            for earlier in units.of[:number]:
                here &= earlier != of
            own += np.bincount((of[here] - first) * n_fields + field[here], minlength=len(own))
        yield own.reshape(last - first, n_fields)
