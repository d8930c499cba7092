"""Features of the input, source against target, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from serlab import metrics
from serlab.errors import ParameterError
from serlab.experiment import Session
from serlab.plotting.corpora import emotions
from serlab.plotting.marks import panel_figure
from serlab.plotting.style import GREY, LINES, PALETTE, Figure, finished, heading, legend_below, styled
from serlab.plotting.texts import sentences, wrapped


def feature_distribution_table(
    X: pd.DataFrame, utterances: pd.DataFrame, feature: str, sources: Sequence[str], target: str
) -> pd.DataFrame:
    """Describe one feature per corpus and emotion.

    Parameters
    ----------
    X : DataFrame, shape (n, d)
        Features; rows are matched to ``utterances`` by index.
    feature : str
        A column of ``X``.
    sources, target
        Corpora.

    Returns
    -------
    DataFrame
        corpus, emotion, n, mean, sd, q25, median, q75; in the feature's own
        unit. NaN where a corpus lacks an emotion.

    Raises
    ------
    ParameterError
        If the feature or a corpus is not in the tables.
    """
    values, rows = _feature(X, utterances, feature, [*sources, target])
    table = []
    for corpus in [*sources, target]:
        for emotion in emotions(utterances):
            own = values[(rows["corpus"] == corpus) & (rows["emotion"] == emotion)]
            q25, median, q75 = own.quantile([0.25, 0.5, 0.75])
            table.append(
                {
                    "corpus": corpus, "emotion": emotion, "n": len(own), "mean": own.mean(),
                    "sd": own.std(), "q25": q25, "median": median, "q75": q75,
                }
            )  # fmt: skip
    return pd.DataFrame(table)


@styled
def plot_feature_distribution(
    X: pd.DataFrame, utterances: pd.DataFrame, feature: str, sources: Sequence[str], target: str
) -> Figure:
    """Show how one feature is distributed, source against target, a panel an emotion.

    As Andova & Lustrek, figure 1. Histograms over common bins; the lines below
    the axis mark the medians. The table is :func:`feature_distribution_table`, whose
    parameters and errors are the same.
    """
    values, rows = _feature(X, utterances, feature, [*sources, target])
    shown, corpora = emotions(utterances), [target, *sources]
    low, high = values.quantile([0.005, 0.995])
    outside = int(((values < low) | (values > high)).sum())
    if low == high:  # a constant feature still gets an axis
        low, high = low - 0.5, high + 0.5
    bins = np.linspace(low, high, 25)
    columns = 2 if len(shown) <= 4 else 3
    figure, panels, columns = panel_figure(
        len(shown), size=(4.2 if columns == 2 else 3.1, 2.2), most_columns=columns, margin=(0.2, 0.75),
        sharex=True, sharey=True,
    )  # fmt: skip
    for axes, emotion in zip(panels, shown, strict=True):
        own = [values[(rows["corpus"] == corpus) & (rows["emotion"] == emotion)] for corpus in corpora]
        _distributions(axes, own, bins)
        counted = ", ".join(f"{corpus} {len(part)}" for corpus, part in zip(corpora, own, strict=True))
        axes.set_title(wrapped(f"{emotion}  (n: {counted})", int(13 * figure.get_figwidth() / columns)))
        axes.tick_params(axis="x", pad=7)
    figure.supylabel("share of utterances")
    for axes in panels[-columns:]:
        axes.set_xlabel(wrapped(feature, 50))
        axes.tick_params(labelbottom=True)
    note = "Bars below the axes: medians." + (f" {outside} extreme values are not drawn." if outside else "")
    handles = [
        Patch(label=f"{corpus} ({'source' if number else 'target'})",
              **{"facecolor": "none", **_corpus_style(number)["area"]})
        for number, corpus in enumerate(corpora)
    ]  # fmt: skip
    legend_below(figure, handles, note=note)
    heading(
        figure, f"{feature}: {', '.join(sources)} against {target}" if sources else f"{feature}: {target}"
    )
    table = feature_distribution_table(X, utterances, feature, sources, target)
    return finished(figure, _medians_say(table, sources, target))


def _distributions(axes, values: Sequence[pd.Series], bins: np.ndarray) -> None:
    """Histograms of the target and the sources, each as shares of its own utterances, and medians."""
    for number, own in enumerate(values):
        if len(own):
            style = _corpus_style(number)
            axes.stairs(np.histogram(own, bins=bins)[0] / len(own), bins, **style["area"])
            axes.plot([own.median()] * 2, [-0.07, -0.005], transform=axes.get_xaxis_transform(),
                      clip_on=False, **style["median"])  # fmt: skip


def _medians_say(table: pd.DataFrame, sources: Sequence[str], target: str) -> str:
    """Of each source: where its medians lie, and where they lie farthest from the target's."""
    medians = table.pivot(index="emotion", columns="corpus", values="median")
    says = []
    for source in sources:
        pair = medians[[source, target]].dropna()
        if len(pair):
            far = (pair[source] - pair[target]).abs().idxmax()
            above = int((pair[source] > pair[target]).sum())
            says.append(
                f"Medians of {source} lie above those of {target} in {above} "
                f"of {len(pair)} emotions, and farthest apart in {far}: {pair.loc[far, source]:.3g} against "
                f"{pair.loc[far, target]:.3g}"
            )
    if not sources:
        says = [f"Median of {name} {value:.3g}" for name, value in medians[target].dropna().items()]
    return sentences(*says)


