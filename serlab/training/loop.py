"""The one training loop for torch modules.

Everything random (initial weights, order of rows, augmentation, dropout)
comes from the seed that is passed in; torch's global generator is left as it
was found.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from threading import Event

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from serlab import turns
from serlab.sequences import Sequences
from serlab.training import batches
from serlab.training.batches import Rows
from serlab.training.checkpoints import Checkpoint, architecture, content
from serlab.training.devices import explained_memory, resolve_device
from serlab.training.epochs import Data, Loss, Task, classification, train_epoch, validate
from serlab.training.learner import Learner, best_epoch, optimizer_of
from serlab.training.settings import PLAIN, Fitting, Settings


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch for the duration of a block, then restore its state.

    For building a module (initial weights) and for dropout. The generator is
    one of the whole process: another thread waits until the block is left
    (:mod:`serlab.turns`).
    """
    with turns.one_at_a_time(), torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@contextmanager
def threads(n_jobs: int, *, cancel: Event | None = None) -> Iterator[None]:
    """Let torch use so many threads during a block; -1: as many as it does anyway.

    The number is one of the whole process, as the generator is, and with another one sums are rounded in
    another order: another thread waits until the block is left (:mod:`serlab.turns`), and finds the number
    that was there before.

    Parameters
    ----------
    n_jobs : int
    cancel : threading.Event, optional
        Ends the wait.

    Raises
    ------
    Cancelled
        While it waits.
    """
    with turns.one_at_a_time(cancel=cancel):
        before = torch.get_num_threads()
        torch.set_num_threads(before if n_jobs == -1 else n_jobs)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def train(
    module: nn.Module,
    X: Rows,
    y: Tensor,
    *,
    settings: Settings,
    seed: int,
    class_weight: Tensor | None = None,
    validation: tuple[Rows, Tensor] | None = None,
    augment: Callable[..., Tensor] | None = None,
    fitting: Fitting = PLAIN,
    name: str = "fit",
    rows: Sequence | None = None,
    loss: Loss = classification,
    target: Rows | None = None,
    target_y: Tensor | None = None,
    domains: Tensor | None = None,
) -> pd.DataFrame:
    """Train a classifier in place, by cross-entropy if nothing else is asked for; it stays on its device.

    Parameters that do not require a gradient stay as they are.

    Parameters
    ----------
    module : Module
        Gives logits, shape (n, n_classes).
    X : Tensor, shape (n, ...), or Sequences
        A tensor (n, t, d) is NaN after the end of an utterance. A batch is cut
        at its longest utterance, and is all that is dense of sequences.
    y : Tensor of int64, shape (n,)
    settings : Settings
    seed : int
        Of the order of rows, of augmentation and of dropout.
    class_weight : Tensor, shape (n_classes,), optional
        Such as :func:`balanced_weight`.
    validation : tuple of (Tensor or Sequences, Tensor), optional
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
    loss : callable, optional
        See :data:`serlab.training.epochs.Loss` and :mod:`serlab.training.objectives`.
    target : Tensor, shape (m, ...), or Sequences, optional
        Rows of another corpus, given to ``loss`` in batches beside those of
        ``X``: an epoch is one pass over ``X``, and ``target`` is drawn again and again.
    target_y : Tensor of int64, shape (m,), optional
        Their labels, where ``loss`` may have them.
    domains : Tensor of int64, shape (n,), optional
        Which corpus each row of ``X`` is of, from 0, for a ``loss`` that tells them apart.

    Returns
    -------
    DataFrame
        One row an epoch: epoch, loss, uar; loss_<term> where the loss has
        several terms; with validation validation_loss and validation_uar.
        Loss and UAR of the training rows are those met on the way, with
        dropout and while weights change. UAR is the mean recall of the
        classes that are present.

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
    device = resolve_device(fitting.device)
    checkpoint = None
    if fitting.checkpoints is not None:
        chosen = {**asdict(settings), "seed": seed, "augment": augment is not None, "device": device}
        chosen["loss"] = getattr(loss, "__name__", repr(loss))
        tensors = [
            X,
            y,
            class_weight,
            *(validation or ()),
            target,
            target_y,
            domains,
            *module.state_dict().values(),
        ]
        checkpoint = Checkpoint(
            path=fitting.checkpoints / f"{name}.pt",
            architecture=architecture(module),
            training=f"{chosen} {content(tensors)}",
        )
    with seeded(seed), explained_memory(_knobs(settings.batch_size, X)):
        learner = Learner.start(
            module.to(device),
            optimizer_of(
                [parameter for parameter in module.parameters() if parameter.requires_grad], settings
            ),
            seed=seed,
            device=device,
            mixed_precision=settings.mixed_precision,
        )
        task = Task.of(loss, class_weight, device)
        beside = None
        if target is not None:
            labels = torch.empty(0, dtype=torch.int64) if target_y is None else target_y
            beside = Data(
                batches.on_device(target, device), labels.to(device), batches.lengths(target), augment, None
            )
        data = Data(
            batches.on_device(X, device), y.to(device), batches.lengths(X), augment, rows, beside,
            None if domains is None else domains.to(device),
        )  # fmt: skip

        def epoch() -> dict[str, float]:
            row = train_epoch(learner, task, data, settings, fitting.cancel)
            return row if validation is None else row | validate(learner, task, *validation, settings)

        repeat(
            learner, epoch, epochs=settings.epochs, patience=settings.patience, checkpoint=checkpoint,
            fitting=fitting,
        )  # fmt: skip
    if learner.best is not None:
        module.load_state_dict(learner.best)
    module.eval()
    return pd.DataFrame(learner.history)


def repeat(
    learner: Learner,
    epoch: Callable[[], dict[str, float]],
    *,
    epochs: int,
    patience: int | None = None,
    checkpoint: Checkpoint | None = None,
    fitting: Fitting = PLAIN,
) -> None:
    """Epoch after epoch, from the checkpoint where there is one, until all are done or nothing improves.

    What an epoch is, its caller says: :func:`train` passes over rows with a
    class each, speech recognition over utterances with a transcript each.

    Parameters
    ----------
    learner : Learner
    epoch : callable
        Trains ``learner`` for an epoch; what it came to. ``validation_loss``
        decides about ``patience`` and :attr:`Learner.best`.
    epochs : int
        At most.
    patience : int, optional
        See :class:`Settings`.
    checkpoint : Checkpoint, optional
        Written after an epoch when the last is ``fitting.checkpoint_every`` seconds old, and at the end.
    fitting : Fitting
        Who watches.
    """
    if checkpoint is not None and (state := checkpoint.read()) is not None:
        learner.restore(state)
        _report(learner.history, epochs, fitting)
    saved, unsaved = time.monotonic(), False
    while len(learner.history) < epochs and not _waited(learner.history, patience):
        learner.end_epoch(epoch())
        unsaved = True
        if checkpoint is not None and time.monotonic() - saved >= fitting.checkpoint_every:
            checkpoint.write(learner.state())
            saved, unsaved = time.monotonic(), False
        _report(learner.history, epochs, fitting)
    if checkpoint is not None and unsaved:
        checkpoint.write(learner.state())  # what follows in the same fit may be killed, too


def _waited(history: list[dict[str, float]], patience: int | None) -> bool:
    """Whether the last improvement is too long ago."""
    return patience is not None and len(history) > 0 and len(history) - best_epoch(history) >= patience


def balanced_weight(y: Tensor, n_classes: int) -> Tensor:
    """Class weights inverse to class counts, so that each class weighs the same.

    ``n / (classes present * count)``; a class without rows gets 0.
    """
    counts = torch.bincount(y, minlength=n_classes).float()
    return torch.where(counts > 0, len(y) / (counts.clamp(min=1) * (counts > 0).sum()), 0.0)


def predict(
    module: nn.Module,
    X: np.ndarray | Sequences,
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
    X : ndarray, shape (n, ...), or Sequences
        An array (n, t, d) is NaN after the end of an utterance.
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
    X = batches.as_rows(X)
    with explained_memory(_knobs(batch_size, X)):
        return batches.apply(function or module, X, batch_size=batch_size, device=device).numpy()


def predict_proba(
    module: nn.Module, X: np.ndarray | Sequences, *, batch_size: int = 256, fitting: Fitting = PLAIN
) -> np.ndarray:
    """Softmax of a classifier's logits; float64, rows sum to 1."""
    logits = torch.from_numpy(predict(module, X, batch_size=batch_size, fitting=fitting))
    return torch.softmax(logits.double(), dim=1).numpy()


def _report(history: list[dict[str, float]], epochs: int, fitting: Fitting) -> None:
    last = history[-1]
    if fitting.progress is not None:
        text = ", ".join(
            f"{name.replace('_', ' ')} {value:.3f}" for name, value in last.items() if name != "epoch"
        )
        fitting.progress(last["epoch"], epochs, f"epoch {last['epoch']}: {text}")
    if fitting.on_epoch is not None:
        fitting.on_epoch(pd.DataFrame(history))


def _knobs(batch_size: int, X: Rows) -> str:
    """What needs less memory when it is lower."""
    frames = f", or the length of utterances ({X.shape[1]} frames)" if X.ndim == 3 else ""
    return f"batch_size ({batch_size}){frames}"
