"""Asking a kept model about recordings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import features
from serlab.deployment import evidence, familiar, recordings
from serlab.deployment.forms import FEW_TO_ADAPT, Form, vectors
from serlab.deployment.model import Model
from serlab.deployment.recordings import Heard, Windows
from serlab.errors import ParameterError, SerlabError
from serlab.features import FeatureSet
from serlab.progress import UNWATCHED, Watch
from serlab.samples import Unlabelled
from serlab.wording import count

#: For ``speakers``: the name of the folder that a recording lies in is its speaker.
BY_FOLDER = "folders"

Recordings = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What a model says of recordings.

    Attributes
    ----------
    table : DataFrame
        One row a recording: file, seconds, speaker, answer, confidence, answered (False where the model
        abstains), one ``p_<class>`` a class, distance, stranger_than (share of the recordings that were
        left out to test the model that are nearer to what it has learned), warnings.
    over_time : DataFrame
        One row a window of the long ones: file, start, end (seconds), answer, confidence, ``p_<class>``.
    skipped : DataFrame
        file, reason: recordings that cannot be used.
    notes : tuple of str
        What a reader should know of all answers.
    form : str
        Of :data:`serlab.deployment.families.FORMS`.
    agree : ndarray, shape (n,)
        Share of the models that lack one source that answer the same; NaN without any.
    vectors : ndarray of float32, shape (n, d)
        Features of each recording, the mean of its windows.
    """

    table: pd.DataFrame
    over_time: pd.DataFrame
    skipped: pd.DataFrame
    notes: tuple[str, ...]
    form: str
    agree: np.ndarray = field(repr=False)
    vectors: np.ndarray = field(repr=False)

    @property
    def proba(self) -> np.ndarray:
        """Calibrated probabilities, shape (n, classes)."""
        return evidence.proba_of(self.table)


def predict(
    model: Model,
    wanted: Recordings,
    *,
    adapt: Recordings | None = None,
    speakers: str | Mapping[str, str] | None = None,
    language: str = "",
    risk: float | None = None,
    window: float | None = None,
    encoder: str = "",
    jobs: int | None = None,
    watch: Watch = UNWATCHED,
) -> Predicted:
    """Ask a model about recordings.

    Parameters
    ----------
    model : Model
    wanted : path or sequence of paths
        Files, or folders with all in them.
    adapt : path or sequence of paths, optional
        Recordings of the same kind (room, microphone, language), without labels, ``wanted`` or others:
        features are put on their scale.
    speakers : "folders", or mapping of str to str, optional
        Who speaks: the name of the folder of each file, or file (path or name) -> speaker. With ``adapt``
        only.
    language : str
        BCP 47 ("de"); whether the model has heard it is then told.
    risk : float, optional
        Abstain where the model is not sure enough for so small a share of wrong answers, 0 to 1.
    window : float, optional
        Seconds of the windows of long recordings; as long as its training's utterances, if not given.
    encoder : str
        Where the pretrained encoder is, if the model has one and it is not found by its name.
    jobs : int, optional
        Recordings read at once; as many as there are processors, if not given.
    watch : Watch

    Returns
    -------
    Predicted

    Raises
    ------
    ParameterError
        If there is no such file, or a parameter makes no sense.
    SerlabError
        If no recording can be used.
    Cancelled
    """
    if risk is not None and not 0 < risk < 1:
        raise ParameterError(f"risk is {risk:g}; choose the share of wrong answers that you accept, as 0.2")
    if speakers is not None and adapt is None:
        raise ParameterError("speakers are of use with adapt only: name recordings to adapt to")
    paths = recordings.find(wanted)
    like = [] if adapt is None else recordings.find(adapt)
    set_, notes = features_of(model, encoder)
    heard, skipped = recordings.hear_all(
        list(dict.fromkeys([*paths, *like])), set_, _windows(model, window), jobs=jobs or os.cpu_count() or 1,
        watch=watch,
    )  # fmt: skip
    by_path = {entry.path: entry for entry in heard}
    return answer(
        model,
        [by_path[path] for path in paths if path in by_path],
        adapt=[by_path[path] for path in like if path in by_path] if like else None,
        skipped=skipped[skipped["file"].isin([str(path) for path in paths])],
        speakers=speakers,
        language=language,
        risk=risk,
        notes=notes,
    )