def _corpus_style(number: int) -> dict[str, dict]:
    """Styles of the target (number 0: a hatched area) and of the sources (lines)."""
    if number == 0:
        area = {"fill": True, "facecolor": "#DDDDDD", "edgecolor": GREY, "hatch": "///", "linestyle": "-"}
        return {"area": {**area, "linewidth": 1.0}, "median": {"color": GREY, "linewidth": 4}}
    colour, line = PALETTE[(number - 1) % len(PALETTE)], LINES[(number - 1) % len(LINES)]
    area = {"edgecolor": colour, "linestyle": line, "linewidth": 1.8}
    return {"area": area, "median": {"color": colour, "linestyle": line, "linewidth": 2.2}}


def most_shifted_features(
    X: pd.DataFrame, utterances: pd.DataFrame, sources: Sequence[str], target: str, *, n: int = 10
) -> pd.DataFrame:
    """Rank the features that differ most between source and target.

    Both measures are taken within each emotion that both sides have, then
    averaged over these emotions, so that corpora which merely hold other
    shares of the emotions do not look shifted. Several sources are pooled, as
    a method sees them.

    Returns
    -------
    DataFrame
        n rows, largest shift first: feature; ks, the two-sample
        Kolmogorov-Smirnov statistic, 0 (same distribution) to 1 (disjoint);
        smd, the mean of source minus target in units of their pooled
        standard deviation (Cohen's d), NaN where that is 0. No rows without
        a source.

    Raises
    ------
    ParameterError
        If a corpus is not in the tables, or no emotion is on both sides.
    """
    values, rows = matched(X, utterances)
    _require_corpora(rows, [*sources, target])
    if not sources:
        return pd.DataFrame(columns=["feature", "ks", "smd"])
    ks, smd = [], []
    for emotion in emotions(utterances):
        same = (rows["emotion"] == emotion).to_numpy()
        source = values[same & rows["corpus"].isin(list(sources)).to_numpy()].to_numpy(dtype=float)
        own = values[same & (rows["corpus"] == target).to_numpy()].to_numpy(dtype=float)
        if len(source) > 1 and len(own) > 1:
            ks.append(_ks_statistic(source, own))
            smd.append(_mean_difference(source, own))
    if not ks:
        raise ParameterError(f"{', '.join(sources)} and {target} share no emotion (two utterances each)")
    table = pd.DataFrame({"feature": values.columns, "ks": np.mean(ks, axis=0), "smd": np.mean(smd, axis=0)})
    order = np.lexsort((-table["smd"].abs().fillna(0), -table["ks"]))
    return table.iloc[order[:n]].reset_index(drop=True)


def shifted_in(session: Session) -> pd.DataFrame:
    """:func:`most_shifted_features` of a session, kept in its folder.

    Raises
    ------
    NotKept
        If the session is finished and does not keep it.
    """

    def compute() -> pd.DataFrame:
        prepared, parameters = session.prepare(), session.parameters
        return most_shifted_features(
            prepared.vectors, prepared.utterances, parameters.sources, parameters.target
        )

    return session.keep("shifted-features", compute)


def one_feature_of(session: Session, choose: Callable[[pd.Index], str]) -> pd.DataFrame:
    """The feature of a session that a figure is of, kept in its folder; shape (n, 1).

    Parameters
    ----------
    session : Session
    choose : callable(names of features) -> name

    Raises
    ------
    NotKept
        If the session is finished and does not keep it.
    """

    def compute() -> pd.DataFrame:
        vectors = session.prepare().vectors
        return vectors[[choose(vectors.columns)]]

    return session.keep("figure-one", compute)


def _ks_statistic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Largest distance of the empirical distributions, column by column; shape (d,)."""
    pooled = np.concatenate([a, b])
    order = np.argsort(pooled, axis=0, kind="stable")
    steps = np.where(order < len(a), len(b), -len(a))  # whole numbers: no rounding in the sum
    distance = np.abs(np.cumsum(steps, axis=0))
    ordered = np.take_along_axis(pooled, order, axis=0)
    # Within a run of equal values only the distance after the last one counts.
    distance[:-1][ordered[:-1] == ordered[1:]] = 0
    return distance.max(axis=0) / (len(a) * len(b))


def _mean_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cohen's d, column by column; shape (d,)."""
    free = len(a) + len(b) - 2
    squares = ((a - a.mean(axis=0)) ** 2).sum(axis=0) + ((b - b.mean(axis=0)) ** 2).sum(axis=0)
    return metrics.ratio(a.mean(axis=0) - b.mean(axis=0), np.sqrt(squares / free))


def _feature(
    X: pd.DataFrame, utterances: pd.DataFrame, feature: str, corpora: Sequence[str]
) -> tuple[pd.Series, pd.DataFrame]:
    """One feature and its utterances, of the given corpora."""
    if feature not in X:
        near = [name for name in X.columns if feature.lower() in str(name).lower()][:3]
        hint = f"; did you mean {', '.join(near)}?" if near else f"; the first ones are {list(X.columns[:3])}"
        raise ParameterError(f"unknown feature {feature!r}{hint}")
    values, rows = matched(X[[feature]], utterances)
    _require_corpora(rows, corpora)
    kept = rows["corpus"].isin(list(corpora))
    return values.loc[kept, feature].astype(float), rows[kept]


def matched(X: pd.DataFrame, utterances: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows that both tables have: features may lack files that could not be used.

    Raises
    ------
    ParameterError
        If they have none in common.
    """
    common = utterances.index.intersection(X.index)
    if len(common) == 0:
        raise ParameterError("features and utterances have no utterance in common")
    return X.loc[common], utterances.loc[common]


def _require_corpora(utterances: pd.DataFrame, names: Sequence[str]) -> None:
    present = sorted(set(utterances["corpus"]))
    for name in names:
        if name not in present:
            raise ParameterError(f"corpus {name!r} has no utterances here; there are: {', '.join(present)}")
