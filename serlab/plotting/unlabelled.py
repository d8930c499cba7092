"""What was expected without labels beside what came, and what plans for labels brought."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from serlab.evaluation import intervals
from serlab.plotting.marks import chance_line, known, limits, require_rows
from serlab.plotting.style import BLACK, GREY, Figure, finished, heading, legend_below, series, styled
from serlab.plotting.texts import listing, number, sentences, signed


@styled
def plot_estimates(table: pd.DataFrame, *, measure: str = "uar", title: str = "") -> Figure:
    """Show estimates without labels against the truth, a panel an estimate, a mark a target.

    Parameters
    ----------
    table : DataFrame
        estimate, target (or corpus), ``measure``, ``true_<measure>``; of one form. From
        :func:`serlab.studies.unlabelled_accuracy.table`, or the ``estimates`` of a kept model.
    measure : {"uar", "accuracy"}
    title : str
        Added to the heading.
    """
    require_rows(table)
    table = table.rename(columns={"corpus": "target"})
    names, targets = (list(dict.fromkeys(table[column])) for column in ("estimate", "target"))
    n_columns = min(3, len(names))
    n_rows = -(-len(names) // n_columns)
    figure = Figure(figsize=(2.6 * n_columns + 0.6, 2.5 * n_rows + 1.1), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True)
    values = table[[measure, f"true_{measure}"]].to_numpy(dtype=float)
    low, high = max(0.0, values.min() - 0.05), min(1.0, values.max() + 0.05)
    says = []
    for axes, name in zip(grid.flat, names, strict=False):
        own = table[table["estimate"] == name]
        error = float((own[measure] - own[f"true_{measure}"]).abs().mean())
        axes.plot([low, high], [low, high], color=BLACK, linewidth=1)
        axes.fill_between([low, high], [low - error, high - error], [low + error, high + error], color=GREY,
                          alpha=0.25, linewidth=0)  # fmt: skip
        for position, target in enumerate(targets):
            rows, look = own[own["target"] == target], series(position)
            axes.scatter(
                rows[f"true_{measure}"], rows[measure], s=26, color=look["color"], marker=look["marker"]
            )
        axes.set_title(f"{name}: off by {error:.2f}", fontsize=9)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.grid(True)
        says.append(f"{name} is off by {number(error)} on average")
    for axes in list(grid.flat)[len(names) :]:
        axes.set_axis_off()
    words = "UAR" if measure == "uar" else measure
    for axes in grid[-1]:
        axes.set_xlabel(f"true {words}")
    for axes in grid[:, 0]:
        axes.set_ylabel(f"estimated {words}")
    handles = [
        Line2D([], [], linestyle="", color=series(i)["color"], marker=series(i)["marker"], label=target)
        for i, target in enumerate(targets)
    ]
    legend_below(figure, handles, ncols=4, note="Line: as it came. Band: mean distance from it.")
    heading(figure, "Expected without labels, and what came", title)
    return finished(figure, sentences(listing(says)))


@styled
def plot_label_plans(table: pd.DataFrame, *, chance: float | None = None, title: str = "") -> Figure:
    """Show UAR against the number of labelled utterances, a line a strategy that chose them.

    Parameters
    ----------
    table : DataFrame
        From :func:`serlab.studies.label_plan.uar_table`.
    chance : float, optional
    title : str
        Added to the heading.
    """
    require_rows(table)
    figure = Figure(figsize=(7.6, 4.2), layout="constrained")
    axes = figure.subplots()
    start = table[table["strategy"] == "none"]
    handles, says = [], []
    names = [name for name in dict.fromkeys(table["strategy"]) if name != "none"]
    for position, name in enumerate(names):
        own, look = table[table["strategy"] == name].sort_values("labels"), series(position)
        x = np.concatenate([start["labels"], own["labels"]])
        y = np.concatenate([start["uar"], own["uar"]])
        handles += axes.plot(x, y, linewidth=2, markersize=7, label=name, **look)
        if name == "random":
            axes.fill_between(own["labels"], own["uar_low"], own["uar_high"], color=look["color"], alpha=0.14)
        last = own.iloc[-1]
        gain = "" if np.isnan(last["over_random"]) else f" ({signed(last['over_random'])} over random)"
        says.append(f"{name}: {number(last['uar'])} with {last['labels']} labels{gain}")
    if chance is not None:
        handles.append(chance_line(axes, chance))
    axes.set_xticks(sorted(table["labels"].unique()))
    axes.set_xlabel("labelled target utterances")
    axes.set_ylabel("UAR")
    axes.set_ylim(*limits(known(table, "uar", "uar_low", "uar_high"), chance))
    axes.grid(True)
    legend_below(
        figure,
        handles,
        ncols=3,
        note=f"Band: {intervals.LABEL} of labels at random, over speakers and draws.",
    )
    heading(figure, "Which utterances to label", title)
    return finished(figure, sentences(listing(says)))
