"""UAR against the number of labelled target utterances: when does a source stop helping?

All numbers of one draw test the same speakers, none of whom is ever labelled;
see :func:`serlab.protocols.few_shot_curve`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from serlab import evaluation, files, methods, protocols
from serlab.errors import ParameterError
from serlab.experiment import Parameters, Session

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

#: Linear classifiers on an encoder, and the network with learned layer weights.
ON_ENCODER = Curves(
    target_only="probe-target",
    finetuned="encoder-finetuned",
    pooled="probe-pooled-z",
    source_only="probe-source-z",
    semi_supervised="probe-selftrained-pooled",
    unlabelled="probe-selftrained",
)
ON_TDNN = Curves(
    target_only="tdnn-frozen-target",
    finetuned="tdnn-frozen-finetuned",
    pooled=None,
    source_only="tdnn-frozen-source",
)


#: The most telling first.
_KNOWN = (ON_ENCODER, ON_TDNN, ACNN, ENCODER_DECODER)


def curves_of(parameters: Parameters) -> Curves:
    """Methods of the curve of an experiment: those whose target-only method it runs, an encoder's first.

    Raises
    ------
    ParameterError
        If it runs none of them; other methods make a curve by :class:`Curves`.
    """
    for curves in _KNOWN:
        if curves.target_only in parameters.methods:
            return curves
    raise ParameterError(
        "there is no few-shot curve for these methods: add one of "
        f"{', '.join(curves.target_only for curves in _KNOWN)}, or name the methods of the curve (Curves)"
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


def run(session: Session, *, curves: Curves) -> FewShot:
    """Measure a few-shot curve for the target and sources of an experiment.

    The first seed of the parameters is used; draws show the variation. With
    no source, the curve is that of the target alone.

    Parameters
    ----------
    session : Session
        In its folder: ``few_shot.csv``, predictions in ``few-shot``, and finished work.
    curves : Curves

    Raises
    ------
    ProtocolError
        If the target has too few speakers.
    """
    parameters = session.parameters
    planned, skipped = protocols.few_shot_curve(
        session.prepare().utterances,
        target=parameters.target,
        sources=parameters.sources,
        shots=SHOTS[parameters.preset],
        draws=DRAWS[parameters.preset],
        seed=parameters.seeds[0],
        transductive=parameters.transductive,
    )
    predictions, results = [], []
    for names, splits in _runs(parameters, planned, curves):
        done = session.evaluate(names, splits, seeds=parameters.seeds[:1], kept_in="few-shot")
        scored = evaluation.score(done.predictions, done.fits)
        predictions.append(done.predictions)
        results.append(scored[scored["skipped"] == ""])
        skipped += [
            protocols.SkippedFold(f"{row.method}, {row.fold}", row.skipped)
            for row in scored[scored["skipped"] != ""].itertuples()
        ]
    fits = _fits(pd.concat(results), {shot.split.fold: shot for shot in planned}, curves)
    found = FewShot(
        fits=fits,
        summary=summarise(fits),
        skipped=pd.DataFrame([(s.fold, s.reason) for s in skipped], columns=["fold", "reason"]),
        predictions=pd.concat(predictions, ignore_index=True),
    )
    if session.folder is not None:
        files.write_table(Path(session.folder) / "few_shot.csv", found.fits)
    return found


def _runs(
    parameters: Parameters, planned: Sequence[protocols.ShotSplit], curves: Curves
) -> Iterator[tuple[list[str], list[protocols.Split]]]:
    """Methods and the splits they are run on: with labelled utterances, and without."""
    zero, labelled = ([s.split for s in planned if (s.shots == 0) == none] for none in (True, False))
    yield [curves.target_only, *(curves.with_source if parameters.sources else ())], labelled
    if parameters.sources and zero:
        yield list(dict.fromkeys(curves.without_labels.values())), zero


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
