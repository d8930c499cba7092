"""When a source pays: UAR, and what the source adds, by the number of labelled target utterances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab.evaluation import intervals
from serlab.plotting.marks import chance_line, highest, known, limits, require_rows
from serlab.plotting.style import GREY, Figure, finished, heading, legend_below, note_figure, series, styled
from serlab.plotting.texts import interval, listing, number, sentences, span


@styled
def plot_few_shot(table: pd.DataFrame, *, chance: float | None = None, title: str = "") -> Figure:
    """Show UAR against the number of labelled target utterances per class, a line a method.

    Numbers stand at equal distances, so that 0 has a place.

    Parameters
    ----------
    table : DataFrame
        method, title, shots, uar, uar_low, uar_high, n_draws.
    chance : float, optional
        Level to draw.
    title : str
        Added to the heading.
    """
    require_rows(table)
    figure, axes = _empty(sorted(table["shots"].unique()), "UAR")
    handles = _lines(axes, table, "uar")
    if chance is not None:
        handles.append(chance_line(axes, chance))
    axes.set_ylim(*limits(known(table, "uar", "uar_low", "uar_high"), chance))
    legend_below(figure, handles, note=_note(table), ncols=2)
    heading(figure, "Few labelled target utterances", title)
    return finished(figure, _best_says(table))


@styled
def plot_few_shot_gains(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show what the source adds to each number of labels: gain over the same classifier without it.

    Parameters
    ----------
    table : DataFrame
        method, title, over (title of the control), shots, gain, gain_low, gain_high, n_draws.
    title : str
        Added to the heading.
    """
    if table.empty:
        return note_figure(
            "What the source adds to few labels", "No method was run with a source and without."
        )
    figure, axes = _empty(sorted(table["shots"].unique()), "gain in UAR")
    handles = _lines(axes, table, "gain")
    axes.axhline(0, color=GREY, linewidth=1.2)
    note = f"Gain over the same classifier without the source.\n{_note(table)}"
    legend_below(figure, handles, note=note, ncols=2)
    heading(figure, "What the source adds to few labels", title)
    says = [f"{row.title}: {row.says}" for row in break_even(table).itertuples()]
    return finished(figure, sentences(listing(says)))


def _empty(shots: Sequence[int], label: str) -> tuple[Figure, Axes]:
    """A figure for lines over the numbers, at equal distances."""
    figure = Figure(figsize=(8, 3.9), layout="constrained")
    axes = figure.subplots()
    axes.set_xticks(range(len(shots)), [str(number) for number in shots])
    axes.set_xlabel("labelled target utterances per class")
    axes.set_ylabel(label)
    axes.grid(True)
    return figure, axes


def _lines(axes: Axes, table: pd.DataFrame, value: str) -> list:
    """A line with its band for each method; handles for the legend."""
    place = {number: position for position, number in enumerate(sorted(table["shots"].unique()))}
    handles = []
    for position, (_, own) in enumerate(table.groupby("method", sort=False)):
        own, look = own.sort_values("shots"), series(position)
        x = own["shots"].map(place).to_numpy()
        handles += axes.plot(x, own[value], linewidth=2, markersize=7, label=own["title"].iloc[0], **look)
        low, high = own[f"{value}_low"].to_numpy(dtype=float), own[f"{value}_high"].to_numpy(dtype=float)
        axes.fill_between(x, low, high, color=look["color"], alpha=0.14, linewidth=0)
    return handles


def _note(table: pd.DataFrame) -> str:
    draws = span(table["n_draws"])
    return f"Lines: {draws} draws together. Bands: {intervals.LABEL} over speakers and draws."


def _best_says(table: pd.DataFrame) -> str:
    """The best method with the fewest and with the most labels."""
    scored = table[table["uar"].notna()]
    says = []
    for shots in dict.fromkeys((scored["shots"].min(), scored["shots"].max())):
        at = scored[scored["shots"] == shots]
        best = highest(at, "uar")
        says.append(f"With {shots} per class the best is {best['title']}, UAR {number(best['uar'])}")
    return sentences(*says)


def break_even(table: pd.DataFrame) -> pd.DataFrame:
    """Find with how many labels a source is shown to pay, and from where on it is not needed.

    Parameters
    ----------
    table : DataFrame
        method, title, over, shots, gain, gain_low, gain_high: each method beside the same
        classifier without the source.

    Returns
    -------
    DataFrame
        One row a method: method, title, over; break_even: the number of shots from which on no
        gain is above 0, NaN where that of the largest number is; helps_with, hurts_with: numbers
        whose whole interval lies above 0, below 0, as text; largest_gain with largest_gain_low
        and largest_gain_high, and its number of shots, at_shots; says: all of it in words.
    """
    rows = [
        {"method": method, "title": own["title"].iloc[0], "over": own["over"].iloc[0], **_crossing(own)}
        for method, own in table.groupby("method", sort=False)
    ]
    columns = [
        "method", "title", "over", "break_even", "helps_with", "hurts_with",
        "largest_gain", "largest_gain_low", "largest_gain_high", "at_shots", "says",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _crossing(own: pd.DataFrame) -> dict:
    """Where one method's gain ends."""
    own = own.sort_values("shots", ignore_index=True)
    shots, above = own["shots"], np.flatnonzero(own["gain"] > 0)
    ends = above[-1] + 1 if len(above) else 0
    helps, hurts = (
        ", ".join(map(str, shots[clear])) for clear in (own["gain_low"] > 0, own["gain_high"] < 0)
    )
    best = own.loc[own["gain"].idxmax()]
    if ends == len(own):
        crossing = f"on average better with {shots.iloc[-1]} per class, the most tried"
    else:
        crossing = f"the target alone is as good from {shots[ends]} per class on"
    says = [
        f"the source is shown to help with {helps} per class" if helps else "no gain is shown",
        *([f"it is shown to hurt with {hurts} per class"] if hurts else []),
        crossing,
        f"largest gain {interval(best, 'gain', sign=True)}, with {best['shots']} per class",
    ]
    return {
        "break_even": float(shots[ends]) if ends < len(own) else np.nan,
        "helps_with": helps,
        "hurts_with": hurts,
        "largest_gain": best["gain"],
        "largest_gain_low": best["gain_low"],
        "largest_gain_high": best["gain_high"],
        "at_shots": best["shots"],
        "says": "; ".join(says),
    }
