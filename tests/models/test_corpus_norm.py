"""Batch normalisation with the statistics of another corpus."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from serlab.models.corpus_norm import CorpusNorm, take_statistics
from serlab.models.light_cnn import LightCNN


def rows(n: int, *, seed: int = 0, d: int = 4) -> torch.Tensor:
    return 3 + 2 * torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def network() -> nn.Module:
    """Two normalisations, the second of what the first gives, and dropout."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Linear(4, 3), CorpusNorm(3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3, 2), CorpusNorm(2)
        )


def normalized(X: torch.Tensor, layer: CorpusNorm, mean: torch.Tensor, variance: torch.Tensor):
    return (X - mean) / (variance + layer.eps).sqrt() * layer.weight + layer.bias


def test_takes_the_mean_and_variance_of_the_activations(network):
    X = rows(50)
    take_statistics(network, X)
    first, second = network[1], network[5]
    activations = network[0](X)
    torch.testing.assert_close(first.running_mean, activations.mean(dim=0))
    torch.testing.assert_close(first.running_var, activations.var(dim=0))
    # The second sees what the first gives with the statistics of the batch, and no dropout.
    of_batch = normalized(activations, first, activations.mean(dim=0), activations.var(dim=0, correction=0))
    deeper = network[4](of_batch.relu())
    torch.testing.assert_close(second.running_mean, deeper.mean(dim=0))
    torch.testing.assert_close(second.running_var, deeper.var(dim=0))


def test_statistics_of_several_batches_are_their_mean(network):
    X = rows(60)
    take_statistics(network, X, batch_size=20)
    parts = [network[0](part) for part in X.split(20)]
    mean = torch.stack([part.mean(dim=0) for part in parts]).mean(dim=0)
    variance = torch.stack([part.var(dim=0) for part in parts]).mean(dim=0)
    torch.testing.assert_close(network[1].running_mean, mean)
    torch.testing.assert_close(network[1].running_var, variance)


@pytest.mark.parametrize("n", [257, 300, 513])
def test_no_batch_is_left_with_one_row(network, n):
    X = rows(n)
    take_statistics(network, X)
    activations = network[0](X)
    torch.testing.assert_close(network[1].running_mean, activations.mean(dim=0), rtol=0.05, atol=0.05)
    assert network[1].running_var.isfinite().all()


@pytest.mark.parametrize("training", [True, False])
def test_weights_modes_and_momentum_stay(network, training):
    network.train(training)
    network[3].eval()  # as a part that is frozen
    before = copy.deepcopy(network)
    take_statistics(network, rows(50))
    for name, value in network.named_parameters():
        assert torch.equal(value, before.get_parameter(name)), name
        assert value.grad is None
    assert [part.training for part in network.modules()] == [part.training for part in before.modules()]
    assert network[1].momentum == before[1].momentum
    assert not torch.equal(network[1].running_mean, before[1].running_mean)


def test_of_a_single_row_nothing_is_taken(network):
    before = copy.deepcopy(network.state_dict())
    take_statistics(network, rows(1))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_other_batch_normalisation_is_left_alone():
    network = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2))
    before = copy.deepcopy(network.state_dict())
    take_statistics(network, rows(20))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_same_rows_same_statistics(network):
    """Also with dropout between, whatever the state of torch's generator."""
    take_statistics(network, rows(50))
    first = copy.deepcopy(network.state_dict())
    torch.rand(3)
    take_statistics(network, rows(20, seed=1))
    take_statistics(network, rows(50))
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, first[name])


def test_in_training_a_row_of_its_own_is_normalised_by_what_is_known():
    layer = CorpusNorm(4).train()
    layer(rows(30))
    known = layer.running_mean.clone(), layer.running_var.clone()
    row = rows(1, seed=2)
    torch.testing.assert_close(layer(row), normalized(row, layer, *known))
    assert torch.equal(layer.running_mean, known[0]), "and it does not count as a batch"


def test_a_batch_is_normalised_as_torch_does():
    ours, theirs = CorpusNorm(4).train(), nn.BatchNorm1d(4).train()
    X = rows(30)
    assert torch.equal(ours(X), theirs(X))
    assert torch.equal(ours.eval()(X), theirs.eval()(X))


def test_a_shift_and_a_scale_of_pooled_activations_are_undone():
    """With the statistics of the target its utterances look as those of the source did."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = LightCNN(4, 3, channels=8, units=6).eval()
    pooled = rows(40, d=16)
    shifted = 5 + 3 * pooled
    for X in (pooled, shifted):
        take_statistics(network.norm, X)
        if X is pooled:
            expected = network.norm(pooled)
    torch.testing.assert_close(network.norm(shifted), expected, rtol=1e-3, atol=1e-3)
