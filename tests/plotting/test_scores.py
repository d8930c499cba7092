from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import metrics, plotting
from tests.plotting.made import (
    FOUR,
    is_within_page,
    predictions,
    summary,
    texts,
    width,
)


def test_plot_uar_says_chance_badge_transductive_and_values():
    written = texts(plotting.plot_uar(summary(), title="emodb to urdu"))
    assert "UAR per method: emodb to urdu" in written
    assert "chance, 1/4 = 0.25" in written
    assert "[random split]" in written
    assert "transductive: saw the test utterances" in written
    assert "0.35 [0.30, 0.40]" in written


@pytest.mark.parametrize("n", [1, 20])
def test_plot_uar_of_one_and_of_twenty_methods(n):
    figure = plotting.plot_uar(summary(n))
    assert width(figure) == 900
    assert len(plotting.png(figure)) < 100_000
    assert is_within_page(figure)


def test_missing_intervals_and_values_are_said_not_drawn():
    table = summary(3, classes=("low", "high")).assign(uar_low=np.nan, uar_high=np.nan)
    table.loc[2, "uar"] = np.nan
    written = texts(plotting.plot_uar(table))
    assert "not run" in written and "0.50" in written and "[0" not in written
    assert "chance, 1/2 = 0.50" in written
    plotting.plot_uar(table[["method", "access", "uar"]], n_classes=2)  # the rest may be absent


def test_plot_folds_counts_what_was_skipped():
    results = pd.DataFrame({"method": ["a"] * 3 + ["b"], "access": "none", "uar": [0.1, 0.5, np.nan, 0.4]})
    figure = plotting.plot_folds(results, titles={"a": "Method A"})
    assert "2 (1 skipped)" in texts(figure)
    assert "Method A" in texts(figure)
    assert "accuracy fold by fold" in texts(
        plotting.plot_folds(results.rename(columns={"uar": "accuracy"}), metric="accuracy")
    )


def test_plot_published_names_differences_and_what_was_not_run():
    table = pd.DataFrame(
        {
            "title": ["forest", "network", "other"],
            "published": [0.5, 0.4, 0.3],
            "measured": [0.6, 0.2, np.nan],
            "low": [0.5, 0.1, np.nan],
            "high": [0.7, 0.3, np.nan],
            "difference": ["other speakers", None, "other speakers"],
        }
    )
    figure = plotting.plot_published(table, chance=0.25, title="table 2")
    written = texts(figure)
    assert "forest (a)" in written and "other (a)" in written and "network (" not in written
    assert written.count("(a) other speakers") == 1
    assert "not run" in written and "chance, 0.25" in written
    assert is_within_page(figure)


def test_what_differs_in_all_that_was_measured_is_said_once():
    table = pd.DataFrame(
        {
            "title": ["forest", "network", "other", "third"],
            "published": [0.5, 0.4, 0.3, np.nan],
            "measured": [0.6, 0.2, np.nan, 0.5],
            "difference": [
                "same corpora; seeds: 5 there, 1 here; a note",
                "features: a there, b here; same corpora; seeds: 5 there, 1 here",
                "same corpora",
                "no number was published",
            ],
        }
    )
    written = texts(plotting.plot_published(table))
    assert "All that was measured: same corpora; seeds: 5 there, 1 here" in written
    for part in ("forest (a)", "network (b)", "other (c)", "third (d)", "(a) a note", "(c) same corpora"):
        assert part in written
    assert written.count("seeds: 5 there") == 1


def test_confounds_stand_side_by_side():
    row = {"metric": "UAR", "value": 0.8, "low": 0.7, "high": 0.9, "chance": 0.25}
    table = pd.DataFrame(
        [
            {**row, "measure": "random split", "title": "Network"},
            {**row, "measure": "speaker-disjoint split", "title": "Network", "value": 0.4},
            {**row, "measure": "speaker recognised", "metric": "accuracy", "low": np.nan},
        ]
    )
    figure = plotting.plot_confounds(table, title="urdu")
    written = texts(figure)
    assert "random split\nNetwork" in written and "0.80 [0.70, 0.90]" in written
    assert "accuracy" in written and "What the score rests on: urdu" in written
    bars = [patch for patch in figure.axes[0].patches if patch.get_fill()]
    assert [bar.get_width() for bar in bars] == [0.8, 0.4, 0.8]
    assert len({bar.get_hatch() for bar in bars}) == 3
    assert is_within_page(figure)


