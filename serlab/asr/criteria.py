"""The loss of each utterance, given what is said in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor

from serlab.asr.acoustic_model import AcousticModel
from serlab.asr.ctc import ctc
from serlab.asr.graphs import Graph, Topology, numerator
from serlab.asr.lfmmi import LEAKY, frame_cross_entropy, lf_mmi

#: Outputs of a batch, steps of its utterances and their names -> loss, shape (B,).
Criterion = Callable[[Tensor, Tensor, Sequence[str]], Tensor]


#: Outputs of the second layer, then as :data:`Criterion` -> loss, shape (B,).
BranchCriterion = Callable[[Tensor, Tensor, Tensor, Sequence[str]], Tensor]


def criterion(model: AcousticModel, targets: Mapping[str, tuple[int, ...]]) -> Criterion:
    """Loss of each utterance: of CTC per unit, of LF-MMI per step."""
    if model.loss == "ctc":

        def of_ctc(scores: Tensor, n_steps: Tensor, names: Sequence[str]) -> Tensor:
            wanted = [targets[name] for name in names]
            n_units = torch.tensor([len(target) for target in wanted], device=scores.device)
            return ctc(scores, n_steps, wanted) / n_units

        return of_ctc

    graphs = _numerators(model, targets)
    leaky = model.settings.get("leaky", LEAKY)

    def of_lf_mmi(scores: Tensor, n_steps: Tensor, names: Sequence[str]) -> Tensor:
        loss = lf_mmi(scores, n_steps, graphs(names), model.denominator, leaky=leaky)
        return loss / n_steps.to(scores.device)

    return of_lf_mmi


def branch_criterion(model: AcousticModel, targets: Mapping[str, tuple[int, ...]]) -> BranchCriterion:
    """Loss of a second output layer of LF-MMI per step, see :func:`serlab.asr.lfmmi.frame_cross_entropy`."""
    graphs = _numerators(model, targets)

    def of_branch(branch: Tensor, scores: Tensor, n_steps: Tensor, names: Sequence[str]) -> Tensor:
        return frame_cross_entropy(branch, scores, n_steps, graphs(names)) / n_steps.to(scores.device)

    return of_branch


def _numerators(
    model: AcousticModel, targets: Mapping[str, tuple[int, ...]]
) -> Callable[[Sequence[str]], list[Graph]]:
    """Graphs of utterances by name; those of the same transcript are made once."""

    @lru_cache(maxsize=1024)
    def graph(target: tuple[int, ...]) -> Graph:
        return numerator(target, model.ngram, Topology(len(model.units)))

    return lambda names: [graph(targets[name]) for name in names]
