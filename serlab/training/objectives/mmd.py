"""MMD of what a network makes of two corpora: class by class, or of hidden layer and output together."""

from __future__ import annotations

from dataclasses import dataclass

from torch.nn.functional import one_hot

from serlab.training import losses
from serlab.training.objectives.base import TradedOff, aside, classified, classified_target, ramp


@dataclass(frozen=True, kw_only=True)
class LocalMMD(TradedOff):
    """Cross-entropy plus class-conditional MMD (Zhu et al. 2021, Deep subdomain adaptation).

    Target rows belong to classes as far as the network itself believes so, or
    to the one of their label where the batch has labels of the target, whose
    cross-entropy is then a term of its own. The weight rises over the training,
    as there, because these beliefs mean little at first.

    Attributes
    ----------
    trade_off : float
    """

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        terms |= classified_target(network.classify, target, batch, cross_entropy)
        n_classes = logits.shape[1]
        if batch.target_y is None:
            with aside():
                belief = network.classify(target).softmax(dim=1).detach()
        else:
            belief = one_hot(batch.target_y, n_classes).to(logits.dtype)
        known = one_hot(batch.y, n_classes).to(belief.dtype)
        distance = losses.local_mmd2(source, target, known, belief)
        return logits, {**terms, "alignment": self.trade_off * ramp(progress) * distance}


@dataclass(frozen=True, kw_only=True)
class JointMMD(TradedOff):
    """Cross-entropy plus MMD of the joint distribution of hidden layer and output.

    Long et al. (2017), Deep transfer learning with joint adaptation networks.
    Where the batch has labels of the target, their cross-entropy is a term of its own.

    Attributes
    ----------
    trade_off : float
    """

    def __call__(self, network, companions, batch, cross_entropy, progress):
        source, target, logits, terms = classified(network, batch, cross_entropy)
        terms |= classified_target(network.classify, target, batch, cross_entropy)
        with aside():
            belief = network.classify(target).softmax(dim=1)
        distance = losses.joint_mmd2((source, logits.softmax(dim=1)), (target, belief))
        return logits, {**terms, "alignment": self.trade_off * ramp(progress) * distance}
