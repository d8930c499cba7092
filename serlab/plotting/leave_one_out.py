"""Every corpus left out in turn: what the others reach on it, how many it takes, and which help."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from serlab.evaluation import intervals
from serlab.plotting.marks import cell_texts, cells, chance_line, limits, panel_figure, require_rows
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
from serlab.plotting.texts import listing, number, sentences, signed, wrapped

#: Of rows that are means over all targets, see :mod:`serlab.studies.leave_one_out`.
MEAN = "mean"
#: Names of what may be known of a source beforehand.
KNOWN = {
    "a_distance": "A-distance of the features",
    "mmd2": "squared MMD of the features",
    "shared_classes": "share of the target's classes",
    "same_branch": "same branch of languages",
    "same_speech": "both acted or both spontaneous",
    "utterances": "utterances",
    "speakers": "speakers",
}


@styled
def plot_left_out(table: pd.DataFrame, *, chance: float | None = None, title: str = "") -> Figure:
    """Show the UAR of each method on each corpus that was left out, and the mean.

    Parameters
    ----------
    table : DataFrame
        From :func:`serlab.studies.leave_one_out.reached`.
    chance : float, optional
    title : str
        Added to the heading.
    """
    require_rows(table)
    targets = [name for name in dict.fromkeys(table["target"]) if name != MEAN]
    rows = [*targets, *([MEAN] if (table["target"] == MEAN).any() else [])]
    groups = list(table.groupby(["method", "title"], sort=False))
    figure = Figure(figsize=(7.6, 1.4 + (0.3 + 0.14 * len(groups)) * len(rows)), layout="constrained")
    axes = figure.subplots()
    handles, says = [], []
    for position, ((_, name), own) in enumerate(groups):
        own, look = own.set_index("target").reindex(rows), series(position)
        y = np.arange(len(rows)) + 0.75 * ((position + 0.5) / len(groups) - 0.5)
        beyond = np.abs(own[["uar_low", "uar_high"]].sub(own["uar"], axis=0)).to_numpy(dtype=float).T
        axes.errorbar(
            own["uar"].to_numpy(dtype=float), y, xerr=np.nan_to_num(beyond), linestyle="", linewidth=1.6,
            markersize=6, capsize=2.5, color=look["color"], marker=look["marker"],
        )  # fmt: skip
        handles.append(Line2D([], [], linestyle="", color=look["color"], marker=look["marker"], label=name))
        if MEAN in own.index and pd.notna(own.loc[MEAN, "uar"]):
            says.append(f"{name}: {number(own.loc[MEAN, 'uar'])} on average over {len(targets)} corpora")
    if chance is not None:
        handles.append(chance_line(axes, chance, upright=True))
    if MEAN in rows:
        axes.axhline(len(targets) - 0.5, color=GREY, linewidth=0.8)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(*limits(table["uar"].dropna().to_numpy(dtype=float), chance))
    axes.set_xlabel(f"UAR ({intervals.LABEL})")
    axes.grid(True, axis="x")
    legend_below(figure, handles, ncols=1, note="Intervals over test speakers; of the mean, over corpora.")
    heading(figure, "What all other corpora reach on the one left out", title)
    return finished(figure, sentences(listing(says)))


@styled
def plot_left_out_curve(table: pd.DataFrame, *, chance: float | None = None, title: str = "") -> Figure:
    """Show UAR against the number of sources, a line a target and their mean; a panel a method.

    Parameters
    ----------
    table : DataFrame
        From :func:`serlab.studies.leave_one_out.curve`.
    chance : float, optional
    title : str
        Added to the heading.
    """
    require_rows(table)
    targets = [name for name in dict.fromkeys(table["target"]) if name != MEAN]
    methods = dict(zip(table["method"], table["title"], strict=True))
    figure, panels, _ = panel_figure(len(methods), size=(3.6, 2.9), most_columns=2, sharex=True, sharey=True)
    handles: dict[str, Line2D] = {}
    says = []
    for axes, (method, name) in zip(panels, methods.items(), strict=True):
        own = table[table["method"] == method]
        for position, target in enumerate(targets):
            line = own[own["target"] == target].sort_values("n_sources")
            drawn = axes.plot(
                line["n_sources"], line["uar"], linewidth=1.3, markersize=5, label=target, **series(position)
            )
            handles.setdefault(target, drawn[0])
        mean = own[own["target"] == MEAN].sort_values("n_sources")
        if len(mean):
            drawn = axes.plot(mean["n_sources"], mean["uar"], linewidth=3, color=BLACK, label=MEAN)
            handles.setdefault(MEAN, drawn[0])
            first, last = mean.iloc[0], mean.iloc[-1]
            says.append(
                f"{name}: {number(first['uar'])} with {first['n_sources']}, "
                f"{number(last['uar'])} with {last['n_sources']}"
            )
        if chance is not None:
            handles.setdefault("chance", chance_line(axes, chance))
        axes.set_title(wrapped(name, 44), fontsize=9.5)
        axes.set_xticks(sorted(table["n_sources"].unique()))
        axes.grid(True, axis="y")
    panels[0].set_ylim(*limits(table["uar"].dropna().to_numpy(dtype=float), chance))
    figure.supxlabel("number of source corpora")
    figure.supylabel("UAR")
    legend_below(figure, list(handles.values()), note="Means over the sets of sources of a size.")
    heading(figure, "What more source corpora are worth, by target", title)
    return finished(figure, sentences(listing(says)))


@styled
def plot_helping(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show what each source adds to all the others, target by target; a panel a method.

    Parameters
    ----------
    table : DataFrame
        ``worth`` of :class:`serlab.studies.leave_one_out.Joined`.
    title : str
        Added to the heading.
    """
    require_rows(table)
    sources, targets = (list(dict.fromkeys(table[name])) for name in ("source", "target"))
    sources.sort()
    targets.sort()
    methods = dict(zip(table["method"], table["title"], strict=True))
    figure, panels, _ = panel_figure(
        len(methods), size=(max(2.9, 0.75 * len(targets)), 0.45 * len(sources) + 0.75), most_columns=3,
        margin=(0.9, 0.9), sharex=True, sharey=True,
    )  # fmt: skip
    limit = max(0.1, float(table["adds"].abs().max()))
    says = []
    for axes, (method, name) in zip(panels, methods.items(), strict=True):
        own = table[table["method"] == method]
        grid = own.set_index(["source", "target"])["adds"].unstack().reindex(index=sources, columns=targets)
        written = cell_texts(grid.to_numpy(), signed, missing="")
        cells(
            axes, grid.to_numpy(), written, rows=sources, columns=targets,
            low=-limit, high=limit, cmap="PuOr_r",
        )  # fmt: skip
        axes.set_title(wrapped(name, 36), fontsize=9.5)
        best = own.loc[own["adds"].idxmax()]
        says.append(f"{name}: most by {best['source']} to {best['target']}, {signed(best['adds'])}")
    figure.supxlabel("target")
    figure.supylabel("source")
    heading(figure, "What each source adds to all the others (UAR)", title)
    return finished(figure, sentences(listing(says)))


