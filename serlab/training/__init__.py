"""How networks learn: one loop over epochs, what an epoch of a classifier is, losses, and what is minimised.

What trains is imported when it is first asked for, so that methods can be
listed without torch.

>>> train(network, X, y, settings=Settings(epochs=30), seed=0)  # doctest: +SKIP
>>> predict_proba(network, X_test)  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from serlab.training.settings import PLAIN, Fitting, Settings

if TYPE_CHECKING:
    from serlab.training.epochs import Loss
    from serlab.training.loop import balanced_weight, predict, predict_proba, repeat, seeded, threads, train

__all__ = [
    "PLAIN",
    "Fitting",
    "Loss",
    "Settings",
    "balanced_weight",
    "predict",
    "predict_proba",
    "repeat",
    "seeded",
    "threads",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("serlab.training.loop"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
