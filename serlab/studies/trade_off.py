"""Adapters over a grid of trade-offs, and what a choice without target labels would take.

Candidates are fitted without some speakers of the source. Selectors score
them on those speakers and on the unlabelled target
(:mod:`serlab.evaluation.selection`); the labels of the target are read only afterwards,
to say what the choice was worth beside that of an oracle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import evaluation, files, methods, metrics, protocols
from serlab.errors import ParameterError, ProtocolError, TrainingError
from serlab.evaluation import selection
from serlab.experiment import NotKept, Parameters, Session
from serlab.methods import MethodSpec
from serlab.protocols import Split
from serlab.training import Fitting

#: Lambda of Baklouti et al., equation 1, of which the paper prints no value.
TRADE_OFFS: dict[str, tuple[float, ...]] = {
    "demo": (0.0, 1.0, 10.0),
    "quick": (0.0, 0.1, 1.0, 10.0),
    "paper": (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
}


#: Folds of a sweep whose tested speakers are not adapted to.
_HALVES = ("half-1", "half-2")


@dataclass(frozen=True)
class Sweep:
    """Tables of a sweep.

    Attributes
    ----------
    fits : DataFrame
        One row a fit: method, title, trade_off, fold, seed, uar (of all utterances of the
        target; where these were not adapted to, of half of its speakers) and a score for each of
        :data:`serlab.evaluation.selection.SELECTORS`; larger scores are better.
    predictions : DataFrame
        What ``uar`` is computed from: method, trade_off, seed, utterance,
        y_true, y_pred, p_<class>.
    skipped : DataFrame
        fold, reason: fits whose loss was no longer finite.
    """

    fits: pd.DataFrame
    predictions: pd.DataFrame
    skipped: pd.DataFrame


def to_sweep(parameters: Parameters) -> list[str]:
    """Methods of these parameters whose trade-off is worth a sweep; the light network's MMD if none is.

    For a demo the first two, to save time.
    """
    worth = [name for name, spec in methods.METHODS.items() if spec.swept]
    found = [name for name in worth if name in parameters.methods] or ["light-mmd"]
    return found[:2] if parameters.preset == "demo" else found


def run(session: Session, *, names: Sequence[str], trade_offs: Sequence[float] | None = None) -> Sweep:
    """Fit adapters with each trade-off, with the first seed.

    Parameters
    ----------
    session : Session
        In its folder: ``sweep.csv``, predictions in ``answers/sweep``, and finished fits.
    names : sequence of str
        Methods that see the unlabelled target and have a trade-off.
    trade_offs : sequence of float, optional
        Those of the preset (:data:`TRADE_OFFS`) without.

    Raises
    ------
    ParameterError
        If a method has no trade-off, or needs labels of the target.
    ProtocolError
        If the source has too few speakers to keep some out.
    NotKept
        If the session is finished and has fitted others.
    """
    specs = [_sweepable(methods.get(name)) for name in names]
    values = TRADE_OFFS[session.parameters.preset] if trade_offs is None else trade_offs
    folds = ["all"] if session.parameters.transductive else list(_HALVES)
    asked = {
        _what(spec, value, fold, session): (spec, value, fold)
        for spec in specs
        for value in values
        for fold in folds
    }
    also = [[spec.name, value, fold] for spec, value, fold in asked.values()]
    kept = session.keep_all("sweep", lambda: _run(session, asked), also=also)
    skipped = kept["skipped"]
    missing = [what for what in asked if what not in kept and what not in set(skipped["fold"])]
    if missing:
        raise NotKept(f"the finished run keeps no sweep of {missing[0]}")
    found = _tables(
        [kept[what] for what in asked if what in kept],
        skipped[skipped["fold"].isin(list(asked))].reset_index(drop=True),
    )
    if session.folder is not None:
        files.write_table(Path(session.folder) / "sweep.csv", found.fits)
    return found


def _what(spec: MethodSpec, value: float, fold: str, session: Session) -> str:
    """Name of a fit."""
    part = "" if fold == "all" else f", {fold}"
    return f"{spec.title}, lambda {value:g}, seed {session.parameters.seeds[0]}{part}"


def _run(session: Session, asked: Mapping[str, tuple[MethodSpec, float, str]]) -> dict[str, pd.DataFrame]:
    """Predictions of each fit by its name, and, as "skipped", what could not be fitted."""
    splits, seed = _splits(session), session.parameters.seeds[0]
    tables: dict[str, pd.DataFrame] = {}
    skipped = []
    for number, (what, (spec, value, fold)) in enumerate(asked.items()):
        session.watch.report(number, len(asked), what)
        part = "" if fold == "all" else f"-{fold}"
        kept = session.kept(f"sweep/{spec.name}-{value:g}-seed{seed}{part}.parquet")
        if kept is not None and kept.is_file():
            tables[what] = pd.read_parquet(kept)
            continue
        try:
            table = _fit(session, spec, value, seed, splits[fold])
        except TrainingError as error:
            skipped.append((what, str(error)))
            continue
        if kept is not None:
            files.write_table(kept, table)
        tables[what] = table
    session.watch.report(len(asked), len(asked), "sweep")
    return {**tables, "skipped": pd.DataFrame(skipped, columns=["fold", "reason"])}


def _sweepable(spec: MethodSpec) -> MethodSpec:
    def fits(spec: MethodSpec) -> bool:
        return spec.access == "unlabelled" and "trade_off" in spec.options

    if not fits(spec):
        raise ParameterError(
            f"{spec.name!r} cannot be swept: it needs a trade-off and no label of the target; choose of "
            + ", ".join(name for name, known in methods.METHODS.items() if fits(known))
        )
    return spec


def _splits(session: Session) -> dict[str, Split]:
    """Source speakers but some, which validate; the target, without labels, is adapted to and tested.

    The whole of it ("all"), or one half of its speakers is adapted to and the other tested.

    Raises
    ------
    ProtocolError
        If the source has one speaker, or each half of the target would have none.
    """
    parameters, utterances = session.parameters, session.prepare().utterances
    corpus, seed = utterances["corpus"].to_numpy(), parameters.seeds[0]
    train, held_out = protocols.hold_out_speakers(
        utterances, np.flatnonzero(np.isin(corpus, parameters.sources)), seed=seed
    )
    target, nothing = np.flatnonzero(corpus == parameters.target), np.array([], dtype=int)

    def split(fold: str, adapt: np.ndarray, test: np.ndarray) -> Split:
        return Split(
            fold=fold, train=train, target_train=nothing, adapt=adapt, validation=held_out, test=test
        )

    if parameters.transductive:
        return {"all": split("all", target, target)}
    speaker = utterances["speaker"].to_numpy(dtype=str)[target]
    names = np.random.default_rng(seed).permutation(np.unique(speaker))
    if len(names) < 2:
        raise ProtocolError(
            f"target {parameters.target!r} has {len(names)} speaker: none can be adapted to and another "
            "tested; choose transductive=True or another target"
        )
    first = np.isin(speaker, names[: len(names) // 2])
    parts = ((target[first], target[~first]), (target[~first], target[first]))
    return {name: split(name, *rows) for name, rows in zip(_HALVES, parts, strict=True)}


def _fit(session: Session, spec: MethodSpec, value: float, seed: int, split: Split) -> pd.DataFrame:
    """Predictions of the target with one trade-off, and the selectors' scores in columns of their own."""
    material, setting = session.material, session.setting([spec.name])
    fitted = evaluation.fit(
        spec,
        split,
        material=material,
        setting=replace(setting, provided={**setting.provided, "trade_off": value}),
        seed=seed,
        fitting=Fitting(
            n_jobs=setting.n_jobs,
            device=setting.device,
            cancel=session.cancel,
            checkpoints=session.kept(f"checkpoints/sweep/seed{seed}"),
        ),
    )
    proba, classes = fitted.proba(), material.classes
    heard = fitted.shown(split.adapt).test  # tested utterances only where they may be heard
    held_out, of_source = fitted.shown(split.validation).test, fitted.as_source
    scores = selection.scores(
        source_embedding=of_source.embed(held_out.X),
        source_proba=np.asarray(of_source.predict_proba(held_out.X), dtype=float),
        source_y=fitted.samples.y[split.validation],
        train_embedding=of_source.embed(fitted.parts.source.X),
        target_embedding=fitted.method.embed(heard.X),
        # Asked once where the tested utterances are those that are heard.
        target_proba=proba
        if np.array_equal(split.adapt, split.test)
        else np.asarray(fitted.method.predict_proba(heard.X), dtype=float),
        n_classes=len(classes),
        seed=seed,
    )
    key = {"method": spec.name, "title": spec.title, "trade_off": float(value), "fold": split.fold,
           "seed": seed}  # fmt: skip
    return pd.DataFrame(
        {
            **key,
            "utterance": material.utterances.index[split.test],
            "y_true": fitted.samples.y[split.test],
            "y_pred": proba.argmax(axis=1),
            **{f"p_{name}": proba[:, number] for number, name in enumerate(classes)},
            **scores,
        }
    )


def _tables(tables: Sequence[pd.DataFrame], skipped: pd.DataFrame) -> Sweep:
    keys = ["method", "title", "trade_off", "fold", "seed"]
    rows = []
    for table in tables:
        n_classes = sum(name.startswith("p_") for name in table)
        counts = metrics.confusion(table["y_true"], table["y_pred"], n_classes)
        first = table.iloc[0]
        rows.append(
            {
                **first[keys],
                "uar": float(metrics.uar(counts)),
                # A finished run keeps the scores that there were.
                **{name: first.get(name, np.nan) for name in selection.SELECTORS},
            }
        )
    predictions = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return Sweep(
        fits=pd.DataFrame(rows, columns=[*keys, "uar", *selection.SELECTORS]),
        predictions=predictions.drop(columns=["title", *selection.SELECTORS], errors="ignore"),
        skipped=skipped,
    )
