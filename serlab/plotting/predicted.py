"""What a kept model says of a long recording, window by window."""

from __future__ import annotations

import pandas as pd

from serlab.plotting.marks import require_rows
from serlab.plotting.style import Figure, finished, heading, legend_below, series, styled
from serlab.plotting.texts import sentences


@styled
def plot_over_time(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show the probability of each class over the time of one recording.

    Parameters
    ----------
    table : DataFrame
        start, end (seconds), answer, ``p_<class>``; rows of one file of
        :attr:`serlab.deployment.Predicted.over_time`. Where there is no window, nothing was heard.
    title : str
        Added to the heading.
    """
    require_rows(table)
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    middle = (table["start"] + table["end"]) / 2
    # A pause breaks the lines: a gap between windows that is longer than one.
    gap = (table["start"].diff() > (table["end"] - table["start"])).cumsum()
    handles = []
    for position, name in enumerate(column for column in table if column.startswith("p_")):
        look = series(position) | {"label": name[2:]}
        for number, (_, rows) in enumerate(table.groupby(gap)):
            drawn = axes.plot(middle[rows.index], rows[name], linewidth=1.8, markersize=4, **look)
            handles += drawn if number == 0 else []
    axes.set_xlabel("seconds")
    axes.set_ylabel("probability")
    axes.set_ylim(0, 1)
    axes.grid(True)
    legend_below(figure, handles, ncols=4)
    heading(figure, "Over time", title)
    shares = table["answer"].value_counts(normalize=True)
    return finished(figure, sentences(f"{shares.index[0]} in {shares.iloc[0]:.0%} of {len(table)} windows"))
