"""The loss of each utterance, given what is said in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor

from serlab.asr.acoustic_model import AcousticModel
from serlab.asr.ctc import ctc
from serlab.asr.graphs import Topology, numerator
from serlab.asr.lfmmi import lf_mmi

#: Outputs of a batch, steps of its utterances and their names -> loss, shape (B,).
Criterion = Callable[[Tensor, Tensor, Sequence[str]], Tensor]


def criterion(model: AcousticModel, targets: Mapping[str, tuple[int, ...]]) -> Criterion:
    """Loss of each utterance: of CTC per unit, of LF-MMI per step."""
    if model.loss == "ctc":

        def of_ctc(scores: Tensor, n_steps: Tensor, names: Sequence[str]) -> Tensor:
            wanted = [targets[name] for name in names]
            n_units = torch.tensor([len(target) for target in wanted], device=scores.device)
            return ctc(scores, n_steps, wanted) / n_units

        return of_ctc

    @lru_cache(maxsize=1024)
    def graph(target: tuple[int, ...]):
        return numerator(target, model.ngram, Topology(len(model.units)))

    def of_lf_mmi(scores: Tensor, n_steps: Tensor, names: Sequence[str]) -> Tensor:
        graphs = [graph(targets[name]) for name in names]
        return lf_mmi(scores, n_steps, graphs, model.denominator) / n_steps.to(scores.device)

    return of_lf_mmi
