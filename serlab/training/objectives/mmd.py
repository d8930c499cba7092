"""MMD of what a network makes of two corpora: class by class, or of hidden layer and output together."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from serlab.training import losses
from serlab.training.objectives.base import TradedOff, classified, ramp


@dataclass(frozen=True, kw_only=True)
class LocalMMD(TradedOff):
    """Cross-entropy plus class-conditional MMD (Zhu et al. 2021, Deep subdomain adaptation).

    Target rows belong to classes as far as the network itself believes so.
    The weight rises over the training, as there, because these beliefs mean
    little at first.

    Attributes
    ----------
    trade_off : float
    """

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        belief = network.classify(target).softmax(dim=1).detach()
        known = nn.functional.one_hot(batch.y, logits.shape[1]).to(belief.dtype)
        distance = losses.local_mmd2(source, target, known, belief)
        return logits, {**terms, "alignment": self.trade_off * ramp(progress) * distance}


@dataclass(frozen=True, kw_only=True)
class JointMMD(TradedOff):
    """Cross-entropy plus MMD of the joint distribution of hidden layer and output.

    Long et al. (2017), Deep transfer learning with joint adaptation networks.

    Attributes
    ----------
    trade_off : float
    """

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        belief = network.classify(target).softmax(dim=1)
        distance = losses.joint_mmd2((source, logits.softmax(dim=1)), (target, belief))
        return logits, {**terms, "alignment": self.trade_off * ramp(progress) * distance}
