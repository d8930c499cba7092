"""Methods of Baklouti et al. on VGG16: cached convolutions, what they see, published weights."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from serlab import normalization, training
from serlab.errors import Cancelled, ParameterError, ProtocolError
from serlab.methods import vgg
from serlab.methods.base import FIT_ARGUMENTS
from serlab.methods.building import Recipe
from serlab.models.vgg16 import VGG16, Top
from serlab.pretrained import imagenet
from serlab.samples import Labelled, Unlabelled, without_labels
from serlab.training import Fitting, Settings

SPECS = {spec.name: spec for spec in vgg.SPECS}


pytestmark = pytest.mark.usefixtures("thin_vgg16")


def part(n: int, seed: int, *, t: int = 30) -> Labelled:
    """Two classes: energy in low or in high bands."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.uniform(-60, -30, size=(n, t, 16)).astype(np.float32)
    for row, label in enumerate(y):
        X[row, :, 8 * label : 8 * label + 8] += 30
        X[row, rng.integers(10, t) :] = np.nan
    names = np.array([f"s{i % 4}" for i in range(n)])
    return Labelled(X=X, corpus=names, speaker=names, row=np.arange(n), y=y)


SOURCE, TARGET, TEST = part(24, 0), part(12, 1), part(10, 2)


def given(access: str, target: Labelled = TARGET) -> dict:
    everything = {"source": SOURCE, "target_train": target, "adapt": without_labels(target)}
    return {name: everything[name] for name in FIT_ARGUMENTS[access]}


def build(name: str, *, preset: str = "demo", fitting: Fitting = training.PLAIN, **options):
    return SPECS[name].build(n_classes=2, seed=0, preset=preset, fitting=fitting, **options)


@pytest.fixture(scope="module")
def fitting(tmp_path_factory: pytest.TempPathFactory) -> Fitting:
    """One folder, so that utterances are convolved once for all tests."""
    return Fitting(checkpoints=tmp_path_factory.mktemp("vgg"))


@pytest.mark.parametrize("name", SPECS)
def test_learns_and_shows_what_it_learned(name, fitting):
    spec = SPECS[name]
    assert normalization.is_transductive(spec.normalization) is False
    method = build(name, fitting=fitting).fit(**given(spec.access))
    proba = method.predict_proba(TEST.X)
    assert proba.shape == (10, 2) and np.allclose(proba.sum(axis=1), 1)
    assert (proba.argmax(axis=1) == TEST.y).mean() >= 0.9
    assert method.embed(TEST.X).shape == (10, 128)
    layers = method.layers(TEST.X)
    assert {key: value.shape for key, value in layers.items()} == {
        "convolution": (10, 128), "fc1": (10, 128), "fc2": (10, 128), "output": (10, 2),
    }  # fmt: skip
    stages = {
        "source": ["source"],
        "source-z": ["source"],
        "target": ["target"],
        "finetuned": ["source", "target"],
    }
    expected = stages.get(name.removeprefix("vgg16-"), ["source", "adaptation"])
    history = method.history()
    assert list(history["stage"].unique()) == expected
    if "adaptation" in expected:
        terms = {column for column in history if column.startswith("loss_")}
        assert terms == {"loss_classification", "loss_alignment"} | (
            {"loss_target"} if spec.access == "few-shot" else set()
        )


def test_vectors_are_scaled_by_the_source(fitting):
    method = build("vgg16-source", fitting=fitting).fit(source=SOURCE)
    convolution = method.layers(SOURCE.X)["convolution"]
    sd = convolution.std(axis=0)
    assert np.abs(convolution.mean(axis=0)).max() < 1e-3 and sd.max() < 1.001 and (sd > 0.99).mean() > 0.5


def standardised(vectors: np.ndarray) -> bool:
    return np.abs(vectors.mean(axis=0)).max() < 1e-3 and (np.abs(vectors.std(axis=0) - 1) < 0.01).mean() > 0.5


@pytest.mark.parametrize("name", ["vgg16-source-z", "vgg16-mmd", "vgg16-finetuned", "vgg16-mmd-head"])
def test_vectors_of_each_corpus_are_scaled_by_itself(name, fitting):
    method = build(name, fitting=fitting).fit(**given(SPECS[name].access))
    as_source = method.as_source()
    assert standardised(method.layers(TARGET.X)["convolution"])
    assert standardised(as_source.layers(SOURCE.X)["convolution"])
    assert not standardised(as_source.layers(TARGET.X)["convolution"])


