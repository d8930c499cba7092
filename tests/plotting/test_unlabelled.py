"""Figures of what is expected without labels, and of plans for labels."""

from __future__ import annotations

import pandas as pd

from serlab import plotting


def test_estimates_have_a_panel_each_and_say_their_error():
    rows = [
        (target, name, 0.5 + 0.1 * number, 0.6)
        for target in ("a", "b")
        for number, name in enumerate(("held out", "confidence", "thresholded", "importance"))
    ]
    table = pd.DataFrame(rows, columns=["corpus", "estimate", "uar", "true_uar"])
    figure = plotting.plot_estimates(table, title="x")
    assert sum(axes.axison for axes in figure.axes) == 4
    assert "held out is off by 0.10" in figure.alt
    assert len(table.columns) == 4, "the table is not changed"


def test_plans_start_where_nothing_is_labelled():
    rows = [("none", 0, 0.5), *((name, n, 0.5 + n / 100) for name in ("random", "both") for n in (10, 20))]
    table = pd.DataFrame(rows, columns=["strategy", "labels", "uar"])
    table = table.assign(uar_low=table["uar"] - 0.1, uar_high=table["uar"] + 0.1, over_random=0.01)
    figure = plotting.plot_label_plans(table, chance=0.25)
    lines = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 3]
    assert len(lines) == 2 and all(line.get_xdata()[0] == 0 for line in lines)
    assert "both" in figure.alt
