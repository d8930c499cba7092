"""How to train: what methods choose, and what an experiment does. Importing this module imports no torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from serlab.errors import ParameterError
from serlab.progress import Progress

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

OPTIMIZERS: tuple[str, ...] = ("adam", "adamw", "sgd", "rmsprop")
#: Where networks may be trained, see :func:`serlab.training.devices.resolve_device`.
DEVICES: tuple[str, ...] = ("auto", "cpu", "cuda")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train.

    Attributes
    ----------
    epochs : int
        Passes over the training rows; the upper bound with early stopping.
    batch_size : int
    learning_rate : float
    weight_decay : float
        Squared-norm penalty as the optimizer applies it.
    patience : int or None
        Stop when the validation loss has not improved for so many epochs;
        None trains all epochs. Needs validation rows.
    optimizer : {"adam", "adamw", "sgd", "rmsprop"}
        Kingma & Ba 2015; Loshchilov & Hutter 2019; with momentum .9; Tieleman
        & Hinton 2012. The rest is torch's default.
    clip : float or None
        Greatest norm of the gradient, of all parameters together.
    mixed_precision : bool
        Compute in 16 bits where that is safe; only has an effect on a GPU.
    accumulate : int
        A batch is computed in so many parts, one after the other, whose gradients are added: memory of
        a part. The step is that of the whole batch where no layer looks at other rows.

    Raises
    ------
    ParameterError
        If the optimizer is unknown.
    """

    epochs: int
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    patience: int | None = None
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    clip: float | None = None
    mixed_precision: bool = True
    accumulate: int = 1

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ParameterError(f"unknown optimizer {self.optimizer!r}; known: {', '.join(OPTIMIZERS)}")
        if not 1 <= self.accumulate <= self.batch_size:
            raise ParameterError(
                f"accumulate is {self.accumulate}; choose 1 to batch_size ({self.batch_size})"
            )


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """How an experiment has a fit carried out and watched; methods do not choose it.

    Attributes
    ----------
    n_jobs : int
        Threads, for methods to choose by :func:`serlab.training.threads`.
    device : {"cpu", "cuda", "auto"}
        See :func:`serlab.training.devices.resolve_device`.
    augment : callable, optional
        What networks apply to their training batches, see
        :func:`serlab.training.train`.
    progress : callable(done, total, text), optional
        Called after each epoch.
    on_epoch : callable(DataFrame), optional
        Called after each epoch with the history so far, for live curves.
    cancel : threading.Event, optional
        Checked before each batch.
    checkpoints : Path, optional
        Folder in which training keeps its state, and finds it again after a kill.
    checkpoint_every : float
        Seconds between two checkpoints: so much work a kill may cost. Not each
        epoch: the state of a large network is gigabytes.
    """

    n_jobs: int = 1
    device: str = "cpu"
    augment: Callable[..., Tensor] | None = None
    progress: Progress | None = None
    on_epoch: Callable[[pd.DataFrame], None] | None = None
    cancel: threading.Event | None = None
    checkpoints: Path | None = None
    checkpoint_every: float = 120.0


#: On the CPU, watched by nobody.
PLAIN = Fitting()
