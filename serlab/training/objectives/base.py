"""What a network minimises while it learns from source and target together.

The total loss is a sum of terms: the cross-entropy of the labelled rows, and
what draws the two corpora together, times a trade-off (lambda of Baklouti et
al., equation 1). Everything here looks at :attr:`Batch.target` alone, and at
its labels only where a method may have them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from serlab.errors import ParameterError
from serlab.training import losses

CrossEntropy = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Batch:
    """Rows of one training step.

    Attributes
    ----------
    source : Tensor, shape (n, ...)
    y : Tensor of int64, shape (n,)
    target : Tensor, shape (m, ...), optional
        m may differ from n, and may be 1.
    target_y : Tensor of int64, shape (m,), optional
        For methods that may see labelled target utterances.
    """

    source: Tensor
    y: Tensor
    target: Tensor | None = None
    target_y: Tensor | None = None


class Objective(Protocol):
    """Loss of a network with what is trained beside it."""

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        """Discriminators and the like, for hidden representations of a width; may be empty."""
        ...

    def __call__(
        self,
        network: nn.Module,
        companions: nn.ModuleDict,
        batch: Batch,
        cross_entropy: CrossEntropy,
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits of the source rows, and the weighted terms whose sum is minimised.

        ``progress`` goes from 0 to 1 over the training.
        """
        ...


class Joint(nn.Module):
    """A network and its companions, so that one optimizer trains both."""

    def __init__(self, network: nn.Module, companions: nn.ModuleDict) -> None:
        super().__init__()
        self.network, self.companions = network, companions

    def forward(self, X: Tensor) -> Tensor:
        return self.network(X)


class WithHead(nn.Module):
    """A network whose output layer is another one, trained as the companion ``head``."""

    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, X: Tensor) -> Tensor:
        return self.head(self.network.hidden(X))

    def hidden(self, X: Tensor) -> Tensor:
        return self.network.hidden(X)

    def classify(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)

    def embed(self, X: Tensor) -> Tensor:
        return self.network.hidden(X)

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        return {**self.network.layers(X), "output": self(X)}


@dataclass(frozen=True)
class LossOf:
    """An objective as the loss of a :class:`Joint`, for :func:`serlab.training.train`."""

    objective: Objective

    def __call__(
        self, module: Joint, batch: Batch, cross_entropy: CrossEntropy, progress: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return self.objective(module.network, module.companions, batch, cross_entropy, progress)


def ramp(progress: float) -> float:
    """Rises from 0 to 1: ``2 / (1 + exp(-10 progress)) - 1`` (Ganin et al. 2016, section 5.2.2)."""
    return 2 / (1 + math.exp(-10 * progress)) - 1


def require_trade_off(value: float) -> None:
    """Refuse a weight below 0, with which a network would drive the corpora apart.

    Raises
    ------
    ParameterError
    """
    if not value >= 0:
        raise ParameterError(f"the trade-off (lambda) is {value}; it must be 0 or more")


def classified(
    network: nn.Module, batch: Batch, cross_entropy: CrossEntropy
) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
    """What every objective begins with.

    Returns
    -------
    source, target : Tensor, shapes (n, h) and (m, h)
        Hidden representations.
    logits : Tensor, shape (n, n_classes)
        Of the source.
    terms : dict
        The cross-entropy of the source, ``classification``.
    """
    source, target = network.hidden(batch.source), network.hidden(batch.target)
    logits = network.classify(source)
    return source, target, logits, {"classification": cross_entropy(logits, batch.y)}


def classified_target(
    classify: Callable[[Tensor], Tensor], target: Tensor, batch: Batch, cross_entropy: CrossEntropy
) -> dict[str, Tensor]:
    """Cross-entropy of the target rows as the term ``target``, for who may see their labels; else none."""
    return {} if batch.target_y is None else {"target": cross_entropy(classify(target), batch.target_y)}


def _coral(source: Tensor, target: Tensor) -> Tensor:
    """CORAL; a batch of one row has no covariance, and says nothing."""
    return losses.coral(source, target) if min(len(source), len(target)) > 1 else 0 * source.sum()


#: Name -> distance of two batches of hidden representations (n, h) and (m, h).
#: Kernels are as wide as the median distance of the rows.
DISTANCES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mmd": losses.mmd2,
    "multi-kernel mmd": losses.multi_kernel_mmd2,
    "coral": _coral,
}


