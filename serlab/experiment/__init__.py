"""One experiment from its parameters to its tables."""

from serlab.experiment.running import (
    LABEL_SETS,
    ON_BAD_FILE,
    Outcome,
    Parameters,
    Prepared,
    checkpoints_of,
    evaluate,
    headline,
    options_of,
    parts_folder,
    prepare,
    provenance,
    run,
    run_with_random_split,
    scratch_folder,
)

__all__ = [
    "LABEL_SETS",
    "ON_BAD_FILE",
    "Outcome",
    "Parameters",
    "Prepared",
    "checkpoints_of",
    "evaluate",
    "headline",
    "options_of",
    "parts_folder",
    "prepare",
    "provenance",
    "run",
    "run_with_random_split",
    "scratch_folder",
]
