"""The training loop: its numbers, its checkpoints, and what it says when it cannot go on."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch import nn

from serlab import training
from serlab.errors import Cancelled, TrainingError
from serlab.training import Fitting


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def easy(n: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    y = torch.arange(n) % 2
    return torch.randn(n, 3, generator=generator()) + 3 * y[:, None], y


def linear(seed: int = 0) -> nn.Module:
    with training.seeded(seed):
        return nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.2), nn.Linear(4, 2))


def test_same_seed_same_weights_and_the_global_generator_is_left_alone():
    X, y = easy()
    settings = training.Settings(epochs=3)
    torch.manual_seed(77)
    expected = torch.rand(1)
    torch.manual_seed(77)
    networks = []
    for seed in (1, 1, 2):
        network = linear(seed)
        training.train(network, X, y, settings=settings, seed=seed)
        networks.append(network(X))
    assert torch.rand(1) == expected
    assert torch.equal(networks[0], networks[1])
    assert not torch.equal(networks[0], networks[2])


def test_one_full_batch_step_is_adams():
    """The first step of Adam is the learning rate times the sign of the gradient."""
    X, y = easy()
    network = nn.Linear(3, 2)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    weight = torch.tensor([1.0, 3.0])
    gradients = torch.autograd.grad(
        nn.functional.cross_entropy(network(X), y, weight=weight), network.parameters()
    )
    settings = training.Settings(epochs=1, batch_size=len(X), learning_rate=0.01)
    training.train(network, X, y, settings=settings, seed=0, class_weight=weight)
    for parameter, was, gradient in zip(network.parameters(), before, gradients, strict=True):
        torch.testing.assert_close(parameter, was - 0.01 * gradient.sign(), atol=1e-6, rtol=0)


def test_early_stopping_keeps_the_weights_of_the_best_epoch():
    X, y = easy()
    network = linear()
    # The validation labels are wrong on purpose: learning makes it worse.
    settings = training.Settings(epochs=50, learning_rate=0.01, patience=3)
    history = training.train(network, X, y, settings=settings, seed=0, validation=(X, 1 - y))
    assert len(history) < 50
    best = history["validation_loss"].min()
    assert nn.functional.cross_entropy(network(X), 1 - y).item() == pytest.approx(best, rel=1e-5)
    assert history["epoch"].iloc[-1] == history["validation_loss"].idxmin() + 1 + 3


def test_frozen_parameters_stay():
    X, y = easy()
    network = linear()
    network[0].requires_grad_(False)
    before = [layer.weight.detach().clone() for layer in (network[0], network[2])]
    training.train(network, X, y, settings=training.Settings(epochs=2), seed=0)
    assert torch.equal(network[0].weight, before[0])
    assert not torch.equal(network[2].weight, before[1])


def test_training_reports_stops_and_refuses():
    X, y = easy()
    seen = []
    training.train(
        linear(), X, y, settings=training.Settings(epochs=3), seed=0,
        fitting=Fitting(progress=lambda done, total, text: seen.append((done, total))),
    )  # fmt: skip
    assert seen == [(1, 3), (2, 3), (3, 3)]
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        training.train(
            linear(), X, y, settings=training.Settings(epochs=3), seed=0, fitting=Fitting(cancel=cancel)
        )
    with pytest.raises(TrainingError, match="epoch 1"):
        training.train(linear(), X * torch.nan, y, settings=training.Settings(epochs=3), seed=0)
    with pytest.raises(ValueError, match="patience"):
        training.train(linear(), X, y, settings=training.Settings(epochs=3, patience=1), seed=0)


def test_balanced_weight_makes_classes_weigh_the_same():
    y = torch.tensor([0, 0, 0, 2])
    weight = training.balanced_weight(y, 4)
    torch.testing.assert_close(weight, torch.tensor([4 / 6, 0, 2, 0]))
    assert weight[y].sum() == len(y)


def test_threads_are_restored():
    before = torch.get_num_threads()
    with training.threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_probabilities_are_the_softmax():
    network = linear().eval()
    X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    proba = training.predict_proba(network, X)
    logits = network(torch.from_numpy(X)).detach().double().numpy()
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(proba, expected, rtol=1e-6)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-12)
