"""Epochs of an acoustic model: utterances with a transcript each, in batches that may come from disk.

The loop over epochs, its checkpoints and its optimizer steps are those of
:mod:`serlab.training`. An epoch is not: :func:`serlab.training.train` passes over
rows in memory with one class each and counts recalls, where here a batch is
utterances by name, read from the cache in parts, its loss comes from the
transcripts of all of them, and the learning rate changes with every step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from serlab.asr.acoustic_model import AcousticModel
from serlab.asr.criteria import BranchCriterion, Criterion
from serlab.asr.perturbation import louder
from serlab.asr.speech import Speech
from serlab.errors import TrainingError
from serlab.models.tdnn_branch import WithBranch
from serlab.progress import stop_if
from serlab.training import Fitting, repeat, seeded
from serlab.training.checkpoints import Checkpoint
from serlab.training.learner import Learner

#: Share of the steps in which the learning rate rises; then it falls, both linearly.
WARM_UP = 0.1
#: Greatest norm of the gradient.
CLIP = 5.0


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What is learned from, what is held out, and what counts as wrong.

    Attributes
    ----------
    speech : Speech
    training, testing : sequence of str
        Utterances.
    criterion : callable
        See :data:`serlab.asr.criteria.Criterion`.
    branch : callable, optional
        Loss of a second output layer, see :data:`serlab.asr.criteria.BranchCriterion`.
    """

    speech: Speech
    training: Sequence[str]
    testing: Sequence[str]
    criterion: Criterion
    branch: BranchCriterion | None = None


def learn(
    model: AcousticModel, lesson: Lesson, *, checkpoint: Checkpoint | None, fitting: Fitting
) -> list[dict[str, float]]:
    """Train the network of a model in place; ``model.settings`` say how.

    Returns
    -------
    list of dict
        Of each epoch: epoch, loss and held_out_loss.

    Raises
    ------
    TrainingError
        If the loss is no number any more; the network has the weights of the last whole epoch then.
    Cancelled
        If ``fitting.cancel`` is set; the last checkpoint is kept.
    """
    settings = model.settings
    module: nn.Module = model.tdnn
    if lesson.branch is not None:
        with seeded(settings["seed"]):
            module = WithBranch(model.tdnn)
    module.to(fitting.device)
    # Not fused as in serlab.training: that rounds otherwise, and weights are to be those of earlier models.
    optimizer = torch.optim.Adam(module.parameters(), lr=settings["learning_rate"])
    learner = Learner.start(module, optimizer, seed=settings["seed"], device=fitting.device)
    with seeded(settings["seed"]):
        repeat(
            learner,
            lambda: _epoch(learner, model, lesson, fitting),
            epochs=settings["epochs"],
            checkpoint=checkpoint,
            fitting=fitting,
        )
    module.eval()
    return learner.history


def _rate(done: float, *, highest: float) -> float:
    """Learning rate when a share of the steps is done: up from a hundredth, down to a hundredth."""
    return highest * max(0.01, min(done / WARM_UP, (1 - done) / (1 - WARM_UP)))


def _epoch(learner: Learner, model: AcousticModel, lesson: Lesson, fitting: Fitting) -> dict[str, float]:
    settings, training = model.settings, lesson.training
    learner.module.train()
    order = [training[row] for row in torch.randperm(len(training), generator=learner.generator).tolist()]
    n_batches = max(1, len(training) // settings["batch_size"])
    losses = []
    for number, (names, X) in enumerate(lesson.speech.batches(order, settings["batch_size"])):
        stop_if(
            fitting.cancel, f"pretraining cancelled in epoch {learner.epoch}; the last checkpoint is kept"
        )
        done = (learner.epoch - 1 + number / n_batches) / settings["epochs"]
        for group in learner.optimizer.param_groups:
            group["lr"] = _rate(done, highest=settings["learning_rate"])
        if settings.get("volume"):
            X = louder(X, settings["volume"], learner.generator)
        loss = _losses(learner.module, model, X, names, lesson, fitting).mean()
        if not math.isfinite(loss.item()):
            learner.take_back()
            raise TrainingError(
                f"the loss became {loss.item()} in epoch {learner.epoch}, at {names[0]} and the others of "
                f"its batch; lower the learning rate ({settings['learning_rate']:g})"
            )
        learner.step(loss, clip=CLIP)
        losses += [loss.item()] * len(names)
    return {"loss": float(np.mean(losses)), "held_out_loss": _held_out_loss(model, lesson, fitting)}


def _losses(
    module: nn.Module,
    model: AcousticModel,
    X: np.ndarray,
    names: Sequence[str],
    lesson: Lesson,
    fitting: Fitting,
) -> Tensor:
    """Loss of each utterance of a batch; where the module has a second output layer, of both."""
    inputs = torch.from_numpy(model.inputs(X))
    n_steps = model.tdnn.n_frames((~inputs[:, :, 0].isnan()).sum(dim=1))
    outputs = module(inputs.to(fitting.device))
    if not isinstance(module, WithBranch):
        return lesson.criterion(outputs, n_steps, names)
    scores, branch = outputs
    second = lesson.branch(branch, scores, n_steps, names)
    return lesson.criterion(scores, n_steps, names) + model.settings["cross_entropy"] * second


@torch.no_grad()
def _held_out_loss(model: AcousticModel, lesson: Lesson, fitting: Fitting) -> float:
    model.tdnn.eval()
    parts = [
        _losses(model.tdnn, model, X, names, lesson, fitting)
        for names, X in lesson.speech.batches(lesson.testing, model.settings["batch_size"])
    ]
    return float(torch.cat(parts).mean())
