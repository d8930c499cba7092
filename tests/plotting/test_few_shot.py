from __future__ import annotations

import pytest

from serlab import plotting
from serlab.evaluation import intervals
from tests.plotting.made import few_shot, few_shot_gains, is_within_page, texts


def test_few_shot_numbers_stand_at_equal_distances():
    table = few_shot(target={1: 0.5, 50: 0.8}, pooled={0: 0.6, 1: 0.62, 50: 0.75})
    figure = plotting.plot_few_shot(table, chance=0.5, title="x to y")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "50"]
    by_title = {line.get_label(): line for line in axes.lines}
    assert list(by_title["Method target"].get_xdata()) == [1, 2]
    assert list(by_title["Method pooled"].get_ydata()) == [0.6, 0.62, 0.75]
    assert "chance, 0.50" in texts(figure) and is_within_page(figure)


def test_break_even_is_where_the_target_alone_catches_up_for_good():
    table = few_shot_gains(
        early={1: 0.13, 5: 0.0, 10: -0.05, 50: -0.15},
        late={1: 0.12, 5: 0.06, 10: 0.01, 50: -0.01},
        never={1: -0.10, 5: -0.10},
        beyond={1: 0.05, 5: 0.01},
        later={1: -0.18, 5: 0.03, 10: 0.06},
    )
    found = plotting.break_even(table).set_index("method")
    assert found["break_even"].dropna().to_dict() == {"early": 5, "late": 50, "never": 1}
    assert found["helps_with"].to_dict() == {
        "early": "1", "late": "1, 5", "never": "", "beyond": "1", "later": "5, 10",
    }  # fmt: skip
    assert found.loc[["early", "never", "later"], "hurts_with"].tolist() == ["10, 50", "1, 5", "1"]
    assert found.loc["early", ["largest_gain", "at_shots"]].tolist() == pytest.approx([0.13, 1])
    assert found.loc["late", "says"] == (
        "the source is shown to help with 1, 5 per class; the target alone is as good from 50 per class on; "
        "largest gain +0.12 [+0.10, +0.14], with 1 per class"
    )
    assert found.loc["never", "says"].startswith(
        "no gain is shown; it is shown to hurt with 1, 5 per class; the target alone is as good from 1 per"
    )
    assert "on average better with 10 per class, the most tried" in found.loc["later", "says"]
    assert plotting.break_even(table[:0]).empty


def test_gains_stand_about_nothing_and_say_over_what():
    figure = plotting.plot_few_shot_gains(few_shot_gains(pooled={1: 0.13, 50: -0.05}), title="x to y")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "50"]
    assert any(list(line.get_ydata()) == [0, 0] for line in axes.lines), "a line at no gain"
    assert is_within_page(figure)
    assert f"Bands: {intervals.LABEL} over speakers and draws" in texts(figure)
    assert figure.alt.startswith(
        "What the source adds to few labels: x to y. Method pooled: the source is shown to help with 1 per"
    )


def test_the_best_with_fewest_and_with_most_labels_is_said():
    table = few_shot(target={1: 0.5, 50: 0.8}, pooled={0: 0.6, 1: 0.62, 50: 0.75})
    assert plotting.plot_few_shot(table, title="x to y").alt == (
        "Few labelled target utterances: x to y. With 0 per class the best is Method pooled, UAR 0.60. "
        "With 50 per class the best is Method target, UAR 0.80."
    )