@styled
def plot_known_before(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show what could be known of a source before training against what it reached alone; a point a pair.

    Parameters
    ----------
    table : DataFrame
        ``before`` of :class:`serlab.studies.leave_one_out.Joined`.
    title : str
        Added to the heading.
    """
    require_rows(table)
    known = [name for name in KNOWN if name in table and table[name].notna().any()]
    targets = list(dict.fromkeys(table["target"]))
    figure, panels, _ = panel_figure(len(known), size=(2.7, 2.4), most_columns=3, sharey=True)
    handles: dict[str, Line2D] = {}
    for axes, name in zip(panels, known, strict=True):
        for position, target in enumerate(targets):
            own, look = table[table["target"] == target], series(position)
            axes.scatter(own[name], own["alone"], s=30, color=look["color"], marker=look["marker"])
            handles.setdefault(
                target,
                Line2D(
                    [], [], linestyle="", color=look["color"], marker=look["marker"], label=f"to {target}"
                ),
            )
        axes.set_xlabel(KNOWN[name])
        axes.grid(True, axis="y")
    figure.supylabel("UAR with the source alone")
    legend_below(figure, list(handles.values()), note="A point is a source; within a target they compare.")
    heading(figure, "Could it have been known before?", title)
    return finished(figure, f"{len(table)} sources of {len(targets)} targets.")
