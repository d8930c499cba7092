"""Figures of every corpus left out in turn."""

from __future__ import annotations

import pytest

from serlab import plotting
from tests.plotting.made import (
    helping,
    is_within_page,
    known_before,
    left_out,
    left_out_curve,
    texts,
)


def test_targets_are_rows_and_the_mean_is_the_last():
    figure = plotting.plot_left_out(left_out("one", "two"), chance=0.25)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b", "c", "mean"]
    assert figure.finding == "one: 0.55 on average over 3 corpora; two: 0.53 on average over 3 corpora."
    assert is_within_page(figure)


def test_a_curve_has_a_line_a_target_and_a_mean():
    figure = plotting.plot_left_out_curve(left_out_curve("one"), chance=0.25)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert set(lines) >= {"a", "b", "c", "mean"}
    assert list(lines["mean"].get_ydata()) == pytest.approx([0.5, 0.6])
    assert figure.finding == "one: 0.50 with 1, 0.60 with 2."


def test_what_helps_is_a_cell_a_pair():
    figure = plotting.plot_helping(helping("one"))
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written.count("+0.05") == 1 and written.count("") == 3, "no corpus is a source of itself"
    assert figure.finding == "one: most by a to c, +0.05."


def test_what_nobody_knows_has_no_panel():
    figure = plotting.plot_known_before(known_before())
    shown = texts(figure)
    assert "squared MMD of the features" in shown and "same branch" not in shown
    assert figure.finding == "9 sources of 3 targets."
