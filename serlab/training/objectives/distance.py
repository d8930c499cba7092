"""The distance of the hidden representations of two corpora: MMD with one kernel or several, deep CORAL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from serlab.training import losses
from serlab.training.objectives.base import TradedOff, classified, classified_target, ramp


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
class Distance(TradedOff):
    """Cross-entropy plus the distance of the hidden representations.

    Baklouti et al., equation 1, with the Gaussian MMD of equation 2 on the
    first fully connected layer; Sun & Saenko (2016) with CORAL; Long et al.
    (2015) with several kernels. Where the batch has labels of the target,
    their cross-entropy is a term of its own (the "supervised" reading of the
    paper). The weight of the distance rises over the training: at full
    weight from the start all rows may be drawn into one point.

    Attributes
    ----------
    distance : str
        Of :data:`DISTANCES`.
    scale : float
        Brings a distance to the size of a cross-entropy before the trade-off.
    trade_off : float
        Lambda of equation 1.
    target_head : bool
        The target has an output layer of its own (what is left is a
        :class:`serlab.training.objectives.base.WithHead`), for label sets that
        differ. Needs labels of the target.
    rises : bool
        Whether the weight rises; if not, it is the same throughout, as equation 1 is written.
    """

    distance: str = "mmd"
    scale: float = 1.0
    target_head: bool = False
    rises: bool = True

    def companions(self, width: int, n_classes: int) -> nn.ModuleDict:
        return nn.ModuleDict({"head": nn.Linear(width, n_classes)} if self.target_head else {})

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        terms |= classified_target(
            companions["head"] if self.target_head else network.classify, target, batch, cross_entropy
        )
        distance = DISTANCES[self.distance](source, target)
        weight = self.trade_off * self.scale * (ramp(progress) if self.rises else 1.0)
        return logits, {**terms, "alignment": weight * distance}
