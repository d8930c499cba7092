from __future__ import annotations

import numpy as np
import pytest

from serlab import plotting
from serlab.errors import ParameterError
from tests.plotting.made import few_shot, is_within_page, texts


def test_few_shot_numbers_stand_at_equal_distances():
    table = few_shot(target={1: 0.5, 50: 0.8}, pooled={0: 0.6, 1: 0.62, 50: 0.75})
    figure = plotting.plot_few_shot(table, chance=0.5, title="x to y")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "50"]
    by_title = {line.get_label(): line for line in axes.lines}
    assert list(by_title["Method target"].get_xdata()) == [1, 2]
    assert list(by_title["Method pooled"].get_ydata()) == [0.6, 0.62, 0.75]
    assert "chance, 0.50" in texts(figure) and is_within_page(figure)


def test_break_even_is_where_the_target_alone_catches_up():
    table = few_shot(
        target={1: 0.50, 5: 0.60, 10: 0.70, 50: 0.80},
        early={0: 0.62, 1: 0.63, 5: 0.60, 10: 0.65, 50: 0.65},
        late={0: 0.61, 1: 0.62, 5: 0.66, 10: 0.70, 50: 0.79},
        never={1: 0.40, 5: 0.50, 10: 0.60, 50: 0.70},
        beyond={1: 0.55, 5: 0.65, 10: 0.75, 50: 0.85},
    )
    found = plotting.break_even(table, baseline="target").set_index("method")
    assert found["says"].to_dict() == {
        "": "beyond 50 per class",
        "early": "5 per class",
        "late": "10 per class",
        "never": "source never helps",
        "beyond": "beyond 50 per class",
    }
    assert found.loc["late", "break_even"] == 10 and np.isnan(found.loc["beyond", "break_even"])
    assert found.loc["late", "clear_up_to"] == 5 and found.loc["early", "clear_up_to"] == 1
    assert np.isnan(found.loc["never", "clear_up_to"])
    assert found.loc["early", ["largest_gain", "at_shots"]].tolist() == pytest.approx([0.13, 1])
    without = plotting.break_even(table[table["method"] != "beyond"], baseline="target").set_index("method")
    assert without.loc["", "break_even"] == 10, "early is best first, then late"


def test_break_even_needs_its_baseline_but_no_source():
    table = few_shot(target={1: 0.5})
    assert plotting.break_even(table, baseline="target").empty
    with pytest.raises(ParameterError, match="'svm' has no few-shot curve; there are: target"):
        plotting.break_even(table, baseline="svm")


def test_the_best_with_fewest_and_with_most_labels_is_said():
    table = few_shot(target={1: 0.5, 50: 0.8}, pooled={0: 0.6, 1: 0.62, 50: 0.75})
    assert plotting.plot_few_shot(table, title="x to y").alt == (
        "Few labelled target utterances: x to y. With 0 per class the best is Method pooled, UAR 0.60. "
        "With 50 per class the best is Method target, UAR 0.80."
    )
