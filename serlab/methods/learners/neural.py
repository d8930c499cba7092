"""Networks of vectors, trained on the source, then fine-tuned on the labelled target.

They use one thread whatever ``n_jobs`` says: with two, sums are rounded in
another order, the sampling of an RBM makes much of it, and probabilities
differed by up to .2. Matrices of this size gain little from a second thread.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
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
    see :data:`serlab.methods.fcnn.SETTINGS` for ours.

    Attributes
    ----------
    n_classes, seed : int
    on_source, on_target : serlab.training.Settings
    balanced : bool
        Weigh classes by the inverse of their counts.
    fitting : serlab.training.Fitting
    """

    n_classes: int
    seed: int
    on_source: training.Settings
    on_target: training.Settings
    balanced: bool
    fitting: training.Fitting

    def fit(self, *, source: Labelled, target_train: Labelled) -> FCNN:
        return self.fit_source(source=source).fit_target(target_train=target_train)

    @training.threads(1)
    def fit_source(self, *, source: Labelled) -> FCNN:
        require_classes(source)
        with training.seeded(self.seed):
            self.source_network = fcnn.fcnn(source.X.shape[1], self.n_classes)
        self._source_history = _train(
            self.source_network, source, self.on_source, method=self, stage="source"
        )
        return self

    @training.threads(1)
    def fit_target(self, *, target_train: Labelled) -> FCNN:
        """Train the output layer, from where the source left it; may be called again."""
        require_classes(target_train)
        frozen, output = self.source_network[:-1], copy.deepcopy(self.source_network[-1])
        # What is frozen is computed once.
        with torch.no_grad():
            hidden = frozen(torch.from_numpy(target_train.X)).numpy()
        history = _train(output, replace(target_train, X=hidden), self.on_target, method=self, stage="target")
        self._history = pd.concat([self._source_history, history], ignore_index=True)
        self.network = nn.Sequential(*frozen, output)
        return self

    @training.threads(1)
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return training.predict_proba(self.network, X)

    def history(self) -> pd.DataFrame:
        """Epochs of both stages."""
        return self._history


@dataclass
class FCNNClassifier:
    """The network of :class:`FCNN` without a source: all layers learn from one part.

    Attributes
    ----------
    n_classes, seed : int
    settings : serlab.training.Settings
    balanced : bool
        Weigh classes by the inverse of their counts.
    fitting : serlab.training.Fitting
    stage : str
        What it learns from, for the history.
    """

    n_classes: int
    seed: int
    settings: training.Settings
    balanced: bool
    fitting: training.Fitting
    stage: str

    @training.threads(1)
    def fit(self, part: Labelled) -> FCNNClassifier:
        require_classes(part)
        with training.seeded(self.seed):
            self.network = fcnn.fcnn(part.X.shape[1], self.n_classes)
        self._history = _train(self.network, part, self.settings, method=self, stage=self.stage)
        return self

    @training.threads(1)
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return training.predict_proba(self.network, X)

    def history(self) -> pd.DataFrame:
        """One row an epoch."""
        return self._history


@dataclass
class DBNClassifier:
    """Deep belief network that learns from one part; see :class:`DBN` for what is known of it.

    Attributes
    ----------
    n_classes, seed : int
    hidden : tuple of int
    first, further : serlab.models.dbn.Pretraining
    settings : serlab.training.Settings
        Of the supervised fine-tuning of all layers.
    balanced : bool
        Weigh classes by the inverse of their counts.
    fitting : serlab.training.Fitting
    stage : str
        What it learns from, for the history.
    """

    n_classes: int
    seed: int
    hidden: tuple[int, ...]
    first: dbn.Pretraining
    further: dbn.Pretraining
    settings: training.Settings
    balanced: bool
    fitting: training.Fitting
    stage: str

    @training.threads(1)
    def fit(self, part: Labelled) -> DBNClassifier:
        require_classes(part)
        rbms = dbn.pretrain(
            torch.from_numpy(part.X),
            self.hidden,
            first=self.first,
            further=self.further,
            generator=torch.Generator().manual_seed(self.seed),
            cancel=self.fitting.cancel,
        )
        with training.seeded(self.seed):
            self.network = dbn.network(rbms, self.n_classes)
        self._history = _train(self.network, part, self.settings, method=self, stage=self.stage)
        return self

    @training.threads(1)
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return training.predict_proba(self.network, X)

    def history(self) -> pd.DataFrame:
        """One row an epoch of fine-tuning."""
        return self._history


@dataclass
class DBN:
    """Deep belief network; all layers learn from the target after the source.

    Andova & Lustrek, section 3.1, after Latif et al. (2018), Transfer learning
    for improving speech emotion classification accuracy (arXiv:1801.06353).
    Known of the latter from its abstract: deep belief networks, trained on
    source corpora and a small fraction of the target. Its full text was not at
    hand: the three machines of 1000, 1000 and 2000 hidden units are as
    reported to us, everything else is our choice
    (:data:`serlab.methods.dbn.SETTINGS`). That is: greedy CD-1 pretraining on
    the source, supervised fine-tuning of all layers on the source, then on
    the labelled target, so that the source stage is done once for all folds.

    Attributes
    ----------
    source : DBNClassifier
        How to learn from the source.
    on_target : serlab.training.Settings
    """

    source: DBNClassifier
    on_target: training.Settings

    def fit(self, *, source: Labelled, target_train: Labelled) -> DBN:
        return self.fit_source(source=source).fit_target(target_train=target_train)

    def fit_source(self, *, source: Labelled) -> DBN:
        self.source.fit(source)
        return self

    @training.threads(1)
    def fit_target(self, *, target_train: Labelled) -> DBN:
        """Fine-tune a copy of the source network; may be called again."""
        require_classes(target_train)
        self.network = copy.deepcopy(self.source.network)
        history = _train(self.network, target_train, self.on_target, method=self.source, stage="target")
        self._history = pd.concat([self.source.history(), history], ignore_index=True)
        return self

    @training.threads(1)
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return training.predict_proba(self.network, X)

    def history(self) -> pd.DataFrame:
        """Epochs of both stages, pretraining aside."""
        return self._history


def _train(
    module: nn.Module,
    part: Labelled,
    settings: training.Settings,
    *,
    method: FCNN | FCNNClassifier | DBNClassifier,
    stage: str,
) -> pd.DataFrame:
    """Train on a part; the history with its stage."""
    labels = torch.from_numpy(part.y.astype(np.int64))
    history = training.train(
        module,
        torch.from_numpy(part.X),
        labels,
        settings=settings,
        seed=method.seed,
        class_weight=training.balanced_weight(labels, method.n_classes) if method.balanced else None,
        # Small matrices gain little on a GPU, and fits of seconds little from checkpoints.
        fitting=replace(method.fitting, device="cpu", checkpoints=None),
        rows=part.row,
    )
    return history.assign(stage=stage)[["stage", *history.columns]]
