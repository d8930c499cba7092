"""What the layers of pretrained networks carry, and which of them are used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from serlab.errors import ParameterError
from serlab.evaluation import intervals
from serlab.plotting.marks import require_rows
from serlab.plotting.style import (
    BLACK,
    GREY,
    MARKERS,
    PALETTE,
    Figure,
    finished,
    heading,
    legend_below,
    note_figure,
    series,
    styled,
)
from serlab.plotting.texts import listing, number, sentences, titled
from serlab.wording import count


@styled
def plot_probes(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show what a linear classifier reads from each layer, a line a question.

    Dotted lines of the same colour are chance. Crosses are the controls with
    permuted labels, slightly aside; bands are intervals over speakers.

    Parameters
    ----------
    table : DataFrame
        From :func:`serlab.studies.layer_probes.probe_layers`; layers in their order.
    title : str
        Added to the heading.
    """
    require_rows(table)
    layers = list(dict.fromkeys(table["layer"]))
    questions = list(dict.fromkeys(table["what"]))
    figure = Figure(figsize=(max(7.0, 1.5 + 0.52 * len(layers)), 4.1), layout="constrained")
    axes = figure.subplots()
    handles, says, x = [], [], np.arange(len(layers))
    for position, what in enumerate(questions):
        own, look = table[table["what"] == what].set_index("layer").reindex(layers), series(position)
        colour = look["color"]
        held_out = ", ".join(f"unseen {name}s" for name in own["held_out"].dropna().unique())
        handles += axes.plot(x, own["uar"], linewidth=2, markersize=7, label=f"{what} ({held_out})", **look)
        axes.fill_between(x, own["low"], own["high"], color=colour, alpha=0.14, linewidth=0)
        aside = 0.06 * (position - (len(questions) - 1) / 2)
        axes.plot(x + aside, own["permuted"], "x", color=colour, markersize=5, alpha=0.8)
        axes.plot(x, own["chance"], color=colour, linestyle=":", linewidth=1.3, zorder=1)
        if own["uar"].notna().any():
            best = own["uar"].idxmax()
            says.append(
                f"Best for {what}: from {best}, UAR {number(own.loc[best, 'uar'])}, chance "
                f"{number(own.loc[best, 'chance'])}"
            )
    _name_layers(axes, layers)
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("UAR")
    axes.grid(True, axis="y")
    handles += [
        Line2D([], [], color=GREY, linestyle=":", label="chance"),
        Line2D([], [], color=GREY, linestyle="", marker="x", label="permuted labels"),
    ]
    legend_below(figure, handles, ncols=3, note=f"Bands: {intervals.LABEL} over speakers.")
    heading(figure, "What a linear classifier reads from each layer", title)
    return finished(figure, sentences(*says))


def _name_layers(axes, layers: list[str]) -> None:
    """Names below the axis, slanted where they would run into each other."""
    slanted = max(map(len, layers)) * len(layers) > 60
    axes.set_xticks(range(len(layers)), layers, rotation=35 if slanted else 0,
                    ha="right" if slanted else "center", rotation_mode="anchor")  # fmt: skip


def layer_weight_table(weights: pd.DataFrame, *, titles: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Say how much each layer weighs in a learned sum.

    Parameters
    ----------
    weights : DataFrame
        method, fold, seed, layer, weight; those of a fit add up to 1.
    titles : mapping, optional
        Method -> title.

    Returns
    -------
    DataFrame
        method, title, layer, weight (mean over fits) with the lowest and the
        highest fit, and n_fits; layers as they come.

    Raises
    ------
    ParameterError
        If there are no rows, or weights of a fit do not add up to 1.
    """
    require_rows(weights)
    total = weights.groupby(["method", "fold", "seed"], sort=False)["weight"].sum()
    off = total[(total - 1).abs() > 1e-3]
    if len(off):
        method, fold, seed = off.index[0]
        raise ParameterError(
            f"layer weights of {method!r} (fold {fold}, seed {seed}) add up to {off.iloc[0]:.3f}, not to 1; "
            "take their softmax"
        )
    table = weights.groupby(["method", "layer"], sort=False)["weight"].agg(
        weight="mean", weight_low="min", weight_high="max", n_fits="count"
    )
    table = table.reset_index()
    table.insert(1, "title", titled(titles, table["method"]))
    return table


@styled
def plot_layer_weights(weights: pd.DataFrame, *, titles: Mapping[str, str] | None = None) -> Figure:
    """Show how much each layer weighs in a learned sum: mean, lowest and highest fit.

    The table is :func:`layer_weight_table`, with the same parameters. Dotted:
    all layers alike, as they are before training.
    """
    if weights.empty:
        return note_figure("Weights of the layers", "No method of this run weighs layers.")
    table = layer_weight_table(weights, titles=titles)
    layers = list(dict.fromkeys(table["layer"]))
    groups = list(table.groupby("method", sort=False))
    figure = Figure(figsize=(max(9.0, 1.5 + 0.7 * len(layers)), 3.6), layout="constrained")
    axes = figure.subplots()
    handles, says = [], []
    for position, (_, own) in enumerate(groups):
        own = own.set_index("layer").reindex(layers)
        x = np.arange(len(layers)) + 0.6 * ((position + 0.5) / len(groups) - 0.5)
        beyond = np.abs(own[["weight_low", "weight_high"]].sub(own["weight"], axis=0)).to_numpy().T
        look = {"color": PALETTE[position % 8], "marker": MARKERS[(position + position // 8) % 8]}
        axes.errorbar(x, own["weight"], beyond, linestyle="", linewidth=2, markersize=7, capsize=3, **look)
        title, n_fits = own["title"].dropna().iloc[0], count(int(own["n_fits"].max()), "fit")
        handles.append(Line2D([], [], linewidth=2, **look, label=f"{title} ({n_fits})"))
        heaviest = own["weight"].idxmax()
        says.append(f"{title}: most on {heaviest}, {number(own.loc[heaviest, 'weight'])}")
    alike = {"color": BLACK, "linestyle": ":", "linewidth": 1.3}
    axes.axhline(1 / len(layers), **alike)
    handles.append(Line2D([], [], **alike, label=f"all alike, {1 / len(layers):.2f}"))
    _name_layers(axes, layers)
    axes.set_ylim(0, max(1.1 * table["weight_high"].max(), 2 / len(layers)))
    axes.set_ylabel("weight")
    axes.grid(True, axis="y")
    legend_below(figure, handles, ncols=2)
    heading(figure, "Weights of the layers: mean, lowest and highest fit")
    says.append(f"All alike would be {number(1 / len(layers))}")
    return finished(figure, sentences(listing(says[:-1]), says[-1]))
