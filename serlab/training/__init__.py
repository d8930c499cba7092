"""How networks learn: one loop over epochs, what an epoch of a classifier is, losses, and what is minimised.

>>> train(network, X, y, settings=Settings(epochs=30), seed=0)  # doctest: +SKIP
>>> predict_proba(network, X_test)  # doctest: +SKIP
"""

from serlab.training.epochs import Loss
from serlab.training.loop import (
    PLAIN,
    Fitting,
    balanced_weight,
    predict,
    predict_proba,
    repeat,
    seeded,
    threads,
    train,
)
from serlab.training.settings import Settings

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
