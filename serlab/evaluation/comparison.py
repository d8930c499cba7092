"""Transfer gain: one method against another, paired by test speaker."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab.errors import ProtocolError
from serlab.evaluation import intervals
from serlab.evaluation.differences import N_SWAPS, common_cells, paired
from serlab.protocols import FoldIs

#: Level at which a gain is claimed, after correction.
ALPHA = 0.05


def compare(
    predictions: pd.DataFrame,
    speakers: pd.Series,
    *,
    baseline: str,
    fold_is: FoldIs = "part",
    n_resamples: int = N_SWAPS,
    level: float = intervals.LEVEL,
    alpha: float = ALPHA,
    seed: int = 0,
) -> pd.DataFrame:
    """Transfer gain: UAR of each method minus that of a baseline, paired.

    Gain, interval and p are those of :func:`serlab.evaluation.paired`. Holm's correction covers all
    methods of the call; those that have no cell in common with the baseline are left out.

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
    rows = []
    for method in (name for name in predictions["method"].unique() if name != baseline):
        if common_cells(predictions, method=method, control=baseline).empty:
            continue
        found = paired(
            predictions, speakers, method=method, control=baseline, fold_is=fold_is,
            n_resamples=n_resamples, level=level, seed=seed,
        )  # fmt: skip
        rows.append(
            {
                "method": method,
                "baseline": baseline,
                "n_folds": found.n_folds,
                "gain": found.gain,
                "gain_low": found.low,
                "gain_high": found.high,
                "p": found.p,
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
