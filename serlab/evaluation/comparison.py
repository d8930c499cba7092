"""Transfer gain: one method against another, paired by test speaker."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab import metrics
from serlab.errors import ProtocolError
from serlab.evaluation import intervals
from serlab.evaluation.scoring import class_names, speaker_counts, weighted

#: Level at which a gain is claimed, after correction.
ALPHA = 0.05

#: Up to so many speakers the randomisation test of :func:`compare` takes all 2^n swaps.
EXACT_SPEAKERS = 12


def compare(
    predictions: pd.DataFrame,
    speakers: pd.Series,
    *,
    baseline: str,
    pool_folds: bool = False,
    n_resamples: int = intervals.N_RESAMPLES,
    level: float = intervals.LEVEL,
    alpha: float = ALPHA,
    seed: int = 0,
) -> pd.DataFrame:
    """Transfer gain: UAR of each method minus that of a baseline, paired.

    Only the folds that both could run are compared, and pooled or averaged as
    in :func:`summarise`. The interval resamples test speakers, the same for
    both. The p value is that of a paired randomisation test: under the null
    hypothesis the two methods' answers can be swapped for any speaker (all
    2^n swaps up to 12 speakers, else ``n_resamples`` random ones and the
    observed one). Holm's correction covers all methods of the call.

    Returns
    -------
    DataFrame
        method, baseline, n_folds, gain, gain_low, gain_high, p, p_holm and
        verdict: "helps", "hurts" or "no difference shown".

    Raises
    ------
    ProtocolError
        If the baseline has no predictions.
    """
    if baseline not in set(predictions["method"]):
        raise ProtocolError(f"baseline {baseline!r} has no predictions; add it to the methods")
    folds = predictions.groupby("method")["fold"].agg(set)
    rows = []
    for method in (name for name in predictions["method"].unique() if name != baseline):
        common = folds[method] & folds[baseline]
        if not common:
            continue
        shared = predictions[predictions["fold"].isin(common)]
        own, base = (
            _fold_counts(shared[shared["method"] == name], speakers, pool_folds)
            for name in (method, baseline)
        )
        more_hits = np.diagonal(own - base, axis1=2, axis2=3)  # (folds, speakers, C)
        total = own.sum(axis=3)
        n_speakers = total.shape[1]
        every = np.ones((1, n_speakers))
        observed = float(_gain(every, more_hits, every, total)[0])
        drawn_weights = intervals.resamples(n_speakers, n=n_resamples, seed=seed)
        drawn = _gain(drawn_weights, more_hits, drawn_weights, total)
        low, high = (np.nan, np.nan) if n_speakers < 2 else intervals.percentile(drawn, level=level)
        # Swapping the two methods' answers for a speaker changes the sign of the difference.
        null = _gain(_signs(n_speakers, n_resamples, seed), more_hits, every, total)
        rows.append(
            {
                "method": method,
                "baseline": baseline,
                "n_folds": len(common),
                "gain": observed,
                "gain_low": low,
                "gain_high": high,
                "p": float(np.mean(np.abs(null) >= abs(observed) - 1e-12)),
            }
        )
    table = pd.DataFrame(
        rows, columns=["method", "baseline", "n_folds", "gain", "gain_low", "gain_high", "p"]
    )
    return with_verdicts(table, alpha=alpha)


def with_verdicts(comparison: pd.DataFrame, *, alpha: float = ALPHA) -> pd.DataFrame:
    """Add ``p_holm`` and ``verdict``, corrected for all rows of the table; see :func:`compare`."""
    p_holm = holm(comparison["p"].to_numpy(dtype=float))
    shown = p_holm < alpha
    verdict = np.select(
        [shown & (comparison["gain"] > 0), shown & (comparison["gain"] < 0)],
        ["helps", "hurts"],
        "no difference shown",
    )
    return comparison.assign(p_holm=p_holm, verdict=verdict)


def _fold_counts(predictions: pd.DataFrame, speakers: pd.Series, pool_folds: bool) -> np.ndarray:
    """Counts averaged over seeds, shape (folds, speakers, C, C); one fold if they are pooled.

    All seeds test the same utterances, so recalls may be averaged as counts.
    """
    n_classes, n_seeds = len(class_names(predictions)), predictions["seed"].nunique()
    if pool_folds:
        predictions = predictions.assign(fold="all")
    return speaker_counts(predictions, speakers, n_classes, by=["fold"]) / n_seeds


def _gain(signs: np.ndarray, more_hits: np.ndarray, weights: np.ndarray, total: np.ndarray) -> np.ndarray:
    """UAR difference, averaged over folds, for each row of signs (or weights) of the speakers."""
    by_fold = metrics.mean_known(metrics.ratio(weighted(signs, more_hits), weighted(weights, total)))
    return metrics.mean_known(by_fold)


def least_p(n_speakers: int, *, n_resamples: int = intervals.N_RESAMPLES) -> float:
    """Smallest p value that the randomisation test of :func:`compare` can give."""
    return 2 / 2**n_speakers if n_speakers <= EXACT_SPEAKERS else 1 / (n_resamples + 1)


def _signs(n_speakers: int, n_resamples: int, seed: int) -> np.ndarray:
    """Rows of +1 and -1: all of them for few speakers, else a random sample with the observed one."""
    if n_speakers <= EXACT_SPEAKERS:
        bits = np.arange(2**n_speakers)[:, None] >> np.arange(n_speakers)
        return 1.0 - 2.0 * (bits & 1)
    random = np.random.default_rng(seed).choice([-1.0, 1.0], size=(n_resamples, n_speakers))
    return np.vstack([np.ones((1, n_speakers)), random])


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction, in the given order (Holm 1979).

    Returns
    -------
    ndarray
        Adjusted p values, at most 1.
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
