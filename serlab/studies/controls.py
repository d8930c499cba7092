"""A network without and with adaptation, and how far apart the corpora are that it brings together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab import methods
from serlab.errors import ParameterError
from serlab.evaluation import shift
from serlab.experiment import Outcome, Session, as_vectors
from serlab.methods import MethodSpec


def shift_of_features(session: Session) -> pd.DataFrame:
    """How far apart source and target are in each feature set that a method is fed.

    Frames by their mean and deviation over the utterance. See
    :func:`serlab.evaluation.shift.shift_table` for the columns.
    """
    return session.keep("shift-of-features", lambda: _shift_of_features(session))


def _shift_of_features(session: Session) -> pd.DataFrame:
    parameters, prepared = session.parameters, session.prepare()
    found = {parameters.features: prepared.X, **{name: parts[0] for name, parts in prepared.further.items()}}
    vectors = {name: as_vectors(X).to_numpy(dtype=np.float32) for name, X in found.items()}
    of_target = (prepared.utterances["corpus"] == parameters.target).to_numpy()
    speaker = prepared.utterances["speaker"].to_numpy(dtype=str)
    table = shift.shift_table(
        {name: X[~of_target] for name, X in vectors.items()},
        {name: X[of_target] for name, X in vectors.items()},
        source_speaker=speaker[~of_target],
        target_speaker=speaker[of_target],
        seed=parameters.seeds[0],
    )
    return table.rename(columns={"layer": "features"})


def source_alone(spec: MethodSpec) -> str:
    """Name of the same classifier that knows the source alone; empty where there is none.

    The controls of controls, until one sees nothing of the target.
    """
    return next((known.name for known in methods.controls(spec.name) if known.access == "none"), "")


#: Whose embeddings are shown first: the paper's own.
_SHOWN_FIRST = ("light-mmd", "vgg16-mmd")


def pair_to_show(outcome: Outcome) -> tuple[str, str]:
    """A network without and with adaptation: the paper's own method if it was run, else the first.

    Raises
    ------
    ParameterError
        If there is no such pair among the methods.
    """
    specs = [methods.get(name) for name in outcome.predictions["method"].unique()]
    run, shown = {spec.name for spec in specs}, set(outcome.embeddings.get("method", ()))
    adapters = [spec for spec in specs if spec.access == "unlabelled"]
    for spec in sorted(adapters, key=lambda spec: spec.name not in _SHOWN_FIRST):
        control = source_alone(spec)
        if control in run and spec.name in shown:
            return control, spec.name
    raise ParameterError(
        "no network was run both without and with adaptation; add light-source and light-mmd to the methods"
    )
