from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from serlab.errors import ParameterError
from serlab.plotting import networks
from tests.plotting.made import attention, history, is_within_page, loss_terms, texts, utterances, width


def test_training_shows_every_fit_and_their_mean():
    figure = plotting.plot_training(history({("a", "target"): 4}, validation=True), titles={"a": "Network A"})
    loss, uar = figure.axes
    assert len(loss.lines) == len(uar.lines) == 2 * (3 + 1)
    thick = [line for line in loss.lines if line.get_linewidth() > 2]
    np.testing.assert_allclose(thick[0].get_ydata(), 1 + 1 / np.arange(1, 5))
    np.testing.assert_allclose(thick[1].get_ydata(), 2 + 1 / np.arange(1, 5))
    assert "Network A (3 fits)" in texts(figure) and "validation" in texts(figure)


def test_training_mean_ends_where_most_fits_have_stopped():
    table = history({("a", "target"): 6})
    table = table[(table["fold"] == 0) | (table["epoch"] <= 2)]
    mean = plotting.plot_training(table).axes[0].lines[-1]
    assert list(mean.get_xdata()) == [1, 2]


def test_training_has_a_row_a_stage():
    figure = plotting.plot_training(history({("a", "source"): 5, ("a", "target"): 1, ("b", "target"): 5}))
    written = texts(figure)
    assert "a, source (3 fits)" in written and "a, target (3 fits)" in written and "b (3 fits)" in written
    assert "validation" not in written
    assert len(figure.axes) == 6 and width(figure) == 900 and is_within_page(figure)


def test_every_term_of_the_loss_has_a_panel_with_fits_and_mean():
    table = loss_terms(a=("classification", "alignment"), b=("classification",))
    source = table.assign(stage="source", loss_classification=np.nan, loss_alignment=np.nan)
    figure = plotting.plot_loss_terms(pd.concat([source, table]), titles={"a": "With MMD"})
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_ylabel() for axes in shown] == ["classification", "alignment", "classification"]
    thick = [line for line in shown[1].lines if line.get_linewidth() > 2]
    np.testing.assert_allclose(thick[0].get_ydata(), 1 + 1 + 1 / np.arange(1, 6))
    assert len(shown[1].lines) == 4 and "With MMD (3 fits)" in texts(figure) and width(figure) == 900


def test_largest_weight_by_position_and_what_durations_alone_give():
    table = utterances({"x": 1}).iloc[:4].assign(duration=[1.0, 2.0, 3.0, 4.0])
    weights = attention(
        [1, np.nan, np.nan], [0.2, 0.8, np.nan], [0.9, 0.05, 0.05], [0.3, 0.3, 0.4], names=list(table.index)
    )
    found = plotting.attention_positions(weights, table).set_index("position")
    assert found["share"].tolist() == [0.5, 0.25, 0.25]
    np.testing.assert_allclose(found["by_chance"], [(1 + 1 / 2 + 2 / 3) / 4, (1 / 2 + 2 / 3) / 4, 2 / 3 / 4])
    assert found["n_utterances"].tolist() == [4, 4, 4]
    row = plotting.attention_table(weights, table, titles={"m": "Network"}).iloc[0]
    assert row["peaked"] == pytest.approx(2 / 3), "of three with two weights or more, .6 and .85 lead by .5"
    assert row["n_single"] == 1 and row["first"] == 0.5 and row["median_duration"] == 2.5
    assert row["first_by_chance"] == pytest.approx(found["by_chance"].iloc[0])
    assert row["title"] == "Network"


def test_attention_is_apart_for_each_corpus_method_and_part():
    table = utterances({"x": 1, "y": 1}).assign(duration=1.0)
    names = list(table.index)
    both = pd.concat(
        [
            attention(*[[0.9, 0.1]] * len(names), names=names, method="a"),
            attention(*[[0.1, 0.9]] * len(names), names=names, method="b"),
            attention(*[[0.5, 0.5]] * len(names), names=names, method="b", part="test"),
        ]
    )
    found = plotting.attention_table(both, table).set_index(["method", "corpus"])
    assert found.loc[("a", "x"), "first"] == 1 and found.loc[("b", "y"), "first"] == 0
    assert found["peaked"].eq(1).all()
    assert plotting.attention_table(both, table, part="test")["peaked"].eq(0).all()
    figure = plotting.plot_attention_positions(both, table, titles={"a": "Network A"})
    assert "Network A\nx: 16 utterances, 1 fit" in texts(figure)
    assert sum(axes.get_visible() for axes in figure.axes) == 4 and is_within_page(figure)
    with pytest.raises(ParameterError, match="'test'; there is: train"):
        plotting.plot_attention_positions(both[both["part"] == "train"], table, part="test")


def test_weights_are_taken_in_the_order_of_their_numbers():
    table = pd.DataFrame(columns=["a_10", "a_2", "a_1", "a_x", "b_1"])
    assert networks.numbered(table, "a") == ["a_1", "a_2", "a_10"]