def test_per_corpus_z_is_for_frozen_convolutions(monkeypatch: pytest.MonkeyPatch):
    tiny_paper(monkeypatch)
    with pytest.raises(ProtocolError, match="choose vgg16-source, or another preset"):
        build("vgg16-source-z", preset="paper")


def test_frozen_vectors_give_what_the_whole_network_gives(fitting):
    method = build("vgg16-source", fitting=fitting).fit(source=SOURCE)
    network = method.network
    with torch.no_grad():
        convolved = network.convolved(torch.from_numpy(TEST.X))
    np.testing.assert_allclose(method._vectors(TEST.X), convolved, rtol=1e-4, atol=1e-4)


def test_an_utterance_goes_through_the_convolutions_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    counted = []
    convolved = VGG16.convolved

    def counting(self: VGG16, X: torch.Tensor) -> torch.Tensor:
        counted.append(len(X))
        return convolved(self, X)

    monkeypatch.setattr(VGG16, "convolved", counting)
    kept = Fitting(checkpoints=tmp_path)
    first = build("vgg16-source", fitting=kept).fit(source=SOURCE)
    proba = first.predict_proba(TEST.X)
    assert sum(counted) == len(SOURCE) + len(TEST)
    longer = np.pad(TEST.X, ((0, 0), (0, 9), (0, 0)), constant_values=np.nan)
    assert np.array_equal(first.predict_proba(longer), proba)
    # Another method, as if in another process; then an utterance that occurs twice.
    second = build("vgg16-mmd", fitting=kept)
    second.fit(source=SOURCE, adapt=without_labels(TEST)).predict_proba(TARGET.X[[0, 0, 1]])
    assert sum(counted) == len(SOURCE) + len(TEST) + 2
    # Other convolutions have vectors of their own, and a damaged file is made again.
    (store,) = tmp_path.glob("convolved-*.npz")
    store.write_bytes(store.read_bytes()[:100])
    again = build("vgg16-source", fitting=kept).fit(source=SOURCE)
    np.testing.assert_allclose(again.predict_proba(TEST.X), proba, atol=1e-5)
    other = SPECS["vgg16-source"].build(n_classes=2, seed=1, preset="demo", fitting=kept)
    other.fit(source=part(4, 0))
    assert len(list(tmp_path.glob("convolved-*.npz"))) == 2 and not list(tmp_path.glob("*.tmp*"))


def test_labels_of_the_target_cannot_reach_the_unsupervised_method(fitting):
    names = FIT_ARGUMENTS[SPECS["vgg16-mmd"].access]
    assert "target_train" not in names
    parts = given("unlabelled")
    assert not isinstance(parts["adapt"], Labelled) and isinstance(parts["adapt"], Unlabelled)


def test_folds_share_the_source_stage(fitting):
    for name in ("vgg16-finetuned", "vgg16-mmd-supervised"):
        trained = build(name, fitting=fitting).fit_source(source=SOURCE)
        first = copy.copy(trained).fit_target(target_train=TARGET)
        before = first.predict_proba(TEST.X)
        flipped = dataclasses.replace(TARGET, y=1 - TARGET.y)
        second = copy.copy(trained).fit_target(target_train=flipped)
        assert np.array_equal(first.predict_proba(TEST.X), before)
        assert not np.allclose(second.predict_proba(TEST.X), before)
        whole = build(name, fitting=fitting).fit(source=SOURCE, target_train=TARGET)
        np.testing.assert_allclose(whole.predict_proba(TEST.X), before, atol=1e-5)


def test_trade_off(fitting):
    proba = {
        value: build("vgg16-mmd", fitting=fitting, trade_off=value).fit(**given("unlabelled"))
        for value in (0.0, 1.0)
    }
    last = {value: method.history().iloc[-1] for value, method in proba.items()}
    assert last[0.0]["loss_alignment"] == 0 < last[1.0]["loss_alignment"]
    with pytest.raises(ParameterError, match="trade-off"):
        build("vgg16-mmd", trade_off=-1.0)


