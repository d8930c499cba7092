"""Objectives that tell source corpora apart: an adversary of all domains, distances of all pairs of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy as of_logits

from serlab.training import losses
from serlab.training.objectives.base import Batch, TradedOff, classified, classified_target, ramp


def parts(source: Tensor, target: Tensor, batch: Batch) -> list[tuple[int, Tensor]]:
    """Number and hidden representations of each domain that a batch has; the target is number 0."""
    if batch.domain is None:
        return [(0, target), (1, source)]
    found = [(int(number) + 1, source[batch.domain == number]) for number in batch.domain.unique()]
    return [(0, target), *found]


@dataclass(frozen=True, kw_only=True)
class ManyDomains(TradedOff):
    """Cross-entropy plus a discriminator of all corpora behind a gradient reversal.

    As :class:`serlab.training.objectives.adversarial.DomainAdversarial`, with a domain for each source corpus
    and one for the target (Zhao et al. 2018 have a discriminator a source, here it is one of all). Every
    domain weighs the same in a batch.

    Attributes
    ----------
    units : int
        Of the discriminator's hidden layer.
    domains : int
        Source corpora, see :meth:`of_domains`.
    trade_off : float
    """

    units: int = 64
    domains: int = 1

    def of_domains(self, n: int) -> ManyDomains:
        """The same for so many source corpora."""
        return replace(self, domains=n)

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        discriminator = nn.Sequential(
            nn.Linear(width, self.units), nn.ReLU(), nn.Linear(self.units, self.domains + 1)
        )
        return nn.ModuleDict({"discriminator": discriminator})

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        terms |= classified_target(network.classify, target, batch, cross_entropy)
        strength = self.trade_off * ramp(progress)
        each = []
        for number, rows in parts(source, target, batch):
            verdicts = companions["discriminator"](losses.reverse_gradient(rows, strength))
            known = torch.full((len(rows),), number, device=verdicts.device)
            each.append(of_logits(verdicts.float(), known))
        return logits, {**terms, "discriminator": torch.stack(each).mean()}


@dataclass(frozen=True, kw_only=True)
class ManyDistances(TradedOff):
    """Cross-entropy plus the mean MMD over all pairs of corpora, sources among them.

    Peng et al. (2019), Moment matching for multi-source domain adaptation, equation 2, with Gaussian MMD in
    place of moments. The weight rises over the training.

    Attributes
    ----------
    trade_off : float
    """

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        terms |= classified_target(network.classify, target, batch, cross_entropy)
        found = [rows for _, rows in parts(source, target, batch)]
        distances = [losses.mmd2(x, y) for x, y in itertools.combinations(found, 2)]
        distance = torch.stack(distances).mean()
        return logits, {**terms, "alignment": self.trade_off * ramp(progress) * distance}
