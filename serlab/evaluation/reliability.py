"""Whether answers are right as often as they are sure: reliability and its error, with intervals.

Every class that occurs weighs the same, so that what is right on average is the UAR. The error of
calibration is the mean distance of confidence and share of right answers over ten bins of equal
weight (:func:`serlab.evaluation.calibration.calibration_error`). Probabilities that are right leave an
error, too, since bins hold few answers: ``by_luck`` is what it would be then.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from serlab.evaluation import compact, intervals
from serlab.evaluation.calibration import calibration_error, cell_weights, tempered
from serlab.evaluation.scoring import class_names
from serlab.evaluation.units import Units, units_of, variances
from serlab.protocols import FoldIs

#: Bins of confidence.
N_BINS = 10

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
        proba, y, weight = parts(own)
        confidence = proba.max(axis=1)
        right = (proba.argmax(axis=1) == y).astype(float)
        kinds = units_of(own, speakers, fold_is=fold_is)
        value = calibration_error(proba, y, weight, bins=N_BINS)
        low, high = _interval(proba, y, kinds, level)
        rows.append(
            (name, own["utterance"].nunique(), speakers.reindex(own["utterance"]).nunique(),
             float(weight @ confidence), float(weight @ right), value, low, high, by_luck(proba, weight))
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def parts(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities (n, K), true classes (n,) and weights of sum 1, each class that occurs the same."""
    columns = [f"p_{name}" for name in class_names(predictions)]
    proba = predictions[columns].to_numpy(dtype=float)
    y = predictions["y_true"].to_numpy(dtype=int)
    return proba, y, cell_weights(np.full(len(y), ""), y)


def by_luck(proba: np.ndarray, weight: np.ndarray, *, bins: int = N_BINS) -> float:
    """Error of calibration to be expected of probabilities that are right, with so many independent answers.

    The sum of a bin is normal then, with the variance of its answers: its mean distance is sqrt(2 / pi) SD.

    Parameters
    ----------
    proba : ndarray, shape (n, K)
    weight : ndarray, shape (n,)
    """
    confidence = proba.max(axis=1)
    order = np.argsort(confidence, kind="stable")
    of_bin = bin_of(weight[order], bins=bins)
    share, sure = weight[order] / weight.sum(), confidence[order]
    variance = np.bincount(of_bin, share**2 * sure * (1 - sure), minlength=bins)
    return float(np.sqrt(2 / np.pi) * np.sqrt(np.maximum(variance, 0.0)).sum())


def bin_of(weight: np.ndarray, *, bins: int = N_BINS) -> np.ndarray:
    """Bin of each answer, in ascending order of confidence: bins have equal weight."""
    share = weight / weight.sum()
    return np.minimum((np.cumsum(share) - share / 2) * bins, bins - 1).astype(int)


def curve(predictions: pd.DataFrame, *, bins: int = N_BINS) -> pd.DataFrame:
    """Points of a reliability diagram of one method.

    Returns
    -------
    DataFrame
        bin, n (answers), confidence, right (shares, classes of equal weight).
    """
    proba, y, weight = parts(predictions)
    confidence = proba.max(axis=1)
    order = np.argsort(confidence, kind="stable")
    of_bin = bin_of(weight[order], bins=bins)
    right = (proba.argmax(axis=1) == y)[order]
    w = weight[order]
    total = np.bincount(of_bin, w, minlength=bins)
    table = pd.DataFrame(
        {
            "bin": np.arange(bins),
            "n": np.bincount(of_bin, minlength=bins),
            "confidence": np.bincount(of_bin, w * confidence[order], minlength=bins),
            "right": np.bincount(of_bin, w * right, minlength=bins),
        }
    )
    table[["confidence", "right"]] = table[["confidence", "right"]].div(np.where(total > 0, total, 1), axis=0)
    return table[table["n"] > 0].reset_index(drop=True)


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


def _interval(proba: np.ndarray, y: np.ndarray, kinds: Sequence[Units], level: float) -> tuple[float, float]:
    """Student's interval of the error, from leaving out units."""

    def error(kept: np.ndarray) -> float:
        # Weights anew: every class that is left weighs the same.
        return calibration_error(
            proba[kept], y[kept], cell_weights(np.full(int(kept.sum()), ""), y[kept]), bins=N_BINS
        )

    everything = np.ones(len(y), dtype=bool)
    value = error(everything)

    def spread(units: Units) -> intervals.Spread:
        without, sizes = [], []
        for unit in range(units.n):
            own = np.logical_or.reduce([role == unit for role in units.of])
            without.append(error(~own) if not own.all() else np.nan)
            sizes.append(own.sum())
        return intervals.jackknife(
            np.array([value]), np.array(without)[:, None], np.array(sizes, dtype=float)[:, None]
        )

    confidence = proba.max(axis=1)
    weight = cell_weights(np.full(len(y), ""), y)
    chance = float((weight**2 * confidence * (1 - confidence)).sum())
    return intervals.student(value, variances(kinds, spread, chance=chance), level=level)