def test_cancelled_while_convolving():
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        build("vgg16-source", fitting=Fitting(cancel=cancel)).fit(source=SOURCE)


def test_masked_batches_need_convolutions_that_learn():
    masked = Fitting(augment=lambda X, generator: X)
    with pytest.raises(ParameterError, match=r"specaugment.*preset 'paper'"):
        build("vgg16-source", fitting=masked)


def tiny_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """The preset in which everything learns, in a size for tests."""
    once = Settings(epochs=1, batch_size=16, learning_rate=1e-4)
    sizes = {"image_size": 32, "pooled": 1, "hidden": 8, "frozen": False}
    monkeypatch.setitem(vgg.RECIPES, "paper", Recipe(sizes=sizes, alone=once))


@pytest.mark.parametrize("name", ["vgg16-finetuned", "vgg16-mmd"])
def test_in_the_paper_everything_learns(name, monkeypatch: pytest.MonkeyPatch):
    tiny_paper(monkeypatch)
    method = build(name, preset="paper").fit(**given(SPECS[name].access))
    before = method.source.untrained(*SOURCE.X.shape[1:]).state_dict()
    after = method.source.module.state_dict()
    assert not any(torch.equal(before[key], after[key]) for key in before)
    assert method.predict_proba(TEST.X).shape == (10, 2)
    assert list(method.layers(TEST.X)) == ["convolution", "fc1", "fc2", "output"]


def test_mmd_of_the_paper_has_the_control_that_goes_through_both_stages(monkeypatch: pytest.MonkeyPatch):
    """Per-corpus z, its other control, is of frozen convolutions."""
    tiny_paper(monkeypatch)
    parts = given("unlabelled")
    control = build(SPECS["vgg16-mmd"].control, preset="paper").fit(**parts)
    assert control.history()["stage"].tolist() == ["source", "adaptation"]
    zero = build("vgg16-mmd", preset="paper", trade_off=0.0).fit(**parts)
    np.testing.assert_array_equal(zero.predict_proba(TEST.X), control.predict_proba(TEST.X))


def test_published_weights_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tiny_paper(monkeypatch)
    with training.seeded(9):
        published = VGG16(7, image_size=32, hidden=8, pooled=1).state_dict()
    torch.save(published, tmp_path / "published.pth")
    weights = imagenet.find(
        tmp_path / "published.pth",
        sha256=hashlib.sha256((tmp_path / "published.pth").read_bytes()).hexdigest(),
    )
    frozen = build("vgg16-source", weights=weights)
    assert torch.equal(frozen.network.features[28].weight, published["features.28.weight"])
    whole = build("vgg16-source", preset="paper", weights=weights)
    start = whole.classifier.untrained(30, 16)
    for name, value in start.state_dict().items():
        if not name.startswith("classifier.6"):
            assert torch.equal(value, published[name]), name


def test_paper_and_presets():
    for spec in vgg.SPECS:
        assert {"weights"} <= set(spec.options) and ("trade_off" in spec.options) == ("mmd" in spec.name)
    with pytest.raises(ParameterError, match="unknown preset 'slow'"):
        build("vgg16-mmd", preset="slow")
    chosen = vgg.RECIPES["paper"]
    assert chosen.sizes == {"image_size": 224, "pooled": 7, "hidden": 4096, "frozen": False}
    for settings, epochs in ((chosen.alone, 400), (chosen.second, 50)):
        assert (settings.epochs, settings.batch_size, settings.learning_rate) == (epochs, 16, 1e-4)
        assert settings.optimizer == "adam"
    top = build("vgg16-source").method.classifier.untrained(512)
    assert isinstance(top, Top) and sum(p.numel() for p in top.parameters()) < 100_000


def test_lambda_is_constant_with_the_preset_paper_as_equation_1_is_written():
    for name in ("vgg16-mmd", "vgg16-mmd-supervised", "vgg16-mmd-head"):
        options = {"n_classes": 3, "seed": 0, "fitting": Fitting(), "weights": None, "trade_off": 0.3}
        paper = SPECS[name].build(preset="paper", **options)
        quick = SPECS[name].build(preset="quick", **options).method
        assert (paper.objective.rises, quick.objective.rises) == (False, True)
        assert paper.objective.trade_off == quick.objective.trade_off == 0.3
