"""The most frequent class of the labelled target: what a method has to beat that has heard nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serlab.methods.base import MethodSpec
from serlab.training import Fitting

if TYPE_CHECKING:
    from serlab.methods.learners.scenarios import Majority


def _majority(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> Majority:
    from serlab.methods.learners.scenarios import Majority

    return Majority(n_classes)


SPECS: tuple[MethodSpec, ...] = (
    MethodSpec(
        name="majority",
        title="Majority",
        access="target-only",
        normalization="none",
        build=_majority,
        stochastic=False,
        reference="Andova & Lustrek, section 4",
    ),
)
