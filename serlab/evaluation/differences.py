"""What one method has more than another: the same utterances, seeds and folds, paired by speaker."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from serlab.errors import ProtocolError
from serlab.evaluation import compact, intervals
from serlab.evaluation.units import spreads, units_of
from serlab.protocols import FoldIs

#: Up to so many speakers the randomisation test of :func:`paired` takes all 2^n swaps.
EXACT_SPEAKERS = 12
#: Random swaps, where there are more.
N_SWAPS = 9999


@dataclass(frozen=True)
class Difference:
    """UAR of a method minus that of its control.

    Attributes
    ----------
    gain, low, high : float
        The difference and its interval; NaN ends with a single test speaker.
    p : float
        Of the hypothesis that there is none.
    least_p : float
        Smallest p that so many test speakers can give, see :func:`least_p`. Where it is above the
        level asked for, nothing can be decided, whatever the gain.
    n_speakers, n_folds, n_seeds : int
        Of the cells that both have.
    """

    gain: float
    low: float
    high: float
    p: float
    least_p: float
    n_speakers: int
    n_folds: int
    n_seeds: int


def paired(
    predictions: pd.DataFrame,
    speakers: pd.Series,
    *,
    method: str,
    control: str,
    fold_is: FoldIs = "part",
    n_resamples: int = N_SWAPS,
    level: float = intervals.LEVEL,
    seed: int = 0,
) -> Difference:
    """UAR of one method minus that of another, over the cells (fold, seed, utterance) that both have.

    Recalls of each class are over all these cells, whatever fold and seed they are of, and averaged
    over the classes: the difference of two UAR as :func:`serlab.evaluation.summarise` has them. A
    method that ran with one seed (nothing in it is random) is paired with each seed of the other.

    The interval is Student's, from leaving out each speaker (:func:`serlab.evaluation.intervals.jackknife`):
    where folds are training subjects, from both roles at once. Where folds are draws, and where
    there are several seeds, what these add to the variance is added.

    The p value is that of a paired randomisation test: under the null hypothesis the answers of the
    two can be swapped for any test speaker (all 2^n swaps up to 12, else ``n_resamples`` random ones
    and the observed one). The swaps know test speakers only; where training subjects, draws or
    seeds are a sample, too, p is that of the t test if this is larger; so it is where one speaker alone
    has a class, in which others may differ the other way.

    Parameters
    ----------
    predictions : DataFrame
        As of :func:`serlab.evaluation.run`; may have other methods, too.
    speakers : Series
        Utterance -> speaker.
    method, control : str
    fold_is : {"part", "subject", "draw"}
        See :attr:`serlab.protocols.SplitProtocol.fold_is`.
    n_resamples : int
        Random swaps.
    level : float
    seed : int
        Of the random swaps.

    Raises
    ------
    ProtocolError
        If they have no cell in common.
    """
    cells = common_cells(predictions, method=method, control=control)
    if cells.empty:
        raise ProtocolError(
            f"{method!r} and {control!r} have no answer to the same utterance in the same fold and seed"
        )
    y, more = cells["class"].to_numpy(), cells["more"].to_numpy()
    n = np.bincount(y)
    whole = np.bincount(y, weights=more) / n
    gain = float(whole.mean())
    kinds = units_of(cells, speakers, fold_is=fold_is)
    chance = (np.bincount(y, weights=more**2) / n - whole**2) / n
    found = spreads(kinds, y, more, chance=float(chance.sum()) / len(n) ** 2)
    if _whoever_speaks(cells):
        found = tuple(replace(spread, unknown=0.0, of_unknown=0.0) for spread in found)
    low, high = intervals.student(gain, found, level=level, within=(-1.0, 1.0))
    tested = np.unique(kinds[0].of[0], return_inverse=True)[1]
    by_speaker = np.bincount(tested, weights=(more / n[y])) / len(n)
    p = _swaps(by_speaker, n_resamples, seed)
    unknown = sum(spread.unknown for spread in found)
    if fold_is == "subject" or len(kinds) > 1 or unknown:
        p = max(p, intervals.p_of_none(gain, found))
    return Difference(
        gain=gain,
        low=low,
        high=high,
        p=p,
        # Right answers to the other classes do not outweigh half of them that may be against it.
        least_p=1.0 if unknown >= 0.5 else least_p(len(by_speaker), n_resamples=n_resamples),
        n_speakers=len(by_speaker),
        n_folds=cells["fold"].nunique(),
        n_seeds=cells["seed"].nunique(),
    )


def common_cells(predictions: pd.DataFrame, *, method: str, control: str) -> pd.DataFrame:
    """Cells that two methods have answered.

    Returns
    -------
    DataFrame
        fold, seed, utterance; class: number of the true class among those that occur; more: 1 where
        the method alone is right, -1 where the control alone is, else 0; y_pred and y_pred_base: the answers.
    """
    columns = ["fold", "seed", "utterance", "y_true", "y_pred"]
    own, base = (compact.of_method(predictions, name)[columns] for name in (method, control))
    keys = ["fold", "seed", "utterance"]
    if own["seed"].nunique() == 1 or base["seed"].nunique() == 1:
        keys = ["fold", "utterance"]
        # The seeds are those of the other one.
        once = "base" if base["seed"].nunique() == 1 else "own"
        own, base = (own, base.drop(columns="seed")) if once == "base" else (own.drop(columns="seed"), base)
    both = _side_by_side(own, base, keys)
    right, right_base = (both[name] == both["y_true"] for name in ("y_pred", "y_pred_base"))
    return both[["fold", "seed", "utterance", "y_pred", "y_pred_base"]].assign(
        **{
            "class": np.unique(both["y_true"], return_inverse=True)[1],
            "more": right.to_numpy(dtype=float) - right_base.to_numpy(dtype=float),
        }
    )


def _side_by_side(own: pd.DataFrame, base: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Rows of the first with ``y_pred_base`` beside them, of those cells that both have."""
    base = base.drop(columns="y_true")
    # Of one run they are the same cells in the same order, and nothing has to be looked for.
    if all(_is_same(own[key], base[key]) for key in keys) and not own.duplicated(keys).any():
        beside = base.drop(columns=keys).rename(columns={"y_pred": "y_pred_base"})
        return own.reset_index(drop=True).join(beside.reset_index(drop=True))
    return own.merge(base, on=keys, suffixes=("", "_base"))


