"""A method beside its control, and how far apart the corpora are that it brings together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from serlab import evaluation, methods
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


def gain_over_source(outcome: Outcome) -> pd.DataFrame:
    """Gain of what uses the unlabelled target over the source alone, see :func:`gains_over`."""
    return gains_over(outcome, _without_target(outcome))


def gain_over_controls(outcome: Outcome) -> pd.DataFrame:
    """Gain by pretrained weights over fresh ones, and by the unlabelled target over the source alone.

    See :func:`gains_over`.
    """
    fresh = {spec.name: spec.control for spec in _specs(outcome) if spec.adds == "pretrained weights"}
    return gains_over(outcome, {**fresh, **_without_target(outcome)})


def _without_target(outcome: Outcome) -> dict[str, str]:
    found = {spec.name: source_alone(spec) for spec in _specs(outcome) if spec.access == "unlabelled"}
    return {name: control for name, control in found.items() if control}


def _specs(outcome: Outcome) -> list[MethodSpec]:
    return [methods.get(name) for name in outcome.predictions["method"].unique()]


def gains_over(outcome: Outcome, control: Mapping[str, str]) -> pd.DataFrame:
    """Gain of each method over its own control, corrected for all of them together.

    Parameters
    ----------
    outcome : Outcome
    control : mapping
        Method -> method it is compared with; pairs that were not run are left out.

    Returns
    -------
    DataFrame
        Columns as of :func:`serlab.evaluation.compare`, with title; empty without a pair.
    """
    fold_is = outcome.parameters.split_protocol().fold_is
    speakers = outcome.utterances["speaker"]
    run = set(outcome.predictions["method"])
    tables = []
    for baseline in dict.fromkeys(control.values()):
        own = [name for name in control if control[name] == baseline and name in run]
        if baseline in run and own:
            chosen = outcome.predictions[outcome.predictions["method"].isin([baseline, *own])]
            tables.append(evaluation.compare(chosen, speakers, baseline=baseline, fold_is=fold_is))
    if not tables:
        return pd.DataFrame()
    table = evaluation.with_verdicts(pd.concat(tables, ignore_index=True))
    table.insert(1, "title", [methods.get(name).title for name in table["method"]])
    return table


def gain_table(gained: pd.DataFrame) -> pd.DataFrame:
    """The same for readers: titles instead of names."""
    if gained.empty:
        return gained
    over = [methods.get(name).title for name in gained["baseline"]]
    columns = ["title", "over", "gain", "gain_low", "gain_high", "p", "p_holm", "verdict"]
    return gained.assign(over=over)[columns].rename(columns={"title": "method"})


#: Whose embeddings are shown first: the paper's own.
_SHOWN_FIRST = ("light-mmd", "vgg16-mmd")


def pair_to_show(outcome: Outcome) -> tuple[str, str]:
    """A network without and with adaptation: the paper's own method if it was run, else the first.

    Raises
    ------
    ParameterError
        If there is no such pair among the methods.
    """
    specs = _specs(outcome)
    run, shown = {spec.name for spec in specs}, set(outcome.embeddings.get("method", ()))
    adapters = [spec for spec in specs if spec.access == "unlabelled"]
    for spec in sorted(adapters, key=lambda spec: spec.name not in _SHOWN_FIRST):
        control = source_alone(spec)
        if control in run and spec.name in shown:
            return control, spec.name
    raise ParameterError(
        "no network was run both without and with adaptation; add light-source and light-mmd to the methods"
    )
