"""The one training loop for torch modules.

Everything random (initial weights, order of rows, augmentation, dropout)
comes from the seed that is passed in; torch's global generator is left as it
was found.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from serlab import batches, metrics
from serlab.checkpoints import Checkpoint, architecture, content
from serlab.devices import explained_memory, resolve_device
from serlab.errors import Cancelled, ParameterError, TrainingError
from serlab.progress import Progress

#: Name -> optimizer of parameters. Fused steps are three times as fast on a CPU.
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.Adam, fused=True),
    "adamw": partial(torch.optim.AdamW, fused=True),
    "sgd": partial(torch.optim.SGD, momentum=0.9, fused=True),
    "rmsprop": torch.optim.RMSprop,
}


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

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ParameterError(f"unknown optimizer {self.optimizer!r}; known: {', '.join(OPTIMIZERS)}")


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """How a fit is carried out and watched; none of it is a choice of method.

    Attributes
    ----------
    n_jobs : int
        Threads, for methods to choose by :func:`threads`.
    device : {"cpu", "cuda", "auto"}
        See :func:`serlab.devices.resolve_device`.
    progress : callable(done, total, text), optional
        Called after each epoch.
    on_epoch : callable(DataFrame), optional
        Called after each epoch with the history so far, for live curves.
    cancel : threading.Event, optional
        Checked before each batch.
    checkpoints : Path, optional
        Folder in which training keeps its state after each epoch, and finds
        it again after a kill.
    """

    n_jobs: int = 1
    device: str = "cpu"
    progress: Progress | None = None
    on_epoch: Callable[[pd.DataFrame], None] | None = None
    cancel: threading.Event | None = None
    checkpoints: Path | None = None


#: On the CPU, watched by nobody.
PLAIN = Fitting()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch for the duration of a block, then restore its state.

    For building a module (initial weights) and for dropout.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@contextmanager
def threads(n_jobs: int) -> Iterator[None]:
    """Let torch use so many threads during a block; -1: as many as it does anyway."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if n_jobs == -1 else n_jobs)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(
    module: nn.Module,
    X: Tensor,
    y: Tensor,
    *,
    settings: Settings,
    seed: int,
    class_weight: Tensor | None = None,
    validation: tuple[Tensor, Tensor] | None = None,
    augment: Callable[..., Tensor] | None = None,
    fitting: Fitting = PLAIN,
    name: str = "fit",
    rows: Sequence | None = None,
) -> pd.DataFrame:
    """Train a classifier in place by cross-entropy; it stays on its device.

    Parameters that do not require a gradient stay as they are.

    Parameters
    ----------
    module : Module
        Gives logits, shape (n, n_classes).
    X : Tensor, shape (n, ...)
        Sequences (n, t, d) are NaN after the end of an utterance, and a batch
        is cut at its longest one.
    y : Tensor of int64, shape (n,)
    settings : Settings
    seed : int
        Of the order of rows, of augmentation and of dropout.
    class_weight : Tensor, shape (n_classes,), optional
        Such as :func:`balanced_weight`.
    validation : tuple of (Tensor, Tensor), optional
        Rows and labels taken from the training side. The module ends with the
        weights of the epoch in which their loss was least. A class may be
        absent.
    augment : callable, optional
        ``augment(X, generator=...)`` -> what to train on instead of a batch ``X``.
    fitting : Fitting
        Device, watchers, checkpoints.
    name : str
        Of the checkpoint, ``<name>.pt``; another for each training of a fit.
    rows : sequence, optional
        Ids of the rows, for ``TrainingError.rows``.

    Returns
    -------
    DataFrame
        One row an epoch: epoch, loss, uar and, with validation,
        validation_loss and validation_uar. Loss and UAR of the training rows
        are those met on the way, with dropout and while weights change. UAR
        is the mean recall of the classes that are present.

    Raises
    ------
    TrainingError
        If the loss is no longer finite, with the ``rows`` at fault; the module
        has the weights of the last whole epoch then. If memory is out, or the
        checkpoint found is of another training.
    ParameterError
        If a GPU is asked for and there is none.
    Cancelled
        If ``fitting.cancel`` is set; the module is half-trained then.
    """
    if settings.patience is not None and validation is None:
        raise ValueError("patience needs validation rows")
    data = _Data(X, y, batches.lengths(X), augment, rows)
    checkpoint = None
    if fitting.checkpoints is not None:
        chosen = str({**asdict(settings), "augment": augment is not None, "seed": seed})
        tensors = [X, y, class_weight, *(validation or ()), *module.state_dict().values()]
        checkpoint = Checkpoint(
            path=fitting.checkpoints / f"{name}.pt",
            architecture=architecture(module),
            training=chosen + content(tensors),
        )
    run = _Run.start(module, class_weight, settings, seed, resolve_device(fitting.device))
    with seeded(seed), explained_memory(_knobs("batch_size", settings.batch_size, X)):
        if checkpoint is not None and (state := checkpoint.read()) is not None:
            run.restore(state)
            _report(run.history, settings, fitting)
        while not _finished(run.history, settings):
            row = _train_epoch(run, data, settings, fitting.cancel)
            if validation is not None:
                row |= _validate(run, *validation, settings)
            run.end_epoch(row)
            if checkpoint is not None:
                checkpoint.write(run.state())
            _report(run.history, settings, fitting)
    if run.best is not None:
        module.load_state_dict(run.best)
    module.eval()
    return pd.DataFrame(run.history)


