"""Networks that learn from the source and are then drawn towards the target.

All begin with the network trained on the source alone, so that what they
differ in is the second stage. Adapters of the unlabelled target take no
argument that could carry a label of it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from serlab import training
from serlab.methods.base import require_classes
from serlab.methods.learners.deep import Network, as_labels
from serlab.models.corpus_norm import take_statistics
from serlab.samples import Labelled, Unlabelled
from serlab.training import Settings, batches
from serlab.training.objectives.base import Joint, LossOf, Objective, WithHead


class _Adapted:
    """What is asked of ``adapted``, the network for rows of the target."""

    adapted: Network

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.adapted.predict_proba(X)

    def embed(self, X: np.ndarray) -> np.ndarray:
        return self.adapted.embed(X)

    def layers(self, X: np.ndarray) -> dict[str, np.ndarray]:
        return self.adapted.layers(X)


@dataclass
class _TwoStages(_Adapted):
    """Source alone, then source and target.

    Attributes
    ----------
    source : serlab.methods.learners.deep.Network
        How to train on the source.
    objective : serlab.training.objectives.base.Objective
        Of the second stage.
    on_both : serlab.training.Settings
        Of the second stage; an epoch is one pass over the source.
    """

    source: Network
    objective: Objective
    on_both: Settings

    def _adapt(self, source: Labelled, target: Unlabelled, target_y: np.ndarray | None) -> None:
        module = copy.deepcopy(self.source.module)
        names, domain = np.unique(source.corpus, return_inverse=True)
        objective = self.objective
        if hasattr(objective, "of_domains"):
            objective = objective.of_domains(len(names))
        companions = self._companions(objective, module, torch.from_numpy(np.asarray(source.X[:1])))
        joint = Joint(module, companions)
        second = replace(
            self.source,
            settings=self.on_both,
            stage="adaptation",
            # A few epochs from a network that is kept: not worth a checkpoint of each.
            fitting=replace(self.source.fitting, checkpoints=None),
        )
        second.train(
            joint,
            source,
            loss=LossOf(objective),
            target=batches.as_rows(target.X),
            target_y=None if target_y is None else as_labels(target_y),
            domains=as_labels(domain),
        )
        if "head" in joint.companions:
            module = WithHead(module, joint.companions["head"])
        second.module = module
        self.adapted, self._of_source = (_normalized_by(second, part.X) for part in (target, source))

    def _companions(self, objective: Objective, module: nn.Module, X: Tensor) -> nn.ModuleDict:
        with torch.no_grad():
            width = module.hidden(X.to(_device(module))).shape[1]
        with training.seeded(self.source.seed):
            return objective.companions(width, self.source.n_classes)

    def as_source(self) -> Network:
        """The same network for rows of the source: normalised by its statistics, as in training."""
        return self._of_source

    def history(self) -> pd.DataFrame:
        """Epochs of both stages; columns ``loss_<term>`` are of the second."""
        return pd.concat([self.source.history(), self.adapted.history()], ignore_index=True)


class AdaptedNetwork(_TwoStages):
    """Labels of the source only; the target is seen without any.

    Whatever the objective, batch normalisation ends with the statistics of
    the target: :class:`Renormalized` shows what that does alone.
    """

    def fit(self, *, source: Labelled, adapt: Unlabelled) -> AdaptedNetwork:
        self.source.fit(source)
        self._adapt(source, adapt, None)
        return self


@dataclass
class Renormalized(_Adapted):
    """The network of the source, whose batch normalisation takes the statistics of the target (AdaBN).

    Attributes
    ----------
    source : serlab.methods.learners.deep.Network
    """

    source: Network

    def fit(self, *, source: Labelled, adapt: Unlabelled) -> Renormalized:
        self.source.fit(source)
        self.adapted = _normalized_by(self.source, adapt.X)
        return self

    def as_source(self) -> Network:
        """The network for rows of the source."""
        return self.source

    def history(self) -> pd.DataFrame:
        return self.adapted.history()


class SupervisedAdaptation(_TwoStages):
    """Labels of the source and of some target utterances; these are what is aligned."""

    def fit(self, *, source: Labelled, target_train: Labelled) -> SupervisedAdaptation:
        return self.fit_source(source=source).fit_target(target_train=target_train)

    def fit_source(self, *, source: Labelled) -> SupervisedAdaptation:
        self.source.fit(source)
        self._source = source
        return self

    def fit_target(self, *, target_train: Labelled) -> SupervisedAdaptation:
        """Second stage, from where the source left the network; may be called again."""
        require_classes(target_train)
        self._adapt(self._source, target_train, target_train.y)
        return self


def _normalized_by(network: Network, X: np.ndarray) -> Network:
    """A copy whose batch normalisation has the statistics of ``X``; the same where there is none."""
    module = copy.deepcopy(network.module)
    with training.threads(network.fitting.n_jobs, cancel=network.fitting.cancel):
        take_statistics(module, batches.on_device(batches.as_rows(X), _device(module)))
    return replace(network).keep(module, network.history().drop(columns="stage"))


def _device(module: nn.Module) -> torch.device:
    return next(module.parameters()).device
