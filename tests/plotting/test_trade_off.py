from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from tests.plotting.made import is_within_page, sweep, texts


def test_what_is_chosen_and_how_far_it_is_from_the_oracle():
    table = sweep({0: 0.5, 0.1: 0.7, 1: 0.6}, {0: 0.1, 0.1: 0.2, 1: 0.9})
    assert plotting.selectors(table) == ["source_validation"], "a score that is never known is none"
    chosen = plotting.chosen_table(table)
    assert chosen.groupby("selector")["trade_off"].agg(list).to_dict() == {
        "source_validation": [1, 1],
        "always 0": [0, 0],
        "oracle": [0.1, 0.1],
    }
    found = plotting.selector_table(table).set_index("selector")
    row = found.loc["source_validation", ["most_chosen", "uar", "uar_oracle", "gap", "gap_random", "n_fits"]]
    assert row.tolist() == pytest.approx([1, 0.6, 0.7, 0.1, 0.1, 2])
    assert found.loc["oracle", "gap"] == 0
    assert found["over_zero"].tolist() == pytest.approx([0.1, 0, 0.2])
    assert found.loc["always 0", "gap"] == pytest.approx(0.2)


def test_what_choosing_costs_over_methods():
    worse = sweep({0: 0.6, 0.1: 0.5, 1: 0.4}, {0: 0.1, 0.1: 0.2, 1: 0.9}, method="b")
    both = pd.concat([sweep({0: 0.5, 0.1: 0.7, 1: 0.6}, {0: 0.1, 0.1: 0.2, 1: 0.9}), worse])
    costs = plotting.cost_table(both).set_index("selector")
    assert list(costs.index) == ["oracle", "always 0", "source_validation"], "the best first"
    row = costs.loc["source_validation", ["uar", "gap", "over_zero", "least_over_zero", "n_methods"]]
    assert row.tolist() == pytest.approx([0.5, 0.15, -0.05, -0.2, 2])
    said = plotting.plot_sweep(both).finding
    assert "0 of 1 selectors choose better, on average, than always lambda 0" in said
    without = plotting.selector_table(both[both["trade_off"] > 0])
    assert "always 0" not in set(without["selector"]) and without["over_zero"].isna().all()


def test_choices_are_made_fit_by_fit_and_ties_go_to_the_smaller_trade_off():
    table = sweep({0: 0.5, 1: 0.6}, {1: 0.3, 0: 0.3})
    table.loc[(table["fold"] == "f1") & (table["trade_off"] == 0), "source_validation"] = 0.1
    chosen = plotting.chosen_table(table.iloc[::-1]).query("selector == 'source_validation'")
    assert chosen.set_index("fold")["trade_off"].to_dict() == {"f0": 0, "f1": 1}
    table.loc[table["fold"] == "f0", "source_validation"] = np.nan
    assert plotting.selector_table(table).set_index("selector")["n_fits"].to_dict() == {
        "source_validation": 1,
        "always 0": 2,
        "oracle": 2,
    }


def test_sweep_has_a_panel_a_method_and_a_place_for_zero():
    parts = [
        sweep({0: 0.5, 0.1: 0.7, 1: 0.6}, {0: 0.1, 0.1: 0.2, 1: 0.9}, method=name) for name in ("a", "b", "c")
    ]
    figure = plotting.plot_sweep(pd.concat(parts), chance=0.25)
    written = texts(figure)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == 6 and is_within_page(figure)
    for text in ("Method c", "source validation", "oracle", "lambda 0: no alignment", "chance, 0.25"):
        assert text in written
    line = shown[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), [-2, -1, 0])
    np.testing.assert_allclose(line.get_ydata(), [0.5, 0.7, 0.6])
    only_zero = sweep({0: 0.5}, {0: 0.1})
    assert isinstance(plotting.plot_sweep(only_zero), plotting.Figure)
