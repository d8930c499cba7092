"""Adversarial objectives: DANN, and GAN, ADDi and sADDi of table 4 of Baklouti et al.

None of the texts of the last three was at hand, only their abstracts, which
print no loss: each class says what is known and what is ours. All three play
on the hidden representations (n, width) of the network, whose layers up to
there are the encoder. All players step at once: discriminators look at detached
representations, the encoder at discriminators with detached weights.

The encoder's part moves target representations only, as in Tzeng et al. (2017),
Adversarial discriminative domain adaptation. With labels inverted for both
corpora, it can win by swapping them, and on Gaussian toy data that is what it
did: a linear classifier told them apart better afterwards than before.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import one_hot, softplus

from serlab.training import losses
from serlab.training.objectives.base import (
    Batch,
    CrossEntropy,
    TradedOff,
    aside,
    classified,
    classified_target,
    ramp,
)

#: Least score of a dual discriminator; its logarithm is needed.
LEAST_SCORE = 1e-6
#: Of representations to be given: rows that are all alike would make any error infinite.
LEAST_VARIANCE = 1e-2


@dataclass(frozen=True, kw_only=True)
class DomainAdversarial(TradedOff):
    """Cross-entropy plus a discriminator of corpora behind a gradient reversal.

    Ganin et al. (2016), Domain-adversarial training of neural networks. The
    strength of the reversal rises over the training, as there. Where the batch
    has labels of the target, their cross-entropy is a term of its own.

    Attributes
    ----------
    units : int
        Of the discriminator's hidden layer.
    trade_off : float
    """

    units: int = 64

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        discriminator = nn.Sequential(nn.Linear(width, self.units), nn.ReLU(), nn.Linear(self.units, 1))
        return nn.ModuleDict({"discriminator": discriminator})

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        terms |= classified_target(network.classify, target, batch, cross_entropy)
        strength = self.trade_off * ramp(progress)
        verdicts = [
            companions["discriminator"](losses.reverse_gradient(part, strength)) for part in (source, target)
        ]
        return logits, {**terms, "discriminator": losses.domain_adversarial(*verdicts)}


@dataclass(frozen=True, kw_only=True)
class GAN(TradedOff):
    """Cross-entropy plus a game of encoder and discriminator.

    Latif, Qadir & Bilal (2019), Unsupervised adversarial domain adaptation for
    cross-lingual speech emotion recognition. Known: a GAN whose representations
    do not show the language, without labels of the target. Ours: one
    discriminator with binary cross-entropy; the non-saturating loss of
    Goodfellow et al. (2014), target taken for source, instead of a reversed
    gradient; the encoder's part rising over the training.

    Attributes
    ----------
    units : int
        Of the discriminator's hidden layer.
    trade_off
        See :class:`serlab.training.objectives.base.TradedOff`.
    """

    units: int = 64

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        return nn.ModuleDict({"discriminator": _two_layers(width, self.units, 1)})

    def __call__(
        self,
        network: nn.Module,
        companions: nn.ModuleDict,
        batch: Batch,
        cross_entropy: CrossEntropy,
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Terms: classification, discriminator, encoder."""
        source, target, logits, terms = classified(network, batch, cross_entropy)
        terms |= classified_target(network.classify, target, batch, cross_entropy)
        discriminator = companions["discriminator"]
        adversarial = {
            "discriminator": losses.domain_adversarial(
                discriminator(source.detach()), discriminator(target.detach())
            ),
            "encoder": ramp(progress) * softplus(_frozen(discriminator, target).float()).mean(),
        }
        return logits, terms | _weighted(adversarial, self.trade_off)


