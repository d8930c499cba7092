"""A model that one can use: kept as a folder, asked about recordings, honest about what it does not know.

>>> model = train(["emodb", "nemo", "ravdess"], out="models/mine")  # doctest: +SKIP
>>> load_model("models/mine").predict("recordings", adapt="recordings").table  # doctest: +SKIP
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from serlab.deployment.classifiers import UnusableModel
    from serlab.deployment.families import FAMILIES, FORMS
    from serlab.deployment.model import Model
    from serlab.deployment.predicting import Predicted
    from serlab.deployment.training import train

__all__ = ["FAMILIES", "FORMS", "Model", "Predicted", "UnusableModel", "load_model", "train"]

# What learns loads libraries of learning; who asks a kept model does without.
_attached, __dir__, _ = lazy_loader.attach(
    __name__,
    submodules=[
        "card",
        "evidence",
        "familiar",
        "families",
        "learning",
        "predicting",
        "recordings",
        "storing",
    ],
    submod_attrs={
        "classifiers": ["UnusableModel"],
        "families": ["FAMILIES", "FORMS"],
        "model": ["Model"],
        "predicting": ["Predicted"],
        "training": ["train"],
    },
)
__getattr__ = _attached


def load_model(folder: str | os.PathLike[str]) -> Model:
    """Read a model that :func:`train` has kept; every file is checked.

    Parameters
    ----------
    folder : path

    Raises
    ------
    UnusableModel
        Naming the file at fault, and what to do.
    """
    from serlab.deployment import storing

    return storing.read(Path(folder))
