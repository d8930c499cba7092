"""Objectives of several source corpora, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from serlab.methods.learners.adaptation import AdaptedNetwork
from serlab.methods.learners.deep import Network
from serlab.samples import Labelled, without_labels
from serlab.training import PLAIN, Settings, losses
from serlab.training.objectives.base import Batch, ramp
from serlab.training.objectives.several import ManyDistances, ManyDomains, parts
from tests.training.objectives.test_adversarial import Perceptron


def batch(domain: list[int] | None) -> Batch:
    torch.manual_seed(0)
    known = None if domain is None else torch.tensor(domain)
    return Batch(torch.randn(7, 4), torch.arange(7) % 3, torch.randn(5, 4), domain=known)


def test_every_domain_weighs_the_same():
    torch.manual_seed(1)
    network, of = Perceptron(), batch([0, 0, 0, 0, 2, 2, 0])  # corpus 1 is not in this batch
    objective = ManyDomains(trade_off=0.7).of_domains(3)
    companions = objective.companions(6, 3)
    _, terms = objective(network, companions, of, cross_entropy, 0.3)
    hidden = {0: network.hidden(of.target)}
    for number in (0, 2):
        hidden[number + 1] = network.hidden(of.source[of.domain == number])
    assert companions["discriminator"][-1].out_features == 4
    expected = [
        cross_entropy(companions["discriminator"](rows), torch.full((len(rows),), number))
        for number, rows in hidden.items()
    ]
    assert terms["discriminator"].item() == pytest.approx(torch.stack(expected).mean().item(), rel=1e-5)


def test_distances_are_of_all_pairs():
    torch.manual_seed(1)
    network, of = Perceptron(), batch([0, 1, 0, 1, 0, 1, 1])
    _, terms = ManyDistances(trade_off=0.5)(network, {}, of, cross_entropy, 0.3)
    a, b = (network.hidden(of.source[of.domain == number]) for number in (0, 1))
    t = network.hidden(of.target)
    pairs = [losses.mmd2(t, a), losses.mmd2(t, b), losses.mmd2(a, b)]
    assert terms["alignment"].item() == pytest.approx(
        0.5 * ramp(0.3) * torch.stack(pairs).mean().item(), rel=1e-4
    )


def test_one_source_is_one_domain():
    of = batch(None)
    assert [number for number, _ in parts(of.source, of.target, of)] == [0, 1]
    torch.manual_seed(1)
    network = Perceptron()
    _, terms = ManyDistances()(network, {}, of, cross_entropy, 1.0)
    expected = ramp(1.0) * losses.mmd2(network.hidden(of.target), network.hidden(of.source))
    assert terms["alignment"].item() == pytest.approx(expected.item(), rel=1e-4)


def test_a_network_is_given_its_corpora():
    seen: list[tuple[int, ...]] = []

    class Spy(ManyDomains):
        def __call__(self, network, companions, batch, cross_entropy, progress):
            seen.append((self.domains, *batch.domain.unique().tolist()))
            return super().__call__(network, companions, batch, cross_entropy, progress)

    rng = np.random.default_rng(0)
    part = Labelled(
        X=rng.normal(0, 1, (30, 4)).astype(np.float32), corpus=np.repeat(["a", "b", "c"], 10),
        speaker=np.repeat(["a/1", "b/1", "c/1"], 10), y=np.arange(30) % 3,
    )  # fmt: skip
    settings = Settings(epochs=1, batch_size=30)
    source = Network(lambda width: Perceptron(), 3, 0, settings, False, PLAIN, "source")
    AdaptedNetwork(source, Spy(), settings).fit(source=part, adapt=without_labels(part))
    assert seen == [(3, 0, 1, 2)]
