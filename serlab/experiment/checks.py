"""What can be said against an experiment before anything is started: no kernel, no audio, no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from serlab import features
from serlab.errors import ParameterError
from serlab.experiment.labelling import labelled_of
from serlab.experiment.parameters import Parameters
from serlab.methods import OPTIONS


def is_experiment(values: Mapping[str, Any]) -> bool:
    """Whether a notebook with these parameters is about an experiment at all."""
    return {"target", "methods"} <= values.keys()


def require_sense(values: Mapping[str, Any]) -> Parameters:
    """Refuse parameters that make no sense whatever the corpora hold.

    Parameters
    ----------
    values : mapping of str to JSON value
        As a notebook's parameters cell has them.

    Raises
    ------
    SerlabError
        Naming the parameter, and what it may be.
    """
    chosen = Parameters.from_names(values)
    for name in dict.fromkeys(chosen.features_of(spec) for spec in chosen.specs()):
        found = features.get(name)
        if found.require is not None:
            found.require()
    for name in chosen.asked():
        try:
            OPTIONS[name].look(chosen.options[name])
        except ParameterError as error:
            raise ParameterError(f"parameter {name!r}: {error}") from None
    return chosen


def require_folds(parameters: Parameters, table: pd.DataFrame) -> int:
    """Refuse what the corpora do not allow: no class, no fold, too few speakers.

    Parameters
    ----------
    parameters : Parameters
    table : DataFrame
        Utterances of all their corpora, as read.

    Returns
    -------
    int
        Number of folds that can be run, unless bad audio files take one away.

    Raises
    ------
    LabelError, ProtocolError
    """
    labelled, _ = labelled_of(table, parameters)
    return len(parameters.split_protocol().plan(labelled)[0])