@dataclass(frozen=True, kw_only=True)
class Distance:
    """Cross-entropy plus the distance of the hidden representations.

    Baklouti et al., equation 1, with the Gaussian MMD of equation 2 on the
    first fully connected layer; Sun & Saenko (2016) with CORAL; Long et al.
    (2015) with several kernels. Where the batch has labels of the target,
    their cross-entropy is a term of its own (the "supervised" reading of the
    paper). The weight of the distance rises over the training: at full
    weight from the start all rows are drawn into one point.

    Attributes
    ----------
    distance : str
        Of :data:`DISTANCES`.
    scale : float
        Brings a distance to the size of a cross-entropy before the trade-off.
    trade_off : float
        Lambda of equation 1.
    target_head : bool
        The target has an output layer of its own (a :class:`WithHead` is what
        is left), for label sets that differ. Needs labels of the target.
    """

    distance: str = "mmd"
    scale: float = 1.0
    trade_off: float = 1.0
    target_head: bool = False

    def __post_init__(self) -> None:
        require_trade_off(self.trade_off)

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        return nn.ModuleDict({"head": nn.Linear(width, n_classes)} if self.target_head else {})

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        terms |= classified_target(
            companions["head"] if self.target_head else network.classify, target, batch, cross_entropy
        )
        distance = DISTANCES[self.distance](source, target)
        return logits, {**terms, "alignment": self.trade_off * self.scale * ramp(progress) * distance}


@dataclass(frozen=True, kw_only=True)
class LocalMMD:
    """Cross-entropy plus class-conditional MMD (Zhu et al. 2021, Deep subdomain adaptation).

    Target rows belong to classes as far as the network itself believes so.
    The weight rises over the training, as there, because these beliefs mean
    little at first.

    Attributes
    ----------
    trade_off : float
    """

    trade_off: float = 1.0

    def __post_init__(self) -> None:
        require_trade_off(self.trade_off)

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        return nn.ModuleDict()

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        belief = network.classify(target).softmax(dim=1).detach()
        known = nn.functional.one_hot(batch.y, logits.shape[1]).to(belief.dtype)
        distance = losses.local_mmd2(source, target, known, belief)
        return logits, {**terms, "alignment": self.trade_off * ramp(progress) * distance}


@dataclass(frozen=True, kw_only=True)
class JointMMD:
    """Cross-entropy plus MMD of the joint distribution of hidden layer and output.

    Long et al. (2017), Deep transfer learning with joint adaptation networks.

    Attributes
    ----------
    trade_off : float
    """

    trade_off: float = 1.0

    def __post_init__(self) -> None:
        require_trade_off(self.trade_off)

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        return nn.ModuleDict()

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        belief = network.classify(target).softmax(dim=1)
        distance = losses.joint_mmd2((source, logits.softmax(dim=1)), (target, belief))
        return logits, {**terms, "alignment": self.trade_off * ramp(progress) * distance}


@dataclass(frozen=True, kw_only=True)
class DomainAdversarial:
    """Cross-entropy plus a discriminator of corpora behind a gradient reversal.

    Ganin et al. (2016), Domain-adversarial training of neural networks. The
    strength of the reversal rises over the training, as there.

    Attributes
    ----------
    units : int
        Of the discriminator's hidden layer.
    trade_off : float
    """

    units: int = 64
    trade_off: float = 1.0

    def __post_init__(self) -> None:
        require_trade_off(self.trade_off)

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        discriminator = nn.Sequential(nn.Linear(width, self.units), nn.ReLU(), nn.Linear(self.units, 1))
        return nn.ModuleDict({"discriminator": discriminator})

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        strength = self.trade_off * ramp(progress)
        verdicts = [
            companions["discriminator"](losses.reverse_gradient(part, strength)) for part in (source, target)
        ]
        return logits, {**terms, "discriminator": losses.domain_adversarial(*verdicts)}
