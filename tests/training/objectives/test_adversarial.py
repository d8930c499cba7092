"""GAN, ADDi and sADDi: who learns from which term, their values by hand, and what they achieve on a toy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu, one_hot

from serlab.errors import ParameterError
from serlab.evaluation.shift import proxy_a_distance
from serlab.training.objectives.adversarial import (
    GAN,
    LEAST_SCORE,
    LEAST_VARIANCE,
    ADDi,
    SADDi,
    dual_score,
    dual_value,
    relative_error,
)
from serlab.training.objectives.base import Batch, Objective, ramp

OBJECTIVES = {"gan": GAN, "addi": ADDi, "saddi": SADDi}
DISCRIMINATORS = {"gan": "discriminator", "addi": "discriminators", "saddi": "discriminators"}


class Perceptron(nn.Module):
    """Vectors (n, d) instead of utterances."""

    def __init__(self, d: int = 4, units: int = 6, n_classes: int = 3) -> None:
        super().__init__()
        self.dense, self.output = nn.Linear(d, units), nn.Linear(units, n_classes)

    def hidden(self, X: Tensor) -> Tensor:
        return self.dense(X).relu()

    def classify(self, hidden: Tensor) -> Tensor:
        return self.output(hidden)

    def forward(self, X: Tensor) -> Tensor:
        return self.classify(self.hidden(X))


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        yield


def batch(n: int = 7, m: int = 5, *, d: int = 4, labelled: bool = False) -> Batch:
    y = torch.arange(n) % 3
    return Batch(torch.randn(n, d), y, torch.randn(m, d) + 1, torch.arange(m) % 3 if labelled else None)


def played(objective: Objective, of: Batch, progress: float = 0.5):
    network = Perceptron()
    companions = objective.companions(6, 3)
    logits, terms = objective(network, companions, of, cross_entropy, progress)
    torch.testing.assert_close(logits, network(of.source))
    return network, companions, terms


def learns(module: nn.Module, term: Tensor) -> bool:
    """Whether a term has a gradient at any weight of a module."""
    gradients = torch.autograd.grad(term, list(module.parameters()), retain_graph=True, allow_unused=True)
    return any(gradient is not None and bool(gradient.any()) for gradient in gradients)


# --- who learns from what ------------------------------------------------------


@pytest.mark.parametrize("name", OBJECTIVES)
def test_discriminators_and_encoder_do_not_learn_from_each_others_loss(name):
    network, companions, terms = played(OBJECTIVES[name](), batch())
    of_discriminators, of_encoder = terms[DISCRIMINATORS[name]], terms["encoder"]
    assert learns(companions, of_discriminators) and not learns(network, of_discriminators)
    assert learns(network.dense, of_encoder) and not learns(companions, of_encoder)
    assert not learns(network.output, of_encoder)
    assert not learns(companions, terms["classification"])


def test_synthesis_teaches_generator_and_classifier_reconstruction_also_the_encoder():
    network, companions, terms = played(SADDi(), batch())
    for part in ("code", "generator"):
        assert learns(companions[part], terms["synthesis"])
        assert learns(companions[part], terms["reconstruction"])
    assert learns(network.output, terms["synthesis"]) and not learns(network.dense, terms["synthesis"])
    assert learns(network.dense, terms["reconstruction"])
    assert not learns(network.output, terms["reconstruction"])
    for discriminator in ("first", "second"):
        assert not learns(companions[discriminator], terms["synthesis"] + terms["reconstruction"])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_trade_off_of_zero_leaves_classification(name):
    of = batch()
    network, companions, terms = played(OBJECTIVES[name](trade_off=0.0), of)
    total = sum(terms.values())
    torch.testing.assert_close(total, cross_entropy(network(of.source), of.y))
    assert not learns(companions, total)
    whole, plain = (
        torch.autograd.grad(loss, list(network.parameters()))
        for loss in (total, cross_entropy(network(of.source), of.y))
    )
    torch.testing.assert_close(whole, plain)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_trade_off_multiplies_all_but_classification(name):
    found = []
    for trade_off in (1.0, 2.5):
        torch.manual_seed(2)
        found.append(played(OBJECTIVES[name](trade_off=trade_off), batch())[2])
    one, more = found
    assert list(one) == list(more)
    for term in one:
        factor = 1 if term == "classification" else 2.5
        torch.testing.assert_close(more[term], factor * one[term])


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("trade_off", [-0.1, math.nan])
def test_negative_trade_off_is_refused(name, trade_off):
    with pytest.raises(ParameterError, match="trade-off"):
        OBJECTIVES[name](trade_off=trade_off)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("sizes", [(7, 1), (1, 5), (1, 1)])
def test_batches_of_one(name, sizes):
    network, companions, terms = played(OBJECTIVES[name](), batch(*sizes))
    sum(terms.values()).backward()
    for parameter in [*network.parameters(), *companions.parameters()]:
        assert parameter.grad.isfinite().all()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_target_labels_are_one_more_term_and_change_no_other(name):
    found = []
    for labelled in (False, True):
        torch.manual_seed(2)
        of = batch(labelled=labelled)
        network, _, terms = played(OBJECTIVES[name](), of)
        found.append(terms)
    without, with_labels = found
    torch.testing.assert_close(with_labels.pop("target"), cross_entropy(network(of.target), of.target_y))
    torch.testing.assert_close(with_labels, without)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_encoder_is_left_alone_at_first(name):
    _, _, terms = played(OBJECTIVES[name](), batch(), progress=0.0)
    assert terms["encoder"].item() == 0 and terms[DISCRIMINATORS[name]].item() != 0


# --- values by hand ------------------------------------------------------------


def logit(discriminator: nn.Sequential, hidden: Tensor) -> Tensor:
    first, _, last = discriminator
    return leaky_relu(hidden @ first.weight.T + first.bias, 0.2) @ last.weight[0] + last.bias[0]


def test_gan_terms_by_hand():
    """The discriminator answers the probability of target: right for itself, source for the encoder."""
    of = batch()
    network, companions, terms = played(GAN(units=3), of)
    p_source, p_target = (
        logit(companions["discriminator"], network.hidden(X)).sigmoid() for X in (of.source, of.target)
    )
    right = -((1 - p_source).log().mean() + p_target.log().mean()) / 2
    torch.testing.assert_close(terms["discriminator"], right)
    torch.testing.assert_close(terms["encoder"], -ramp(0.5) * (1 - p_target).log().mean())


@pytest.mark.parametrize("objective", [ADDi(units=3), SADDi(units=3)])
def test_dual_discriminator_terms_by_hand(objective):
    of = batch()
    network, companions, terms = played(objective, of)
    s1, t1, s2, t2 = (
        (logit(companions[name], network.hidden(X)).exp() + 1).log() + LEAST_SCORE
        for name in ("first", "second")
        for X in (of.source, of.target)
    )
    value = s1.log().mean() - t1.mean() - s2.mean() + t2.log().mean()
    torch.testing.assert_close(terms["discriminators"], -value)
    torch.testing.assert_close(terms["encoder"], ramp(0.5) * (t2.log().mean() - t1.mean()) / 2)


def test_optimal_dual_discriminators_measure_both_divergences():
    """Two distributions on three points, each point with a score of its own (theorem 2 of D2GAN)."""
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.3, 0.6])
    source, target = (torch.repeat_interleave((10 * of).round().int()) for of in (p, q))

    def value(first: Tensor, second: Tensor) -> float:
        return dual_value(first[source], first[target], second[source], second[target]).item()

    best = value(p / q, q / p)
    divergences = (p * (p / q).log()).sum() + (q * (q / p).log()).sum()
    assert best == pytest.approx(divergences.item() - 2, abs=1e-5)
    for point in range(3):
        for factor in (0.8, 1.25):
            other = torch.ones(3)
            other[point] = factor
            assert value(other * p / q, q / p) < best and value(p / q, other * q / p) < best
    assert value(torch.ones(3), torch.ones(3)) == -2


def test_scores_are_above_zero_however_low_the_logit():
    logits = torch.tensor([-1e4, -50.0, 0.0, 50.0], requires_grad=True)
    scores = dual_score(logits)
    assert (scores > 0).all() and scores[2].item() == pytest.approx(math.log(2), rel=1e-5)
    scores.log().sum().backward()
    assert logits.grad.isfinite().all()


def test_saddi_reconstruction_by_hand():
    of = batch()
    network, companions, terms = played(SADDi(units=3, code=2), of)
    real = network.hidden(torch.cat([of.source, of.target]))
    classes = torch.cat([one_hot(of.y, 3).float(), network(of.target).softmax(dim=1)])
    first, _, last = companions["generator"]
    inputs = torch.cat([companions["code"](real), classes], dim=1)
    made = last(leaky_relu(first(inputs), 0.2))
    torch.testing.assert_close(
        terms["reconstruction"], (made - real).square().mean() / real.var(dim=0, unbiased=False).mean()
    )


def test_saddi_synthesis_is_the_loss_of_target_codes_with_source_classes():
    """One source row: the class that is drawn is its class."""
    of = batch(1, 5)
    network, companions, terms = played(SADDi(units=3, code=2), of)
    codes = companions["code"](network.hidden(of.target))
    classes = one_hot(of.y.expand(5), 3).float()
    made = network.classify(companions["generator"](torch.cat([codes, classes], dim=1)))
    torch.testing.assert_close(terms["synthesis"], ramp(0.5) * cross_entropy(made, of.y.expand(5)))


def test_relative_error():
    wanted = torch.randn(50, 4, requires_grad=True)
    mean = wanted.detach().mean(dim=0).expand(50, 4).requires_grad_()
    error = relative_error(mean, wanted)
    assert error.item() == pytest.approx(1, abs=1e-5)
    assert torch.autograd.grad(error, wanted, allow_unused=True) == (None,)
    torch.testing.assert_close(relative_error(1000 * mean, 1000 * wanted), error)
    assert relative_error(wanted, wanted).item() == 0
    alike = torch.ones(5, 4)
    assert relative_error(alike + 1, alike).item() == pytest.approx(1 / LEAST_VARIANCE)


# --- what they achieve ---------------------------------------------------------


class Deeper(Perceptron):
    def __init__(self) -> None:
        super().__init__(32, 32)
        self.first = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Dropout(0.3))

    def hidden(self, X: Tensor) -> Tensor:
        return super().hidden(self.first(X))


def step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def adapted(objective: Objective, seed: int) -> np.ndarray:
    """Proxy A-distance of hidden representations and target recall, rows before and after.

    Three Gaussian classes; the target is the source moved by four deviations.
    """
    torch.manual_seed(seed)
    n = 192
    centres, shift = 1.5 * torch.randn(3, 6), 4 * nn.functional.normalize(torch.randn(6), dim=0)
    y = torch.arange(n) % 3
    source, target = centres[y] + torch.randn(n, 6), centres[y] + torch.randn(n, 6) + shift
    speaker = np.arange(n) // 12
    network = Deeper()

    def distance_and_recall() -> tuple[float, float]:
        network.eval()
        with torch.no_grad():
            parts = (network.hidden(X).numpy() for X in (source, target))
            distance = proxy_a_distance(*parts, x_speaker=speaker, y_speaker=100 + speaker, seed=0)
            recall = (network(target).argmax(dim=1) == y).float().mean().item()
        network.train()
        return distance, recall

    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3, fused=True)
    for _ in range(60):
        step(optimizer, cross_entropy(network(source), y))
    before = distance_and_recall()

    companions = objective.companions(32, 3)
    optimizer = torch.optim.Adam([*network.parameters(), *companions.parameters()], lr=2e-3, fused=True)
    n_steps = 150
    for number in range(n_steps):
        rows, others = torch.randint(n, (2, 32))
        of = Batch(source[rows], y[rows], target[others])
        _, terms = objective(network, companions, of, cross_entropy, number / n_steps)
        step(optimizer, sum(terms.values()))
    return np.array([before, distance_and_recall()])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_shift_of_the_mean_is_made_smaller(name):
    # How much differs a lot between seeds, as games do: the mean of three.
    (far, before), (near, after) = np.mean([adapted(OBJECTIVES[name](), seed) for seed in (3, 4, 5)], axis=0)
    assert near < far - 0.2
    assert after > before + 0.05
