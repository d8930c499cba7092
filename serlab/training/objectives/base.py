"""What objectives have in common: a batch of two corpora, and terms whose sum is minimised.

The total loss is a sum of terms: the cross-entropy of the labelled rows, and
what draws the two corpora together, times a trade-off (lambda of Baklouti et
al., equation 1). Everything here looks at :attr:`Batch.target` alone, and at
its labels only where a method may have them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from serlab.training.objectives import require_trade_off

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
    domain : Tensor of int64, shape (n,), optional
        Which source corpus each row is of, from 0.
    """

    source: Tensor
    y: Tensor
    target: Tensor | None = None
    target_y: Tensor | None = None
    domain: Tensor | None = None


class Objective(Protocol):
    """Loss of a network with what is trained beside it.

    One that tells source corpora apart may have ``of_domains(n)``: the same for so many of them.
    """

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


@dataclass(frozen=True, kw_only=True)
class TradedOff:
    """Base of objectives: a weight, and nothing that is trained beside the network.

    Attributes
    ----------
    trade_off : float
        Weight of all that is not classification (lambda of Baklouti et al., equation 1); 0: plain training.

    Raises
    ------
    ParameterError
        If ``trade_off`` is negative.
    """

    trade_off: float = 1.0

    def __post_init__(self) -> None:
        require_trade_off(self.trade_off)

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        return nn.ModuleDict()


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


@contextmanager
def aside() -> Iterator[None]:
    """Draws of a block, such as dropout, that leave all later ones as they are without it.

    What an objective adds to classification draws aside: with weight 0 it trains the very network that it
    trains without the addition, which is its control (:func:`serlab.methods.adapters.unaligned`).
    """
    with torch.random.fork_rng():
        yield


def ramp(progress: float) -> float:
    """Rises from 0 to 1: ``2 / (1 + exp(-10 progress)) - 1`` (Ganin et al. 2016, section 5.2.2)."""
    return 2 / (1 + math.exp(-10 * progress)) - 1


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
