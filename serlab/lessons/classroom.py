"""Corpora small enough for a lesson, with dials to turn; and experiments on tables that are at hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from serlab import corpora, experiment, labels, plotting
from serlab import data as corpus_data
from serlab.corpora import synthetic, variants
from serlab.corpora.synthesis import Shift
from serlab.errors import CorpusError, ParameterError
from serlab.evaluation import intervals
from serlab.experiment import Parameters, Session
from serlab.plotting.style import GREY, Figure, finished, series, styled
from serlab.plotting.style import heading as titled

__all__ = [
    "MOST",
    "SCHEME",
    "Shift",
    "codes",
    "corpus",
    "features",
    "first_fold",
    "in_order",
    "most",
    "moved",
    "pair",
    "plot_beside",
    "session",
    "tested",
    "together",
    "turned",
    "uar",
    "variants_folder",
    "vectors",
]

#: Utterances of a corpus that a lesson works with: features of so many take some ten seconds on 2 cores.
MOST = 200
#: Classes of all lessons.
SCHEME = "four"


def corpus(name: str, *, data: str = "", most: int = MOST) -> pd.DataFrame:
    """Utterances of a corpus with ``emotion``, no more than a lesson has time for.

    Parameters
    ----------
    name : str
        "synthetic-a", "-b" or "-c", or a corpus below the data root.
    data : str
        Data root; empty for the default, see :func:`serlab.data.data_root`.
    most : int
        Of a larger corpus so many are drawn, evenly from speakers and emotions, always the same.

    Raises
    ------
    CorpusError, LabelError
        If the corpus is not there, or has labels that nobody thought of.
    """
    table = labels.scheme(SCHEME).apply(corpora.read_many((name,), data or None))
    if table.empty:
        known = ", ".join(labels.scheme(SCHEME).classes)
        raise CorpusError(f"{name} has no utterance of {known}; choose another corpus for this lesson")
    return _drawn(table, most)


def turned(name: str, shift: Shift, *, called: str, data: str = "", most: int = MOST) -> pd.DataFrame:
    """A corpus with the dials of a shift: other recordings of what the same speakers say.

    A synthetic corpus is made again, with these dials in place of its own; a recorded one is played
    through the channel and at the level of the shift, on top of its own.

    Parameters
    ----------
    name, data, most
        As for :func:`corpus`.
    shift : Shift
    called : str
        What was changed, in one word: the variant is named ``<name>-<called>``.

    Raises
    ------
    ParameterError
        If the prosody of a recording should be turned.
    """
    own = f"{name}-{called}"
    if name in synthetic.SETTINGS:
        settings = repr((name, called, shift))
        home = variants_folder() / f"{own}-{hashlib.sha256(settings.encode()).hexdigest()[:12]}"
        return labels.scheme(SCHEME).apply(synthetic.variant(name, name=own, shift=shift, folder=home))
    made = variants.recorded(corpus(name, data=data, most=most), shift, name=own, folder=variants_folder())
    return labels.scheme(SCHEME).apply(made)


def session(
    target: pd.DataFrame,
    *sources: pd.DataFrame,
    methods: Sequence[str],
    protocol: str = "speaker-groups",
    folds: int = 4,
    features: str = "librosa",
    preset: str = "demo",
    folder: Path | None = None,
    **values: Any,
) -> Session:
    """An experiment on utterance tables, of one corpus each.

    Parameters
    ----------
    target : DataFrame
    *sources : DataFrame
    methods : sequence of str
    protocol, folds, features, preset, **values
        See :class:`serlab.Parameters`. Folds are no more than the target has speakers.
    folder : path, optional
        Where it is kept; nowhere without.
    """
    speakers = target["speaker"].nunique()
    parameters = Parameters(
        target=_name(target),
        sources=tuple(_name(source) for source in sources),
        scheme=SCHEME,
        methods=tuple(methods),
        protocol=protocol,
        folds=folds if protocol == "random" else max(2, min(folds, speakers)),
        features=features,
        preset=preset,
        **values,
    )
    prepared = experiment.prepare(parameters, table=_stacked((target, *sources)))
    return Session(parameters, prepared=prepared, folder=folder)


def pair(corpora: Sequence[str], *, data: str = "", quick: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Source and target of a lesson: the first two corpora of its first cell.

    Raises
    ------
    ParameterError
        If there are not two.
    """
    if len(corpora) < 2:
        raise ParameterError(
            f"this lesson needs two corpora, a source and a target; the first cell has {list(corpora)}"
        )
    source, target = (corpus(name, data=data, most=most(quick)) for name in corpora[:2])
    return source, target


def most(quick: bool) -> int:
    """Utterances of a corpus that a lesson works with."""
    return 64 if quick else MOST


def features(quick: bool) -> str:
    """Feature set of a lesson; a quick one, for a test of the lesson, has no F0."""
    return "logmel26" if quick else "librosa"