def predict_samples(
    model: Model, samples: np.ndarray, *, language: str = "", risk: float | None = None
) -> Predicted:
    """Ask a model about one recording in memory.

    Parameters
    ----------
    model : Model
    samples : ndarray, shape (n,)
        At 16 kHz, one channel, magnitudes up to 1.
    language, risk
        As for :func:`predict`.

    Raises
    ------
    AudioError
        If it holds no sound.
    """
    set_, notes = features_of(model, "")
    one = np.ascontiguousarray(samples, dtype=np.float32)
    heard = recordings.describe(one, set_, model.windows, path=Path("recording"))
    nothing = pd.DataFrame(columns=["file", "reason"])
    return answer(model, [heard], skipped=nothing, notes=notes, language=language, risk=risk)


def answer(
    model: Model,
    heard: Sequence[Heard],
    *,
    adapt: Sequence[Heard] | None = None,
    skipped: pd.DataFrame,
    speakers: str | Mapping[str, str] | None = None,
    language: str = "",
    risk: float | None = None,
    notes: Sequence[str] = (),
) -> Predicted:
    """The same of recordings whose features are at hand.

    Raises
    ------
    SerlabError
        If there is none.
    """
    if not heard:
        first = f"; the first: {skipped['reason'].iloc[0]}" if len(skipped) else ""
        raise SerlabError(f"none of {count(len(skipped), 'recording')} can be used{first}")
    if adapt is not None and not adapt:
        raise SerlabError("none of the recordings to adapt to can be used")
    name, more = _choose(model, adapt, speakers, language)
    form = model.forms[name]
    asked, like = _unlabelled(heard, speakers), None if adapt is None else _unlabelled(adapt, speakers)
    file = np.repeat(np.arange(len(heard)), [len(entry.X) for entry in heard])
    raw = form.raw(asked, like)
    windows = form.calibration.applied(raw)
    proba = _means(windows, file)
    distance = np.array([np.median(model.space.distance(entry.X)) for entry in heard])
    farther = familiar.quantile_of(distance, model.distances)
    threshold = -np.inf
    if risk is not None:
        found = evidence.abstention(model.of_form(name), form.calibration, risk)
        threshold, more = found.threshold, [*more, _of_risk(model, found.answered, risk)]
    confidence = proba.max(axis=1)
    table = pd.DataFrame(
        {
            "file": [str(entry.path) for entry in heard],
            "seconds": [float(entry.facts[3]) for entry in heard],
            "speaker": [_speaker(entry.path, speakers) for entry in heard],
            "answer": [model.classes[code] for code in proba.argmax(axis=1)],
            "confidence": confidence,
            "answered": confidence >= threshold,
            **_columns(model, proba),
            "distance": distance,
            "stranger_than": farther,
            "warnings": [_warnings(model, one, far) for one, far in zip(heard, farther, strict=True)],
        }
    )
    return Predicted(
        table=table,
        over_time=_over_time(model, heard, file, windows),
        skipped=skipped.reset_index(drop=True),
        notes=(*notes, *more),
        form=name,
        # Before calibration, which may change an answer: as in what was left out.
        agree=_agreement(model, name, asked, like, file, _means(raw, file)),
        vectors=_means(vectors(asked), file).astype(np.float32),
    )


def features_of(model: Model, encoder: str) -> tuple[FeatureSet, list[str]]:
    """Feature set of a model, and a note where its libraries are other ones than in training.

    Raises
    ------
    ParameterError
        If it, or its encoder, is not to be had here; or if the encoder is another one.
    """
    prefix, colon, kept = model.features.partition(":")
    name = f"{prefix}:{encoder or kept}" if colon else model.features
    try:
        found = features.get(name)
        digest = found.digest
    except ParameterError as error:
        more = "; name its folder with --encoder, or put it under SERLAB_MODELS" if colon else ""
        raise ParameterError(f"{model.name} needs the features {model.features!r}: {error}{more}") from error
    if found.n_features != model.n_features:
        raise ParameterError(
            f"{name} has {found.n_features} features, {model.name} was learned from {model.n_features}; "
            f"use {model.features!r} as it was in training"
        )
    # An encoder's name is in its digest, as it was written: only its weights and settings matter.
    if features_digest(found) == model.features_digest:
        return found, []
    if colon:
        raise ParameterError(
            f"{name} is another encoder than {model.name} was learned from, or read by another version; "
            f"use {kept!r} as it was in training, or train again"
        )
    return found, [f"features {found.name} come from other versions than in training ({digest}): train again"]


