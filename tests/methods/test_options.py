"""What families of methods ask a person for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.errors import ParameterError
from serlab.methods import METHODS, OPTIONS, Asked
from serlab.pretrained.imagenet import Weights
from tests import toys


def test_every_option_is_declared_and_asked_for():
    asked = {name for spec in METHODS.values() for name in spec.options}
    assert asked == set(OPTIONS)
    for name, option in OPTIONS.items():
        assert option.name == name and option.title and option.help.endswith(".")
        option.check(option.default)


def test_who_is_fed_by_an_option_names_it():
    """Feature sets that depend on an option are a function of it; columns are of a feature set."""
    for spec in METHODS.values():
        assert not callable(spec.features) or {"encoder", "fused"} & set(spec.options)
        assert not spec.columns or spec.features


@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_a_trade_off_that_drives_corpora_apart_is_refused(value):
    with pytest.raises(ParameterError, match="trade-off"):
        OPTIONS["trade_off"].check(value)


def test_weights_are_random_unless_named(tmp_path):
    option = OPTIONS["weights"]
    assert option.provide(Asked(value="")) is None
    assert option.describe("", None) == "VGG16 begins with random initialisation."
    with pytest.raises(ParameterError, match="there is no file of weights"):
        option.provide(Asked(value=str(tmp_path / "none.pth")))
    found = Weights(path=tmp_path / "vgg16.pth", sha256="0123456789abcdef", title="ImageNet")
    assert option.describe("vgg16.pth", found) == "VGG16 begins with ImageNet, SHA-256 01234567."


def test_an_encoder_is_named_without_its_folder():
    option = OPTIONS["encoder"]
    assert option.provide(Asked(value="whisper")) == "whisper"
    assert option.describe("", "") == ""
    assert option.describe("models/whisper-tiny.en", "models/whisper-tiny.en") == (
        "Encoder: whisper-tiny.en, trained on speech in en and a stranger to all others."
    )
    mine = option.describe("models/mine", "models/mine")
    assert mine == "Encoder: mine; which languages and corpora it has heard is not known."


def test_an_acoustic_model_says_what_it_has_heard(tmp_path, monkeypatch):
    option, model = OPTIONS["acoustic_model"], toys.acoustic_model(5)
    model.provenance.update(training_audio=["a", "b"], corpora=["near"])
    model.save(tmp_path / "model")
    monkeypatch.setenv("SERLAB_MODELS", str(tmp_path))
    found = option.provide(Asked(value="model"))
    assert list(option.heard(found)) == ["a", "b"]
    assert option.describe("model", found).startswith("TDNN pretrained on near (")
    assert option.facts(found) == {
        "corpora": ["near"],
        "training_hours": found.provenance.get("training_hours", 0.0),
        "ivectors": found.ivectors is not None,
        "settings": {"loss": "ctc"},
    }
    with pytest.raises(ParameterError, match="nothing is known of what is said in no source"):
        option.provide(Asked(value=""))


def test_the_encoder_decides_the_feature_set():
    linear, layer = METHODS["probe-source"], METHODS["layer2-source"]
    assert linear.features({"encoder": "whisper"}) == layer.features({"encoder": "whisper"})
    assert linear.features({"encoder": "whisper"}) == "encoder-speech:whisper"
    names = [f"layer{i}.{what}.{j:03d}" for i in (1, 2, 12) for what in ("mean", "sd") for j in (0, 1)]
    seen = pd.DataFrame(np.zeros((3, len(names))), columns=names).filter(regex=layer.columns)
    assert list(seen) == ["layer2.mean.000", "layer2.mean.001", "layer2.sd.000", "layer2.sd.001"]
    assert not linear.columns
    for spec in (linear, layer, METHODS["top-source"]):
        with pytest.raises(ParameterError, match="parameter 'encoder' is empty"):
            spec.features({"encoder": ""})
