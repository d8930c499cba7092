"""Many runs in one picture: pairs of corpora, and ranks over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from serlab.evaluation import ALPHA, intervals, ranking, verdicts
from serlab.plotting.marks import cell_texts, cells, highest, panel_figure, right_texts, row_figure, spread
from serlab.plotting.style import BLUE, SKY, VERMILLION, Figure, finished, heading, legend_below, styled
from serlab.plotting.texts import listing, number, p_equals, sentences, signed, titled, wrapped

#: kind of verdict -> mark behind a number
_MARKS = {
    verdicts.HELPS: "\u25b2",
    verdicts.HURTS: "\u25bc",
    verdicts.NO_DIFFERENCE: "\u25cb",
    verdicts.UNDECIDABLE: "?",
}

#: Pairs side by side.
_PAIRS_PER_ROW = 7


@styled
def plot_matrix(table: pd.DataFrame, value: Literal["uar", "gain"] = "uar") -> Figure | None:
    """Source by target, one panel a method.

    Parameters
    ----------
    table : DataFrame
        source, target, method, title, ``value``; a ``verdict`` on what was
        declared is marked. From :func:`serlab.reporting.matrix_page.collect`,
        or of one question from :func:`serlab.reporting.matrix_page.collect_gains`.
    value : {"uar", "gain"}

    Returns
    -------
    Figure or None
        None if no method has the value (gains, where nothing was compared).
    """
    if value not in table or table[value].isna().all():
        return None
    table = table[table[value].notna()]
    sources, targets = (sorted(table[name].unique()) for name in ("source", "target"))
    names = dict(zip(table["method"], table["title"], strict=True))
    figure, panels, columns = panel_figure(
        len(names), size=(max(2.9, 0.75 * len(targets)), 0.45 * len(sources) + 0.75), most_columns=3,
        margin=(0.9, 0.9), sharex=True, sharey=True,
    )  # fmt: skip
    colours, write = _colours(table, value)
    for place, (axes, method) in enumerate(zip(panels, names, strict=True)):
        own = table[table["method"] == method].set_index(["source", "target"])
        grid = own[value].unstack().reindex(index=sources, columns=targets)
        marked = own["verdict"].unstack() if "verdict" in own else pd.DataFrame()
        marks = marked.reindex(index=sources, columns=targets).apply(lambda column: column.map(_mark))
        written = cell_texts(grid, write, missing="") + marks.to_numpy(dtype=object)
        cells(axes, grid, written, rows=sources, columns=targets, **colours)
        axes.set_title(wrapped(names[method], 36), fontsize=9.5)
        axes.tick_params(labelbottom=place + columns >= len(names))
    figure.supxlabel("target")
    figure.supylabel("source")
    heading(figure, _what(table, value) + _key(table))
    return finished(figure, _pairs_say(table, value))


@styled
def plot_methods_by_run(table: pd.DataFrame, value: Literal["uar", "gain"] = "uar") -> Figure | None:
    """Show many methods on all pairs of corpora in one picture: a row a method, a column a pair.

    Parameters
    ----------
    table : DataFrame
        source, target, method, title, ``value`` with its ``_low`` and
        ``_high``, and verdict; as for :func:`plot_matrix`.
    value : {"uar", "gain"}

    Returns
    -------
    Figure or None
        None if no method has the value.
    """
    if value not in table or table[value].isna().all():
        return None
    table = table[table[value].notna()]
    names = dict(zip(table["method"], table["title"], strict=True))
    pairs = list(dict.fromkeys(zip(table["source"], table["target"], strict=True)))
    n_blocks = -(-len(pairs) // _PAIRS_PER_ROW)
    blocks = [[pairs[i] for i in block] for block in np.array_split(np.arange(len(pairs)), n_blocks)]
    longest = max(len(name) for pair in pairs for name in pair)
    wide = max(1.12, 0.075 * (longest + 3))
    figure = Figure(
        figsize=(2.9 + wide * len(blocks[0]), n_blocks * (0.44 * len(names) + 0.7) + 0.6),
        layout="constrained",
    )
    colours, write = _colours(table, value)
    cell = table.assign(written=[_cell(row, value, write) for _, row in table.iterrows()])
    cell = cell.set_index(["method", "source", "target"])[[value, "written"]]
    for axes, block in zip(figure.subplots(n_blocks, squeeze=False)[:, 0], blocks, strict=True):
        columns = pd.MultiIndex.from_tuples(block)
        grid, written = (
            cell[name].unstack(["source", "target"]).reindex(index=list(names), columns=columns)
            for name in (value, "written")
        )
        heads = [f"{source}\nto {target}" for source, target in block]
        rows = [wrapped(name, 36) for name in names.values()]
        cells(axes, grid, written.fillna("").to_numpy(), rows=rows, columns=heads, size=8, **colours)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
    heading(figure, f"{_what(table, value)}, {intervals.LABEL}{_key(table)}")
    return finished(figure, _pairs_say(table, value))


def _what(table: pd.DataFrame, value: str) -> str:
    if value == "uar":
        return "UAR"
    asked = table["question"].unique() if "question" in table else ()
    return verdicts.QUESTIONS[asked[0]] if len(asked) == 1 else "Gain over the control"


def _kinds(table: pd.DataFrame) -> pd.Series:
    """Kind of verdict of each row; NaN without one."""
    if "verdict" not in table:
        return pd.Series(np.nan, index=table.index, dtype=object)
    return table["verdict"].map(verdicts.kind, na_action="ignore")


def _key(table: pd.DataFrame) -> str:
    """What the marks mean, if there are some."""
    found = set(_kinds(table)) & set(_MARKS)
    means = ", ".join(f"{mark} {kind}" for kind, mark in _MARKS.items() if kind in found)
    return f" ({means}; corrected p < {f'{ALPHA:g}'.lstrip('0')})" if means else ""


def _mark(verdict: object) -> str:
    mark = _MARKS.get(verdicts.kind(verdict)) if isinstance(verdict, str) else None
    return f" {mark}" if mark else ""


def _colours(table: pd.DataFrame, value: str) -> tuple[dict, Callable[[float], str]]:
    """Colours of cells, and how their numbers are written."""
    if value == "uar":
        return {"cmap": "Blues", "low": 0.0, "high": 1.1}, number
    limit = max(0.1, float(table[value].abs().max()))
    return {"cmap": "PuOr_r", "low": -limit, "high": limit}, signed


def _cell(row: pd.Series, value: str, write: Callable[[float], str]) -> str:
    """Value and mark, and the interval below them."""
    low, high = row.get(f"{value}_low"), row.get(f"{value}_high")
    below = f"\n[{write(low)}, {write(high)}]" if pd.notna(low) and pd.notna(high) else ""
    return write(row[value]) + _mark(row.get("verdict")) + below


def _pairs_say(table: pd.DataFrame, value: str) -> str:
    """The highest cell, and what helps in how many pairs."""
    best = highest(table, value)
    write = number if value == "uar" else signed
    kinds = _kinds(table)
    pairs = len(table[["source", "target"]].drop_duplicates())
    says = [f"Highest: {best['title']}, {best['source']} to {best['target']}, {write(best[value])}"]
    for kind in _MARKS:
        own = table.loc[(kinds == kind).to_numpy(), "title"].value_counts()
        named = listing(f"{title} in {n} of {pairs} pairs" for title, n in own.items())
        if named:
            says.append(f"{kind.capitalize()}: {named}")
        elif kind == verdicts.HELPS and kinds.isin(list(_MARKS)).any():
            says.append("Nothing that was declared is shown to help")
    return sentences(*says)


@styled
def plot_ranks(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show the mean rank of each method, and which methods are not told apart.

    A critical-difference diagram (Demsar 2006, figure 1) on its side: faint
    dots are single runs; each bar at the right joins methods of which no two
    are told apart (Holm, .05). The tables are
    :func:`serlab.evaluation.ranking.rank_table` and :func:`serlab.evaluation.ranking.pairwise_table`.

    Parameters
    ----------
    table : DataFrame
        run, method, title, uar; see :func:`serlab.evaluation.ranking.complete_blocks`.
    title : str
        Added to the heading.
    """
    ranks, test = ranking.rank_table(table), ranking.friedman(table)
    each, groups = ranking.complete_blocks(table).ranks, ranking.not_told_apart(table)
    order, shown = ranks["method"].tolist(), ranks.get("title", ranks["method"]).tolist()
    figure, axes, position = row_figure([wrapped(name) for name in shown])
    for y, method in zip(position, order, strict=True):
        axes.scatter(each[method], y + spread(len(each), 0.5), s=14, facecolors="none", edgecolors=SKY,
                     linewidths=0.9)  # fmt: skip
    axes.plot(ranks["mean_rank"], position, "D", color=BLUE, markersize=7, zorder=3)
    right = len(order) + 0.6
    for place, group in enumerate(groups):
        x = right + 0.035 * len(order) * place
        ends = order.index(group[0]) - 0.25, order.index(group[-1]) + 0.25
        axes.plot([x, x], ends, color=VERMILLION, linewidth=3.2, solid_capstyle="butt", clip_on=False)
    axes.set_xlim(0.7, right + 0.035 * len(order) * max(len(groups) - 1, 0) + 0.25)
    axes.set_xticks([tick for tick in range(1, len(order) + 1) if len(order) <= 12 or tick % 2 == 1])
    texts = {
        "mean rank": [f"{value:.1f}" for value in ranks["mean_rank"]],
        "mean UAR": [number(value) for value in ranks["uar"]],
    }
    right_texts(axes, position, texts)
    handles = [
        Line2D([], [], linestyle="", marker="D", color=BLUE, label="mean rank"),
        Line2D([], [], linestyle="", marker="o", color=SKY, markerfacecolor="none", label="one run"),
    ]  # fmt: skip
    if groups:
        handles.append(Line2D([], [], color=VERMILLION, linewidth=3.2, label="not told apart (Holm)"))
    legend_below(figure, handles)
    axes.set_xlabel(f"rank by UAR in each of {test.n_runs} runs, 1 is best")
    heading(figure, f"Which method? Friedman's test p {p_equals(test.p)}", title)
    named = dict(zip(order, shown, strict=True))
    beside = list(
        dict.fromkeys(name for group in groups if order[0] in group for name in group if name != order[0])
    )
    finding = sentences(
        f"Best mean rank: {shown[0]}, {ranks['mean_rank'].iloc[0]:.1f} of {len(order)}",
        f"Not told apart from it: {listing(titled(named, beside))}"
        if beside
        else "Told apart from all others",
    )
    return finished(figure, finding)
