"""Figures of transfer from pretrained networks: what their layers carry, and which of them are used.

As in :mod:`serlab.plotting`: tables in, figures out, and for every figure a
table that can be printed beside it. Few-shot curves are
:func:`serlab.plotting.networks.plot_few_shot`, published numbers beside ours
:func:`serlab.plotting.plot_published`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from serlab import metrics
from serlab.errors import ParameterError
from serlab.evaluation import class_names
from serlab.plotting.general import (
    BLACK,
    GREY,
    LINES,
    MARKERS,
    MISSING,
    PALETTE,
    Figure,
    _count,
    _finished,
    _note_figure,
    _require_rows,
    _styled,
    _wrapped,
)


@_styled
def plot_probes(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show what a linear classifier reads from each layer, a line a question.

    Dotted lines of the same colour are chance. Crosses are the controls with
    permuted labels, slightly aside; bands are 95 % intervals over speakers.

    Parameters
    ----------
    table : DataFrame
        From :func:`serlab.studies.layer_probes.probe_layers`; layers in their order.
    title : str
        Added to the heading.
    """
    _require_rows(table)
    layers = list(dict.fromkeys(table["layer"]))
    questions = list(dict.fromkeys(table["what"]))
    figure = Figure(figsize=(max(7.0, 1.5 + 0.52 * len(layers)), 4.6), layout="constrained")
    axes = figure.subplots()
    for number, what in enumerate(questions):
        own = table[table["what"] == what].set_index("layer").reindex(layers)
        x, colour = np.arange(len(layers)), PALETTE[number % 8]
        held_out = ", ".join(f"unseen {name}s" for name in own["held_out"].dropna().unique())
        axes.plot(x, own["uar"], color=colour, linewidth=2, markersize=7, linestyle=LINES[number % 3],
                  marker=MARKERS[number % 8], label=f"{what} ({held_out})")  # fmt: skip
        axes.fill_between(x, own["low"], own["high"], color=colour, alpha=0.14, linewidth=0)
        aside = 0.06 * (number - (len(questions) - 1) / 2)
        axes.plot(x + aside, own["permuted"], "x", color=colour, markersize=5, alpha=0.8)
        axes.plot(x, own["chance"], color=colour, linestyle=":", linewidth=1.3, zorder=1)
    upright = max(map(len, layers)) * len(layers) > 60
    axes.set_xticks(range(len(layers)), layers, rotation=35 if upright else 0,
                    ha="right" if upright else "center", rotation_mode="anchor")  # fmt: skip
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("UAR")
    axes.grid(True, axis="y")
    handles = axes.get_legend_handles_labels()[0] + [
        Line2D([], [], color=GREY, linestyle=":", label="chance"),
        Line2D([], [], color=GREY, linestyle="", marker="x", label="permuted labels"),
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=3)
    figure.suptitle(
        "What a linear classifier reads from each layer" + (f": {title}" if title else ""), x=0.01, ha="left"
    )
    return _finished(figure)


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
    _require_rows(weights)
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
    table.insert(1, "title", [(titles or {}).get(name, name) for name in table["method"]])
    return table


@_styled
def plot_layer_weights(weights: pd.DataFrame, *, titles: Mapping[str, str] | None = None) -> Figure:
    """Show how much each layer weighs in a learned sum: mean, lowest and highest fit.

    The table is :func:`layer_weight_table`, with the same parameters. Dotted:
    all layers alike, as they are before training.
    """
    if weights.empty:
        return _note_figure("Weights of the layers", "No method of this run weighs layers.")
    table = layer_weight_table(weights, titles=titles)
    layers = list(dict.fromkeys(table["layer"]))
    groups = list(table.groupby("method", sort=False))
    figure = Figure(figsize=(max(6.5, 1.5 + 0.7 * len(layers)), 3.9), layout="constrained")
    axes = figure.subplots()
    for number, (_, own) in enumerate(groups):
        own = own.set_index("layer").reindex(layers)
        x = np.arange(len(layers)) + 0.6 * ((number + 0.5) / len(groups) - 0.5)
        beyond = np.abs(own[["weight_low", "weight_high"]].sub(own["weight"], axis=0)).to_numpy().T
        label = f"{_wrapped(own['title'].dropna().iloc[0])} ({_count(int(own['n_fits'].max()), 'fit')})"
        axes.errorbar(x, own["weight"], beyond, color=PALETTE[number % 8], linestyle="", linewidth=2,
                      marker=MARKERS[number % 8], markersize=7, capsize=3, label=label)  # fmt: skip
    axes.axhline(1 / len(layers), color=BLACK, linestyle=":", linewidth=1.3, label="all alike")
    axes.set_xticks(range(len(layers)), layers)
    axes.set_ylim(0, max(1.1 * table["weight_high"].max(), 2 / len(layers)))
    axes.set_ylabel("weight")
    axes.grid(True, axis="y")
    figure.legend(loc="outside lower left", ncols=2)
    figure.suptitle("Weights of the layers: mean, lowest and highest fit", x=0.01, ha="left")
    return _finished(figure)


