"""Restricted Boltzmann machines against enumeration; the networks."""

from __future__ import annotations

import itertools
import threading

import pytest
import torch
from torch import nn

from serlab.errors import Cancelled, TrainingError
from serlab.models import dbn, fcnn


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def states(n: int) -> torch.Tensor:
    """All 2^n binary states."""
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=n)), dtype=torch.float64)


def tiny(visible: str, *, n_visible: int = 4, n_hidden: int = 3) -> dbn.RBM:
    draw = generator(5)
    W, b, c = (
        torch.randn(*shape, generator=draw, dtype=torch.float64)
        for shape in ((n_visible, n_hidden), (n_visible,), (n_hidden,))
    )
    return dbn.RBM(W=W, b=b, c=c, visible=visible)


def energy(rbm: dbn.RBM, v: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """As the docstring of RBM has it, one pair of states."""
    own = ((v - rbm.b) ** 2).sum() / 2 if rbm.visible == "gaussian" else -(v @ rbm.b)
    return own - h @ rbm.c - v @ rbm.W @ h


def joint(rbm: dbn.RBM) -> torch.Tensor:
    """p(v, h) of a binary machine over all states, shape (2^visible, 2^hidden)."""
    logits = torch.tensor(
        [
            [-energy(rbm, v, h).item() for h in states(rbm.W.shape[1])]
            for v in states(rbm.W.shape[0])
        ],
        dtype=torch.float64,
    )  # fmt: skip
    return torch.softmax(logits.flatten(), dim=0).reshape(logits.shape)


def test_conditional_probabilities_by_enumeration():
    rbm = tiny("binary")
    p = joint(rbm)
    v, h = states(4), states(3)
    torch.testing.assert_close(rbm.hidden_probability(v), p @ h / p.sum(dim=1, keepdim=True))
    torch.testing.assert_close(rbm.visible_mean(h), p.T @ v / p.T.sum(dim=1, keepdim=True))


@pytest.mark.parametrize("visible", ["binary", "gaussian"])
def test_free_energy_is_the_sum_over_hidden_states(visible):
    rbm = tiny(visible)
    v = states(4) if visible == "binary" else torch.randn(6, 4, generator=generator(), dtype=torch.float64)
    for row, value in zip(v, rbm.free_energy(v), strict=True):
        every = torch.stack([-energy(rbm, row, h) for h in states(3)])
        assert value.item() == pytest.approx(-torch.logsumexp(every, dim=0).item())


def test_gaussian_conditionals_from_the_energy():
    """p(h|v) by enumeration; E(v|h) is where the energy is least."""
    rbm = tiny("gaussian")
    v = torch.randn(1, 4, generator=generator(), dtype=torch.float64)
    weights = torch.softmax(torch.stack([-energy(rbm, v[0], h) for h in states(3)]), dim=0)
    torch.testing.assert_close(rbm.hidden_probability(v)[0], weights @ states(3))
    for h in states(3):
        mean = rbm.visible_mean(h[None])[0].requires_grad_()
        energy(rbm, mean, h).backward()
        torch.testing.assert_close(mean.grad, torch.zeros(4, dtype=torch.float64))
    drawn = rbm.sample_visible(states(3)[5].expand(20_000, 3), generator())
    assert (drawn.var(dim=0) - 1).abs().max() < 0.05


@pytest.mark.parametrize("k", [1, 3])
def test_contrastive_divergence_equals_the_enumerated_gradient(k):
    """Expected CD-k: data statistics minus those after k exact Gibbs transitions."""
    rbm = tiny("binary")
    v, p = states(4), joint(rbm)
    given_v, given_h = p / p.sum(dim=1, keepdim=True), p / p.sum(dim=0)
    step = given_v @ given_h.T  # p(v' | v)
    data = torch.softmax(torch.randn(16, generator=generator(1), dtype=torch.float64), dim=0)
    after = data @ torch.linalg.matrix_power(step, k)
    hidden = rbm.hidden_probability(v)
    difference = data - after
    expected = (
        torch.einsum("s,sv,sh->vh", difference, v, hidden),
        difference @ v,
        difference @ hidden,
    )
    chains = 200_000
    rows = torch.multinomial(data, chains, replacement=True, generator=generator(2))
    found = rbm.contrastive_divergence(v[rows], k=k, generator=generator(3))
    for estimate, exact in zip(found, expected, strict=True):
        # A term's standard deviation is below .75, so this is four standard errors.
        torch.testing.assert_close(estimate, exact, atol=4 * 0.75 / chains**0.5, rtol=0)


def test_gaussian_contrastive_divergence_with_many_steps_is_the_likelihood_gradient():
    """With k large the chains reach the model, whose statistics are known exactly."""
    full = tiny("gaussian")
    rbm = dbn.RBM(W=0.5 * full.W, b=full.b, c=full.c, visible="gaussian")
    h = states(3)
    means = rbm.visible_mean(h)
    # log p(h) up to a constant, v integrated out.
    weights = torch.softmax(h @ rbm.c + (means**2).sum(dim=1) / 2, dim=0)
    model = (torch.einsum("s,sv,sh->vh", weights, means, h), weights @ means, weights @ h)
    data = torch.randn(5, 4, generator=generator(1), dtype=torch.float64)
    hidden = rbm.hidden_probability(data)
    expected = (
        data.T @ hidden / 5 - model[0],
        data.mean(dim=0) - model[1],
        hidden.mean(dim=0) - model[2],
    )
    found = rbm.contrastive_divergence(data.repeat(20_000, 1), k=40, generator=generator(2))
    for estimate, exact in zip(found, expected, strict=True):
        torch.testing.assert_close(estimate, exact, atol=0.03, rtol=0)


def test_an_rbm_learns_a_known_distribution():
    """Bars and stripes, 2 x 2: the six patterns end up with most of the probability."""
    bars = torch.tensor(
        [[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1.0]]
    )
    settings = dbn.Pretraining(epochs=250, learning_rate=0.1, batch_size=20, k=5, weight_decay=0)
    rbm = dbn.train_rbm(bars.repeat(20, 1), 8, visible="binary", settings=settings, generator=generator(1))
    p = torch.softmax(-rbm.free_energy(states(4).float()), dim=0)
    on_bars = torch.tensor([(state == bars).all(dim=1).any() for state in states(4).float()])
    assert p[on_bars].sum() > 0.85  # 6 / 16 before training
    rebuilt = rbm.visible_mean(rbm.hidden_probability(bars))
    assert (rebuilt.round() == bars).all()


def test_a_stack_becomes_a_network_that_computes_its_hidden_probabilities():
    X = torch.randn(40, 6, generator=generator())
    settings = dbn.Pretraining(epochs=2, learning_rate=0.01)
    rbms = dbn.pretrain(X, (5, 4, 3), first=settings, further=settings, generator=generator())
    assert [rbm.visible for rbm in rbms] == ["gaussian", "binary", "binary"]
    hidden = X
    for rbm in rbms:
        hidden = rbm.hidden_probability(hidden)
    network = dbn.network(rbms, 4)
    torch.testing.assert_close(network[:-1](X), hidden)
    assert network(X).shape == (40, 4)


def test_pretraining_that_diverges_says_so():
    X = 1e3 * torch.randn(64, 6, generator=generator())
    with pytest.raises(TrainingError, match="learning rate"):
        dbn.train_rbm(
            X, 4, visible="gaussian", settings=dbn.Pretraining(epochs=40, learning_rate=100.0),
            generator=generator(),
        )  # fmt: skip


def test_pretraining_can_be_cancelled():
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        dbn.train_rbm(
            torch.zeros(8, 2), 2, visible="gaussian",
            settings=dbn.Pretraining(epochs=1, learning_rate=0.1), generator=generator(), cancel=cancel,
        )  # fmt: skip


def test_fcnn_has_the_papers_layers():
    network = fcnn.fcnn(1582, 4)
    widths = [layer.out_features for layer in network if isinstance(layer, nn.Linear)]
    assert widths == [1000, 500, 300, 4]
    assert sum(isinstance(layer, nn.Tanh) for layer in network) == 3
    assert isinstance(network[-1], nn.Linear)
