from __future__ import annotations

import itertools

import numpy as np
import pytest

from serlab import plotting
from tests.plotting.made import is_within_page, runs, texts, width


def test_ranks_show_every_method_and_what_is_not_told_apart():
    figure = plotting.plot_ranks(runs(5), title="arousal")
    written = texts(figure)
    assert "rank by UAR in each of 6 runs" in written and ": arousal" in written
    assert "not told apart (Holm)" in written and is_within_page(figure)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [f"Method {i}" for i in (4, 3, 2, 1, 0)], "best first"
    bars = [line for line in figure.axes[0].lines if line.get_linewidth() > 3]
    assert [tuple(bar.get_ydata()) for bar in bars] == [(-0.25, 2.25), (0.75, 3.25), (1.75, 4.25)]


@pytest.mark.parametrize("value", ["uar", "gain"])
def test_twenty_methods_on_six_pairs_are_one_readable_picture(value):
    figure = plotting.plot_methods_by_run(runs(20), value)
    written = texts(figure)
    cells = figure.axes[0].texts
    assert len(cells) == (120 if value == "uar" else 114), "the baseline has no gain"
    assert min(text.get_fontsize() for text in cells) >= 8 and is_within_page(figure)
    boxes = [text.get_window_extent() for text in cells[: 6 * 2]]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert "▲ helps" in written and "a\nto b" in written


def test_without_gains_there_is_no_picture_of_them():
    assert plotting.plot_methods_by_run(runs(3).assign(gain=np.nan), "gain") is None
    assert plotting.plot_methods_by_run(runs(3).drop(columns="gain"), "gain") is None


def test_a_panel_a_method_has_sources_as_rows_and_targets_as_columns():
    table = runs(4)
    figure = plotting.plot_matrix(table, "gain")
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["Method 1", "Method 2", "Method 3"]
    for labels in (panels[0].get_yticklabels(), panels[0].get_xticklabels()):
        assert [label.get_text() for label in labels] == ["a", "b", "c"]
    for axes in panels:
        assert len([text for text in axes.texts if text.get_text()]) == 6, "no corpus onto itself"
    written = texts(figure)
    assert (
        "+0.03 ▲" in written
        and "+0.01" in written
        and "What does the source add to the same labels? (▲ helps; " in written
    )
    assert "Helps: Method 3 in 6 of 6 pairs" in figure.alt and is_within_page(figure)
    assert plotting.plot_matrix(table.assign(uar=np.nan)) is None


def test_many_pairs_stand_in_blocks_that_a_page_can_show():
    figure = plotting.plot_methods_by_run(runs(3, n_corpora=5))
    assert len(figure.axes) == 3 and width(figure) <= 1104 and is_within_page(figure)
    assert sum(len(axes.texts) for axes in figure.axes) == 3 * 20
