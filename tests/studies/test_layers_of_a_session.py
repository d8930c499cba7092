"""What is read from the layers of an encoder, and kept."""

from __future__ import annotations

import pandas as pd
import pytest

from serlab import experiment
from serlab.studies import layer_probes, layer_weights
from tests import toys


@pytest.fixture
def session(tmp_path):
    parameters = experiment.Parameters(
        target="b",
        sources=("a",),
        methods=("tdnn-frozen-target",),
        baseline="tdnn-frozen-target",
        preset="demo",
        protocol="speaker-groups",
        folds=2,
        options={"encoder": "whisper"},
    )
    session = experiment.Session(parameters, prepared=toys.on_encoder(), folder=tmp_path)
    # The acoustic model is not the question here.
    session._known["acoustic_model"] = None
    return session


def test_layers_of_an_encoder_are_found_by_the_names_of_its_features(session):
    layers = layer_probes.layers_of(session)
    (network,) = layers.values()
    assert list(network) == ["layer0", "layer1", "layer2"] and network["layer1"].shape == (80, 8)


def test_probes_see_the_emotion_where_it_is_and_are_kept(session, tmp_path):
    layers = layer_probes.layers_of(session)
    probed = layer_probes.run(session)
    (table,) = probed.values()
    emotion = table[table["what"] == "emotion"].set_index("layer")["uar"]
    assert emotion["layer1"] > 0.95 and emotion.drop("layer1").max() < 0.75
    wide = layer_probes.probe_table(table)
    assert list(wide.index) == ["layer0", "layer1", "layer2", "chance"]
    assert wide.loc["layer1", "emotion"] == emotion["layer1"] and wide.loc["chance", "emotion"] == 0.5
    again = layer_probes.run(session, {name: {} for name in layers})
    pd.testing.assert_frame_equal(next(iter(again.values())), table)
    assert (tmp_path / "probes.csv").is_file()


def test_no_method_that_weighs_layers_no_weights(session):
    found = layer_weights.learned(session)
    assert found.empty and list(found) == ["method", "fold", "seed", "layer", "weight"]
