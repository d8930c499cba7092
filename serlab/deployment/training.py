"""From corpora to a kept model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import serlab
from serlab import corpora, files, methods
from serlab import data as corpus_data
from serlab import features as feature_sets
from serlab.deployment import card, evidence, familiar, families, forms, learning, storing
from serlab.deployment.classifiers import Linear
from serlab.deployment.model import UNKNOWN_LANGUAGE, Model, Source
from serlab.deployment.predicting import features_digest
from serlab.deployment.recordings import Windows
from serlab.errors import ParameterError, meant
from serlab.evaluation import Material, choices
from serlab.evaluation.calibration import HOW, cell_weights
from serlab.experiment import Parameters, Session
from serlab.progress import UNWATCHED, Watch

#: Best of the functionals on corpora left out; research licence, see "librosa" for a free one.
FEATURES = "egemaps"
METHOD = "ridge"
#: The way to calibrate that corpora prefer which have no part in it.
BEST = "best"


def train(
    sources: Sequence[str],
    *,
    out: str | os.PathLike[str],
    method: str = METHOD,
    features: str = FEATURES,
    encoder: str = "",
    scheme: str = "four",
    calibration: str = BEST,
    data: str | os.PathLike[str] | None = None,
    force: bool = False,
    jobs: int = 1,
    watch: Watch = UNWATCHED,
) -> Model:
    """Learn from whole corpora, find out how that does on each of them when it is left out, and keep it.

    Parameters
    ----------
    sources : sequence of str
        Corpora; three or more to be told how well estimates without labels do.
    out : path
        Folder to write.
    method : str
        Of :data:`serlab.deployment.families.FAMILIES`.
    features : str
        Feature set of vectors.
    encoder : str
        Folder or name of a pretrained speech encoder, instead of ``features``.
    scheme : str
        Label scheme.
    calibration : str
        Of :data:`serlab.evaluation.calibration.HOW`; or "best": for each form that of them which was best on
        corpora that had no part in it.
    data : path, optional
        Data root.
    force : bool
        Whether a model that is there is replaced.
    jobs : int
    watch : Watch

    Returns
    -------
    Model
        As :func:`serlab.deployment.load_model` reads it.

    Raises
    ------
    ParameterError
        If something is unknown, or ``out`` is in the way.
    ProtocolError
        If nothing can be left out, or classes are missing.
    Cancelled
    """
    family, folder = families.get(method), Path(out)
    if calibration not in (BEST, *HOW):
        raise ParameterError(
            f"there is no calibration {calibration!r}; choose {', '.join((BEST, *HOW))}"
            f"{meant(calibration, (BEST, *HOW))}"
        )
    storing.require_free(folder, force=force)
    files.require_writable(folder.parent)
    if not sources:
        raise ParameterError("name corpora to learn from: --sources emodb,ravdess")
    if len(set(sources)) < len(sources):
        raise ParameterError(f"a corpus is named twice: {', '.join(sources)}; name each once")
    name = f"encoder-speech:{encoder}" if encoder else features
    _require_vectors(name)
    parameters = Parameters(
        target=sources[0], sources=tuple(sources[1:]), features=name, scheme=scheme, data=str(data or ""),
        methods=("majority",), baseline="majority", jobs=jobs, label_sets="any",
    )  # fmt: skip
    session = Session(parameters, progress=watch.progress, cancel=watch.cancel)
    material = session.material
    model, tables = _learned(session, material, family, folder, calibration, watch)
    text = card.markdown(model, **tables)
    settings = {
        "method": method, "features": model.features, "scheme": scheme, "sources": list(sources),
        "calibration": calibration,
    }  # fmt: skip
    storing.write(folder, model, card=text, card_values=card.values(model, **tables, settings=settings))
    return storing.read(folder)


def _require_vectors(name: str) -> None:
    if feature_sets.get(name).kind != "vectors":
        known = [name for name, found in feature_sets.FEATURE_SETS.items() if found.kind == "vectors"]
        raise ParameterError(
            f"{name} has a sequence of frames an utterance, and a kept model takes one vector; choose one of "
            f"{', '.join(known)}, or an encoder"
        )


def _learned(
    session: Session, material: Material, family: families.Family, folder: Path, wanted: str, watch: Watch
) -> tuple[Model, dict[str, Any]]:
    parameters, utterances = session.parameters, material.utterances
    setting = session.setting(())
    unit = learning.units_of(utterances)
    names = list(dict.fromkeys(unit))
    answers, learned = learning.ask_left_out(
        material, family, learning.sets_for_evidence(names), setting=setting, unit=unit, watch=watch
    )
    left_out = evidence.left_out(answers, names)
    of_form = {str(name): own for name, own in left_out.groupby("form", sort=False)}
    hows = {
        name: evidence.best_calibration(own) if wanted == BEST else wanted for name, own in of_form.items()
    }
    estimated = evidence.estimate_table(answers, names, hows=hows)
    final = {
        name: replace(form, calibration=evidence.calibration_of(of_form[name], hows[name]))
        for name, form in learning.learn(
            material, np.arange(len(utterances)), family, setting=setting
        ).items()
    }
    samples = material.of(methods.get(family.methods["as-is"]), setting.values)
    X = np.asarray(samples.X)
    facts = _facts(utterances, parameters.threads_of_features, watch)
    weight = cell_weights(
        utterances["corpus"].to_numpy(dtype=str), utterances["emotion"].cat.codes.to_numpy()
    )
    set_ = feature_sets.get(parameters.features)
    prefix, colon, behind = parameters.features.partition(":")
    model = Model(
        name=folder.resolve().name,
        family=family.name,
        # Of an encoder its name: where the folder lies is nobody's business.
        features=f"{prefix}:{Path(behind).name if Path(behind).is_dir() else behind}" if colon else prefix,
        features_digest=features_digest(set_),
        features_licence=set_.license,
        scheme=parameters.scheme,
        classes=tuple(material.classes),
        sources=tuple(
            _source(name, utterances, parameters) for name in (parameters.target, *parameters.sources)
        ),
        left_out_are="corpora" if parameters.sources else "speakers",
        created=datetime.now(UTC).date().isoformat(),
        serlab=serlab.__version__,
        forms=final,
        members=_members(learned, names, final),
        space=familiar.learn(X, unit),
        distances=_distances(X, unit, weight),
        heard=familiar.ranges(facts, weight),
        windows=_windows(facts[:, 3]),
        left_out=left_out,
        estimates=estimated,
    )
    skipped = session.prepare().skipped_files
    tables = {
        "labels": pd.crosstab(utterances["corpus"].astype(str), utterances["emotion"], dropna=False),
        "unusable": skipped["corpus"].value_counts(),
        "by_corpus": evidence.uar_table(left_out, utterances),
        "by_sex": evidence.uar_table(_known(left_out, utterances, "sex"), utterances, by="sex"),
        "calibration": evidence.calibration_table(left_out),
        "abstention": evidence.abstention_table(left_out, hows),
        "choices": _choices(final),
    }
    return model, tables


def _known(answers: pd.DataFrame, utterances: pd.DataFrame, column: str) -> pd.DataFrame:
    return answers[utterances[column].reindex(answers["utterance"]).notna().to_numpy()]


def _facts(utterances: pd.DataFrame, jobs: int | None, watch: Watch) -> np.ndarray:
    found = feature_sets.extract(
        utterances, features=familiar.RECORDING, on_bad="stop", jobs=jobs, progress=watch.progress,
        cancel=watch.cancel,
    )  # fmt: skip
    return found.X.to_numpy(dtype=float)


def _members(
    learned: dict[tuple[str, ...], dict[str, forms.Form]], names: Sequence[str], final: dict[str, forms.Form]
) -> dict[str, dict[str, forms.Form]]:
    """Models without one source each; of linear ones, since others take megabytes."""
    if len(names) < 3 or not all(isinstance(form.classifier, Linear) for form in final.values()):
        return {}
    lacking = {without: tuple(name for name in names if name != without) for without in names}
    return {
        without: {
            name: replace(form, calibration=final[name].calibration) for name, form in learned[chosen].items()
        }
        for without, chosen in lacking.items()
        if chosen in learned
    }


def _choices(final: Mapping[str, forms.Form]) -> pd.DataFrame:
    """What each form has chosen on sources left out; empty where none chooses."""
    found = [
        form.chosen_by.assign(method=name)
        for name, form in final.items()
        if form.chosen_by is not None and len(form.chosen_by)
    ]
    return choices.by_way(pd.concat(found, ignore_index=True) if found else pd.DataFrame()).rename(
        columns={"method": "form"}
    )


def _distances(X: np.ndarray, unit: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Distances of what is left out from all else, at shares of them."""
    found = np.empty(len(X))
    for name in np.unique(unit):
        out = unit == name
        found[out] = familiar.learn(X[~out], unit[~out]).distance(X[out])
    return familiar.weighted_quantiles(found, weight, familiar.SHARES)


def _windows(seconds: np.ndarray) -> Windows:
    """As long as utterances were in training; what is longer than nearly all of them is cut."""
    length = float(np.clip(round(2 * float(np.median(seconds))) / 2, 1.0, 20.0))
    longest = max(float(np.quantile(seconds, 1 - familiar.UNHEARD)), 2 * length)
    return Windows(longest=round(longest, 2), length=length, step=length / 2)


def _source(name: str, utterances: pd.DataFrame, parameters: Parameters) -> Source:
    corpus = corpora.get(name, parameters.data or None)
    own = utterances[utterances["corpus"] == name]
    return Source(
        name=name, title=corpus.title, licence=corpus.license, citation=corpus.citation, speech=corpus.speech,
        languages=tuple(sorted(set(own["language"].dropna()))) or (corpus.language or UNKNOWN_LANGUAGE,),
        redistribution=corpus.terms.redistribution, derivatives=corpus.terms.derivatives,
        commercial=corpus.terms.commercial, share_alike=corpus.terms.share_alike,
        utterances=len(own), speakers=int(own["speaker"].nunique()), fingerprint=corpus_data.fingerprint(own),
    )  # fmt: skip