def mean_confusion_table(
    predictions: pd.DataFrame, methods: Sequence[str] | None = None, classes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Average the confusion matrices of folds, each in shares of the true class.

    As Zhou & Beigi, figure 1. Every fold weighs the same; a fold without a
    true class is left out of its row. :func:`serlab.plotting.confusion_table`
    adds the counts instead.

    Parameters
    ----------
    predictions : DataFrame
        Prediction table with fold and seed; ``y_true`` and ``y_pred`` are class numbers.
    methods, classes : sequence of str, optional
        By default all methods, and the classes of the ``p_<class>`` columns.

    Returns
    -------
    DataFrame
        method, true, predicted, share (mean over folds and seeds), sd (between
        them; NaN of a single one) and n_fits.
    """
    classes = list(classes or class_names(predictions))
    rows = []
    for method in methods or dict.fromkeys(predictions["method"]):
        fits = predictions[predictions["method"] == method].groupby(["fold", "seed"], sort=False)
        counts = np.array([metrics.confusion(fit["y_true"], fit["y_pred"], len(classes)) for _, fit in fits])
        shares = metrics.ratio(counts, counts.sum(axis=-1, keepdims=True))
        for true, predicted in np.ndindex(len(classes), len(classes)):
            own = shares[:, true, predicted]
            own = own[~np.isnan(own)]
            mean = own.mean() if len(own) else np.nan
            sd = own.std(ddof=1) if len(own) > 1 else np.nan
            rows.append((method, classes[true], classes[predicted], mean, sd, len(own)))
    return pd.DataFrame(rows, columns=["method", "true", "predicted", "share", "sd", "n_fits"])


@_styled
def plot_mean_confusions(
    predictions: pd.DataFrame,
    methods: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    *,
    titles: Mapping[str, str] | None = None,
) -> Figure:
    """Show the confusion matrix of each method, averaged over folds.

    The table is :func:`mean_confusion_table`, with the same parameters.

    Parameters
    ----------
    titles : mapping, optional
        Method -> title.
    """
    table = mean_confusion_table(predictions, methods=methods, classes=classes)
    _require_rows(table)
    methods, classes = (list(dict.fromkeys(table[name])) for name in ("method", "true"))
    columns = min(3, len(methods))
    lines = int(np.ceil(len(methods) / columns))
    side = max(2.2, 0.58 * len(classes))
    figure = Figure(
        figsize=(max(columns * (side + 0.3) + 1.1, 4.5), lines * (side + 0.55) + 1.5), layout="constrained"
    )
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for place, (axes, method) in enumerate(zip(panels.ravel(), methods, strict=False)):
        own = table[table["method"] == method]
        share, sd = (own[name].to_numpy().reshape(len(classes), len(classes)) for name in ("share", "sd"))
        axes.imshow(np.nan_to_num(share), cmap="Blues", vmin=0, vmax=1.1)
        for (row, column), value in np.ndenumerate(share):
            spread = sd[row, column]
            text = MISSING if np.isnan(value) else f"{value:.0%}"
            axes.text(column, row, text if np.isnan(spread) else f"{text}\n\u00b1{100 * spread:.0f}",
                      ha="center", va="center", fontsize=9, linespacing=0.95,
                      color="white" if value > 0.6 else "black")  # fmt: skip
        recall = metrics.mean_known(np.diagonal(share))
        name = _wrapped((titles or {}).get(method, method), 28)
        axes.set_title(f"{name}\nmean recall {recall:.2f}", fontsize=9.5)
        axes.set_xticks(range(len(classes)), classes, rotation=90 if len(classes) > 2 else 0)
        axes.set_yticks(range(len(classes)), classes)
        axes.tick_params(length=0, labelbottom=place + columns >= len(methods))
        axes.spines[:].set_visible(False)
    for axes in panels.ravel()[len(methods) :]:
        axes.set_visible(False)
    n_fits = sorted(set(table.loc[table["n_fits"] > 0, "n_fits"]))
    of = f"{n_fits[0]}" if len(n_fits) == 1 else f"{n_fits[0]} to {n_fits[-1]}"
    figure.supylabel("true class", fontsize=9.5)
    figure.supxlabel("answer; percent of the true class, \u00b1 deviation between fits", fontsize=9.5)
    figure.suptitle(f"Confusions, mean of {of} fits (folds and seeds)", x=0.01, ha="left")
    return _finished(figure)
