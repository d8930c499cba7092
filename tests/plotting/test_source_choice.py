"""Figures of sets of sources and of what each is worth."""

from __future__ import annotations

import pytest

from serlab import plotting
from tests.plotting.made import is_within_page, source_sets, source_worth, texts


def test_a_point_is_a_set_and_a_line_goes_through_the_means():
    table = source_sets("one", "two", sources=("emodb", "nemo"))
    figure = plotting.plot_source_sets(table, chance=0.25)
    axes = figure.axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["one"].get_ydata()) == pytest.approx([0.4, 0.5])
    assert [len(points.get_offsets()) for points in axes.collections] == [3, 3]
    assert list(axes.get_xticks()) == [1, 2] and "chance, 0.25" in texts(figure)
    assert figure.finding == "one: 0.40 with 1, 0.50 with all 2; two: 0.41 with 1, 0.51 with all 2."
    assert is_within_page(figure)


def test_worth_is_drawn_with_intervals_and_no_claim():
    figure = plotting.plot_source_worth(source_worth("one", sources=("emodb", "nemo", "urdu")))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["emodb", "nemo", "urdu"]
    assert "Exploratory: no claim" in texts(figure) and figure.finding == "one: most by emodb, +0.05."
