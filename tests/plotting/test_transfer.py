"""Figures of transfer are checked through their tables, texts and lines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.errors import ParameterError
from serlab.plotting import MISSING, transfer
from tests.plotting.test_plotting import FOUR, is_within_page, texts


def probes(layers: list[str]) -> pd.DataFrame:
    rows = [
        {"layer": layer, "what": what, "uar": 0.3 + 0.05 * number, "low": 0.25, "high": 0.9,
         "chance": chance, "permuted": chance + 0.01, "held_out": held_out, "n": 40, "n_classes": 4,
         "n_left_out": 0}
        for number, layer in enumerate(layers)
        for what, chance, held_out in (("emotion", 0.25, "speaker"), ("speaker", 0.1, "text"))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def weights(**methods: list[list[float]]) -> pd.DataFrame:
    """Method -> weights of each fit."""
    rows = [
        {"method": method, "fold": f"f{fold}", "seed": 0, "layer": f"layer{layer}", "weight": weight}
        for method, fits in methods.items()
        for fold, fit in enumerate(fits)
        for layer, weight in enumerate(fit)
    ]
    return pd.DataFrame(rows)


def answers(**methods: list[list[tuple[int, int]]]) -> pd.DataFrame:
    """Method -> (true, answer) of each fold."""
    rows = [
        {"method": method, "fold": f"f{fold}", "seed": 0, "y_true": true, "y_pred": predicted}
        for method, folds in methods.items()
        for fold, pairs in enumerate(folds)
        for true, predicted in pairs
    ]
    return pd.DataFrame(rows).assign(**{f"p_{name}": 0.25 for name in FOUR})


def test_probes_are_one_line_a_question_with_chance_and_control():
    table = probes(["layer0", "layer1", "layer2"])
    figure = transfer.plot_probes(table, title="Whisper")
    (axes,) = figure.axes
    assert len(figure.axes) == 1 and is_within_page(figure)
    lines = axes.get_lines()
    assert len(lines) == 6
    np.testing.assert_allclose(lines[0].get_ydata(), [0.3, 0.35, 0.4])
    np.testing.assert_allclose(lines[1].get_ydata(), 0.26)
    np.testing.assert_allclose(lines[2].get_ydata(), 0.25)
    written = texts(figure)
    for text in ("emotion (unseen speakers)", "speaker (unseen texts)", "layer2", "chance", "Whisper"):
        assert text in written


def test_many_layers_and_one_missing_still_fit():
    table = probes([f"tdnn{number}" for number in range(1, 14)] + ["prefinal"])
    missing = table[~((table["layer"] == "tdnn3") & (table["what"] == "speaker"))]
    figure = transfer.plot_probes(missing)
    assert is_within_page(figure) and "tdnn13" in texts(figure)
    with pytest.raises(ParameterError, match="no rows"):
        transfer.plot_probes(table.iloc[:0])


def test_layer_weights_are_means_with_the_range_of_fits():
    table = weights(a=[[0.2, 0.8], [0.4, 0.6]], b=[[0.5, 0.5]])
    found = transfer.layer_weight_table(table, titles={"a": "Method A"}).set_index(["method", "layer"])
    assert found.loc[("a", "layer0"), ["weight", "weight_low", "weight_high"]].tolist() == pytest.approx(
        [0.3, 0.2, 0.4]
    )
    assert (
        found["n_fits"].tolist() == [2, 2, 1, 1] and found["title"].tolist() == ["Method A"] * 2 + ["b"] * 2
    )
    figure = transfer.plot_layer_weights(table, titles={"a": "Method A"})
    written = texts(figure)
    assert is_within_page(figure)
    for text in ("Method A (2 fits)", "b (1 fit)", "layer1", "all alike"):
        assert text in written
    with pytest.raises(ParameterError, match=r"'a' \(fold f0, seed 0\) add up to 1.500.*softmax"):
        transfer.layer_weight_table(weights(a=[[0.5, 1.0]]))
    assert "No method" in texts(transfer.plot_layer_weights(table.iloc[:0]))


def test_confusions_are_averaged_over_folds_not_added():
    # 1 of 1 right in the first fold, 1 of 4 in the second, which alone has the class anger.
    table = answers(m=[[(0, 0)], [(0, 0), (0, 1), (0, 1), (0, 1), (1, 1)]])
    found = transfer.mean_confusion_table(table).set_index(["true", "predicted"])
    neutral, anger = FOUR[:2]
    assert found.loc[(neutral, neutral), "share"] == pytest.approx((1 + 0.25) / 2)
    assert found.loc[(neutral, anger), "sd"] == pytest.approx(np.std([0, 0.75], ddof=1))
    assert found.loc[(anger, anger), ["share", "n_fits"]].tolist() == [1, 1]
    assert np.isnan(found.loc[(anger, anger), "sd"])
    assert np.isnan(found.loc[("joy", "joy"), "share"]) and found.loc[("joy", "joy"), "n_fits"] == 0
    figure = transfer.plot_mean_confusions(table, titles={"m": "Transfer"})
    written = texts(figure)
    assert is_within_page(figure)
    for text in ("62%\n±53", "Transfer", "mean recall 0.81", "mean of 1 to 2 fits", MISSING):
        assert text in written


def test_confusions_of_several_methods_have_a_panel_each():
    pairs = [[(i % 4, (i * j) % 4) for i in range(20)] for j in (1, 2)]
    figure = transfer.plot_mean_confusions(answers(a=pairs, b=pairs, c=pairs, d=pairs), ["a", "d"])
    assert [axes.get_title(loc="left").splitlines()[0] for axes in figure.axes] == ["a", "d"]
    assert "mean of 2 fits" in texts(figure)
