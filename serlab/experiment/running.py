"""One experiment from its session to its tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from serlab import evaluation, methods
from serlab.evaluation import leakage
from serlab.experiment.outcome import MadeWith, Outcome, save, versions
from serlab.experiment.parameters import Parameters
from serlab.methods import OPTIONS
from serlab.protocols import SkippedFold
from serlab.training.devices import resolve_device

if TYPE_CHECKING:  # a session runs itself through this module
    from serlab.experiment.session import Session


def run(session: Session, *, with_details: bool = True) -> Outcome:
    """Run an experiment; what :meth:`serlab.experiment.Session.run` does."""
    parameters = session.parameters
    session.provided  # noqa: B018  a wrong file is told of before features are computed
    prepared = session.prepare()
    splits, skipped = parameters.split_protocol().plan(prepared.utterances)
    audit = leakage.audit(
        prepared.utterances,
        splits,
        skipped=skipped,
        scopes={spec.normalization for spec in parameters.specs()},
        audio_hash=prepared.audio_hash,
        copies=prepared.same_recordings,
        n_compared=max(0, len(_compared(parameters)) - 1),
        pretrained_on=_heard(session),
    )
    done = session.evaluate(parameters.methods, splits, with_details=with_details)
    outcome = _tables(session, audit, skipped, done)
    if session.folder is not None:
        save(outcome, Path(session.folder))
    if session.record is not None and session.finished is None:
        session.record.note(state="answered")
    return outcome


def _heard(session: Session) -> set[str]:
    """Hashes of this experiment's audio that its pretrained networks have heard."""
    if session.finished is not None:
        return set(session.finished.facts["heard"])
    heard = {
        digest for name, provided in session.provided.items() for digest in OPTIONS[name].heard(provided)
    }
    heard &= set(session.prepare().audio_hash)
    if session.record is not None:
        session.record.note(heard=sorted(heard))
    return heard


def _sentences(session: Session) -> tuple[str, ...]:
    """What families of methods say of their options."""
    if session.finished is not None:
        return tuple(session.finished.facts["sentences"])
    said = [
        OPTIONS[name].describe(session.parameters.options[name], provided)
        for name, provided in session.provided.items()
    ]
    if session.record is not None:
        session.record.note(sentences=[sentence for sentence in said if sentence])
    return tuple(sentence for sentence in said if sentence)


def _facts(session: Session) -> dict[str, Mapping[str, Any]]:
    """What families of methods tell reports of what they were given."""
    if session.finished is not None:
        return session.finished.facts.get("provided", {})
    facts: dict[str, Mapping[str, Any]] = {
        name: dict(OPTIONS[name].facts(provided)) for name, provided in session.provided.items()
    }
    if session.record is not None:
        session.record.note(provided=facts)
    return facts


def _made_with(session: Session) -> MadeWith:
    """Device and versions of the packages that have made the answers; empty where the run does not say."""
    if session.finished is not None:
        return MadeWith(**session.finished.facts.get("made_with", {}))
    made_with = MadeWith(device=resolve_device(session.parameters.device), versions=versions())
    if session.record is not None:
        session.record.note(made_with=dataclasses.asdict(made_with))
    return made_with


def _compared(parameters: Parameters) -> list[str]:
    """Methods of the comparison: the baseline, and what uses a source (or all, where there is none)."""
    if parameters.baseline not in parameters.methods:
        return []
    return [
        spec.name
        for spec in parameters.specs()
        if spec.name == parameters.baseline or not parameters.sources or spec.uses_source
    ]


def _tables(
    session: Session, audit: pd.DataFrame, skipped: Sequence[SkippedFold], done: evaluation.Run
) -> Outcome:
    parameters, prepared = session.parameters, session.prepare()
    protocol = parameters.split_protocol()
    made_with = _made_with(session)
    results = _results(session, done, made_with)
    speakers = prepared.utterances["speaker"]
    summary = evaluation.summarise(done.predictions, results, speakers, fold_is=protocol.fold_is)
    titles = {spec.name: spec.title for spec in parameters.specs()}
    summary.insert(1, "title", summary["method"].map(titles))
    summary["protocol"], summary["badge"] = parameters.protocol, leakage.badge(protocol, audit)
    compared = done.predictions[done.predictions["method"].isin(_compared(parameters))]
    comparison = pd.DataFrame()
    if parameters.baseline in set(compared["method"]):
        comparison = evaluation.compare(
            compared, speakers, baseline=parameters.baseline, fold_is=protocol.fold_is
        )
        comparison.insert(1, "title", comparison["method"].map(titles))
    return Outcome(
        parameters=parameters,
        utterances=prepared.utterances,
        X=prepared.X,
        left_out=prepared.left_out,
        skipped_files=prepared.skipped_files,
        skipped_folds=_skipped_folds(results, skipped),
        audit=audit,
        predictions=done.predictions,
        history=done.history,
        attention=done.attention,
        embeddings=done.embeddings,
        shift=done.shift,
        results=results,
        summary=summary,
        comparison=comparison,
        notes=prepared.notes,
        sentences=_sentences(session),
        facts=_facts(session),
        made_with=made_with,
    )


def _results(session: Session, done: evaluation.Run, made_with: MadeWith) -> pd.DataFrame:
    """Scores, and beside each all that a reader must know to repeat it."""
    parameters = session.parameters
    results = evaluation.score(done.predictions, done.fits)
    specs = [methods.get(name) for name in results["method"]]
    return results.assign(
        paper=[spec.reference for spec in specs],
        source="+".join(parameters.sources) or "none",
        target=parameters.target,
        protocol=parameters.protocol,
        label_scheme=parameters.scheme,
        features=[_without_folder(parameters.features_of(spec)) for spec in specs],
        preset=parameters.preset,
        device=[made_with.device if spec.input == "frames" else "cpu" for spec in specs],
        version=made_with.versions.get("serlab", ""),
        corpora=session.prepare().fingerprint,
        # Not asked of the parameters: a finished run has of a path its last part, and so another digest.
        parameters=results["run"],
    )


def _skipped_folds(results: pd.DataFrame, skipped: Sequence[SkippedFold]) -> pd.DataFrame:
    of_all = pd.DataFrame([{"method": "all", "fold": s.fold, "reason": s.reason} for s in skipped])
    by_method = results.loc[results["skipped"] != "", ["method", "fold", "skipped"]]
    by_method = by_method.rename(columns={"skipped": "reason"}).drop_duplicates()
    both = pd.concat([of_all, by_method], ignore_index=True)
    return both.reindex(columns=["method", "fold", "reason"])


def _without_folder(name: str) -> str:
    """Name of a feature set without the folders of this machine."""
    prefix, colon, model = name.partition(":")
    return f"{prefix}{colon}{Path(model).name}" if colon else name
