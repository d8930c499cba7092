"""Networks trained on the source, then fine-tuned on the labelled target.

They use one thread whatever ``n_jobs`` says: with two, sums are rounded in
another order, the sampling of an RBM makes much of it, and probabilities
differed by up to .2. Matrices of this size gain little from a second thread.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from serlab import training
from serlab.methods.base import require_classes
from serlab.models import dbn, fcnn
from serlab.samples import Labelled


@dataclass
class FCNN:
    """Fully connected network; only the output layer learns from the target.

    Andova & Lustrek, section 3.2: trained on the whole source, then all but
    the output layer frozen. The paper prints neither optimiser nor epochs;
    see :data:`serlab.methods.FCNN_SETTINGS` for ours.

    Attributes
    ----------
    n_classes, seed : int
    on_source, on_target : serlab.training.Settings
    """

    n_classes: int
    seed: int
    on_source: training.Settings
    on_target: training.Settings

    def fit(self, *, source: Labelled, target_train: Labelled) -> FCNN:
        return self.fit_source(source=source).fit_target(target_train=target_train)

    @training.threads(1)
    def fit_source(self, *, source: Labelled) -> FCNN:
        require_classes(source)
        with training.seeded(self.seed):
            self.source_network = fcnn.fcnn(source.X.shape[1], self.n_classes)
        _train(self.source_network, source.X, source.y, self.n_classes, self.on_source, self.seed)
        return self

    @training.threads(1)
    def fit_target(self, *, target_train: Labelled) -> FCNN:
        """Train the output layer, from where the source left it; may be called again."""
        require_classes(target_train)
        frozen, output = self.source_network[:-1], copy.deepcopy(self.source_network[-1])
        # What is frozen is computed once.
        with torch.no_grad():
            hidden = frozen(torch.from_numpy(target_train.X)).numpy()
        _train(output, hidden, target_train.y, self.n_classes, self.on_target, self.seed)
        self.network = nn.Sequential(*frozen, output)
        return self

    @training.threads(1)
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return training.predict_proba(self.network, X)


@dataclass
class DBN:
    """Deep belief network; all layers learn from the target after the source.

    Andova & Lustrek, section 3.1, after Latif et al. (2018), Transfer learning
    for improving speech emotion classification accuracy (arXiv:1801.06353).
    Known of the latter from its abstract: deep belief networks, trained on
    source corpora and a small fraction of the target. Its full text was not at
    hand: the three machines of 1000, 1000 and 2000 hidden units are as
    reported to us, everything else is our choice
    (:data:`serlab.methods.DBN_SETTINGS`). That is: greedy CD-1 pretraining on
    the source, supervised fine-tuning of all layers on the source, then on
    the labelled target, so that the source stage is done once for all folds.

    Attributes
    ----------
    n_classes, seed : int
    hidden : tuple of int
    first, further : serlab.models.dbn.Pretraining
    on_source, on_target : serlab.training.Settings
    """

    n_classes: int
    seed: int
    hidden: tuple[int, ...]
    first: dbn.Pretraining
    further: dbn.Pretraining
    on_source: training.Settings
    on_target: training.Settings

    def fit(self, *, source: Labelled, target_train: Labelled) -> DBN:
        return self.fit_source(source=source).fit_target(target_train=target_train)

    @training.threads(1)
    def fit_source(self, *, source: Labelled) -> DBN:
        require_classes(source)
        rbms = dbn.pretrain(
            torch.from_numpy(source.X),
            self.hidden,
            first=self.first,
            further=self.further,
            generator=torch.Generator().manual_seed(self.seed),
        )
        with training.seeded(self.seed):
            self.source_network = dbn.network(rbms, self.n_classes)
        _train(self.source_network, source.X, source.y, self.n_classes, self.on_source, self.seed)
        return self

    @training.threads(1)
    def fit_target(self, *, target_train: Labelled) -> DBN:
        """Fine-tune a copy of the source network; may be called again."""
        require_classes(target_train)
        self.network = copy.deepcopy(self.source_network)
        _train(self.network, target_train.X, target_train.y, self.n_classes, self.on_target, self.seed)
        return self

    @training.threads(1)
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return training.predict_proba(self.network, X)


def _train(
    module: nn.Module, X: np.ndarray, y: np.ndarray, n_classes: int, settings: training.Settings, seed: int
) -> None:
    labels = torch.from_numpy(y.astype(np.int64))
    training.train(
        module,
        torch.from_numpy(X),
        labels,
        settings=settings,
        seed=seed,
        class_weight=training.balanced_weight(labels, n_classes),
    )
