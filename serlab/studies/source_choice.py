"""Which source corpora, together, and how far do they carry?

Every set of sources is learned from and tested on the same utterances of the
target. Nothing here chooses a source by the target's labels: the tables say
what each was worth, after the fact.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from serlab import corpora, evaluation, languages, methods
from serlab.errors import ParameterError
from serlab.evaluation import shift
from serlab.experiment import Session, as_vectors
from serlab.protocols import FoldIs

#: All sets of so many sources or fewer are tried (31); of more, each alone, all but each, and all.
MOST_SOURCES = 5
#: Columns of :func:`before_table` that are numbers: what may say before training how far a source carries.
KNOWN: tuple[str, ...] = (
    "a_distance", "mmd2", "shared_classes", "same_branch", "same_speech", "utterances", "speakers",
)  # fmt: skip
#: Utterances of a corpus whose distance is measured.
MOST_ROWS = 400
#: Between the names of a set.
AND = " + "


def subsets(sources: Sequence[str]) -> list[tuple[str, ...]]:
    """Sets of sources that are tried, the smaller ones first.

    Examples
    --------
    >>> subsets(["a", "b"])
    [('a',), ('b',), ('a', 'b')]
    >>> len(subsets("abcde")), len(subsets("abcdef"))
    (31, 13)
    """
    n = len(sources)
    sizes = range(1, n + 1) if n <= MOST_SOURCES else (1, n - 1, n)
    return [chosen for size in sizes for chosen in itertools.combinations(sources, size)]


def learned(session: Session, *, names: Sequence[str] = ()) -> pd.DataFrame:
    """What methods answer that have learned from each set of the session's sources.

    Parameters
    ----------
    session : Session
        With two sources or more.
    names : sequence of str
        Methods; those of the parameters that learn from a source, if not given.

    Returns
    -------
    DataFrame
        As :attr:`serlab.evaluation.Run.predictions`, with ``sources`` ("emodb + nemo").

    Raises
    ------
    ParameterError
        If there are fewer than two sources, or no method that learns from one.
    """
    parameters = session.parameters
    chosen = [spec.name for spec in parameters.specs() if spec.uses_source]
    chosen = list(names) or chosen
    if len(parameters.sources) < 2:
        raise ParameterError(
            f"which of {len(parameters.sources)} source is no question; choose two or more "
            "(sources=emodb,nemo)"
        )
    if not chosen:
        raise ParameterError("no method learns from a source; choose the group 'sources'")
    utterances = session.prepare().utterances
    splits, _ = parameters.split_protocol().plan(utterances)
    corpus = utterances["corpus"].to_numpy(dtype=object)
    tables = []
    sets = subsets(parameters.sources)
    for number, own in enumerate(sets):
        session.watch.report(number, len(sets), f"sources {AND.join(own)}")
        reduced = [replace(split, train=split.train[np.isin(corpus[split.train], own)]) for split in splits]
        done = session.evaluate(chosen, reduced, kept_in=f"sources/{'+'.join(own)}")
        tables.append(done.predictions.assign(sources=AND.join(own)))
    session.watch.report(len(sets), len(sets), "sets of sources")
    return pd.concat(tables, ignore_index=True)


def uar_table(session: Session, predictions: pd.DataFrame) -> pd.DataFrame:
    """UAR of each method on each set of sources.

    Parameters
    ----------
    session : Session
    predictions : DataFrame
        From :func:`learned`.

    Returns
    -------
    DataFrame
        method, title, sources, n_sources, uar, uar_low, uar_high; intervals over test speakers.
    """
    speakers, fold_is = _paired_by(session)
    rows = []
    for method in predictions["method"].unique():
        of_method = predictions[predictions["method"] == method]
        for sources, own in of_method.groupby("sources", sort=False):
            uar, low, high = evaluation.uar(own, speakers, fold_is=fold_is)
            rows.append((method, methods.get(method).title, sources, _size(sources), uar, low, high))
    columns = ["method", "title", "sources", "n_sources", "uar", "uar_low", "uar_high"]
    return pd.DataFrame(rows, columns=columns)


def curve_table(table: pd.DataFrame) -> pd.DataFrame:
    """Mean, worst and best UAR over the sets of each size: what one more source is worth.

    Parameters
    ----------
    table : DataFrame
        From :func:`uar_table`.

    Returns
    -------
    DataFrame
        method, title, n_sources, sets, uar, worst, best.
    """
    grouped = table.groupby(["method", "title", "n_sources"], sort=False)["uar"]
    return grouped.agg(sets="count", uar="mean", worst="min", best="max").reset_index()


def worth_table(session: Session, predictions: pd.DataFrame) -> pd.DataFrame:
    """What each source is worth: alone, and to the others.

    Parameters
    ----------
    session : Session
    predictions : DataFrame
        From :func:`learned`.

    Returns
    -------
    DataFrame
        method, title, source, alone (UAR), adds, adds_low, adds_high: UAR of all sources minus that of all
        but this one, paired by test speaker. Exploratory: no claim is made for any of them.
    """
    speakers, fold_is = _paired_by(session)
    everything = AND.join(session.parameters.sources)
    alone = uar_table(session, predictions).set_index(["method", "sources"])["uar"]
    rows = []
    for method in predictions["method"].unique():
        own = predictions[predictions["method"] == method]
        for source in session.parameters.sources:
            others = AND.join(name for name in session.parameters.sources if name != source)
            both = own[own["sources"].isin([everything, others])].assign(method=own["sources"])
            found = evaluation.paired(both, speakers, method=everything, control=others, fold_is=fold_is)
            title = methods.get(method).title
            rows.append((method, title, source, alone[method, source], found.gain, found.low, found.high))
    return pd.DataFrame(rows, columns=["method", "title", "source", "alone", "adds", "adds_low", "adds_high"])


def before_table(session: Session, worth: pd.DataFrame) -> pd.DataFrame:
    """What could be known of each source before training, beside what it was worth.

    Parameters
    ----------
    session : Session
    worth : DataFrame
        From :func:`worth_table`.

    Returns
    -------
    DataFrame
        source, language, speech, speakers, utterances, shared_classes (share of the target's classes that
        it has), same_branch (whether a language is of the target's branch; NaN where one is not known),
        same_speech (whether both are acted, or both spontaneous), a_distance (of the features, see
        :func:`serlab.evaluation.shift.proxy_a_distance`), mmd2 (of the features, biased, of at most
        :data:`MOST_ROWS` utterances each, see :func:`serlab.evaluation.shift.two_sample_test`), alone and
        adds (means over methods). What a run of an earlier version has not kept is not there.
    """
    known = session.keep("sources-before", lambda: _before(session), also=[])
    means = worth.groupby("source", sort=False)[["alone", "adds"]].mean().reset_index()
    return known.merge(means, on="source")


def agreement_table(before: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation of what could be known with what a source alone reached.

    Parameters
    ----------
    before : DataFrame
        From :func:`before_table`.

    Returns
    -------
    DataFrame
        known, n_sources, rho (Spearman); NaN with fewer than three sources, or where nothing varies.
    """
    columns = [name for name in KNOWN if name in before]
    return pd.DataFrame(
        {
            "known": columns,
            "n_sources": len(before),
            "rho": [rank_correlation(before[name], before["alone"]) for name in columns],
        }
    )


def rank_correlation(x: pd.Series, y: pd.Series) -> float:
    """Spearman's rho; NaN with fewer than three values, one that is missing, or where nothing varies."""
    if len(x) < 3 or x.nunique() < 2 or y.nunique() < 2 or x.isna().any():
        return float("nan")
    return float(spearmanr(x, y).statistic)


def _before(session: Session) -> pd.DataFrame:
    parameters, prepared = session.parameters, session.prepare()
    spec = next(spec for spec in parameters.specs() if spec.uses_source)
    name = spec.feature_set(parameters.options)
    X = as_vectors(prepared.further[name][0] if name else prepared.X).to_numpy(dtype=np.float32)
    utterances = prepared.utterances
    corpus, speaker = (utterances[column].to_numpy(dtype=str) for column in ("corpus", "speaker"))
    of_target = corpus == parameters.target
    classes = set(utterances.loc[of_target, "emotion"].dropna())
    known = corpora.installed(parameters.data or None)
    speech = {name: corpus.speech for name, corpus in known.items()}
    rows = []
    for source in parameters.sources:
        own = corpus == source
        table = utterances[own]
        distance = shift.proxy_a_distance(
            X[own], X[of_target], x_speaker=speaker[own], y_speaker=speaker[of_target],
            seed=parameters.seeds[0],
        )  # fmt: skip
        rows.append(
            {
                "source": source,
                "language": ", ".join(sorted(map(str, table["language"].dropna().unique()))),
                "speech": speech.get(source, ""),
                "speakers": table["speaker"].nunique(),
                "utterances": len(table),
                "shared_classes": len(classes & set(table["emotion"].dropna())) / len(classes),
                "same_branch": _same(_branches(table), _branches(utterances[of_target])),
                "same_speech": _same(
                    {speech.get(source, "")} - {""}, {speech.get(parameters.target, "")} - {""}
                ),
                "a_distance": distance,
                "mmd2": _mmd2(X[own], X[of_target], seed=parameters.seeds[0]),
            }
        )
    return pd.DataFrame(rows)


def _branches(table: pd.DataFrame) -> set[str]:
    return {languages.branch(name) for name in table["language"].dropna().unique()} - {""}


def _same(x: set[str], y: set[str]) -> float:
    """1 if they have something in common, 0 if not, NaN where one of them is not known."""
    return float(bool(x & y)) if x and y else float("nan")


def _mmd2(x: np.ndarray, y: np.ndarray, *, seed: int) -> float:
    """Of z-scored features, at most a few hundred rows of each."""
    both = np.concatenate([x, y]).astype(float)
    scale = both.std(axis=0)
    both = (both - both.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    rng = np.random.default_rng(seed)
    x, y = both[: len(x)], both[len(x) :]
    x, y = (part[rng.permutation(len(part))[:MOST_ROWS]] for part in (x, y))
    return float(shift.two_sample_test(x, y, n_permutations=1, seed=seed).mmd2)


def _paired_by(session: Session) -> tuple[pd.Series, FoldIs]:
    return session.prepare().utterances["speaker"], session.parameters.split_protocol().fold_is


def _size(sources: str) -> int:
    return sources.count(AND) + 1