def balanced_weight(y: Tensor, n_classes: int) -> Tensor:
    """Class weights inverse to class counts, so that each class weighs the same.

    ``n / (classes present * count)``; a class without rows gets 0.
    """
    counts = torch.bincount(y, minlength=n_classes).float()
    return torch.where(counts > 0, len(y) / (counts.clamp(min=1) * (counts > 0).sum()), 0.0)


def predict(
    module: nn.Module,
    X: np.ndarray,
    *,
    function: Callable[[Tensor], Tensor] | None = None,
    batch_size: int = 256,
    fitting: Fitting = PLAIN,
) -> np.ndarray:
    """Outputs of a module that is not trained meanwhile, in batches.

    Parameters
    ----------
    module : Module
        Moved to the device of ``fitting`` and left there.
    X : ndarray, shape (n, ...)
        Sequences (n, t, d) are NaN after the end of an utterance.
    function : callable, optional
        Of a batch, such as ``module.attention``; the module itself if not given.

    Returns
    -------
    ndarray, shape (n, ...)
        NaN in columns that only batches of longer utterances have.

    Raises
    ------
    TrainingError
        If memory is out.
    """
    device = resolve_device(fitting.device)
    module.to(device).eval()
    X = torch.as_tensor(X)
    with explained_memory(_knobs("batch_size", batch_size, X)):
        return batches.apply(function or module, X, batch_size=batch_size, device=device).numpy()


def predict_proba(module: nn.Module, X: np.ndarray, *, fitting: Fitting = PLAIN) -> np.ndarray:
    """Softmax of a classifier's logits; float64, rows sum to 1."""
    return torch.softmax(torch.from_numpy(predict(module, X, fitting=fitting)).double(), dim=1).numpy()


