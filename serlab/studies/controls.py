"""Questions of notebook 04, asked of an experiment: which methods, against what, and how far apart."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import evaluation, experiment, methods
from serlab.errors import ParameterError
from serlab.evaluation import shift
from serlab.experiment import Outcome, Parameters, Prepared
from serlab.features import Frames
from serlab.progress import Progress

#: Swept if they are run: the paper's method, an adversary, class-conditional MMD, covariances.
_SWEPT = ("light-mmd", "light-dann", "light-lmmd", "light-coral", "vgg16-mmd")


def shift_of_features(parameters: Parameters, prepared: Prepared) -> pd.DataFrame:
    """How far apart source and target are in each feature set that a method is fed.

    Frames by their mean and deviation over the utterance. See
    :func:`serlab.evaluation.shift.shift_table` for the columns.
    """
    found = {parameters.features: prepared.X, **{name: parts[0] for name, parts in prepared.further.items()}}
    vectors = {
        name: (X.statistics() if isinstance(X, Frames) else X).to_numpy(dtype=np.float32)
        for name, X in found.items()
    }
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


def gain_over_source(outcome: Outcome) -> pd.DataFrame:
    """Gain of each adapter over the same classifier without it, see :func:`gains_over`."""
    run = outcome.predictions["method"].unique()
    return gains_over(outcome, {name: control_of(name) for name in run if _is_adapter(name)})


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
    pool = outcome.parameters.split_protocol().pool_folds
    speakers = outcome.utterances["speaker"]
    run = set(outcome.predictions["method"])
    tables = []
    for baseline in dict.fromkeys(control.values()):
        own = [name for name in control if control[name] == baseline and name in run]
        if baseline in run and own:
            chosen = outcome.predictions[outcome.predictions["method"].isin([baseline, *own])]
            tables.append(evaluation.compare(chosen, speakers, baseline=baseline, pool_folds=pool))
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


def control_of(name: str) -> str:
    """The same classifier, which knows the source alone."""
    if name.endswith("-source-z"):  # what is before it may be more than a family: tdnn-frozen
        return name.removesuffix("-z")
    return f"{name.partition('-')[0]}-source"


def _is_adapter(name: str) -> bool:
    return methods.get(name).access == "unlabelled"


def pair_to_show(outcome: Outcome) -> tuple[str, str]:
    """A network without and with adaptation: the paper's own method if it was run, else the first.

    Raises
    ------
    ParameterError
        If there is no such pair among the methods.
    """
    run = list(outcome.predictions["method"].unique())
    for name in sorted((name for name in run if _is_adapter(name)), key=lambda name: "-mmd" not in name):
        control = control_of(name)
        if control in run and name in set(outcome.embeddings.get("method", ())):
            return control, name
    raise ParameterError(
        "no network was run both without and with adaptation; add light-source and light-mmd to the methods"
    )


def to_sweep(parameters: Parameters) -> list[str]:
    """Methods of these parameters whose lambda is worth a sweep; the light network's MMD if none is.

    For a demo the first two, to save time.
    """
    found = [name for name in _SWEPT if name in parameters.methods] or ["light-mmd"]
    return found[:2] if parameters.preset == "demo" else found


def labelled_methods(parameters: Parameters) -> list[str]:
    """Methods that learn from labelled target utterances: for them a random split is another task.

    For a demo without fine-tuning, to save time.
    """
    found = [
        name
        for name in parameters.methods
        if "target_train" in methods.FIT_ARGUMENTS[methods.get(name).access]
    ]
    if parameters.preset == "demo":
        return [name for name in found if not name.endswith("finetuned")]
    return found


def with_target_head(parameters: Parameters) -> Parameters:
    """The same with the classes of all corpora, and methods that have an output layer for the target."""
    vgg = parameters.baseline.startswith("vgg16")
    names = ("vgg16-target", "vgg16-mmd-head") if vgg else methods.GROUPS["target-head"]
    return dataclasses.replace(
        parameters, label_sets="any", methods=names, baseline=names[0], seeds=parameters.seeds[:1]
    )


def run_with_target_head(
    parameters: Parameters,
    *,
    folder: Path | str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Outcome:
    """Run :func:`with_target_head`, in the folder ``target-head`` of an experiment; first seed only."""
    return experiment.run(
        with_target_head(parameters),
        folder=None if folder is None else Path(folder) / "target-head",
        details=False,
        progress=progress,
        cancel=cancel,
    )


def first_seed(parameters: Parameters) -> Parameters:
    """The same with one seed, for what stands beside an experiment."""
    return dataclasses.replace(parameters, seeds=parameters.seeds[:1])