def together(*tables: pd.DataFrame) -> pd.DataFrame:
    """Utterances of several corpora in one table, with ``emotion``."""
    return labels.scheme(SCHEME).apply(_stacked(tables))


def tested(outcome: experiment.Outcome) -> pd.DataFrame:
    """Utterances of the target."""
    return outcome.utterances[outcome.utterances["corpus"] == outcome.parameters.target]


def first_fold(outcome: experiment.Outcome) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Utterances that the first fold trains on, and those that it tests."""
    split = outcome.parameters.split_protocol().plan(outcome.utterances)[0][0]
    return outcome.utterances.iloc[split.target_train], outcome.utterances.iloc[split.test]


def codes(outcome: experiment.Outcome) -> np.ndarray:
    """The true class of each utterance of the target: its place in ``outcome.classes``."""
    return tested(outcome)["emotion"].cat.codes.to_numpy()


def vectors(outcome: experiment.Outcome) -> pd.DataFrame:
    """Features of the target: a row an utterance, a column a feature."""
    return experiment.as_vectors(outcome.X).loc[tested(outcome).index]


def moved(before: experiment.Outcome, after: experiment.Outcome, *, n: int = 8) -> Styler:
    """The features that differ most between two recordings of a corpus, in SDs of the first."""
    one, other = vectors(before), vectors(after)
    spread = one.std(ddof=0)
    apart = ((other.mean() - one.mean()) / spread.where(spread > 0)).dropna()
    first = apart.abs().sort_values(ascending=False, kind="stable").index[:n]
    rows = pd.DataFrame({"feature": first, "moved by": apart[first].to_numpy()})
    return plotting.display_table(rows, "What moved most, in standard deviations", decimals=1)


def uar(outcome: experiment.Outcome, method: str) -> float:
    """UAR of a method."""
    return float(outcome.summary.set_index("method").loc[method, "uar"])


def in_order(outcome: experiment.Outcome, methods: Sequence[str]) -> str:
    """Titles of methods with their UARs, the highest first."""
    own = outcome.summary[outcome.summary["method"].isin(list(methods))]
    own = own.sort_values("uar", ascending=False, kind="stable")
    return ", ".join(f"{row.title} ({row.uar:.2f})" for row in own.itertuples())


@styled
def plot_beside(found: pd.DataFrame, *, by: str, chance: float, heading: str) -> Figure:
    """Show the UAR of methods beside each other, with intervals, under several conditions.

    Parameters
    ----------
    found : DataFrame
        ``by``, method, title, uar, uar_low, uar_high.
    by : str
        Column of the conditions.
    chance : float
    heading : str
    """
    conditions, methods = list(dict.fromkeys(found[by])), list(dict.fromkeys(found["method"]))
    figure = Figure(figsize=(max(5.0, 1.3 * len(conditions) + 1.5), 3.8), layout="constrained")
    axes = figure.subplots()
    for number, method in enumerate(methods):
        own = found[found["method"] == method].set_index(by).reindex(conditions)
        x = np.arange(len(own)) + (number - (len(methods) - 1) / 2) * 0.18
        ends = np.abs(own[["uar_low", "uar_high"]].to_numpy(dtype=float).T - own["uar"].to_numpy())
        look = series(number)
        axes.errorbar(
            x, own["uar"], yerr=np.nan_to_num(ends), fmt=look["marker"], color=look["color"],
            label=own["title"].dropna().iloc[0], markersize=7, capsize=0, elinewidth=1.5,
        )  # fmt: skip
    axes.axhline(chance, color=GREY, linestyle=":", label=f"chance {chance:.2f}")
    axes.set_xticks(range(len(conditions)), conditions)
    axes.set(ylabel=f"UAR {intervals.HEADING}", ylim=(0, 1.02), xlim=(-0.6, len(conditions) - 0.4))
    axes.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=min(3, len(methods) + 1))
    titled(figure, heading)
    told = [f"{row[by]}, {row['title']}: {row['uar']:.2f}" for _, row in found.iterrows()]
    return finished(figure, "; ".join(told) + f"; chance {chance:.2f}.")


def _name(table: pd.DataFrame) -> str:
    return str(table["corpus"].iloc[0])


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return corpus_data.concatenate([one.drop(columns="emotion") for one in tables])


def variants_folder() -> Path:
    """Where variants of corpora are kept, for all lessons."""
    return corpus_data.cache_root() / "lessons" / "corpora"


def _drawn(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many rows: the first of each speaker and emotion, then the second, in a shuffled order."""
    if len(table) <= most:
        return table
    shuffled = table.iloc[np.random.default_rng(0).permutation(len(table))]
    turn = shuffled.groupby(["speaker", "emotion"], observed=True, dropna=False).cumcount()
    chosen = turn.sort_values(kind="stable").index[:most]
    return table.loc[table.index.isin(chosen)]
