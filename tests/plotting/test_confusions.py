from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from tests.plotting.made import FOUR, SEVEN, answers, is_within_page, predictions, texts


def test_confusion_table_counts_and_shares():
    table = pd.DataFrame(
        {"method": "m", "y_true": [0, 0, 1], "y_pred": [0, 1, 1], "p_low": 0.5, "p_high": 0.5}
    )
    table["p_none"] = 0.0  # a class that never occurs
    counted = plotting.confusion_table(table).set_index(["true", "predicted"])
    assert counted.loc[("low", "high"), "n"] == 1
    assert counted.loc[("low", "high"), "share"] == 0.5
    assert counted.loc[("high", "high"), "share"] == 1
    assert counted.loc["none", "share"].isna().all()
    assert counted["n"].sum() == 3
    assert "UAR 0.75" in texts(plotting.plot_confusions(table))


@pytest.mark.parametrize(("n", "classes"), [(1, ("low", "high")), (5, FOUR), (3, SEVEN)])
def test_plot_confusions_of_two_to_seven_classes(n, classes):
    figure = plotting.plot_confusions(predictions([f"m{i}" for i in range(n)], classes))
    assert sum(axes.get_visible() for axes in figure.axes) == n
    assert is_within_page(figure)


def test_confusions_are_averaged_over_folds_not_added():
    # 1 of 1 right in the first fold, 1 of 4 in the second, which alone has the class anger.
    table = answers(m=[[(0, 0)], [(0, 0), (0, 1), (0, 1), (0, 1), (1, 1)]])
    found = plotting.mean_confusion_table(table).set_index(["true", "predicted"])
    neutral, anger = FOUR[:2]
    assert found.loc[(neutral, neutral), "share"] == pytest.approx((1 + 0.25) / 2)
    assert found.loc[(neutral, anger), "sd"] == pytest.approx(np.std([0, 0.75], ddof=1))
    assert found.loc[(anger, anger), ["share", "n_fits"]].tolist() == [1, 1]
    assert np.isnan(found.loc[(anger, anger), "sd"])
    assert np.isnan(found.loc[("joy", "joy"), "share"]) and found.loc[("joy", "joy"), "n_fits"] == 0
    figure = plotting.plot_mean_confusions(table, titles={"m": "Transfer"})
    written = texts(figure)
    assert is_within_page(figure)
    for text in ("62%\n±53", "Transfer", "UAR 0.70", "mean of 1 to 2 fits", plotting.MISSING):
        assert text in written


def test_confusions_of_several_methods_have_a_panel_each():
    pairs = [[(i % 4, (i * j) % 4) for i in range(20)] for j in (1, 2)]
    figure = plotting.plot_mean_confusions(answers(a=pairs, b=pairs, c=pairs, d=pairs), ["a", "d"])
    assert [axes.get_title(loc="left").splitlines()[0] for axes in figure.axes] == ["a", "d"]
    assert "mean of 2 fits" in texts(figure)


def test_what_is_confused_most_is_said_and_written_to_be_read():
    table = answers(m=[[(0, 0), (0, 0), (0, 1), (1, 1), (2, 2), (3, 3)]])
    figure = plotting.plot_confusions(table, titles={"m": "Method"})
    assert figure.finding == "Method: UAR 0.92, neutral taken for anger in 33%."
    colours = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert colours["100%\n1"] == "white" and colours["33%\n1"] == colours["0%\n0"] == "black"