@dataclass(frozen=True)
class _Data:
    """What is trained on."""

    X: Tensor
    y: Tensor
    lengths: Tensor | None
    augment: Callable[..., Tensor] | None
    rows: Sequence | None

    def batch(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        X = batches.take(self.X, rows, self.lengths)
        return X if self.augment is None else self.augment(X, generator=generator)

    def ids(self, rows: Tensor) -> list | None:
        return None if self.rows is None else [self.rows[row] for row in rows.tolist()]


@dataclass
class _Run:
    """What changes while a module is trained, and so what a checkpoint keeps."""

    module: nn.Module
    criterion: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    autocast: torch.autocast
    generator: torch.Generator
    device: str
    history: list[dict[str, float]]
    good: dict[str, Tensor]  # weights after the last whole epoch
    best: dict[str, Tensor] | None  # weights of the epoch with the least validation loss

    @classmethod
    def start(
        cls, module: nn.Module, class_weight: Tensor | None, settings: Settings, seed: int, device: str
    ) -> _Run:
        module.to(device)
        mixed = settings.mixed_precision and device == "cuda"
        # bfloat16 (from Ampere on) has the range of float32; float16 needs its loss scaled.
        small_range = mixed and torch.cuda.get_device_capability() < (8, 0)
        return cls(
            module=module,
            criterion=nn.CrossEntropyLoss(weight=class_weight).to(device),
            optimizer=OPTIMIZERS[settings.optimizer](
                [parameter for parameter in module.parameters() if parameter.requires_grad],
                lr=settings.learning_rate,
                weight_decay=settings.weight_decay,
            ),
            scaler=torch.amp.GradScaler(device, enabled=small_range),
            autocast=torch.autocast(
                device, dtype=torch.float16 if small_range else torch.bfloat16, enabled=mixed
            ),
            generator=torch.Generator().manual_seed(seed),
            device=device,
            history=[],
            good=_copy(module),
            best=None,
        )

    @property
    def epoch(self) -> int:
        """Number of the epoch under way."""
        return len(self.history) + 1

    def forward(self, X: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and loss of a batch, on the device."""
        with self.autocast:
            logits = self.module(X.to(self.device))
            return logits, self.criterion(logits, y.to(self.device))

    def step(self, loss: Tensor, clip: float | None) -> None:
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        if clip is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.optimizer.param_groups[0]["params"], clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def end_epoch(self, row: dict[str, float]) -> None:
        self.history.append({"epoch": self.epoch, **row})
        self.good = _copy(self.module)
        if _best_epoch(self.history) == len(self.history):
            self.best = self.good

    def state(self) -> dict[str, Any]:
        return {
            "history": self.history,
            "module": self.good,
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "generator": self.generator.get_state(),
            "dropout": torch.get_rng_state(),
            "dropout on GPU": torch.cuda.get_rng_state() if self.device == "cuda" else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.history, self.best = state["history"], state["best"]
        self.module.load_state_dict(state["module"])
        self.good = _copy(self.module)
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["dropout"])
        if self.device == "cuda" and state["dropout on GPU"] is not None:
            torch.cuda.set_rng_state(state["dropout on GPU"])


def _train_epoch(
    run: _Run, data: _Data, settings: Settings, cancel: threading.Event | None
) -> dict[str, float]:
    """One pass over the training rows; their loss and UAR."""
    run.module.train()
    order = torch.randperm(len(data.X), generator=run.generator).split(settings.batch_size)
    losses, answers = [], []
    for rows in order:
        if cancel is not None and cancel.is_set():
            raise Cancelled(f"training cancelled in epoch {run.epoch}")
        logits, loss = run.forward(data.batch(rows, run.generator), data.y[rows])
        losses.append(loss.detach())
        answers.append(logits.detach().argmax(dim=1))
        # On a GPU to look is to wait; there a bad loss is found at the end of the epoch.
        if run.device == "cpu" and not math.isfinite(loss.item()):
            break
        run.step(loss, settings.clip)
    values = torch.stack(losses).tolist()
    _require_finite(run, data, order, values, settings)
    total = sum(value * len(rows) for value, rows in zip(values, order, strict=True))
    uar = _uar(data.y[torch.cat(order)], torch.cat(answers), logits.shape[1])
    return {"loss": total / len(data.X), "uar": uar}


def _validate(run: _Run, X: Tensor, y: Tensor, settings: Settings) -> dict[str, float]:
    run.module.eval()
    logits = batches.apply(run.module, X, batch_size=max(256, settings.batch_size), device=run.device)
    loss = run.criterion(logits.to(run.device), y.to(run.device)).item()
    if not math.isfinite(loss):
        run.module.load_state_dict(run.good)
        raise TrainingError(f"the validation loss became {loss} in epoch {run.epoch}; {_calmer(settings)}")
    return {"validation_loss": loss, "validation_uar": _uar(y, logits.argmax(dim=1), logits.shape[1])}


def _require_finite(
    run: _Run, data: _Data, order: Sequence[Tensor], values: Sequence[float], settings: Settings
) -> None:
    """Refuse an epoch with a loss or weight that is no number; go back to the one before."""
    weights_are = all(parameter.isfinite().all() for parameter in run.module.parameters())
    if weights_are and all(map(math.isfinite, values)):
        return
    run.module.load_state_dict(run.good)
    first = next((i for i, value in enumerate(values) if not math.isfinite(value)), len(values))
    # With weights already lost, the step before that loss may have done it.
    suspects = torch.cat(order[max(0, first - (not weights_are)) : first + 1])
    run.module.eval()
    logits = batches.apply(run.module, data.X[suspects], batch_size=len(suspects), device=run.device)
    broken = suspects[~logits.isfinite().all(dim=1)]
    what = f"the loss became {values[first]}" if first < len(values) else "the weights became infinite"
    at_fault = broken if len(broken) else suspects
    named = f"row(s) {', '.join(map(str, at_fault[:3].tolist()))}" + (", ..." if len(at_fault) > 3 else "")
    remedy = (
        f"the features of {named} are at fault: look at these files, or leave them out"
        if len(broken)
        else f"it was learning from {named}; {_calmer(settings)}"
    )
    raise TrainingError(f"{what} in epoch {run.epoch}; {remedy}", rows=data.ids(at_fault))


def _calmer(settings: Settings) -> str:
    return f"lower the learning rate ({settings.learning_rate:g}), clip gradients or normalise the features"


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _uar(y_true: Tensor, y_pred: Tensor, n_classes: int) -> float:
    return float(metrics.uar(metrics.confusion(y_true.cpu().numpy(), y_pred.cpu().numpy(), n_classes)))


def _best_epoch(history: list[dict[str, float]]) -> int:
    """Epoch (from 1) with the least validation loss, the first of equals; 0 without."""
    losses = [row["validation_loss"] for row in history if "validation_loss" in row]
    return 1 + losses.index(min(losses)) if losses else 0


def _finished(history: list[dict[str, float]], settings: Settings) -> bool:
    waited = len(history) - _best_epoch(history)
    return len(history) >= settings.epochs or (
        settings.patience is not None and history and waited >= settings.patience
    )


def _report(history: list[dict[str, float]], settings: Settings, fitting: Fitting) -> None:
    last = history[-1]
    if fitting.progress is not None:
        text = ", ".join(
            f"{name.replace('_', ' ')} {value:.3f}" for name, value in last.items() if name != "epoch"
        )
        fitting.progress(last["epoch"], settings.epochs, f"epoch {last['epoch']}: {text}")
    if fitting.on_epoch is not None:
        fitting.on_epoch(pd.DataFrame(history))


def _knobs(name: str, batch_size: int, X: Tensor) -> str:
    """What needs less memory when it is lower."""
    frames = f", or the length of utterances ({X.shape[1]} frames)" if X.dim() == 3 else ""
    return f"{name} ({batch_size}){frames}"