def features_digest(found: FeatureSet) -> str:
    """Digest of a feature set whose name may hold a path."""
    import dataclasses

    return dataclasses.replace(found, name=found.name.partition(":")[0]).digest


def _windows(model: Model, window: float | None) -> Windows:
    if window is None:
        return model.windows
    return Windows(longest=max(window, model.windows.longest), length=window, step=window / 2)


def _choose(
    model: Model, adapt: Sequence[Heard] | None, speakers: object, language: str
) -> tuple[str, list[str]]:
    """The form that is asked, and what there is to say about it."""
    notes = []
    if adapt is None:
        name = "as-is"
    elif speakers is not None and "voices" in model.forms:
        name = "voices"
    else:
        name = "adapted"
    if adapt is not None and len(adapt) < FEW_TO_ADAPT:
        notes.append(
            f"{len(adapt)} recordings are few to adapt to: {FEW_TO_ADAPT} or more, of all emotions, are "
            "better"
        )
    heard = {code.split("-")[0] for code in model.languages}
    known = ", ".join(model.languages) or "languages that its corpora do not say"
    if not language:
        notes.append(f"it is not known which language this is; learned from {known}")
    elif heard and language.split("-")[0] not in heard:
        notes.append(f"{language} is a language that it has not learned from ({known})")
    return name, notes


def _of_risk(model: Model, answered: float, risk: float) -> str:
    if not answered:
        return (
            f"no answer: on {model.left_out_are} left out it was never sure enough for a risk of {risk:.0%}"
        )
    return (
        f"of recordings of {model.left_out_are} left out it answers {answered:.0%} with {risk:.0%} wrong; "
        "elsewhere it may be more"
    )


def _unlabelled(heard: Sequence[Heard], speakers: str | Mapping[str, str] | None) -> Unlabelled:
    X = np.concatenate([entry.X for entry in heard])
    counts = [len(entry.X) for entry in heard]
    speaker = np.repeat([_speaker(entry.path, speakers) for entry in heard], counts)
    return Unlabelled(X=X, corpus=np.full(len(X), "asked"), speaker=speaker)


def _speaker(path: Path, speakers: str | Mapping[str, str] | None) -> str:
    if speakers is None:
        return ""
    if isinstance(speakers, str):
        if speakers != BY_FOLDER:
            raise ParameterError(
                f"speakers is {speakers!r}; choose {BY_FOLDER!r}, or a table file -> speaker"
            )
        return path.resolve().parent.name
    for key in (str(path), path.name, path.stem):
        if key in speakers:
            return str(speakers[key])
    raise ParameterError(f"{path} is not among the files whose speakers are named; add a row for it")


def _means(values: np.ndarray, file: np.ndarray) -> np.ndarray:
    sums = np.zeros((file[-1] + 1, values.shape[1]))
    np.add.at(sums, file, values)
    return sums / np.bincount(file)[:, None]


def _columns(model: Model, proba: np.ndarray) -> dict[str, np.ndarray]:
    return {f"p_{name}": proba[:, number] for number, name in enumerate(model.classes)}


def _warnings(model: Model, heard: Heard, farther: float) -> str:
    found = model.heard.warnings(heard.facts, native_rate=heard.native_rate)
    if farther >= familiar.FAR:
        found.append(
            f"farther from what was learned than {farther:.0%} of recordings of {model.left_out_are} left out"
        )
    return "; ".join([*found, *heard.notes])


def _over_time(model: Model, heard: Sequence[Heard], file: np.ndarray, proba: np.ndarray) -> pd.DataFrame:
    long = np.array([entry.is_long for entry in heard])[file]
    table = pd.DataFrame(
        {
            "file": [str(heard[number].path) for number in file],
            "start": np.concatenate([entry.start for entry in heard]),
            "end": np.concatenate([entry.end for entry in heard]),
            "answer": [model.classes[code] for code in proba.argmax(axis=1)],
            "confidence": proba.max(axis=1),
            **_columns(model, proba),
        }
    )
    return table[long].reset_index(drop=True)


def _agreement(
    model: Model, name: str, asked: Unlabelled, adapt: Unlabelled | None, file: np.ndarray, proba: np.ndarray
) -> np.ndarray:
    members: list[Form] = [forms[name] for forms in model.members.values()]
    if not members:
        return np.full(len(proba), np.nan)
    others = [_means(form.raw(asked, adapt), file).argmax(axis=1) for form in members]
    return np.mean([own == proba.argmax(axis=1) for own in others], axis=0)
