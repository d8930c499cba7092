"""Questions of notebook 05."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from serlab import experiment, methods
from serlab.methods import encoder
from serlab.studies import transfer
from serlab.studies.few_shot import Curves


def prepared(n_layers: int = 3, width: int = 4, seed: int = 0) -> SimpleNamespace:
    """Two corpora of two speakers; the second layer of an encoder holds the emotion."""
    rng = np.random.default_rng(seed)
    corpus = np.repeat(["a", "b"], 40)
    y = np.tile([0, 1], 40)
    X = rng.normal(size=(80, n_layers, 2 * width))
    X[:, 1, :2] += 5 * y[:, None]
    names = [
        f"layer{layer}.{part}.{i:03d}"
        for layer in range(n_layers)
        for part in ("mean", "sd")
        for i in range(width)
    ]
    index = pd.Index([f"{name}/{i}" for i, name in enumerate(corpus)], name="utterance")
    utterances = pd.DataFrame(
        {
            "corpus": corpus,
            "speaker": [f"{name}/{i // 2 % 2}" for i, name in enumerate(corpus)],
            "sex": ["female" if i // 2 % 2 else "male" for i in range(80)],
            "text_id": None,
            "emotion": pd.Categorical.from_codes(y, ["anger", "joy"]),
        },
        index=index,
    )
    table = pd.DataFrame(X.reshape(80, -1), index=index, columns=names, dtype=np.float32)
    return SimpleNamespace(utterances=utterances, further={encoder.POOLED: (table,)}, fingerprint="f")


@pytest.fixture
def parameters():
    return experiment.Parameters(
        target="b",
        sources=("a",),
        methods=("tdnn-frozen-target",),
        baseline="tdnn-frozen-target",
        preset="demo",
        protocol="speaker-groups",
        folds=2,
    )


def test_layers_of_an_encoder_are_found_by_the_names_of_its_features(parameters):
    layers = transfer.layers_of(parameters, prepared(), None)
    (network,) = layers.values()
    assert list(network) == ["layer0", "layer1", "layer2"] and network["layer1"].shape == (80, 8)


def test_probes_see_the_emotion_where_it_is_and_are_kept(parameters, tmp_path):
    layers = transfer.layers_of(parameters, prepared(), None)
    probed = transfer.probes(parameters, prepared(), layers, folder=tmp_path)
    (table,) = probed.values()
    emotion = table[table["what"] == "emotion"].set_index("layer")["uar"]
    assert emotion["layer1"] > 0.95 and emotion.drop("layer1").max() < 0.75
    wide = transfer.probe_table(table)
    assert list(wide.index) == ["layer0", "layer1", "layer2", "chance"]
    assert wide.loc["layer1", "emotion"] == emotion["layer1"] and wide.loc["chance", "emotion"] == 0.5
    again = transfer.probes(parameters, prepared(), {name: {} for name in layers}, folder=tmp_path)
    pd.testing.assert_frame_equal(next(iter(again.values())), table)


def test_no_encoder_no_weights(parameters):
    found = transfer.layer_weights(parameters, prepared())
    assert found.empty and list(found) == ["method", "fold", "seed", "layer", "weight"]


def test_voices_of_one_corpus_each_and_nobody_who_speaks_once():
    given = prepared()
    rng = np.random.default_rng(1)
    voice = rng.normal(size=(4, 16))
    which = given.utterances["speaker"].astype("category").cat.codes.to_numpy()
    apart = voice[which] + 0.01 * rng.normal(size=(80, 16))
    table = transfer.verification_table(given, {"good": apart, "noise": rng.normal(size=(80, 16))})
    rates = table.set_index(["corpus", "representation"])["equal error rate"]
    assert (rates.xs("good", level=1) < 0.05).all() and (rates.xs("noise", level=1) > 0.4).all()
    assert table["of the same sex"].isna().all(), "no two speakers of one sex in a corpus"


def test_every_control_is_a_method_and_sees_no_more():
    for name, spec in methods.METHODS.items():
        control = (
            transfer.control_of(name) if name.startswith(("tdnn", "encoder", "probe", "layer2")) else None
        )
        if control is not None:
            assert methods.get(control).access in (spec.access, "none"), name
    assert transfer.control_of("tdnn-frozen-13-target") == "tdnn-random-target"
    assert transfer.control_of("tdnn-tuned-finetuned") == "tdnn-scratch-finetuned"
    assert transfer.control_of("tdnn-random-source") is None


def test_curves_are_methods():
    for curves in (transfer.ON_ENCODER, transfer.ON_TDNN):
        assert isinstance(curves, Curves)
        for name in (curves.target_only, *curves.with_source, *curves.without_labels.values()):
            assert name in methods.METHODS


def test_what_stands_beside_the_paper(parameters):
    assert transfer.beside_the_paper(parameters) == {"tdnn-frozen-target": "asr-transfer"}
    assert transfer.compared_layers(parameters) == ["tdnn-frozen-target"]
