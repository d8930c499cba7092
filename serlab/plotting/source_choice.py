"""What sets of source corpora reach on a target, and what each of them is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from serlab.evaluation import intervals
from serlab.plotting.marks import require_rows
from serlab.plotting.style import (
    BLACK,
    GREY,
    Figure,
    finished,
    heading,
    legend_below,
    series,
    styled,
)
from serlab.plotting.texts import listing, number, sentences, signed


@styled
def plot_source_sets(table: pd.DataFrame, *, chance: float, title: str = "") -> Figure:
    """Show UAR against how many sources there are: a point a set, a line through the means.

    Parameters
    ----------
    table : DataFrame
        From :func:`serlab.studies.source_choice.uar_table`.
    chance : float
    title : str
        Added to the heading.
    """
    require_rows(table)
    figure = Figure(figsize=(7.6, 4.2), layout="constrained")
    axes = figure.subplots()
    handles, says = [], []
    groups = list(table.groupby(["method", "title"], sort=False))
    for position, ((_, name), own) in enumerate(groups):
        look = series(position)
        aside = 0.08 * (position - (len(groups) - 1) / 2)
        means = own.groupby("n_sources")["uar"].mean()
        axes.scatter(
            own["n_sources"] + aside, own["uar"], s=18, color=look["color"], marker=look["marker"], alpha=0.5
        )
        handles += axes.plot(means.index + aside, means, linewidth=2, markersize=7, label=name, **look)
        fewest, most = means.index[0], means.index[-1]
        says.append(f"{name}: {number(means[fewest])} with {fewest}, {number(means[most])} with all {most}")
    axes.axhline(chance, color=BLACK, linestyle=":", linewidth=1.3)
    handles += [
        Line2D([], [], color=GREY, linestyle="", marker="o", markersize=4, label="one set of sources"),
        Line2D([], [], color=BLACK, linestyle=":", linewidth=1.3, label=f"chance, {chance:.2f}"),
    ]
    axes.set_xticks(sorted(table["n_sources"].unique()))
    axes.set_xlabel("number of source corpora")
    axes.set_ylabel("UAR")
    axes.set_ylim(0, 1)
    axes.grid(True, axis="y")
    legend_below(figure, handles, ncols=2, note="Lines: means over the sets of a size.")
    heading(figure, "What more source corpora are worth", title)
    return finished(figure, sentences(listing(says)))


@styled
def plot_source_worth(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show what each source adds to all the others, with intervals over test speakers.

    Parameters
    ----------
    table : DataFrame
        From :func:`serlab.studies.source_choice.worth_table`.
    title : str
        Added to the heading.
    """
    require_rows(table)
    sources = list(dict.fromkeys(table["source"]))
    figure = Figure(figsize=(7.6, 1.6 + 0.42 * len(sources)), layout="constrained")
    axes = figure.subplots()
    handles, says = [], []
    groups = list(table.groupby(["method", "title"], sort=False))
    for position, ((_, name), own) in enumerate(groups):
        own, look = own.set_index("source").reindex(sources), series(position)
        y = np.arange(len(sources)) + 0.6 * ((position + 0.5) / len(groups) - 0.5)
        beyond = np.abs(own[["adds_low", "adds_high"]].sub(own["adds"], axis=0)).to_numpy().T
        axes.errorbar(
            own["adds"], y, xerr=beyond, linestyle="", linewidth=2, markersize=7, capsize=3,
            color=look["color"], marker=look["marker"],
        )  # fmt: skip
        handles.append(Line2D([], [], linestyle="", color=look["color"], marker=look["marker"], label=name))
        best = own["adds"].idxmax()
        says.append(f"{name}: most by {best}, {signed(own.loc[best, 'adds'])}")
    axes.axvline(0, color=BLACK, linewidth=1)
    axes.set_yticks(range(len(sources)), sources)
    axes.invert_yaxis()
    axes.set_xlabel(f"UAR of all sources minus that without this one ({intervals.LABEL})")
    axes.grid(True, axis="x")
    legend_below(figure, handles, ncols=2, note="Exploratory: no claim is made for any one of them.")
    heading(figure, "What each source adds to the others", title)
    return finished(figure, sentences(listing(says)))
