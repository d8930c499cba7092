"""One epoch of a classifier: a pass over its rows, and over those it is validated with."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from serlab import metrics
from serlab.errors import TrainingError
from serlab.progress import stop_if
from serlab.training import batches
from serlab.training.batches import Rows
from serlab.training.learner import Learner
from serlab.training.objectives.base import Batch, CrossEntropy
from serlab.training.settings import Settings
from serlab.wording import count

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
    """What is trained on, on the device or to be brought there; see :func:`serlab.training.train`."""

    X: Rows
    y: Tensor
    lengths: Tensor | None
    augment: Callable[..., Tensor] | None
    rows: Sequence | None
    target: Data | None = None
    domains: Tensor | None = None

    def batch(self, rows: Tensor, target_rows: Tensor | None, generator: torch.Generator) -> Batch:
        X, target = self._take(rows, generator), self.target
        if target is None or target_rows is None:
            return Batch(X, self.y[rows])
        return Batch(
            X,
            self.y[rows],
            target._take(target_rows, generator),
            target.y[target_rows] if len(target.y) else None,
            None if self.domains is None else self.domains[rows],
        )

    def _take(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        X = batches.take(self.X, rows, self.lengths).to(self.y.device)
        return X if self.augment is None else self.augment(X, generator=generator)

    def ids(self, rows: Tensor) -> list | None:
        return None if self.rows is None else [self.rows[row] for row in rows.tolist()]


@dataclass(frozen=True)
class Task:
    """What is minimised over the rows of an epoch."""

    loss: Loss
    criterion: nn.Module

    @classmethod
    def of(cls, loss: Loss, class_weight: Tensor | None, device: str) -> Task:
        return cls(loss=loss, criterion=nn.CrossEntropyLoss(weight=class_weight).to(device))


def train_epoch(
    learner: Learner, task: Task, data: Data, settings: Settings, cancel: threading.Event | None
) -> dict[str, float]:
    """One pass over the training rows; their loss and UAR."""
    learner.module.train()
    order = torch.randperm(len(data.X), generator=learner.generator).split(settings.batch_size)
    beside = [None] * len(order)
    if data.target is not None:
        beside = _drawn(len(data.target.X), len(order), settings.batch_size, learner.generator)
    parts = _parts(order, beside, settings.accumulate)
    order = tuple(part.rows for part in parts)
    losses, answers, shares = [], [], []
    for number, part in enumerate(parts):
        stop_if(cancel, f"training cancelled in epoch {learner.epoch}")
        progress = (learner.epoch - 1 + number / len(order)) / settings.epochs
        batch = data.batch(part.rows, part.target_rows, learner.generator)
        with learner.autocast:
            logits, terms = task.loss(learner.module, batch, task.criterion, progress)
        loss = sum(terms.values())
        losses.append(loss.detach())
        shares.append(torch.stack([term.detach().float() for term in terms.values()]))
        answers.append(logits.detach().argmax(dim=1))
        # On a GPU to look is to wait; there a bad loss is found at the end of the epoch.
        if learner.device == "cpu" and not math.isfinite(loss.item()):
            break
        learner.step(
            loss if part.share == 1 else loss * part.share,
            clip=settings.clip,
            first=part.first,
            last=part.last,
        )
    values = torch.stack(losses).tolist()
    _require_finite(learner, data, order, values, settings)
    weight = torch.tensor([len(rows) / len(data.X) for rows in order])
    row = {
        "loss": float(weight.double() @ torch.tensor(values, dtype=torch.float64)),
        "uar": _uar(data.y[torch.cat(order)], torch.cat(answers), logits.shape[1]),
    }
    if len(terms) > 1:
        means = (weight @ torch.stack(shares).cpu()).tolist()
        row |= {f"loss_{name}": mean for name, mean in zip(terms, means, strict=True)}
    return row


class _Part(NamedTuple):
    """Some rows of a batch that are computed together."""

    rows: Tensor
    target_rows: Tensor | None
    share: float  # of its batch
    first: bool
    last: bool


def _parts(order: Sequence[Tensor], beside: Sequence[Tensor | None], n: int) -> list[_Part]:
    """Batches, each in ``n`` parts as far as it has rows."""
    if n == 1:
        return [_Part(*rows, 1.0, True, True) for rows in zip(order, beside, strict=True)]
    parts = []
    for rows, target_rows in zip(order, beside, strict=True):
        count = min(n, len(rows), len(rows) if target_rows is None else len(target_rows))
        pieces = rows.tensor_split(count)
        targets = [None] * count if target_rows is None else target_rows.tensor_split(count)
        for i, (piece, target) in enumerate(zip(pieces, targets, strict=True)):
            parts.append(_Part(piece, target, len(piece) / len(rows), i == 0, i == len(pieces) - 1))
    return parts


def _drawn(n_rows: int, n_batches: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Batches of target rows: all of them in random order, again and again."""
    size = min(batch_size, n_rows)
    rounds = math.ceil(n_batches * size / n_rows)
    rows = torch.cat([torch.randperm(n_rows, generator=generator) for _ in range(rounds)])
    return rows[: n_batches * size].split(size)


def validate(learner: Learner, task: Task, X: Rows, y: Tensor, settings: Settings) -> dict[str, float]:
    """Loss and UAR of rows that are not learned from."""
    learner.module.eval()
    logits = batches.apply(learner.module, X, batch_size=max(256, settings.batch_size), device=learner.device)
    loss = task.criterion(logits.to(learner.device), y.to(learner.device)).item()
    if not math.isfinite(loss):
        learner.take_back()
        raise TrainingError(
            f"the validation loss became {loss} in epoch {learner.epoch}; {_calmer(settings)}"
        )
    return {"validation_loss": loss, "validation_uar": _uar(y, logits.argmax(dim=1), logits.shape[1])}


def _require_finite(
    learner: Learner, data: Data, order: Sequence[Tensor], losses: Sequence[float], settings: Settings
) -> None:
    """Refuse an epoch with a loss or a weight that is no number, and go back to the one before."""
    # A sum is no number if any of its terms is none; it takes a fifth of the time of a look at each.
    lost = not all(parameter.sum(dtype=torch.float32).isfinite() for parameter in learner.module.parameters())
    bad = [number for number, loss in enumerate(losses) if not math.isfinite(loss)]
    if not lost and not bad:
        return
    learner.take_back()
    learner.module.eval()
    last = bad[0] if bad else len(losses) - 1
    # A step that loses the weights shows in the loss of the next one only.
    rows = torch.cat(order[max(0, last - lost) : last + 1])
    logits = batches.apply(learner.module, data.X[rows], batch_size=len(rows), device=learner.device)
    broken = rows[~logits.isfinite().all(dim=1)]
    what = f"the loss became {losses[last]}" if bad else "weights became infinite"
    if 0 < len(broken) < len(rows):
        rows, remedy = broken, "look at what their features are"
    else:
        remedy = _calmer(settings)
    some = ", ".join(map(str, rows[:3].tolist())) + (", ..." if len(rows) > 3 else "")
    raise TrainingError(
        f"{what} in epoch {learner.epoch}, at {count(len(rows), 'training row')} ({some}); {remedy}",
        rows=data.ids(rows),
    )


def _calmer(settings: Settings) -> str:
    return f"lower the learning rate ({settings.learning_rate:g}), clip gradients or normalise the features"


def _uar(y_true: Tensor, y_pred: Tensor, n_classes: int) -> float:
    return float(metrics.uar(metrics.confusion(y_true.cpu().numpy(), y_pred.cpu().numpy(), n_classes)))
