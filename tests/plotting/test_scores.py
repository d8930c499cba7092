from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import metrics, plotting
from tests.plotting.made import (
    FOUR,
    comparison,
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


def test_plot_gain_shows_sign_p_and_verdict_by_marker():
    figure = plotting.plot_gain(comparison(), titles={"rf-target": "Forest, target only"})
    written = texts(figure)
    for text in (
        "+0.10",
        "\N{MINUS SIGN}0.20",
        "0.00",
        "< .001",
        ".010",
        "hurts",
        "that of Forest, target only",
    ):
        assert text in written
    drawn = {line.get_marker(): line.get_color() for line in figure.axes[0].lines}
    assert drawn["v"] == plotting.VERDICTS["hurts"][0]
    assert drawn["^"] == plotting.VERDICTS["helps"][0]
    low, high = figure.axes[0].get_xlim()
    assert low == -high  # neither direction looks larger
    assert is_within_page(figure)


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
    # Seed 0: a is right in 1 of 2, b in 2 of 2; seed 1 always answers a.
    assert found.loc["recall", ["a", "b"]].tolist() == [0.75, 0.5]
    assert found.loc["precision", ["a", "b"]].tolist() == pytest.approx([0.75, 2 / 3])
    assert found.loc["F1", ["a", "b"]].tolist() == pytest.approx([2 / 3, (0.8 + 0) / 2])
    assert found["c"].isna().all() and found.loc["recall", "mean"] == 0.625


def test_mean_recall_is_the_uar():
    table = predictions(("a", "b")).assign(fold="f", seed=0)
    found = plotting.per_class_table(table, FOUR).query("measure == 'recall'").set_index("method")["mean"]
    own = table[table["method"] == "b"]
    assert found["b"] == pytest.approx(float(metrics.uar(metrics.confusion(own["y_true"], own["y_pred"], 4))))


# --- what is to be seen, in words ---


def test_uar_says_the_best_and_the_best_of_the_other_kind():
    table = summary(2).assign(access=["none", "target-only"], title=["Source", "Alone"])
    assert plotting.plot_uar(table, title="a to b").alt == (
        "UAR per method: a to b. Best: Alone 0.80 [0.75, 0.85]. "
        "Best with another corpus: Source 0.20 [0.15, 0.25]. Chance: 0.25."
    )
    table["uar"] = [0.9, np.nan]
    assert plotting.plot_uar(table).finding == "Best: Source 0.90 [0.15, 0.25]. Chance: 0.25."
    assert plotting.plot_uar(table.assign(uar=np.nan)).finding == "No method was run."


def test_gain_says_first_what_helps_or_that_nothing_does():
    own = comparison().assign(title=["A", "B", "C"])
    says = plotting.plot_gain(own, titles={"rf-target": "Forest"}).finding
    assert says == (
        "Gain over Forest. Helps: A +0.10 [+0.05, +0.15]. No difference shown: C 0.00 "
        "[\N{MINUS SIGN}0.10, +0.10]. Hurts: B \N{MINUS SIGN}0.20 [\N{MINUS SIGN}0.30, \N{MINUS SIGN}0.10]."
    )
    assert "Nothing is shown to help. No difference" in plotting.plot_gain(own.iloc[1:]).finding


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
