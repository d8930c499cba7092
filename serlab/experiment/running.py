"""One experiment from its session to its tables."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from serlab import evaluation, methods
from serlab.evaluation import choices, comparison, giveaways, leakage, ranking
from serlab.experiment.outcome import MadeWith, Outcome, save, versions
from serlab.experiment.parameters import Parameters
from serlab.experiment.preparation import NotKept
from serlab.features.registry import encoders_of
from serlab.methods import OPTIONS
from serlab.pretrained import encoders, heard
from serlab.protocols import SkippedFold
from serlab.training.devices import resolve_device

if TYPE_CHECKING:  # a session runs itself through this module
    from serlab.experiment.session import Session


def run(
    session: Session, *, with_details: bool = True, with_controls: bool = True, with_giveaways: bool = True
) -> Outcome:
    """Run an experiment; what :meth:`serlab.experiment.Session.run` does."""
    parameters = session.parameters
    session.provided  # noqa: B018  a wrong file is told of before features are computed
    prepared = session.prepare()
    names = _run_methods(session, with_controls)
    splits, skipped = parameters.split_protocol().plan(prepared.utterances)
    audit = leakage.audit(
        prepared.utterances,
        splits,
        skipped=skipped,
        scopes={methods.get(name).normalization for name in names},
        audio_hash=prepared.audio_hash,
        copies=prepared.same_recordings,
        further=_giveaways(session) if with_giveaways else pd.DataFrame(),
        n_compared=_most_declared(parameters),
        pretrained_on=_heard(session),
        networks=_networks(session, names),
    )
    done = session.evaluate(names, splits, with_details=with_details)
    outcome = _tables(session, audit, skipped, done)
    if session.folder is not None:
        save(outcome, Path(session.folder))
    if session.record is not None and session.finished is None:
        session.record.note(state="answered")
    return outcome


def _giveaways(session: Session) -> pd.DataFrame:
    """Findings about the corpora themselves; of a finished run what it keeps, and it may keep none."""
    parameters = session.parameters

    def search() -> pd.DataFrame:
        return giveaways.findings(
            session.prepare().utterances,
            jobs=parameters.threads_of_features,
            progress=session.progress,
            cancel=session.cancel,
        )

    try:
        return session.keep("giveaways", search)
    except NotKept:  # made before there were such findings
        return pd.DataFrame()


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


def _networks(session: Session, names: Sequence[str]) -> list[heard.Heard]:
    """What is known of the published encoders that these methods are fed from."""
    if session.finished is not None:
        return [heard.from_names(values) for values in session.finished.facts.get("networks", [])]
    parameters = session.parameters
    sets = dict.fromkeys(parameters.features_of(methods.get(name)) for name in names)
    found: dict[str, heard.Heard] = {}
    for name in (encoder for one in sets for encoder in encoders_of(one)):
        found.setdefault(name, heard.of(name, encoders.find(name)))
    if session.record is not None:
        session.record.note(networks=[dataclasses.asdict(network) for network in found.values()])
    return list(found.values())


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


def _run_methods(session: Session, with_controls: bool) -> tuple[str, ...]:
    """The chosen methods and, behind them, those that they have to be compared with.

    Of a finished run, those controls that it keeps.
    """
    chosen = session.parameters.methods
    if not with_controls:
        return chosen
    names = comparison.with_controls(chosen)
    if session.finished is None:
        return names
    kept = session.finished.methods()
    return tuple(name for name in names if name in chosen or name in kept)


def _most_declared(parameters: Parameters) -> int:
    """Declared comparisons of the question that has most of them: so many are corrected together."""
    asked = Counter(pair.question for pair in comparison.pairs(parameters.declared) if pair.own)
    return max(asked.values(), default=0)


def _tables(
    session: Session, audit: pd.DataFrame, skipped: Sequence[SkippedFold], done: evaluation.Run
) -> Outcome:
    parameters, prepared = session.parameters, session.prepare()
    protocol = parameters.split_protocol()
    made_with = _made_with(session)
    results = _results(session, done, made_with)
    speakers = prepared.utterances["speaker"]
    summary = evaluation.summarise(done.predictions, results, speakers, fold_is=protocol.fold_is)
    titles = {name: methods.get(name).title for name in methods.METHODS}
    summary.insert(1, "title", summary["method"].map(titles))
    summary["protocol"], summary["badge"] = parameters.protocol, leakage.badge(protocol, audit)
    chosen = choices.told(done.choices)
    summary["note"] = [
        "; ".join(filter(None, [_note(name, one_class, parameters), chosen.get(name, "")]))
        for name, one_class in zip(summary["method"], summary["one_class"], strict=True)
    ]
    compared = evaluation.compare(
        done.predictions, speakers, primary=parameters.declared, fold_is=protocol.fold_is
    )
    compared.insert(2, "title", compared["method"].map(titles))
    compared.insert(4, "control_title", compared["control"].map(titles))
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
        choices=done.choices,
        results=results,
        summary=summary,
        comparison=compared,
        notes=prepared.notes,
        sentences=_sentences(session),
        facts=_facts(session),
        made_with=made_with,
    )


def _note(name: str, one_class: float, parameters: Parameters) -> str:
    """What a reader has to know of a method's row; ``one_class``: share of fits that collapsed."""
    notes = [] if name in parameters.methods else ["control, added"]
    if one_class >= ranking.COLLAPSED and name != "majority":
        notes.append(f"one answer to everything in {one_class:.0%} of its fits")
    if name == "majority" and parameters.split_protocol().fold_is == "part":
        notes.append("may be below chance: what the tested speakers say most is the rarer among all others")
    return "; ".join(notes)


def _results(session: Session, done: evaluation.Run, made_with: MadeWith) -> pd.DataFrame:
    """Scores, and beside each all that a reader must know to repeat it."""
    parameters = session.parameters
    results = evaluation.score(done.predictions, done.fits)
    specs = [methods.get(name) for name in results["method"]]
    # Of the fit, which another machine may have made; a run of before says one for all.
    devices = results.pop("device") if "device" in results else [made_with.device] * len(results)
    return results.assign(
        paper=[spec.reference for spec in specs],
        source="+".join(parameters.sources) or "none",
        target=parameters.target,
        protocol=parameters.protocol,
        label_scheme=parameters.scheme,
        features=[_without_folder(parameters.features_of(spec)) for spec in specs],
        preset=parameters.preset,
        device=[
            device if spec.input == "frames" else "cpu" for spec, device in zip(specs, devices, strict=True)
        ],
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