def _is_same(one: pd.Series, other: pd.Series) -> bool:
    """Whether two columns have equal entries, row by row."""
    if all(isinstance(column.dtype, pd.CategoricalDtype) for column in (one, other)):
        same = one.cat.categories.equals(other.cat.categories)
        return bool(same) and np.array_equal(one.cat.codes, other.cat.codes)
    return np.array_equal(one.to_numpy(), other.to_numpy())


def _whoever_speaks(cells: pd.DataFrame) -> bool:
    """Whether it is known what others would add: both answer alike, or each one class for everything."""
    alike = (cells["y_pred"] == cells["y_pred_base"]).all()
    return bool(alike or (cells[["y_pred", "y_pred_base"]].nunique() == 1).all())


def least_p(n_speakers: int, *, n_resamples: int = N_SWAPS) -> float:
    """Smallest p value that the randomisation test of :func:`paired` can give."""
    return 2 / 2**n_speakers if n_speakers <= EXACT_SPEAKERS else 1 / (n_resamples + 1)


def _swaps(by_speaker: np.ndarray, n_resamples: int, seed: int) -> float:
    """Share of swaps of the two methods' answers with a difference as large as the observed one.

    Swapping them for a speaker changes the sign of what that speaker adds to the difference.
    """
    drawn = np.abs(_signs(len(by_speaker), n_resamples, seed) @ by_speaker)
    return float(np.mean(drawn >= abs(by_speaker.sum()) - 1e-12))


def _signs(n_speakers: int, n_resamples: int, seed: int) -> np.ndarray:
    """Rows of +1 and -1: all of them for few speakers, else a random sample with the observed one."""
    if n_speakers <= EXACT_SPEAKERS:
        bits = np.arange(2**n_speakers)[:, None] >> np.arange(n_speakers)
        return 1.0 - 2.0 * (bits & 1)
    random = 1.0 - 2.0 * np.random.default_rng(seed).integers(0, 2, size=(n_resamples, n_speakers))
    return np.vstack([np.ones((1, n_speakers)), random])