@dataclass(frozen=True, kw_only=True)
class ADDi(TradedOff):
    """Cross-entropy plus a game of encoder and two discriminators.

    Latif et al. (2022), Self supervised adversarial domain adaptation for
    cross-corpus and cross-language speech emotion recognition. Known: an
    adversarial dual discriminator network, a game of three players, no labels
    of the target. Ours: that game is the one of Nguyen et al. (2017), Dual
    discriminator generative adversarial nets, eq. 1, with both weights 1:
    scores > 0, one discriminator high on the source and low on the target,
    the other the reverse (:func:`dual_score`). When both are optimal the
    encoder minimises KL(source, target) + KL(target, source).

    Attributes
    ----------
    units : int
        Of each discriminator's hidden layer.
    trade_off
        See :class:`serlab.training.objectives.base.TradedOff`.
    """

    units: int = 64

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        return _two_discriminators(width, self.units)

    def __call__(
        self,
        network: nn.Module,
        companions: nn.ModuleDict,
        batch: Batch,
        cross_entropy: CrossEntropy,
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Terms: classification, discriminators, encoder."""
        source, target, logits, terms = classified(network, batch, cross_entropy)
        terms |= classified_target(network.classify, target, batch, cross_entropy)
        adversarial = {
            "discriminators": _telling_apart(companions, source, target),
            "encoder": ramp(progress) * _deceiving(companions, target),
        }
        return logits, terms | _weighted(adversarial, self.trade_off)


@dataclass(frozen=True, kw_only=True)
class SADDi(TradedOff):
    """ADDi plus synthetic data: target utterances as they might be in another class.

    Latif et al. (2022), as :class:`ADDi`. Known: pre-training on unlabelled
    data, with the generation of synthetic data as the pretext task, which is
    to make representations emotional and the same in all corpora; the
    synthetic data augment the training. Not known: on which data, and whether
    some labels of the target were used; here are none. Ours: all is trained
    at once, on source and target, and

    - a generator makes hidden representations from a short code of a
      representation and a class;
    - reconstruction: with an utterance's own code and class (of the target the
      class the network believes in) it is to give the utterance, squared error
      relative to the variance;
    - synthesis: with the code of a target utterance and the class of a source
      one it is to give what the network takes for that class. The classifier
      learns from it too, and this part rises over the training.

    The discriminators do not see synthetic data: when it was target to them,
    the corpora were further apart after the training than before (toy data).

    Attributes
    ----------
    units : int
        Of the hidden layers of both discriminators and of the generator.
    code : int
        Numbers in a code; few, so that the class is worth using.
    trade_off
        See :class:`serlab.training.objectives.base.TradedOff`.
    """

    units: int = 64
    code: int = 16

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        players = _two_discriminators(width, self.units)
        players["code"] = nn.Linear(width, self.code)
        players["generator"] = _two_layers(self.code + n_classes, self.units, width)
        return players

    def __call__(
        self,
        network: nn.Module,
        companions: nn.ModuleDict,
        batch: Batch,
        cross_entropy: CrossEntropy,
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Terms: classification, discriminators, encoder, reconstruction, synthesis."""
        source, target, logits, terms = classified(network, batch, cross_entropy)
        terms |= classified_target(network.classify, target, batch, cross_entropy)
        n_classes = logits.shape[1]

        def generated(hidden: Tensor, classes: Tensor) -> Tensor:
            return companions["generator"](torch.cat([companions["code"](hidden), classes], dim=1))

        rise = ramp(progress)
        known = one_hot(batch.y, n_classes).to(source.dtype)
        real = torch.cat([source, target])
        with aside():
            believed = network.classify(target).softmax(dim=1).detach()
            drawn = batch.y[torch.randint(len(batch.y), (len(target),), device=batch.y.device)]
            synthetic = generated(target.detach(), one_hot(drawn, n_classes).to(source.dtype))
            synthesised = cross_entropy(network.classify(synthetic), drawn)
        adversarial = {
            "discriminators": _telling_apart(companions, source, target),
            "encoder": rise * _deceiving(companions, target),
            "reconstruction": relative_error(generated(real, torch.cat([known, believed])), real),
            "synthesis": rise * synthesised,
        }
        return logits, terms | _weighted(adversarial, self.trade_off)


def dual_score(logits: Tensor) -> Tensor:
    """Score of a dual discriminator, above 0: a softplus, as Nguyen et al. (2017) have it."""
    return softplus(logits.float()) + LEAST_SCORE


def dual_value(
    first_source: Tensor, first_target: Tensor, second_source: Tensor, second_target: Tensor
) -> Tensor:
    """What two discriminators raise and an encoder lowers: Nguyen et al. (2017), eq. 1, weights 1.

    ``mean log D1(s) - mean D1(t) - mean D2(s) + mean log D2(t)``. Optimal
    scores are ``D1 = p_s / p_t`` and ``D2 = p_t / p_s``, with which the value is
    ``KL(s, t) + KL(t, s) - 2`` (theorem 2): -2 where the corpora are alike.

    Parameters
    ----------
    first_source, first_target, second_source, second_target : Tensor, shapes (n, 1) and (m, 1)
        Scores, above 0, of either discriminator.
    """
    first = first_source.log().mean() - first_target.mean()
    second = second_target.log().mean() - second_source.mean()
    return first + second


def relative_error(made: Tensor, wanted: Tensor) -> Tensor:
    """Squared error over the variance of what is wanted, which gets no gradient.

    1 for who gives the mean. Without gradient, because an encoder could make
    its representations easy to give by having them all alike.

    Parameters
    ----------
    made, wanted : Tensor, shape (n, width)
    """
    made, wanted = made.float(), wanted.detach().float()
    variance = (wanted - wanted.mean(dim=0)).square().mean()
    return (made - wanted).square().mean() / variance.clamp(min=LEAST_VARIANCE)


def _telling_apart(companions: nn.ModuleDict, source: Tensor, target: Tensor) -> Tensor:
    """Loss of both discriminators; nobody else's."""
    scores = [
        dual_score(companions[name](hidden.detach()))
        for name in ("first", "second")
        for hidden in (source, target)
    ]
    return -dual_value(*scores)


def _deceiving(companions: nn.ModuleDict, target: Tensor) -> Tensor:
    """Loss of the encoder: the part of the value that its target representations are in, halved.

    Halved, it weighs as much as against one discriminator, and classes survive:
    in full it lost them in one of eight toy runs.
    """
    first, second = (dual_score(_frozen(companions[name], target)) for name in ("first", "second"))
    return (second.log().mean() - first.mean()) / 2


def _frozen(module: nn.Module, X: Tensor) -> Tensor:
    """Outputs of a module whose weights get no gradient from them."""
    return functional_call(module, {name: value.detach() for name, value in module.named_parameters()}, (X,))


def _two_discriminators(width: int, units: int) -> nn.ModuleDict:
    return nn.ModuleDict({name: _two_layers(width, units, 1) for name in ("first", "second")})


def _two_layers(width: int, units: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, units), nn.LeakyReLU(0.2), nn.Linear(units, outputs))


def _weighted(terms: dict[str, Tensor], weight: float) -> dict[str, Tensor]:
    return {name: weight * value for name, value in terms.items()}
