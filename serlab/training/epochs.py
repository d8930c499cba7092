"""One epoch of training, and what lives on from one epoch to the next."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from serlab import metrics
from serlab.errors import Cancelled, ParameterError, TrainingError
from serlab.training import batches
from serlab.training.objectives import Batch, CrossEntropy

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


#: Module, batch, cross-entropy and progress from 0 to 1 -> logits of the batch, and terms of the loss.
Loss = Callable[[nn.Module, Batch, CrossEntropy, float], tuple[Tensor, dict[str, Tensor]]]


def classification(
    module: nn.Module, batch: Batch, cross_entropy: CrossEntropy, progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of a plain classifier: cross-entropy."""
    logits = module(batch.source)
    return logits, {"classification": cross_entropy(logits, batch.y)}


@dataclass(frozen=True)
class Data:
    """What is trained on, on the device; see :func:`serlab.training.train`."""

    X: Tensor
    y: Tensor
    lengths: Tensor | None
    augment: Callable[..., Tensor] | None
    rows: Sequence | None
    target: Data | None = None

    def batch(self, rows: Tensor, target_rows: Tensor | None, generator: torch.Generator) -> Batch:
        X, target = self._take(rows, generator), self.target
        if target is None or target_rows is None:
            return Batch(X, self.y[rows])
        return Batch(
            X,
            self.y[rows],
            target._take(target_rows, generator),
            target.y[target_rows] if len(target.y) else None,
        )

    def _take(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        X = batches.take(self.X, rows, self.lengths)
        return X if self.augment is None else self.augment(X, generator=generator)

    def ids(self, rows: Tensor) -> list | None:
        return None if self.rows is None else [self.rows[row] for row in rows.tolist()]


@dataclass
class Run:
    """A training under way: what it works with, and the state that a checkpoint keeps."""

    module: nn.Module
    loss: Loss
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
        cls,
        module: nn.Module,
        loss: Loss,
        class_weight: Tensor | None,
        settings: Settings,
        seed: int,
        device: str,
    ) -> Run:
        module.to(device)
        mixed = settings.mixed_precision and device == "cuda"
        # bfloat16 (from Ampere on) has the range of float32; float16 needs its loss scaled.
        small_range = mixed and torch.cuda.get_device_capability() < (8, 0)
        return cls(
            module=module,
            loss=loss,
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

    def forward(self, batch: Batch, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits of a batch, and the terms of its loss."""
        with self.autocast:
            return self.loss(self.module, batch, self.criterion, progress)

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
        if self.device == "cuda":
            torch.cuda.set_rng_state(state["dropout on GPU"])


def train_epoch(run: Run, data: Data, settings: Settings, cancel: threading.Event | None) -> dict[str, float]:
    """One pass over the training rows; their loss and UAR."""
    run.module.train()
    order = torch.randperm(len(data.X), generator=run.generator).split(settings.batch_size)
    beside = [None] * len(order)
    if data.target is not None:
        beside = _drawn(len(data.target.X), len(order), settings.batch_size, run.generator)
    losses, answers, shares = [], [], []
    for number, (rows, target_rows) in enumerate(zip(order, beside, strict=True)):
        if cancel is not None and cancel.is_set():
            raise Cancelled(f"training cancelled in epoch {run.epoch}")
        progress = (run.epoch - 1 + number / len(order)) / settings.epochs
        logits, terms = run.forward(data.batch(rows, target_rows, run.generator), progress)
        loss = sum(terms.values())
        losses.append(loss.detach())
        shares.append(torch.stack([term.detach().float() for term in terms.values()]))
        answers.append(logits.detach().argmax(dim=1))
        # On a GPU to look is to wait; there a bad loss is found at the end of the epoch.
        if run.device == "cpu" and not math.isfinite(loss.item()):
            break
        run.step(loss, settings.clip)
    values = torch.stack(losses).tolist()
    _require_finite(run, data, order, values, settings)
    weight = torch.tensor([len(rows) / len(data.X) for rows in order])
    row = {
        "loss": float(weight.double() @ torch.tensor(values, dtype=torch.float64)),
        "uar": _uar(data.y[torch.cat(order)], torch.cat(answers), logits.shape[1]),
    }
    if len(terms) > 1:
        means = (weight @ torch.stack(shares).cpu()).tolist()
        row |= {f"loss_{name}": mean for name, mean in zip(terms, means, strict=True)}
    return row


def _drawn(n_rows: int, n_batches: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Batches of target rows: all of them in random order, again and again."""
    size = min(batch_size, n_rows)
    rounds = math.ceil(n_batches * size / n_rows)
    rows = torch.cat([torch.randperm(n_rows, generator=generator) for _ in range(rounds)])
    return rows[: n_batches * size].split(size)


def validate(run: Run, X: Tensor, y: Tensor, settings: Settings) -> dict[str, float]:
    """Loss and UAR of rows that are not learned from."""
    run.module.eval()
    logits = batches.apply(run.module, X, batch_size=max(256, settings.batch_size), device=run.device)
    loss = run.criterion(logits.to(run.device), y.to(run.device)).item()
    if not math.isfinite(loss):
        run.module.load_state_dict(run.good)
        raise TrainingError(f"the validation loss became {loss} in epoch {run.epoch}; {_calmer(settings)}")
    return {"validation_loss": loss, "validation_uar": _uar(y, logits.argmax(dim=1), logits.shape[1])}


def _require_finite(
    run: Run, data: Data, order: Sequence[Tensor], losses: Sequence[float], settings: Settings
) -> None:
    """Refuse an epoch with a loss or a weight that is no number, and go back to the one before."""
    lost = not all(parameter.isfinite().all() for parameter in run.module.parameters())
    bad = [number for number, loss in enumerate(losses) if not math.isfinite(loss)]
    if not lost and not bad:
        return
    run.module.load_state_dict(run.good)
    run.module.eval()
    last = bad[0] if bad else len(losses) - 1
    # A step that loses the weights shows in the loss of the next one only.
    rows = torch.cat(order[max(0, last - lost) : last + 1])
    logits = batches.apply(run.module, data.X[rows], batch_size=len(rows), device=run.device)
    broken = rows[~logits.isfinite().all(dim=1)]
    what = f"the loss became {losses[last]}" if bad else "weights became infinite"
    if 0 < len(broken) < len(rows):
        rows, remedy = broken, "look at what their features are"
    else:
        remedy = _calmer(settings)
    some = ", ".join(map(str, rows[:3].tolist())) + (", ..." if len(rows) > 3 else "")
    raise TrainingError(
        f"{what} in epoch {run.epoch}, at training row(s) {some}; {remedy}", rows=data.ids(rows)
    )


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


def finished(history: list[dict[str, float]], settings: Settings) -> bool:
    """Whether all epochs are done, or the last improvement is too long ago."""
    if not history or settings.patience is None:
        return len(history) >= settings.epochs
    return len(history) >= settings.epochs or len(history) - _best_epoch(history) >= settings.patience