def test_per_class_measures_by_hand():
    rows = [
        ("m", "f0", 0, 0, 0), ("m", "f0", 0, 0, 1), ("m", "f1", 0, 1, 1), ("m", "f1", 0, 1, 1),
        ("m", "f0", 1, 0, 0), ("m", "f0", 1, 0, 0), ("m", "f1", 1, 1, 0), ("m", "f1", 1, 1, 0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["method", "fold", "seed", "y_true", "y_pred"])
    found = plotting.per_class_table(table, ["a", "b", "c"], titles={"m": "M"}).set_index("measure")
    assert found["title"].tolist() == ["M"] * 3
    # Both seeds together: a is right in 3 of 4, b in 2 of 4; a is answered 5 times, b 3 times.
    assert found.loc["recall", ["a", "b"]].tolist() == [0.75, 0.5]
    assert found.loc["precision", ["a", "b"]].tolist() == pytest.approx([3 / 5, 2 / 3])
    assert found.loc["F1", ["a", "b"]].tolist() == pytest.approx([6 / 9, 4 / 7])
    assert found["c"].isna().all() and found.loc["recall", "mean"] == 0.625


def test_mean_recall_is_the_uar():
    table = predictions(("a", "b")).assign(fold="f", seed=0)
    found = plotting.per_class_table(table, FOUR).query("measure == 'recall'").set_index("method")["mean"]
    own = table[table["method"] == "b"]
    assert found["b"] == pytest.approx(float(metrics.uar(metrics.confusion(own["y_true"], own["y_pred"], 4))))


# --- what is to be seen, in words ---


def test_uar_says_the_best_of_those_that_saw_the_same():
    table = summary(2).assign(access=["none", "target-only"], title=["Source", "Alone"])
    assert plotting.plot_uar(table, title="a to b").alt == (
        "UAR per method: a to b. Sees nothing of the target: highest 0.20 [0.15, 0.25], Source. "
        "Target only, no other corpus: highest 0.80 [0.75, 0.85], Alone. Chance: 0.25."
    )
    table["uar"] = [0.9, np.nan]
    assert plotting.plot_uar(table, chance=0.5).finding == (
        "Sees nothing of the target: highest 0.90 [0.15, 0.25], Source. Chance: 0.50."
    )
    assert plotting.plot_uar(table.assign(uar=np.nan)).finding == "No method was run."


def test_what_has_to_be_known_of_a_row_stands_below():
    table = summary(2).assign(title=["Majority", "Other"], note=["may be below chance", ""])
    figure = plotting.plot_uar(table)
    legend = figure.legends[0].get_title().get_text()
    assert legend == "Majority: may be below chance"
    assert is_within_page(figure)


def test_folds_and_published_say_what_stands_out():
    results = pd.DataFrame({"method": ["a"] * 3 + ["b"], "access": "none", "uar": [0.1, 0.5, np.nan, 0.4]})
    assert plotting.plot_folds(results).finding == (
        "Highest median: b 0.40. Widest: a, 0.10 to 0.50 over 2 folds. 1 skipped."
    )
    table = pd.DataFrame(
        {"title": ["A", "B", "C"], "published": [0.5, 0.4, 0.3], "measured": [0.4, 0.7, np.nan]}
    )
    assert plotting.plot_published(table).finding == (
        "The paper's accuracy is above ours in 1 of 2 rows. Largest difference: B, 0.40 published, "
        "0.70 here. 1 not run."
    )


def test_the_middle_half_of_the_folds_is_boxed():
    results = pd.DataFrame({"method": "a", "uar": [0.1, 0.2, 0.3, 0.4, 0.5]})
    (box,) = plotting.plot_folds(results).axes[0].patches
    assert (box.get_x(), box.get_x() + box.get_width()) == pytest.approx((0.2, 0.4))
