"""How networks learn: the loop, its epochs and batches, losses, and what is minimised."""

from serlab.training.loop import (
    PLAIN,
    Data,
    Fitting,
    Loss,
    Run,
    Settings,
    balanced_weight,
    classification,
    finished,
    predict,
    predict_proba,
    seeded,
    threads,
    train,
    train_epoch,
    validate,
)

__all__ = [
    "PLAIN",
    "Data",
    "Fitting",
    "Loss",
    "Run",
    "Settings",
    "balanced_weight",
    "classification",
    "finished",
    "predict",
    "predict_proba",
    "seeded",
    "threads",
    "train",
    "train_epoch",
    "validate",
]
