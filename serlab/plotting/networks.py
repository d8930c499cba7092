"""How networks learned, and what they attend to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from serlab.errors import ParameterError
from serlab.plotting.marks import MOST_PANELS, highest, known, limits, panel_figure
from serlab.plotting.style import (
    BLACK,
    BLUE,
    SKY,
    VERMILLION,
    Figure,
    finished,
    heading,
    legend_below,
    note_figure,
    series,
    styled,
)
from serlab.plotting.texts import listing, number, sentences, titled, wrapped
from serlab.wording import count

#: Lead of the largest attention weight over the second above which Neumann & Vu call it peaked.
PEAKED = 0.5

_TRAINING = {
    "training": {"color": BLUE, "linestyle": "-"},
    "validation": {"color": VERMILLION, "linestyle": "--"},
}


# --- training -----------------------------------------------------------------------------------


@styled
def plot_training(history: pd.DataFrame, *, titles: Mapping[str, str] | None = None) -> Figure:
    """Show loss and UAR over epochs, a row a method and stage.

    Thin lines are fits (fold and seed), the thick one is their mean, drawn as
    far as at least half of them were trained.

    Parameters
    ----------
    history : DataFrame
        method, fold, seed, stage, epoch, loss, uar and, where there was
        validation, validation_loss and validation_uar.
    titles : mapping, optional
        Method -> title.
    """
    if history.empty:
        return note_figure("Training", "No method of this run is trained in epochs.")
    groups = list(history.groupby(["method", "stage"], sort=False))
    more = f"The first {MOST_PANELS} of {len(groups)} are shown." if len(groups) > MOST_PANELS else ""
    groups = groups[:MOST_PANELS]
    figure = Figure(figsize=(9, 1.75 * len(groups) + 0.6), layout="constrained")
    panels = figure.subplots(len(groups), 2, sharey="col", squeeze=False)
    says = []
    for row, ((method, stage), part) in zip(panels, groups, strict=True):
        ends = {}
        for axes, measure in zip(row, ("loss", "uar"), strict=True):
            ends[measure] = _training_lines(axes, part, measure)
        (name,) = titled(titles, [method])
        if history.loc[history["method"] == method, "stage"].nunique() > 1:
            name += f", {stage}"
        # A network of the source alone is trained once and tested in every fold.
        fits = part.pivot(index="epoch", columns=["fold", "seed"], values="loss")
        row[0].set_title(f"{name} ({count(len(fits.T.drop_duplicates()), 'fit')})")
        ended = ", ".join(f"{what} {number(value)}" for what, value in ends["uar"].items())
        says.append(f"{name}: {ended}")
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    panels[0, 0].set_ylim(bottom=0)
    panels[0, 1].set_ylim(*limits(known(history, "uar", "validation_uar")))
    has_validation = len(known(history, "validation_loss")) > 0
    handles = [
        Line2D([], [], linewidth=2.2, label=name, **look)
        for name, look in _TRAINING.items()
        if has_validation or name == "training"
    ]
    legend_below(figure, handles, note=more)
    heading(figure, "Training: loss and UAR by epoch")
    return finished(figure, sentences("Mean UAR at the end", listing(says)))


def _training_lines(axes: Axes, part: pd.DataFrame, measure: str) -> dict[str, float]:
    """Lines of one panel, of training and validation rows; gives the last mean of each."""
    last = {}
    for name, look in _TRAINING.items():
        column = measure if name == "training" else f"validation_{measure}"
        if column in part and part[column].notna().any():
            last[name] = _fits_and_mean(axes, part, column, **look)[-1]
    axes.set_ylabel("UAR" if measure == "uar" else measure)
    return last


def _fits_and_mean(axes: Axes, part: pd.DataFrame, column: str, *, color: str, linestyle: str) -> np.ndarray:
    """Draw a value over epochs: each fit thin, their mean thick; gives the mean.

    The mean ends where fewer than half of the fits go on.
    """
    fits = part.pivot(index="epoch", columns=["fold", "seed"], values=column).dropna(how="all", axis=1)
    marker = "." if len(fits) == 1 else ""
    axes.plot(fits.index, fits.to_numpy(), color=color, linewidth=0.6, alpha=0.4, marker=marker)
    mean = fits.mean(axis=1)[fits.notna().mean(axis=1) >= 0.5]
    axes.plot(mean.index, mean, color=color, linestyle=linestyle, linewidth=2.2, marker=marker)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(True)
    return mean.to_numpy()


@styled
def plot_loss_terms(history: pd.DataFrame, *, titles: Mapping[str, str] | None = None) -> Figure:
    """Show every term of the loss over epochs, a row a method, a column a term.

    Terms are drawn as they enter the sum, weights included. Thin lines are
    fits (fold and seed), the thick one is their mean.

    Parameters
    ----------
    history : DataFrame
        method, fold, seed, stage, epoch and ``loss_<term>``; rows without a term are passed over.
    titles : mapping, optional
        Method -> title.
    """
    terms = [name for name in history if name.startswith("loss_")]
    history = history.dropna(subset=terms, how="all") if terms else history.iloc[:0]
    if history.empty:
        return note_figure("Terms of the loss", "No method of this run has a loss of several terms.")
    groups = list(history.groupby(["method", "stage"], sort=False))
    own_terms = [part[terms].columns[part[terms].notna().any()] for _, part in groups]
    columns = max(len(names) for names in own_terms)
    figure = Figure(figsize=(max(9.0, 2.4 * columns), 1.75 * len(groups) + 0.5), layout="constrained")
    panels = figure.subplots(len(groups), columns, squeeze=False)
    says = []
    for row, ((method, _), part), names in zip(panels, groups, own_terms, strict=True):
        (title,) = titled(titles, [method])
        ends = []
        for place, (axes, column) in enumerate(zip(row, names, strict=False)):
            term, look = column.removeprefix("loss_"), series(place)
            mean = _fits_and_mean(axes, part, column, color=look["color"], linestyle=look["linestyle"])
            low, high = part[column].min(), part[column].max()
            axes.set_ylim(min(0.0, 1.05 * low), max(1.05 * high, 1e-6))
            axes.set_ylabel(wrapped(term, 22))
            axes.set_xlabel("epoch")
            ends.append(f"{term} {mean[0]:.3g} to {mean[-1]:.3g}")
        for axes in row[len(names) :]:
            axes.set_visible(False)
        n_fits = len(part[["fold", "seed"]].drop_duplicates())
        row[0].set_title(f"{title} ({count(n_fits, 'fit')})")
        says.append(f"{title}: {', '.join(ends)}")
    heading(figure, "Terms of the loss by epoch: fits (thin) and their mean")
    return finished(figure, sentences("From the first epoch to the last", listing(says)))


# --- attention ----------------------------------------------------------------------------------


def attention_positions(
    attention: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    part: Literal["train", "test"] = "train",
    titles: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Count which attention weight of an utterance is the largest.

    Neumann & Vu, figures 2 and 3. Short utterances have few weights, so early
    positions win often even where attention is blind: ``by_chance`` is the
    share each position would have then, 1 / (weights of the utterance).

    Parameters
    ----------
    attention : DataFrame
        method, fold, seed, utterance, part and a_1 ... a_k; NaN after the end.
    utterances : DataFrame
        For the corpus.
    part : {"train", "test"}
        The paper looks at training utterances.
    titles : mapping, optional
        Method -> title.

    Returns
    -------
    DataFrame
        method, title, corpus, position (from 1), share, by_chance,
        n_utterances, n_fits.
    """
    tables = []
    for (method, corpus), own, weights in _attended(attention, utterances, part):
        largest = np.nanargmax(weights, axis=1)
        n_valid = (~np.isnan(weights)).sum(axis=1, keepdims=True)
        position = np.arange(weights.shape[1])
        tables.append(
            pd.DataFrame(
                {
                    "method": method,
                    "title": titled(titles, [method])[0],
                    "corpus": corpus,
                    "position": position + 1,
                    "share": np.bincount(largest, minlength=len(position)) / len(weights),
                    "by_chance": ((position < n_valid) / n_valid).mean(axis=0),
                    "n_utterances": own["utterance"].nunique(),
                    "n_fits": len(own[["fold", "seed"]].drop_duplicates()),
                }
            )
        )
    columns = ["method", "title", "corpus", "position", "share", "by_chance", "n_utterances", "n_fits"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def attention_table(
    attention: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    part: Literal["train", "test"] = "train",
    titles: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Say how peaked attention is: Neumann & Vu, section 6.

    Parameters as those of :func:`attention_positions`.

    Returns
    -------
    DataFrame
        method, title, corpus; peaked: share of utterances whose largest
        weight leads the second by more than .5; first: share whose first
        weight is the largest, first_by_chance as above; n_utterances, n_fits;
        n_single: utterances with one weight, which are not in ``peaked``;
        median_weights; median_duration (seconds).
    """
    rows = []
    for (method, corpus), own, weights in _attended(attention, utterances, part):
        n_valid = (~np.isnan(weights)).sum(axis=1)
        ordered = -np.sort(-weights, axis=1)  # NaN last
        several = n_valid > 1
        lead = ordered[several, 0] - ordered[several, 1]
        names = own["utterance"].unique()
        rows.append(
            {
                "method": method,
                "title": titled(titles, [method])[0],
                "corpus": corpus,
                "peaked": (lead > PEAKED).mean() if several.any() else np.nan,
                "first": (np.nanargmax(weights, axis=1) == 0).mean(),
                "first_by_chance": (1 / n_valid).mean(),
                "n_utterances": len(names),
                "n_fits": len(own[["fold", "seed"]].drop_duplicates()),
                "n_single": own.loc[~several, "utterance"].nunique(),
                "median_weights": np.median(n_valid),
                "median_duration": utterances.loc[names, "duration"].median(),
            }
        )
    columns = (
        "method title corpus peaked first first_by_chance n_utterances n_fits n_single median_weights "
        "median_duration"
    )
    return pd.DataFrame(rows, columns=columns.split())


@styled
def plot_attention_positions(
    attention: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    part: Literal["train", "test"] = "train",
    titles: Mapping[str, str] | None = None,
) -> Figure:
    """Show how often each attention weight is the largest, a panel a method and corpus.

    As Neumann & Vu, figures 2 and 3, with what durations alone would give.
    The table is :func:`attention_positions`, with the same parameters.
    """
    table = attention_positions(attention, utterances, part=part, titles=titles)
    if table.empty:
        return note_figure("Attention over time", "No method of this run has attention weights.")
    groups = [own[own["by_chance"] > 0] for _, own in table.groupby(["method", "corpus"], sort=False)]
    figure, panels, columns = panel_figure(
        len(groups), size=(3.0, 2.4), most_columns=3, margin=(0.0, 0.4), sharey=True
    )
    says = []
    for place, (axes, own) in enumerate(zip(panels, groups, strict=True)):
        axes.bar(own["position"], own["share"], color=SKY, edgecolor=BLUE, linewidth=0.6, width=0.8)
        axes.step(own["position"], own["by_chance"], where="mid", color=BLACK, linestyle=":", linewidth=1.5)
        first, most = own.iloc[0], highest(own, "share")
        counted = count(first["n_utterances"], "utterance") + ", " + count(first["n_fits"], "fit")
        axes.set_title(f"{wrapped(first['title'], 36)}\n{wrapped(first['corpus'] + ': ' + counted, 40)}",
                       fontsize=9.5)  # fmt: skip
        axes.grid(True, axis="y")
        axes.xaxis.get_major_locator().set_params(integer=True, nbins=9)
        axes.set_xlabel("position of the largest weight")
        axes.set_ylabel("" if place % columns else "share")
        says.append(
            f"{first['title']}, {first['corpus']}: position {most['position']} in {most['share']:.0%}, "
            f"by durations alone {most['by_chance']:.0%}"
        )
    handles = [
        Patch(facecolor=SKY, edgecolor=BLUE, label="share of utterances"),
        Line2D([], [], color=BLACK, linestyle=":", linewidth=1.5,
               label="if attention were blind (durations alone)"),
    ]  # fmt: skip
    legend_below(figure, handles)
    rows = {"train": "training", "test": "test"}[part]
    heading(figure, f"Attention over time: which weight is the largest ({rows} utterances)")
    return finished(figure, sentences(f"Most often the largest: {listing(says)}"))


def _attended(attention: pd.DataFrame, utterances: pd.DataFrame, part: str):
    """Yield (method, corpus), rows and weights (n, steps) of the fits that have weights."""
    if attention.empty:
        return
    if part not in set(attention["part"]):
        known = ", ".join(sorted(set(attention["part"])))
        raise ParameterError(f"there is no attention of part {part!r}; there is: {known}")
    own = attention[attention["part"] == part]
    corpus = own["utterance"].map(utterances["corpus"])
    columns = numbered(attention, "a")
    for key, rows in own.groupby([own["method"], corpus], sort=False):
        weights = rows[columns].to_numpy(dtype=float)
        used = ~np.isnan(weights).all(axis=0)
        yield key, rows, weights[:, used]


def numbered(table: pd.DataFrame, letter: str) -> list[str]:
    """Columns ``<letter>_1``, ``<letter>_2`` ... in the order of their numbers."""
    names = [name for name in table if name.startswith(f"{letter}_") and name[len(letter) + 1 :].isdigit()]
    return sorted(names, key=lambda name: int(name[len(letter) + 1 :]))
