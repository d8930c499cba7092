"""UAR against the number of labelled target utterances: when does a source stop helping?

All numbers of one draw test the same speakers, none of whom is ever labelled;
see :func:`serlab.protocols.few_shot_curve`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from serlab import evaluation, files, methods, protocols
from serlab.experiment import Parameters, Prepared, checkpoints_of, evaluate, parts_folder
from serlab.progress import Progress

#: Labelled utterances per class.
SHOTS: dict[str, tuple[int, ...]] = {
    "demo": (0, 1, 5),
    "quick": (0, 1, 5, 10, 20, 50),
    "paper": (0, 1, 5, 10, 20, 50),
}
DRAWS: dict[str, int] = {"demo": 2, "quick": 3, "paper": 6}


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Methods of a few-shot curve.

    Attributes
    ----------
    target_only, finetuned, source_only : str
        Names of methods.
    pooled : str or None
        None where there is no such method. ``source_only`` is what it and
        ``finetuned`` are without a labelled target utterance.
    semi_supervised, unlabelled : str or None
        A method that also learns from target utterances without labels, and
        what it is without a labelled one.
    """

    target_only: str
    finetuned: str
    pooled: str | None
    source_only: str
    semi_supervised: str | None = None
    unlabelled: str | None = None

    @property
    def with_source(self) -> tuple[str, ...]:
        """Methods that learn from source and labelled target."""
        return tuple(name for name in (self.finetuned, self.pooled, self.semi_supervised) if name)

    @property
    def without_labels(self) -> dict[str, str]:
        """What each of :attr:`with_source` is without a labelled target utterance."""
        return {
            name: self.unlabelled if name == self.semi_supervised else self.source_only
            for name in self.with_source
        }


ACNN = Curves(
    target_only="acnn-target", finetuned="acnn-finetuned", pooled="acnn-pooled", source_only="acnn-source"
)
ENCODER_DECODER = Curves(
    target_only="encdec-target",
    finetuned="encdec-transfer",
    pooled="encdec-pooled",
    source_only="encdec-source",
)


@dataclass(frozen=True)
class FewShot:
    """Tables of a few-shot curve.

    Attributes
    ----------
    fits : DataFrame
        One row a fit: method, title, shots, draw, seed, n_test, uar.
    summary : DataFrame
        One row a method and number of shots: method, title, shots, uar (mean
        over draws), uar_low and uar_high (the worst and the best draw), n_draws.
    skipped : DataFrame
        fold, reason: numbers for which there are too few utterances.
    predictions : DataFrame
        What everything else is computed from.
    """

    fits: pd.DataFrame
    summary: pd.DataFrame
    skipped: pd.DataFrame
    predictions: pd.DataFrame


def run(
    parameters: Parameters,
    prepared: Prepared,
    *,
    curves: Curves,
    folder: Path | str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> FewShot:
    """Measure a few-shot curve for the target and sources of an experiment.

    The first seed of the parameters is used; draws show the variation. With
    no source, the curve is that of the target alone.

    Parameters
    ----------
    parameters : Parameters
        Corpora, scheme, features, preset (numbers and draws), first seed.
    prepared : Prepared
        From :func:`serlab.experiment.prepare`.
    curves : Curves
    folder : path, optional
        Where ``few_shot.csv``, ``few_shot_predictions.parquet`` and finished
        work (``parts-*``) go.

    Raises
    ------
    ProtocolError
        If the target has too few speakers.
    """
    seed = parameters.seeds[0]
    planned, skipped = protocols.few_shot_curve(
        prepared.utterances,
        target=parameters.target,
        sources=parameters.sources,
        shots=SHOTS[parameters.preset],
        draws=DRAWS[parameters.preset],
        seed=seed,
    )
    names = [curves.target_only]
    if parameters.sources:
        names += curves.with_source
    parts = parts_folder(folder, parameters, prepared.fingerprint)
    number_of = {shot.split.fold: shot for shot in planned}
    zero, labelled = ([s.split for s in planned if (s.shots == 0) == empty] for empty in (True, False))
    runs = [(names, labelled)]
    if parameters.sources and zero:
        runs.append((list(dict.fromkeys(curves.without_labels.values())), zero))
    tables = []
    for chosen, splits in runs:
        done = evaluate(
            parameters,
            prepared,
            chosen,
            splits,
            seeds=(seed,),
            folder=None if parts is None else parts / "few-shot",
            checkpoints=checkpoints_of(parts),
            details=False,
            progress=progress,
            cancel=cancel,
        )
        results = evaluation.score(done.predictions, done.fits)
        tables.append((done.predictions, results[results["skipped"] == ""]))
        skipped += [
            protocols.SkippedFold(f"{row.method}, {row.fold}", row.skipped)
            for row in results[results["skipped"] != ""].itertuples()
        ]
    predictions = pd.concat([table for table, _ in tables], ignore_index=True)
    results = pd.concat([table for _, table in tables], ignore_index=True)
    fits = _fits(results, number_of, curves)
    found = FewShot(
        fits=fits,
        summary=summarise(fits),
        skipped=pd.DataFrame([(s.fold, s.reason) for s in skipped], columns=["fold", "reason"]),
        predictions=predictions,
    )
    if folder is not None:
        files.write_table(Path(folder) / "few_shot_predictions.parquet", predictions)
        files.write_table(Path(folder) / "few_shot.csv", fits)
    return found


def _fits(results: pd.DataFrame, number_of: dict[str, protocols.ShotSplit], curves: Curves) -> pd.DataFrame:
    """One row a fit; without labelled utterances, a method stands for what it is without them."""
    labelled = results[results["method"].isin([curves.target_only, *curves.with_source])]
    stand_ins = [
        results[results["method"] == without].assign(method=name)
        for name, without in curves.without_labels.items()
    ]
    table = pd.concat([*stand_ins, labelled], ignore_index=True)
    return pd.DataFrame(
        {
            "method": table["method"],
            "title": table["method"].map(lambda name: methods.get(name).title),
            "shots": table["fold"].map(lambda name: number_of[name].shots),
            "draw": table["fold"].map(lambda name: number_of[name].draw),
            "seed": table["seed"],
            "n_test": table["n_test"],
            "uar": table["uar"],
        }
    ).sort_values(["method", "shots", "draw"], ignore_index=True)


def summarise(fits: pd.DataFrame) -> pd.DataFrame:
    """Mean, worst and best draw of each method and number of shots; see :class:`FewShot`."""
    grouped = fits.groupby(["method", "title", "shots"], sort=False)["uar"]
    return grouped.agg(uar="mean", uar_low="min", uar_high="max", n_draws="count").reset_index()
