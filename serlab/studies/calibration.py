"""A temperature for each fit, from speakers of its training side that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from serlab import evaluation, methods
from serlab.errors import ProtocolError, TrainingError
from serlab.evaluation.calibration import cell_weights, temperature_of
from serlab.evaluation.fitting import given
from serlab.experiment import Session
from serlab.methods import MethodSpec
from serlab.protocols import Split
from serlab.training import Fitting

#: Share of the speakers of a corpus that are held out, and fewest that a corpus needs for it.
SHARE, FEWEST = 1 / 3, 3

COLUMNS = ("method", "fold", "seed", "temperature", "n_held_out", "n_speakers", "reason")


def temperatures(session: Session, *, methods: Sequence[str]) -> pd.DataFrame:
    """A temperature for each fold of each method, with the first seed; kept in the session's folder.

    For it the method is fitted once more on the training side of the fold without a third of its
    speakers, and asked about these. No label of a tested utterance is read. Where each corpus of the
    training side has one or two speakers, there is nobody to hold out, and ``reason`` says so.

    Parameters
    ----------
    session : Session
    methods : sequence of str

    Returns
    -------
    DataFrame
        :data:`COLUMNS`; temperature NaN where there is a reason.

    Raises
    ------
    NotKept
        If a finished session has not been asked.
    """
    return session.keep("calibration", lambda: _temperatures(session, methods), also=list(methods))


def without(found: pd.DataFrame) -> pd.DataFrame:
    """Methods and folds that have no temperature, a row a reason.

    Parameters
    ----------
    found : DataFrame
        From :func:`temperatures`.

    Returns
    -------
    DataFrame
        method, n (folds), reason.
    """
    missing = found[found["temperature"].isna()]
    counted = missing.groupby(["method", "reason"], sort=False)["fold"].nunique()
    return counted.rename("n").reset_index()[["method", "n", "reason"]]


def _temperatures(session: Session, names: Sequence[str]) -> pd.DataFrame:
    utterances = session.prepare().utterances
    splits, _ = session.parameters.split_protocol().plan(utterances)
    rows = []
    for number, spec in enumerate(_specs(names)):
        before: dict = {}
        for fold, split in enumerate(splits):
            done = number * len(splits) + fold
            session.watch.report(
                done, len(names) * len(splits), f"temperature: {spec.title}, fold {fold + 1}"
            )
            rows.append(_of_fold(session, spec, split, before))
    session.watch.report(1, 1, "temperatures")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _specs(names: Sequence[str]) -> list[MethodSpec]:
    return [methods.get(name) for name in names]


def _of_fold(session: Session, spec: MethodSpec, split: Split, before: dict) -> dict[str, object]:
    utterances, seed = session.prepare().utterances, session.parameters.seeds[0]
    row: dict[str, object] = {
        "method": spec.name, "fold": split.fold, "seed": seed, "temperature": np.nan, "n_held_out": 0,
        "n_speakers": 0, "reason": "",
    }  # fmt: skip
    inner = apart(spec, split, utterances, seed=seed)
    if inner is None:
        return row | {"reason": f"fewer than {FEWEST} speakers to learn from: nobody can be held out"}
    setting = session.setting([spec.name])
    fitting = Fitting(
        n_jobs=setting.n_jobs, device=setting.device, augment=setting.augment, cancel=session.cancel
    )
    held = inner.test
    try:
        fitted = evaluation.fit(
            spec, inner, material=session.material, setting=setting, seed=seed, fitting=fitting,
            fitted_before=before,
        )  # fmt: skip
        proba = fitted.proba()
    except (ProtocolError, TrainingError) as error:
        return row | {"reason": str(error)}
    y = fitted.samples.y[held]
    weight = cell_weights(utterances["corpus"].to_numpy(dtype=str)[held], y)
    return row | {
        "temperature": temperature_of(proba, y, weight),
        "n_held_out": len(held),
        "n_speakers": utterances["speaker"].iloc[held].nunique(),
    }


def apart(spec: MethodSpec, split: Split, utterances: pd.DataFrame, *, seed: int) -> Split | None:
    """The training side of a fold without a third of its speakers, who are tested; None without any.

    Parameters
    ----------
    spec : MethodSpec
        What it sees with labels is divided.
    split : Split
    utterances : DataFrame
        corpus, speaker.
    seed : int
        Of who is held out; the same for all folds, so that what knows the source alone is fitted once.

    Returns
    -------
    Split or None
    """
    seen = given(spec, split, seed)
    corpus, speaker = (utterances[name].to_numpy(dtype=str) for name in ("corpus", "speaker"))
    learned = np.concatenate([seen.source, seen.target_train])
    rng, held = np.random.default_rng(seed), []
    for name in np.unique(corpus[learned]):
        own = np.unique(speaker[learned[corpus[learned] == name]])
        if len(own) >= FEWEST:
            held += list(rng.choice(own, max(1, round(SHARE * len(own))), replace=False))
    asked = learned[np.isin(speaker[learned], held)]
    if not len(asked):
        return None
    nothing = np.array([], dtype=int)
    return Split(
        fold=split.fold,
        train=np.setdiff1d(seen.source, asked),
        target_train=np.setdiff1d(seen.target_train, asked),
        adapt=seen.adapt,
        validation=nothing,
        test=np.sort(asked),
    )
