"""Every corpus left out in turn: what all others together reach on it, and which of them helps.

Joins the runs of one notebook that have the same methods, each with another corpus as target and all others
as sources. What a target's labels say of its sources is said after the fact: nothing is chosen by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab import methods
from serlab.evaluation import choices, intervals
from serlab.experiment import Session
from serlab.experiment.preparation import NotKept
from serlab.studies import source_choice

#: Row of :func:`reached` that stands for all targets.
MEAN = "mean"


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Tables over all targets; empty where no run has answered the question.

    Attributes
    ----------
    sets : DataFrame
        target and the columns of :func:`serlab.studies.source_choice.uar_table`.
    worth : DataFrame
        target and the columns of :func:`serlab.studies.source_choice.worth_table`.
    before : DataFrame
        target and the columns of :func:`serlab.studies.source_choice.before_table`.
    choices : DataFrame
        target, title and the columns of :func:`serlab.evaluation.choices.by_way`, of methods that choose on
        sources left out.
    """

    sets: pd.DataFrame
    worth: pd.DataFrame
    before: pd.DataFrame
    choices: pd.DataFrame


def join(sessions: Sequence[Session]) -> Joined:
    """What finished runs know of sets of sources; nothing is fitted.

    A run that has not asked about sets of sources, or had one source, has nothing to say and is passed over.

    Parameters
    ----------
    sessions : sequence of Session
        Of finished runs.
    """
    found: dict[str, list[pd.DataFrame]] = {"sets": [], "worth": [], "before": [], "choices": []}
    for session in sessions:
        target = session.parameters.target
        if session.finished is not None and len(chosen := choices.by_way(session.finished.choices())):
            titles = chosen["method"].map(lambda name: methods.get(name).title)
            found["choices"].append(chosen.assign(target=target, title=titles))
        if len(session.parameters.sources) < 2:
            continue
        try:
            answers = source_choice.learned(session)
            sets = source_choice.uar_table(session, answers)
            worth = source_choice.worth_table(session, answers)
            before = source_choice.before_table(session, worth)
        except NotKept:
            continue
        for name, table in (("sets", sets), ("worth", worth), ("before", before)):
            found[name].append(table.assign(target=target)[["target", *table.columns]])
    return Joined(
        **{
            name: pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
            for name, tables in found.items()
        }
    )


def reached(summaries: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """UAR of each method on each corpus that was left out, and the mean over them.

    Parameters
    ----------
    summaries : mapping of str to DataFrame
        Target -> summary of its run.

    Returns
    -------
    DataFrame
        method, title, target_seen, target, uar, uar_low, uar_high. Rows with target :data:`MEAN` are means
        over all targets, of methods that were run on every one; their interval is a t interval over targets,
        which are few: of three or more.
    """
    columns = ["method", "title", "target_seen", "target", "uar", "uar_low", "uar_high"]
    parts = [table.assign(target=name).reindex(columns=columns) for name, table in summaries.items()]
    if not parts:
        return pd.DataFrame(columns=columns)
    table = pd.concat(parts, ignore_index=True)
    means = []
    for method, own in table.groupby("method", sort=False):
        if set(own["target"]) == set(summaries) and own["uar"].notna().all():
            low, high = _interval(own["uar"].to_numpy(dtype=float))
            means.append((method, own["title"].iloc[0], "", MEAN, own["uar"].mean(), low, high))
    return pd.concat([table, pd.DataFrame(means, columns=columns)], ignore_index=True)


def curve(sets: pd.DataFrame) -> pd.DataFrame:
    """What one more source is worth: UAR over the sets of each size, target by target, and their mean.

    Parameters
    ----------
    sets : DataFrame
        See :class:`Joined`.

    Returns
    -------
    DataFrame
        method, title, target, n_sources, sets, uar; rows with target :data:`MEAN` where every target has sets
        of the size.
    """
    columns = ["method", "title", "target", "n_sources", "sets", "uar"]
    if sets.empty:
        return pd.DataFrame(columns=columns)
    by = ["method", "title", "target", "n_sources"]
    found = sets.groupby(by, sort=False)["uar"].agg(sets="count", uar="mean").reset_index()
    n_targets = found["target"].nunique()
    over = found.groupby(["method", "title", "n_sources"], sort=False).agg(
        targets=("target", "nunique"), sets=("sets", "sum"), uar=("uar", "mean")
    )
    over = over[over["targets"] == n_targets].reset_index().assign(target=MEAN)
    return pd.concat([found, over[columns]], ignore_index=True)


def agreement(before: pd.DataFrame) -> pd.DataFrame:
    """Whether what was known of sources beforehand orders them as their worth did.

    Parameters
    ----------
    before : DataFrame
        See :class:`Joined`.

    Returns
    -------
    DataFrame
        known, of ("alone" or "adds"), targets (with three sources or more, in which something varies), rho
        (mean over them of Spearman's), least, greatest.
    """
    rows = []
    for known in source_choice.KNOWN:
        for of in ("alone", "adds"):
            if known not in before:
                continue
            found = [
                source_choice.rank_correlation(own[known], own[of])
                for _, own in before.groupby("target", sort=False)
            ]
            rho = np.array([value for value in found if not np.isnan(value)])
            some = (rho.mean(), rho.min(), rho.max()) if len(rho) else (np.nan,) * 3
            rows.append((known, of, len(rho), *some))
    return pd.DataFrame(rows, columns=["known", "of", "targets", "rho", "least", "greatest"])


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Of a mean over targets; NaN with fewer than three."""
    n = len(values)
    if n < 3:
        return float("nan"), float("nan")
    spread = intervals.Spread(float(values.var(ddof=1)) / n, float(n - 1))
    return intervals.student(float(values.mean()), [spread])
