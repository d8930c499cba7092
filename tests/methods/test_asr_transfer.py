"""Methods of Zhou & Beigi: frames, sums, what learns and what does not."""

from __future__ import annotations

import copy
import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from serlab import normalization, training
from serlab.asr.acoustic_model import AcousticModel
from serlab.errors import Cancelled, ParameterError
from serlab.methods import asr_transfer
from serlab.methods.base import FIT_ARGUMENTS
from serlab.methods.learners.speech_network import frame_classification
from serlab.models.frame_classifier import EmotionTDNN, FrameClassifier
from serlab.models.tdnn import TDNN, architecture
from serlab.samples import Labelled, Unlabelled, without_labels
from serlab.training import Fitting
from serlab.training.objectives.base import Batch
from tests import toys

SPECS = {spec.name: spec for spec in asr_transfer.SPECS}
#: One of each way and scenario is enough for most tests.
FROZEN, TUNED = "tdnn-frozen-source", "tdnn-tuned-finetuned"


@pytest.fixture(scope="module")
def model() -> AcousticModel:
    return toys.acoustic_model(5)


def part(n: int, seed: int, *, t: int = 14, shift: float = 0.0) -> Labelled:
    """Two classes: three features are low or high."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(scale=0.5, size=(n, t, 5)).astype(np.float32)
    X[:, :, :3] += 6 * y[:, None, None] - 3
    X += np.float32(shift)
    for row in range(n):
        X[row, rng.integers(6, t) :] = np.nan
    names = np.array([f"s{i % 4}" for i in range(n)])
    return Labelled(X=X, corpus=names, speaker=names, row=np.arange(n), y=y)


SOURCE, TARGET, TEST = part(20, 0), part(20, 1), part(10, 2)


def given(access: str, target: Labelled = TARGET) -> dict:
    everything = {"source": SOURCE, "target_train": target, "adapt": without_labels(target)}
    return {name: everything[name] for name in FIT_ARGUMENTS[access]}


def build(name: str, model: AcousticModel | None, *, fitting: Fitting = training.PLAIN, seed: int = 0):
    return SPECS[name].build(n_classes=2, seed=seed, preset="demo", fitting=fitting, acoustic_model=model)


def head(width: int = 3) -> FrameClassifier:
    with training.seeded(1):
        return FrameClassifier(width, 2, units=4, dropout=0.5)


def frames(lengths: tuple[int, ...] = (4, 2), width: int = 3) -> torch.Tensor:
    X = torch.randn(len(lengths), max(lengths), width, generator=torch.Generator().manual_seed(0))
    for row, length in enumerate(lengths):
        X[row, length:] = torch.nan
    return X


# --- the classifier of frames ---


def test_an_utterance_is_the_sum_of_its_frames_probabilities():
    classifier, X = head().eval(), frames()
    with torch.no_grad():
        proba = classifier(X).softmax(dim=1)
        for row, length in enumerate((4, 2)):
            each = [
                classifier.output(classifier.dense(classifier.norm(X[row, t : t + 1])).relu()).softmax(dim=1)[
                    0
                ]
                for t in range(length)
            ]
            torch.testing.assert_close(proba[row], torch.stack(each).mean(dim=0))
        torch.testing.assert_close(classifier(X).exp().sum(dim=1), torch.ones(2))


def test_the_loss_is_the_cross_entropy_of_all_frames():
    classifier, X, y = head().eval(), frames(), torch.tensor([1, 0])
    logits, terms = frame_classification(classifier, Batch(X, y), cross_entropy, 0.0)
    torch.testing.assert_close(logits, classifier(X))
    rows = torch.cat([X[0, :4], X[1, :2]])
    own = classifier.output(classifier.dense(classifier.norm(rows)).relu())
    expected = -own.log_softmax(dim=1)[torch.arange(6), torch.tensor([1, 1, 1, 1, 0, 0])].mean()
    torch.testing.assert_close(terms["classification"], expected)
    terms["classification"].backward()
    assert all(parameter.grad.isfinite().all() for parameter in classifier.parameters())


def test_padding_and_the_rest_of_the_batch_do_not_matter(model):
    network = EmotionTDNN(model.tdnn, "tdnn13", head(16)).eval()
    X = torch.from_numpy(TEST.X)
    longer = torch.nn.functional.pad(X, (0, 0, 0, 7), value=torch.nan)
    alone = X[3:4][:, ~X[3, :, 0].isnan()]
    with torch.no_grad():
        torch.testing.assert_close(network(longer), network(X))
        torch.testing.assert_close(network(alone), network(X)[3:4], rtol=1e-4, atol=1e-5)
        for name, values in network.layers(X).items():
            torch.testing.assert_close(values[3:4], network.layers(alone)[name], rtol=1e-4, atol=1e-4)
            assert values.isfinite().all() and len(values) == len(X)


# --- methods ---


@pytest.mark.parametrize("name", SPECS)
def test_learns_and_shows_what_it_learned(name, model):
    spec = SPECS[name]
    assert (spec.features, spec.input) == ("mfcc40", "frames")
    assert spec.options == ("acoustic_model", "pretraining")
    assert not normalization.is_transductive(spec.normalization)
    method = build(name, model).fit(**given(spec.access))
    proba = method.predict_proba(TEST.X)
    assert proba.shape == (10, 2) and np.allclose(proba.sum(axis=1), 1)
    if spec.reference.startswith("Zhou"):  # fresh weights, the controls, need more steps
        others = part(60, 9)
        assert (method.predict_proba(others.X).argmax(axis=1) == others.y).mean() > 0.8
    layer = next((f"tdnn{n}" for n in (12, 13) if f"-{n}-" in name), "tdnn12")
    layer = "prefinal" if "prefinal" in name else layer
    layers = method.layers(TEST.X)
    names = model.tdnn.names
    learns = name.startswith(("tdnn-tuned", "tdnn-scratch"))
    below = names[: names.index(layer) + 1] if learns else [layer]
    assert list(layers) == [*below, "dense", "output"]
    assert all(len(values) == 10 and np.isfinite(values).all() for values in layers.values())
    assert layers["output"].shape == (10, 2)
    np.testing.assert_allclose(method.embed(TEST.X), layers[layer], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(np.exp(layers["output"]), proba, rtol=1e-3, atol=1e-4)
    scenario = name.rpartition("-")[2]
    stages = {"finetuned": ["source", "target"], "target": ["target"]}.get(scenario, ["source"])
    assert list(method.history()["stage"].unique()) == stages


def test_frozen_layers_stay_and_tuned_ones_learn_in_a_copy(model):
    before = {name: value.clone() for name, value in model.tdnn.state_dict().items()}
    build(FROZEN, model).fit(source=SOURCE)
    tuned = build("tdnn-tuned-source", model).fit(source=SOURCE)
    for name, value in model.tdnn.state_dict().items():
        assert torch.equal(value, before[name]), name
    learned = tuned.method.classifier.module.tdnn
    first = "blocks.0.linear.weight"
    assert not torch.equal(learned.state_dict()[first], before[first])
    assert (learned.state_dict()[first] - before[first]).abs().mean() < before[first].abs().mean()
    scratch = build("tdnn-scratch-source", model).method.classifier.untrained(14, 5)
    assert not torch.allclose(scratch.tdnn.state_dict()[first], before[first], atol=0.05)
    start = build("tdnn-tuned-source", model).method.classifier.untrained(14, 5)
    assert torch.equal(start.tdnn.state_dict()[first], before[first])


def test_an_embedding_is_what_the_network_gives_and_is_computed_once(
    model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    counted = []
    frames_at = TDNN.frames_at

    def counting(self: TDNN, X: torch.Tensor, layer: str) -> torch.Tensor:
        counted.append(len(X))
        return frames_at(self, X, layer)

    monkeypatch.setattr(TDNN, "frames_at", counting)
    kept = Fitting(checkpoints=tmp_path)
    first = build(FROZEN, model, fitting=kept).fit(source=SOURCE)
    with torch.no_grad():
        expected = frames_at(model.tdnn, torch.from_numpy(TEST.X), "tdnn12").numpy()
    np.testing.assert_allclose(first.seen(TEST.X), expected, rtol=1e-4, atol=1e-5)
    proba = first.predict_proba(TEST.X)
    assert sum(counted) == len(SOURCE) + len(TEST)
    longer = np.pad(TEST.X, ((0, 0), (0, 9), (0, 0)), constant_values=np.nan)
    np.testing.assert_allclose(first.predict_proba(longer), proba, atol=1e-6)
    # Another method, as if in another process; then an utterance that occurs twice.
    second = build("tdnn-frozen-source-z", model, fitting=kept)
    second.fit(source=SOURCE, adapt=without_labels(TEST)).predict_proba(TARGET.X[[0, 0, 1]])
    assert sum(counted) == len(SOURCE) + len(TEST) + 2
    # Without a folder they are kept in memory.
    alone = build(FROZEN, model).fit(source=SOURCE)
    np.testing.assert_allclose(alone.predict_proba(SOURCE.X), first.predict_proba(SOURCE.X), atol=1e-6)
    assert sum(counted) == 2 * len(SOURCE) + len(TEST) + 2
    # What is damaged is made again; another network and another layer have a folder of their own.
    damaged = next(iter(tmp_path.glob("embedded-*/*.npz")))
    damaged.write_bytes(damaged.read_bytes()[:90])
    again = build(FROZEN, model, fitting=kept)
    np.testing.assert_allclose(again.seen(SOURCE.X), first.seen(SOURCE.X), atol=1e-6)
    again.seen(TEST.X)
    build("tdnn-random-source", model, fitting=kept).seen(TEST.X)
    build("tdnn-frozen-13-source", model, fitting=kept).seen(TEST.X)
    assert len(list(tmp_path.glob("embedded-*"))) == 3 and not list(tmp_path.glob("**/*.tmp*"))


def test_each_corpus_is_normalised_by_itself(model):
    target = dataclasses.replace(TARGET, X=TARGET.X + np.float32(3))
    method = build("tdnn-frozen-source-z", model).fit(source=SOURCE, adapt=without_labels(target))
    for view, own in ((method, target), (method.as_source(), SOURCE)):
        E = method.seen(own.X)
        mean = np.concatenate(list(E)).mean(axis=0)
        norm = (view.method.adapted if view is method else view.method).module.norm
        np.testing.assert_allclose(norm.running_mean, mean, rtol=1e-4, atol=1e-4)


def test_labels_of_the_target_cannot_reach_a_method_that_may_not_see_them(model):
    with pytest.raises(TypeError, match="target_train"):
        build(FROZEN, model).fit(source=SOURCE, target_train=TARGET)
    parts = given(SPECS["tdnn-frozen-source-z"].access)
    assert not isinstance(parts["adapt"], Labelled) and isinstance(parts["adapt"], Unlabelled)


@pytest.mark.parametrize("name", ["tdnn-frozen-finetuned", TUNED])
def test_folds_share_the_source_stage(name, model):
    trained = build(name, model).fit_source(source=SOURCE)
    first = copy.copy(trained).fit_target(target_train=TARGET)
    before = first.predict_proba(TEST.X)
    flipped = dataclasses.replace(TARGET, y=1 - TARGET.y)
    second = copy.copy(trained).fit_target(target_train=flipped)
    assert np.array_equal(first.predict_proba(TEST.X), before)
    assert not np.allclose(second.predict_proba(TEST.X), before, atol=0.05)
    whole = build(name, model).fit(source=SOURCE, target_train=TARGET)
    np.testing.assert_allclose(whole.predict_proba(TEST.X), before, atol=1e-5)


def test_the_seed_decides(model):
    first, again, other = (
        build("tdnn-random-source", model, seed=seed).fit(source=SOURCE).predict_proba(TEST.X)
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again) and not np.allclose(first, other)


def test_bad_input_and_cancelling(model):
    with pytest.raises(ParameterError, match=r"tdnn-frozen methods need an acoustic model.*serlab pretrain"):
        build(FROZEN, None)
    short = TDNN(5, 4, layers=architecture("demo").layers[:3], prefinal=8)
    with pytest.raises(ParameterError, match="no layer 'tdnn12'; it has tdnn1, tdnn2, tdnn3, prefinal"):
        build(FROZEN, dataclasses.replace(model, tdnn=short))
    with pytest.raises(ParameterError, match="specaugment"):
        build(FROZEN, model, fitting=Fitting(augment=lambda X, generator: X))
    with pytest.raises(ParameterError, match="mfcc40"):
        build(FROZEN, model).fit(source=dataclasses.replace(SOURCE, X=SOURCE.X[:, :, :4]))
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="embedding"):
        build(FROZEN, model, fitting=Fitting(cancel=cancel)).fit(source=SOURCE)
