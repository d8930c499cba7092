from __future__ import annotations

import numpy as np
import pytest

from serlab import plotting
from serlab.errors import ParameterError
from tests.plotting.made import is_within_page, layer_weights, probes, texts


def test_probes_are_one_line_a_question_with_chance_and_control():
    table = probes(["layer0", "layer1", "layer2"])
    figure = plotting.plot_probes(table, title="Whisper")
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
    figure = plotting.plot_probes(missing)
    assert is_within_page(figure) and "tdnn13" in texts(figure)
    with pytest.raises(ParameterError, match="no rows"):
        plotting.plot_probes(table.iloc[:0])


def test_layer_weights_are_means_with_the_range_of_fits():
    table = layer_weights(a=[[0.2, 0.8], [0.4, 0.6]], b=[[0.5, 0.5]])
    found = plotting.layer_weight_table(table, titles={"a": "Method A"}).set_index(["method", "layer"])
    assert found.loc[("a", "layer0"), ["weight", "weight_low", "weight_high"]].tolist() == pytest.approx(
        [0.3, 0.2, 0.4]
    )
    assert (
        found["n_fits"].tolist() == [2, 2, 1, 1] and found["title"].tolist() == ["Method A"] * 2 + ["b"] * 2
    )
    figure = plotting.plot_layer_weights(table, titles={"a": "Method A"})
    written = texts(figure)
    assert is_within_page(figure)
    for text in ("Method A (2 fits)", "b (1 fit)", "layer1", "all alike"):
        assert text in written
    with pytest.raises(ParameterError, match=r"'a' \(fold f0, seed 0\) add up to 1.500.*softmax"):
        plotting.layer_weight_table(layer_weights(a=[[0.5, 1.0]]))
    assert "No method" in texts(plotting.plot_layer_weights(table.iloc[:0]))
