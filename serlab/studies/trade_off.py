"""Adapters over a grid of trade-offs, and what a choice without target labels would take.

Candidates are fitted without some speakers of the source. Selectors score
them on those speakers and on the unlabelled target
(:mod:`serlab.evaluation.selection`); the labels of the target are read only afterwards,
to say what the choice was worth beside that of an oracle.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import files, methods, metrics, normalization, protocols
from serlab.errors import Cancelled, ParameterError, TrainingError
from serlab.evaluation import Samples, selection, source_view
from serlab.experiment import Parameters, Prepared, checkpoints_of, options_of, parts_folder
from serlab.methods import MethodSpec
from serlab.progress import Progress
from serlab.training import Fitting
from serlab.training.devices import resolve_device

#: Lambda of Baklouti et al., equation 1, of which the paper prints no value.
TRADE_OFFS: dict[str, tuple[float, ...]] = {
    "demo": (0.0, 1.0, 10.0),
    "quick": (0.0, 0.1, 1.0, 10.0),
    "paper": (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
}


@dataclass(frozen=True)
class Sweep:
    """Tables of a sweep.

    Attributes
    ----------
    fits : DataFrame
        One row a fit: method, title, trade_off, fold, seed, uar (of all
        utterances of the target) and a score for each of
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


def run(
    parameters: Parameters,
    prepared: Prepared,
    *,
    names: Sequence[str],
    trade_offs: Sequence[float] | None = None,
    folder: Path | str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Sweep:
    """Fit adapters with each trade-off.

    Parameters
    ----------
    parameters : Parameters
    prepared : Prepared
        From :func:`serlab.experiment.prepare`, for the same methods.
    names : sequence of str
        Methods that see the unlabelled target and have a trade-off.
    trade_offs : sequence of float, optional
        Those of the preset (:data:`TRADE_OFFS`) without.
    folder : path, optional
        Where ``sweep.csv``, ``sweep_predictions.parquet`` and finished fits (``parts-*``) go.
    progress : callable(done, total, text), optional
    cancel : threading.Event, optional

    Raises
    ------
    ParameterError
        If a method has no trade-off, or needs labels of the target.
    ProtocolError
        If the source has too few speakers to keep some out.
    """
    specs = [_sweepable(methods.get(name)) for name in names]
    values = TRADE_OFFS[parameters.preset] if trade_offs is None else tuple(trade_offs)
    parts = parts_folder(folder, parameters, prepared.fingerprint)
    jobs = [(spec, value, seed) for spec in specs for value in values for seed in parameters.seeds]
    tables, skipped = [], []
    for number, (spec, value, seed) in enumerate(jobs):
        if cancel is not None and cancel.is_set():
            raise Cancelled("cancelled; finished fits are kept and will not be repeated")
        what = f"{spec.title}, lambda {value:g}, seed {seed}"
        if progress is not None:
            progress(number, len(jobs), what)
        path = None if parts is None else parts / "sweep" / f"{spec.name}-{value:g}-seed{seed}.parquet"
        if path is not None and path.is_file():
            tables.append(pd.read_parquet(path))
            continue
        fitting = Fitting(
            n_jobs=parameters.jobs,
            device=resolve_device(parameters.device),
            cancel=cancel,
            checkpoints=None if parts is None else checkpoints_of(parts) / "sweep" / f"seed{seed}",
        )
        try:
            table = _fit(spec, value, seed, parameters, prepared, fitting)
        except TrainingError as error:
            skipped.append((what, str(error)))
            continue
        if path is not None:
            files.write_table(path, table)
        tables.append(table)
    found = _tables(tables, skipped)
    if folder is not None:
        files.write_table(Path(folder) / "sweep.csv", found.fits)
        files.write_table(Path(folder) / "sweep_predictions.parquet", found.predictions)
    return found


def _sweepable(spec: MethodSpec) -> MethodSpec:
    if spec.access != "unlabelled" or "trade_off" not in spec.options:
        raise ParameterError(
            f"{spec.name!r} cannot be swept: it needs a trade-off and no label of the target; choose of "
            + ", ".join(
                name
                for name, known in methods.METHODS.items()
                if known.access == "unlabelled" and "trade_off" in known.options
            )
        )
    return spec


def _fit(
    spec: MethodSpec, value: float, seed: int, parameters: Parameters, prepared: Prepared, fitting: Fitting
) -> pd.DataFrame:
    """Predictions of the target with one trade-off, and the selectors' scores in columns of their own."""
    utterances = prepared.utterances
    features = prepared.further[spec.features] if spec.features else (prepared.X, *prepared.copies)
    samples = Samples.of(features, utterances).as_input(spec)
    corpus = utterances["corpus"].to_numpy()
    target = np.flatnonzero(corpus == parameters.target)
    train, held_out = protocols.hold_out_speakers(
        utterances, np.flatnonzero(np.isin(corpus, parameters.sources)), seed=parameters.seeds[0]
    )
    source, adapt = samples.labelled(train), samples.unlabelled(target)
    tested = normalization.normalize(
        spec.normalization, source=source, target_train=None, adapt=adapt, test=adapt
    )
    validation = normalization.normalize(
        spec.normalization, source=source, target_train=None, adapt=adapt, test=samples.unlabelled(held_out)
    )
    classes = list(utterances["emotion"].cat.categories)
    options = {**options_of(parameters, [spec.name]), "trade_off": value}
    method = spec.build(
        n_classes=len(classes),
        seed=seed,
        preset=parameters.preset,
        fitting=fitting,
        **{name: options[name] for name in spec.options},
    )
    method.fit(source=tested.source, adapt=tested.adapt)
    proba = np.asarray(method.predict_proba(tested.test.X), dtype=float)
    of_source = source_view(method)
    scores = selection.scores(
        source_embedding=of_source.embed(validation.test.X),
        source_proba=np.asarray(of_source.predict_proba(validation.test.X), dtype=float),
        source_y=samples.y[held_out],
        train_embedding=of_source.embed(tested.source.X),
        target_embedding=method.embed(tested.test.X),
        target_proba=proba,
        n_classes=len(classes),
        seed=seed,
    )
    key = {"method": spec.name, "title": spec.title, "trade_off": float(value), "fold": "all", "seed": seed}
    return pd.DataFrame(
        {
            **key,
            "utterance": utterances.index[target],
            "y_true": samples.y[target],
            "y_pred": proba.argmax(axis=1),
            **{f"p_{name}": proba[:, number] for number, name in enumerate(classes)},
            **scores,
        }
    )


def _tables(tables: Sequence[pd.DataFrame], skipped: Sequence[tuple[str, str]]) -> Sweep:
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
                **{name: first[name] for name in selection.SELECTORS},
            }
        )
    predictions = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return Sweep(
        fits=pd.DataFrame(rows, columns=[*keys, "uar", *selection.SELECTORS]),
        predictions=predictions.drop(columns=["title", *selection.SELECTORS], errors="ignore"),
        skipped=pd.DataFrame(skipped, columns=["fold", "reason"]),
    )
