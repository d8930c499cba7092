"""Networks on frames: trained on one part, or on the source and then on the labelled target."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from serlab import training
from serlab.errors import ParameterError
from serlab.methods.base import require_classes
from serlab.samples import Labelled, Unlabelled
from serlab.training import Fitting, Settings, batches
from serlab.training.checkpoints import architecture, content
from serlab.training.epochs import Loss


def as_labels(y: np.ndarray) -> Tensor:
    """Labels as torch wants them: int64, shape (n,)."""
    return torch.from_numpy(y.astype(np.int64))


@dataclass
class Network:
    """Classifier of sequences, for the scenarios of :mod:`serlab.methods.learners.scenarios`.

    With more than one thread sums may be rounded in another order: numbers
    repeat exactly only with the same ``fitting.n_jobs``.

    Attributes
    ----------
    architecture : callable
        ``architecture(n_frames, n_features)`` -> module with ``forward``,
        ``embed`` and ``attention_weights`` of sequences; ``architecture(n_features)`` of vectors.
    n_classes, seed : int
    settings : serlab.training.Settings
    balanced : bool
        Weigh classes by the inverse of their counts.
    fitting : serlab.training.Fitting
    stage : str
        What it learns from, "source" or "target" ...; in the history, and the name of checkpoints.
    loss : callable, optional
        See :data:`serlab.training.epochs.Loss`; the cross-entropy of its outputs if not given.
    """

    #: Utterances that are answered about together.
    AT_ONCE: ClassVar[int] = 256

    architecture: Callable[..., nn.Module]
    n_classes: int
    seed: int
    settings: Settings
    balanced: bool
    fitting: Fitting
    stage: str
    loss: Loss | None = None

    def fit(self, part: Labelled) -> Network:
        """Train a new network.

        Raises
        ------
        ProtocolError
            If there are fewer than two classes.
        """
        return self.train(self.untrained(*part.X.shape[1:]), part)

    def untrained(self, *shape: int) -> nn.Module:
        """A network as ``fit`` begins with, for utterances of a shape."""
        with training.seeded(self.seed):
            return self.architecture(*shape)

    def train(self, module: nn.Module, part: Labelled, **beside: Any) -> Network:
        """Train a module in place, from where it is, and keep it.

        ``beside`` are ``loss``, ``target`` and ``target_y`` of :func:`serlab.training.train`.
        """
        require_classes(part)
        if self.loss is not None:
            beside.setdefault("loss", self.loss)
        X, y = batches.as_rows(part.X), as_labels(part.y)
        with training.threads(self.fitting.n_jobs, cancel=self.fitting.cancel):
            history = training.train(
                module,
                X,
                y,
                settings=self.settings,
                seed=self.seed,
                class_weight=training.balanced_weight(y, self.n_classes) if self.balanced else None,
                augment=self.fitting.augment,
                fitting=self.fitting,
                name=self._checkpoint(module, X, y) if self.fitting.checkpoints else self.stage,
                rows=part.row,
                **beside,
            )
        return self.keep(module, history)

    def keep(self, module: nn.Module, history: pd.DataFrame) -> Network:
        """Take over a module that was trained elsewhere."""
        self.module, self._history = module, history
        return self

    def _checkpoint(self, module: nn.Module, X: batches.Rows, y: Tensor) -> str:
        """Name by all that makes this training: methods and folds have one folder of checkpoints."""
        what = [
            architecture(module),
            repr((self.settings, self.balanced, self.seed, self.fitting.augment is not None)),
            content([X, y, *module.state_dict().values()]),
        ]
        return f"{self.stage}-{hashlib.blake2b(''.join(what).encode(), digest_size=8).hexdigest()}"

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        with training.threads(self.fitting.n_jobs, cancel=self.fitting.cancel):
            return training.predict_proba(self.module, X, batch_size=self.AT_ONCE, fitting=self.fitting)

    def history(self) -> pd.DataFrame:
        """One row an epoch: stage and the columns of :func:`serlab.training.train`."""
        return self._history.assign(stage=self.stage)[["stage", *self._history.columns]]

    def attention(self, X: np.ndarray) -> np.ndarray | None:
        """Weights over the network's steps in time, shape (n, steps): rows sum to 1, NaN after the end.

        None for an architecture without attention.
        """
        weights = getattr(self.module, "attention_weights", None)
        return None if weights is None else self._predict(X, weights)

    def embed(self, X: np.ndarray) -> np.ndarray:
        """What the output layer sees, shape (n, h)."""
        return self._predict(X, self.module.embed)

    def layers(self, X: np.ndarray) -> dict[str, np.ndarray]:
        """Representations from input to output by name, each (n, k); empty where they have no names."""
        if not hasattr(self.module, "layers"):
            return {}
        with torch.inference_mode():
            widths = {name: part.shape[1] for name, part in self.module.layers(self._first(X)).items()}
        values = self._predict(X, lambda part: torch.cat(list(self.module.layers(part).values()), dim=1))
        edges = np.cumsum(list(widths.values()))[:-1]
        return dict(zip(widths, np.split(values, edges, axis=1), strict=True))

    def _first(self, X: np.ndarray) -> Tensor:
        """One utterance, on the device of the network."""
        return torch.from_numpy(np.asarray(X[:1])).to(next(self.module.parameters()).device)

    def _predict(self, X: np.ndarray, function: Callable) -> np.ndarray:
        with training.threads(self.fitting.n_jobs, cancel=self.fitting.cancel):
            return training.predict(
                self.module, X, function=function, batch_size=self.AT_ONCE, fitting=self.fitting
            )


@dataclass
class FineTuned:
    """A network trained on the source, parts of which go on to the labelled target.

    Attributes
    ----------
    source : Network
        How to train on the source.
    on_target : serlab.training.Settings
    start : tuple of str, optional
        Parts that begin on the target as the source left them; the others begin
        untrained. All, if not given. Parts are the submodules of the network, and
        parameters and buffers that it holds itself, such as the weights of layers.
    update : tuple of str, optional
        Parts that learn from the target; the others stay as they begin. All, if not given.
    """

    source: Network
    on_target: Settings
    start: tuple[str, ...] | None = None
    update: tuple[str, ...] | None = None

    def fit(self, *, source: Labelled, target_train: Labelled) -> FineTuned:
        return self.fit_source(source=source).fit_target(target_train=target_train)

    def fit_source(self, *, source: Labelled) -> FineTuned:
        self.source.fit(source)
        self._shape = source.X.shape[1:]
        return self

    def fit_target(self, *, target_train: Labelled) -> FineTuned:
        """Train on the target what is to be updated; may be called again, the source network stays.

        Raises
        ------
        ParameterError
            If ``start`` or ``update`` names a part that the network lacks.
        ProtocolError
            If there are fewer than two classes.
        """
        module = self.source.untrained(*self._shape)
        parts, learned = _parts(module), _parts(self.source.module)
        start, update = (tuple(parts) if names is None else names for names in (self.start, self.update))
        unknown = {*start, *update} - set(parts)
        if unknown:
            raise ParameterError(f"the network has no part {sorted(unknown)}; it has {', '.join(parts)}")
        for name in start:
            _take_over(parts[name], learned[name])
        for name, part in parts.items():
            if isinstance(part, nn.Module | nn.Parameter):
                part.requires_grad_(name in update)
        self.target = replace(self.source, settings=self.on_target, stage="target").train(
            module, target_train
        )
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.target.predict_proba(X)

    def history(self) -> pd.DataFrame:
        """Epochs of both stages."""
        return pd.concat([self.source.history(), self.target.history()], ignore_index=True)

    def attention(self, X: np.ndarray) -> np.ndarray | None:
        return self.target.attention(X)

    def embed(self, X: np.ndarray) -> np.ndarray:
        return self.target.embed(X)

    def layers(self, X: np.ndarray) -> dict[str, np.ndarray]:
        return self.target.layers(X)


class FineTunedOnScale(FineTuned):
    """The same, on scales that normalisation has from unlabelled target utterances, too."""

    def fit(self, *, source: Labelled, target_train: Labelled, adapt: Unlabelled) -> FineTunedOnScale:
        return self.fit_source(source=source).fit_target(target_train=target_train)


def _parts(module: nn.Module) -> dict[str, nn.Module | Tensor]:
    """Submodules, and what the module holds beside them, by name."""
    return {
        **dict(module.named_children()),
        **dict(module.named_parameters(recurse=False)),
        **dict(module.named_buffers(recurse=False)),
    }


def _take_over(part: nn.Module | Tensor, learned: nn.Module | Tensor) -> None:
    """Give a part the values of the one that has learned."""
    if isinstance(part, nn.Module):
        part.load_state_dict(learned.state_dict())
        return
    with torch.no_grad():
        part.copy_(learned)
