"""The upper layers of an encoder as a network: the model's own numbers, blind to padding, trainable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from serlab import methods
from serlab.errors import ParameterError
from serlab.methods.learners.encoder_top import pretrained_top, speakers_held_out
from serlab.models.encoder_top import EncoderTop
from serlab.pretrained import encoders
from serlab.samples import Labelled
from serlab.training import PLAIN, batches
from serlab.training.objectives.adversarial import DomainAdversarial
from serlab.training.objectives.base import Batch
from serlab.training.objectives.distance import DISTANCES, Distance
from serlab.training.objectives.mmd import JointMMD, LocalMMD
from tests import tiny_encoders
from tests.tiny_encoders import N_LAYERS, WIDTH, voice

FAMILIES = ("whisper", "mms", "hubert", "wavlm", "wavlm-large", "w2v-bert", "emotion2vec")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    for name in FAMILIES:
        tiny_encoders.save(name, root)
    return root


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        yield


def frames(root: Path, name: str, layer: int, *seconds: float) -> tuple[Tensor, list[list[Tensor]]]:
    """A batch of one layer, NaN after the end, and all layers of each utterance."""
    model = encoders.load(encoders.look(name, root=root))
    layers = [
        [torch.from_numpy(values) for values in model.layers(voice(length, seed=i))]
        for i, length in enumerate(seconds)
    ]
    rows = [utterance[layer] for utterance in layers]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=torch.nan), layers


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("layer", range(N_LAYERS + 1))
def test_what_is_pooled_is_what_the_model_gives(name, layer, models):
    if name == "emotion2vec" and 0 < layer < N_LAYERS:
        with pytest.raises(ParameterError, match="tokens along beside the frames"):
            pretrained_top(name, layer, 4, root=models)
        return
    X, layers = frames(models, name, layer, 0.7, 0.31, 0.5)
    found = pretrained_top(name, layer, 4, units=5, root=models).eval().layers(X)
    assert list(found) == [*(f"layer{i}" for i in range(layer, N_LAYERS + 1)), "dense", "output"]
    for row, utterance in enumerate(layers):
        for i in range(layer, N_LAYERS + 1):
            sd, mean = torch.std_mean(utterance[i], dim=0, correction=0)
            expected = torch.cat([mean, (sd**2 + 1e-5).sqrt()])
            torch.testing.assert_close(found[f"layer{i}"][row], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["whisper", "wavlm", "w2v-bert", "emotion2vec"])
def test_an_utterance_is_the_same_in_any_batch_and_with_any_padding(name, models):
    X, _ = frames(models, name, 0, 0.7, 0.31)
    network = pretrained_top(name, 0, 3, root=models).eval()
    alone = network(X[1:, : int((~X[1, :, 0].isnan()).sum())])
    padded = torch.cat([X, torch.full((2, 9, WIDTH), torch.nan)], dim=1)
    torch.testing.assert_close(network(padded)[1:], alone, atol=1e-6, rtol=1e-5)


def test_the_parts_make_the_whole(models):
    X, _ = frames(models, "hubert", 2, 0.5, 0.4)
    network = pretrained_top("hubert", 2, 3, units=7, root=models).eval()
    hidden, layers = network.hidden(X), network.layers(X)
    assert hidden.shape == (2, 7)
    torch.testing.assert_close(network(X), network.classify(hidden))
    torch.testing.assert_close(layers["output"], network(X))
    torch.testing.assert_close(layers["dense"], network.embed(X))


@pytest.mark.parametrize("name", ["whisper", "wavlm"])
def test_training_reaches_all_weights_and_leaves_the_model_as_it_was(name, models):
    X, layers = frames(models, name, 1, 0.5, 0.4, 0.3)
    network = pretrained_top(name, 1, 3, root=models).train()
    cross_entropy(network(X), torch.tensor([0, 1, 2])).backward()
    untouched = [part for part, weight in network.named_parameters() if weight.grad is None]
    assert not untouched
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(1.0)
    again = encoders.load(encoders.look(name, root=models)).layers(voice(0.5))
    torch.testing.assert_close(torch.from_numpy(again[-1]), layers[0][-1])


@pytest.mark.parametrize(
    "objective",
    [*(Distance(distance=name) for name in DISTANCES), LocalMMD(), JointMMD(), DomainAdversarial()],
    ids=lambda objective: getattr(objective, "distance", type(objective).__name__),
)
def test_every_objective_works_on_it(objective, models):
    X, _ = frames(models, "whisper", 2, 0.3, 0.35, 0.4, 0.45)
    network = pretrained_top("whisper", 2, 2, units=6, root=models)
    companions = objective.companions(6, 2)
    batch = Batch(X[:2], torch.tensor([0, 1]), X[2:])
    _, terms = objective(network, companions, batch, cross_entropy, 0.5)
    sum(terms.values()).backward()
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert network.blocks.blocks[0].fc1.weight.grad.abs().sum() > 0


def test_a_layer_that_is_not_there(models):
    with pytest.raises(ParameterError, match="no layer 4"):
        pretrained_top("whisper", 4, 2, root=models)


def test_of_no_block_the_frames_themselves_are_pooled(models):
    network = pretrained_top("whisper", N_LAYERS, 2, root=models)
    assert isinstance(network, EncoderTop) and len(network.blocks) == 0
    assert {name.split(".")[0] for name, _ in network.named_parameters()} == {"norm", "dense", "output"}


def labelled(n_speakers: int) -> Labelled:
    y = np.arange(24) % 2
    X = (np.random.default_rng(0).normal(size=(24, 12, WIDTH)) + y[:, None, None]).astype(np.float32)
    speaker = np.array([f"a/{i // 2 % n_speakers}" for i in range(24)])
    return Labelled(X=X, corpus=np.full(24, "a"), speaker=speaker, y=y)


def test_speakers_are_held_out_whole_and_only_where_enough_are_left():
    part = labelled(6)
    held_out = speakers_held_out(part, seed=0)
    assert len(set(part.speaker[held_out])) == 1
    assert not set(part.speaker[held_out]) & set(part.speaker[~held_out])
    assert speakers_held_out(labelled(2), seed=0) is None
    alone = replace(part, y=np.where(part.speaker == part.speaker[held_out][0], 2, part.y))
    assert speakers_held_out(alone, seed=0) is None, "a class would be unknown"


@pytest.mark.parametrize("n_speakers", [2, 6])
def test_adapters_stop_by_speakers_who_are_held_out(n_speakers, models, monkeypatch):
    pytest.importorskip("peft")
    monkeypatch.setenv("SERLAB_MODELS", str(models))
    monkeypatch.setattr(batches, "apply", watched := Watched(batches.apply))
    spec = methods.get("lora-source")
    method = spec.build(n_classes=2, seed=0, preset="demo", fitting=PLAIN, encoder="whisper")
    part = labelled(n_speakers)
    method.fit(source=part)
    history = method.history()
    assert ("validation_loss" in history) == (n_speakers == 6)
    if n_speakers == 6:
        held_out = speakers_held_out(part, seed=0)
        validated = [X for X in watched.seen if len(X) < len(part)]
        frames_of = [X for X in validated if X.ndim == 3]
        assert frames_of and all(np.array_equal(X, part.X[held_out]) for X in frames_of)
        pooled = [X for X in validated if X.ndim == 2]
        assert pooled and {len(X) for X in pooled} == {held_out.sum()}, "new layers, too"


def test_what_no_block_learns_from_is_computed_once(models, monkeypatch):
    """The control of the adapters trains on vectors, and answers as the whole network."""
    pytest.importorskip("peft")
    monkeypatch.setenv("SERLAB_MODELS", str(models))
    monkeypatch.setattr(EncoderTop, "_of_blocks", counted := Counted(EncoderTop._of_blocks))
    head = methods.get("head-source").build(
        n_classes=2, seed=0, preset="demo", fitting=PLAIN, encoder="whisper"
    )
    part = labelled(6)
    head.fit(source=part)
    assert sum(counted.rows) == len(part)
    found = head.predict_proba(part.X)
    assert found.shape == (24, 2) and sum(counted.rows) == 2 * len(part)


class Counted:
    """A method, and how many rows it was called with each time."""

    def __init__(self, function) -> None:
        self.function, self.rows = function, []

    def __get__(self, module, owner):
        def call(X):
            self.rows.append(len(X))
            return self.function(module, X)

        return call


class Watched:
    """Calls a function, and keeps what rows it was asked about."""

    def __init__(self, function) -> None:
        self.function, self.seen = function, []

    def __call__(self, module, X, **more):
        self.seen.append(np.asarray(X))
        return self.function(module, X, **more)
