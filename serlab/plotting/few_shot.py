"""When a source pays: UAR by the number of labelled target utterances."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab.errors import ParameterError
from serlab.plotting.marks import chance_line, highest, known, limits, require_rows
from serlab.plotting.style import Figure, finished, heading, legend_below, series, styled
from serlab.plotting.texts import number, sentences, span


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
    shots = sorted(table["shots"].unique())
    place = {number: position for position, number in enumerate(shots)}
    figure = Figure(figsize=(8, 3.9), layout="constrained")
    axes = figure.subplots()
    handles = []
    for position, (_, own) in enumerate(table.groupby("method", sort=False)):
        own, look = own.sort_values("shots"), series(position)
        x = own["shots"].map(place).to_numpy()
        handles += axes.plot(x, own["uar"], linewidth=2, markersize=7, label=own["title"].iloc[0], **look)
        axes.fill_between(x, own["uar_low"], own["uar_high"], color=look["color"], alpha=0.14, linewidth=0)
    if chance is not None:
        handles.append(chance_line(axes, chance))
    axes.set_xticks(range(len(shots)), [str(number) for number in shots])
    axes.set_ylim(*limits(known(table, "uar", "uar_low", "uar_high"), chance))
    axes.set_xlabel("labelled target utterances per class")
    axes.set_ylabel("UAR")
    axes.grid(True)
    note = f"Lines: mean of {span(table['n_draws'])} draws. Bands: lowest to highest."
    legend_below(figure, handles, note=note, ncols=2)
    heading(figure, "Few labelled target utterances", title)
    return finished(figure, _best_says(table))


def _best_says(table: pd.DataFrame) -> str:
    """The best method with the fewest and with the most labels."""
    scored = table[table["uar"].notna()]
    says = []
    for shots in dict.fromkeys((scored["shots"].min(), scored["shots"].max())):
        at = scored[scored["shots"] == shots]
        best = highest(at, "uar")
        says.append(f"With {shots} per class the best is {best['title']}, UAR {number(best['uar'])}")
    return sentences(*says)


def break_even(table: pd.DataFrame, *, baseline: str) -> pd.DataFrame:
    """Find where the target alone is as good as with a source.

    Parameters
    ----------
    table : DataFrame
        As for :func:`plot_few_shot`.
    baseline : str
        The target-only method; every other method is taken to use a source.

    Returns
    -------
    DataFrame
        First row: the best source method at each number of shots; then one row
        a source method. method, title; break_even: the first number of shots
        at which the baseline's mean UAR is at least that of the method, NaN
        where there is none; clear_up_to: the largest number at which the
        method's whole band lies above the baseline's, NaN where there is none;
        largest_gain (UAR) and its number of shots, at_shots; says: all of it
        in words.

    Raises
    ------
    ParameterError
        If the baseline is not in the table.
    """
    if baseline not in set(table["method"]):
        known = ", ".join(dict.fromkeys(table["method"]))
        raise ParameterError(f"baseline {baseline!r} has no few-shot curve; there are: {known}")
    bands = table.set_index("shots")[["method", "title", "uar", "uar_low", "uar_high"]].sort_index()
    base, others = bands[bands["method"] == baseline], bands[bands["method"] != baseline]
    best = others.sort_values("uar", kind="stable").groupby(level="shots").tail(1).sort_index()
    curves = [("", "best with a source", best)]
    curves += [(name, own["title"].iloc[0], own) for name, own in others.groupby("method", sort=False)]
    rows = [
        {"method": method, "title": title, **_crossing(own, base)}
        for method, title, own in curves
        if len(own.index.intersection(base.index))
    ]
    columns = ["method", "title", "break_even", "clear_up_to", "largest_gain", "at_shots", "says"]
    return pd.DataFrame(rows, columns=columns)


def _crossing(own: pd.DataFrame, base: pd.DataFrame) -> dict:
    """Where ``base`` reaches ``own``; both by number of shots."""
    shots = own.index.intersection(base.index).sort_values()
    own, base = own.loc[shots], base.loc[shots]
    gain = own["uar"] - base["uar"]
    reached, clear = shots[gain <= 0], shots[own["uar_low"] > base["uar_high"]]
    if len(reached) == 0:
        says = f"beyond {shots[-1]} per class"
    elif reached[0] == shots[0] and (gain <= 0).all():
        says = "source never helps"
    else:
        says = f"{reached[0]} per class"
    return {
        "break_even": float(reached[0]) if len(reached) else np.nan,
        "clear_up_to": float(clear[-1]) if len(clear) else np.nan,
        "largest_gain": gain.max(),
        "at_shots": gain.idxmax(),
        "says": says,
    }
