"""One experiment from its parameters to its tables.

Notebooks, widgets and the command line all hold a :class:`Session` of the same
:class:`Parameters`, which is why they all get the same predictions.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from serlab.experiment.outcome import Outcome, save, without_paths
    from serlab.experiment.parameters import LABEL_SETS, ON_BAD_FILE, Parameters, choices
    from serlab.experiment.preparation import NotKept, Prepared, as_vectors, prepare
    from serlab.experiment.session import Session, scratch_folder

__all__ = [
    "LABEL_SETS",
    "ON_BAD_FILE",
    "NotKept",
    "Outcome",
    "Parameters",
    "Prepared",
    "Session",
    "as_vectors",
    "choices",
    "prepare",
    "save",
    "scratch_folder",
    "without_paths",
]

# Parameters are checked without torch: what computes is imported when it is asked for.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submodules=[
        "checks",
        "further",
        "kept",
        "labelling",
        "outcome",
        "parameters",
        "preparation",
        "running",
        "session",
        "sharing",
        "work",
        "workplace",
        "times",
    ],
    submod_attrs={
        "outcome": ["Outcome", "save", "without_paths"],
        "parameters": ["LABEL_SETS", "ON_BAD_FILE", "Parameters", "choices"],
        "preparation": ["NotKept", "Prepared", "as_vectors", "prepare"],
        "session": ["Session", "scratch_folder"],
    },
)
