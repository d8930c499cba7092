"""How much of a score is left when the tested recordings are worse than what was learned from.

Methods are fitted once, as in the experiment, on recordings as they are; then the same test
utterances are heard through a telephone band, codecs, babble, rooms and at lower levels
(:mod:`serlab.features.degradation`). Nothing of that is seen in training. What is normalised by
the target has two answers: by its recordings as they are, and by the changed ones, as where all
of them have come the same way; the column ``scale`` says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from serlab import evaluation, methods, normalization
from serlab.errors import ProtocolError, TrainingError
from serlab.evaluation import Fitted, Material, intervals
from serlab.evaluation.material import Features
from serlab.experiment import Session
from serlab.features import extract
from serlab.methods import MethodSpec
from serlab.protocols import FoldIs, Split
from serlab.training import Fitting


@dataclass(frozen=True)
class Condition:
    """One way to spoil a recording.

    Attributes
    ----------
    kind : str
        Of :data:`serlab.features.augmentation.WAVEFORM`: panels of the figure.
    severity : str
        As it is written on an axis.
    """

    kind: str
    severity: str
    augment: str


#: What a kind is called, and what its numbers are.
KINDS: dict[str, str] = {
    "phone": "telephone band, upper edge in Hz",
    "codec": "telephone codec, kbit/s",
    "babble": "babble, SNR in dB",
    "reverb": "room, reverberation in s",
    "gain": "level, change in dB",
}
#: From mild to severe within a kind.
CONDITIONS: tuple[Condition, ...] = tuple(
    Condition(kind, severity, f"{kind}-{severity}")
    for kind, severities in (
        ("phone", ("3400", "2500")), ("codec", ("64", "32", "13")), ("babble", ("20", "10", "5")),
        ("reverb", ("0.3", "0.6", "1.0")), ("gain", ("-10", "-20", "-30")),
    )
    for severity in severities
)  # fmt: skip
#: Name of the condition without any.
CLEAN = "as recorded"
#: Whose statistics a normalisation by the target takes.
AS_RECORDED, CHANGED = "target as recorded", "changed target"

COLUMNS = (
    "method", "title", "kind", "severity", "scale", "n_utterances", "uar", "uar_low", "uar_high",
    "change", "change_low", "change_high", "p",
)  # fmt: skip


def run(
    session: Session, *, methods: Sequence[str], conditions: Sequence[Condition] = CONDITIONS
) -> pd.DataFrame:
    """UAR of methods by what has been done to the tested recordings, kept in the session's folder.

    Parameters
    ----------
    session : Session
    methods : sequence of str
        Which. With the first seed of the parameters.
    conditions : sequence of Condition

    Returns
    -------
    DataFrame
        :data:`COLUMNS`, a row a method, condition and scale; ``change``: UAR minus that of the same fits on
        the same utterances as recorded, paired by speaker, with its interval and p. Exploratory: nothing is
        declared, and p is not corrected.

    Raises
    ------
    NotKept
        If a finished session has not been asked.
    """
    answers = session.keep(
        "robustness",
        lambda: answered(session, methods=methods, conditions=conditions),
        also=[list(methods), [asdict(condition) for condition in conditions]],
    )
    speakers = session.prepare().utterances["speaker"]
    return scored(answers, speakers, fold_is=session.parameters.split_protocol().fold_is)


def answered(session: Session, *, methods: Sequence[str], conditions: Sequence[Condition]) -> pd.DataFrame:
    """Answers of every method on every fold and condition, with one fit each.

    Returns
    -------
    DataFrame
        method, condition, scale, fold, seed, utterance, y_true, y_pred. Utterances whose changed
        recording cannot be used are in no row of that condition.
    """
    parameters, utterances = session.parameters, session.prepare().utterances
    splits, _ = parameters.split_protocol().plan(utterances)
    target = utterances[(utterances["corpus"] == parameters.target).to_numpy()]
    specs = [_spec(name) for name in methods]
    heard = _heard(session, target, specs, conditions)
    total, parts = len(specs) * len(splits), []
    for number, spec in enumerate(specs):
        before: dict = {}
        for fold, split in enumerate(splits):
            session.watch.report(
                number * len(splits) + fold, total, f"robustness: {spec.title}, fold {fold + 1}"
            )
            parts += _of_fold(session, spec, split, heard, before)
    session.watch.report(total, total, "robustness")
    found = pd.concat(parts, ignore_index=True)
    return found.astype({"y_true": np.int16, "y_pred": np.int16})


def _spec(name: str) -> MethodSpec:
    return methods.get(name)


def _heard(
    session: Session, target: pd.DataFrame, specs: Sequence[MethodSpec], conditions: Sequence[Condition]
) -> dict[str, Material]:
    """Target utterances under each condition, as methods are fed them."""
    parameters = session.parameters
    names = dict.fromkeys(spec.feature_set(parameters.options) for spec in specs)
    heard = {}
    for condition in conditions:
        known, rows = {}, target.index
        for name in names:
            found = extract(
                target,
                features=name or parameters.features,
                seconds=parameters.seconds or None,
                augment=condition.augment,
                seed=parameters.seeds[0],
                jobs=parameters.threads_of_features,
                progress=session.progress,
                cancel=session.cancel,
            )
            known[name] = found.X
            rows = rows.intersection(found.X.index, sort=False)
        if any(not X.index.equals(rows) for X in known.values()):
            known = {name: _only(X, rows) for name, X in known.items()}
        heard[condition.augment] = Material(
            utterances=target.loc[rows], features={name: (X,) for name, X in known.items()}
        )
    return heard


def _only(X: Features, rows: pd.Index) -> Features:
    return X.loc[rows] if isinstance(X, pd.DataFrame) else X.select(rows)


def _of_fold(
    session: Session, spec: MethodSpec, split: Split, heard: dict[str, Material], before: dict
) -> list[pd.DataFrame]:
    """One fit, and its answers to all conditions; none where the fold cannot be run."""
    parameters, material, seed = session.parameters, session.material, session.parameters.seeds[0]
    setting = session.setting([spec.name])
    fitting = Fitting(
        n_jobs=setting.n_jobs, device=setting.device, augment=setting.augment, cancel=session.cancel
    )
    try:
        fitted = evaluation.fit(
            spec, split, material=material, setting=setting, seed=seed, fitting=fitting, fitted_before=before
        )
    except (ProtocolError, TrainingError):
        return []  # as in the experiment, which has said why
    key = {"method": spec.name, "fold": split.fold, "seed": seed}
    tables = [_table(key, CLEAN, AS_RECORDED, fitted, split.test, fitted.proba(), material)]
    index = material.utterances.index
    for name, own in heard.items():
        samples = own.of(spec, parameters.options)
        place = own.utterances.index.get_indexer(index)
        tested = split.test[place[split.test] >= 0]
        scales = [AS_RECORDED]
        if normalization.is_transductive(spec.normalization):
            scales.append(CHANGED)
        for scale in scales:
            proba = fitted.proba_of(samples, place, tested, rescaled=scale == CHANGED)
            tables.append(_table(key, name, scale, fitted, tested, proba, material))
    return tables


def _table(
    key: dict,
    condition: str,
    scale: str,
    fitted: Fitted,
    rows: np.ndarray,
    proba: np.ndarray,
    material: Material,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **key, "condition": condition, "scale": scale, "utterance": material.utterances.index[rows],
            "y_true": fitted.samples.y[rows], "y_pred": proba.argmax(axis=1),
        }
    )  # fmt: skip


def scored(answers: pd.DataFrame, speakers: pd.Series, *, fold_is: FoldIs = "part") -> pd.DataFrame:
    """UAR of each method, condition and scale, and its change from recordings as they are.

    Parameters
    ----------
    answers : DataFrame
        From :func:`answered`.
    speakers : Series
        Utterance -> speaker.
    fold_is : {"part", "subject", "draw"}

    Returns
    -------
    DataFrame
        :data:`COLUMNS`; the first row of a method is that of recordings as they are, once for each kind.
    """
    classes = {f"p_{number}": 0.0 for number in range(int(answers["y_true"].max()) + 1)}
    known = {condition.augment: condition for condition in CONDITIONS}
    rows = []
    for method, own in answers.assign(**classes).groupby("method", sort=False):
        clean = own[own["condition"] == CLEAN]
        of_clean = _measured(clean, speakers, fold_is)
        title = methods.get(str(method)).title
        others = own[own["condition"] != CLEAN].groupby(["condition", "scale"], sort=False)
        for kind, scale in dict.fromkeys((_kind(name, known)[0], scale) for (name, scale), _ in others):
            rows.append((method, title, kind, CLEAN, scale, *of_clean, 0.0, np.nan, np.nan, np.nan))
        for (name, scale), part in others:
            both = pd.concat([clean.assign(method="clean"), part.assign(method="changed")])
            change = evaluation.paired(both, speakers, method="changed", control="clean", fold_is=fold_is)
            rows.append(
                (method, title, *_kind(str(name), known), scale, *_measured(part, speakers, fold_is),
                 change.gain, change.low, change.high, change.p)
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _kind(name: str, known: dict[str, Condition]) -> tuple[str, str]:
    """Kind and severity; conditions of one's own are read from their names."""
    if name in known:
        return known[name].kind, known[name].severity
    kind, _, severity = name.partition("-")
    return kind, severity


def _measured(part: pd.DataFrame, speakers: pd.Series, fold_is: FoldIs) -> tuple[int, float, float, float]:
    return part["utterance"].nunique(), *evaluation.uar(part, speakers, fold_is=fold_is)


def says(table: pd.DataFrame) -> pd.DataFrame:
    """The worst condition of each method and scale, in words.

    Returns
    -------
    DataFrame
        title, scale, says.
    """
    rows = []
    for (_, title, scale), own in table.groupby(["method", "title", "scale"], sort=False):
        spoiled = own[own["severity"] != CLEAN]
        worst = spoiled.loc[spoiled["change"].idxmin()]
        written = intervals.text(worst["change"], worst["change_low"], worst["change_high"], sign=True)
        what = KINDS.get(worst["kind"], worst["kind"]).partition(",")
        unit = what[2].strip()
        rows.append((title, scale, f"most by {what[0]} ({unit} {worst['severity']}): {written}"))
    return pd.DataFrame(rows, columns=["title", "scale", "says"])
