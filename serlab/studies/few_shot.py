"""UAR against the number of labelled target utterances: when does a source stop helping?

All numbers of one draw test the same speakers, none of whom is ever labelled; see
:func:`serlab.protocols.few_shot_curve`. What a source adds is the difference from the same
classifier that learns from the same labels alone, paired by draw and by tested speaker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
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
DRAWS: dict[str, int] = {"demo": 2, "quick": 4, "paper": 10}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A method that learns from a source and a few labelled target utterances.

    Attributes
    ----------
    method : str
    control : str
        The same classifier, on the same labels, without the source. Empty where there is none,
        and no difference.
    without_labels : str
        The same classifier without a labelled target utterance: its point at 0. Empty where there
        is none, and no point.
    """

    method: str
    control: str = ""
    without_labels: str = ""


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Methods of a few-shot curve.

    Attributes
    ----------
    target_only : str
        Method that is shown for the target alone.
    lines : tuple of Line
    """

    target_only: str
    lines: tuple[Line, ...] = ()

    @property
    def alone(self) -> tuple[str, ...]:
        """Methods that learn from the labelled target alone."""
        return tuple(
            dict.fromkeys((self.target_only, *(line.control for line in self.lines if line.control)))
        )


ACNN = Curves(
    target_only="acnn-target",
    lines=(
        Line(method="acnn-finetuned", control="acnn-target", without_labels="acnn-source"),
        Line(method="acnn-pooled", control="acnn-target", without_labels="acnn-source"),
    ),
)
ENCODER_DECODER = Curves(
    target_only="encdec-target",
    lines=(
        Line(method="encdec-transfer", control="encdec-target", without_labels="encdec-source"),
        Line(method="encdec-pooled", control="encdec-target", without_labels="encdec-source"),
    ),
)

#: Linear classifiers on an encoder, and the network with learned layer weights.
ON_ENCODER = Curves(
    target_only="probe-target",
    lines=(
        Line(method="probe-pooled-z", control="probe-target-z", without_labels="probe-source-z"),
        # Without a source it has nothing to begin with that is not the target's.
        Line(method="probe-selftrained-pooled", without_labels="probe-selftrained"),
        Line(method="probe-cautious-pooled", without_labels="probe-cautious-voices"),
        Line(
            method="probe-pooled-voices", control="probe-target-voices", without_labels="probe-source-voices"
        ),
        Line(method="encoder-finetuned", control="encoder-target-z", without_labels="encoder-source-z"),
    ),
)
ON_TDNN = Curves(
    target_only="tdnn-frozen-target",
    lines=(
        Line(
            method="tdnn-frozen-finetuned", control="tdnn-frozen-target", without_labels="tdnn-frozen-source"
        ),
    ),
)
#: Of any features of vectors.
RIDGE = Curves(
    target_only="ridge-target",
    lines=(
        Line(method="ridge-pooled", control="ridge-target", without_labels="ridge-source"),
        Line(method="ridge-pooled-z", control="ridge-target-z", without_labels="ridge-source-z"),
        Line(
            method="ridge-pooled-voices", control="ridge-target-voices", without_labels="ridge-source-voices"
        ),
        Line(method="ridge-cautious-pooled", without_labels="ridge-cautious-voices"),
    ),
)


#: The most telling first.
_KNOWN = (ON_ENCODER, ON_TDNN, ACNN, ENCODER_DECODER, RIDGE)


def curves_of(parameters: Parameters) -> Curves:
    """Methods of the curve of an experiment: those whose target-only method it runs, an encoder's first.

    Of their lines, those whose method is among the parameters': nothing is fitted that nobody chose, but for
    the controls of what somebody did.

    Raises
    ------
    ParameterError
        If it runs none of them; other methods make a curve by :class:`Curves`.
    """
    for curves in _KNOWN:
        if curves.target_only in parameters.methods:
            chosen = tuple(line for line in curves.lines if line.method in parameters.methods)
            return curves if chosen == curves.lines else replace(curves, lines=chosen)
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
        One row a fit: method (of the line), fitted (the method itself: without labels another
        name), title, shots, draw, seed, n_test, uar.
    summary : DataFrame
        One row a method and number of shots: method, title, shots, uar (all draws together, see
        :func:`serlab.evaluation.summarise`), uar_low and uar_high (its interval over speakers and
        draws), n_draws.
    gains : DataFrame
        One row a method with a source and number of shots: method, title, control, over (title of
        the control), shots, gain, gain_low, gain_high, n_speakers, n_draws; see :func:`gains`.
    skipped : DataFrame
        fold, reason: numbers for which there are too few utterances, or too many for a method.
    predictions : DataFrame
        What everything else is computed from.
    """

    fits: pd.DataFrame
    summary: pd.DataFrame
    gains: pd.DataFrame
    skipped: pd.DataFrame
    predictions: pd.DataFrame


def run(session: Session, *, curves: Curves) -> FewShot:
    """Measure a few-shot curve for the target and sources of an experiment.

    The first seed of the parameters is used; draws show the variation. With
    no source, the curve is that of the target alone.

    Parameters
    ----------
    session : Session
        In its folder: ``few_shot.csv``, ``few_shot_gains.csv``, predictions in ``few-shot``, and
        finished work.
    curves : Curves

    Raises
    ------
    ProtocolError
        If the target has too few speakers.
    """
    parameters = session.parameters
    curves = _possible(curves, parameters)
    utterances = session.prepare().utterances
    planned, skipped = protocols.few_shot_curve(
        utterances,
        target=parameters.target,
        sources=parameters.sources,
        shots=SHOTS[parameters.preset],
        draws=DRAWS[parameters.preset],
        seed=parameters.seeds[0],
        transductive=parameters.transductive,
    )
    predictions, results = [], []
    for name, splits in _runs(planned, curves, skipped):
        done = session.evaluate([name], splits, seeds=parameters.seeds[:1], kept_in="few-shot")
        scored = evaluation.score(done.predictions, done.fits)
        predictions.append(done.predictions)
        results.append(scored[scored["skipped"] == ""])
        skipped += [
            protocols.SkippedFold(f"{row.method}, {row.fold}", row.skipped)
            for row in scored[scored["skipped"] != ""].itertuples()
        ]
    number_of = {shot.split.fold: shot for shot in planned}
    answers = pd.concat(predictions, ignore_index=True)
    by_line = _by_line(answers, number_of, curves)
    found = FewShot(
        fits=_fits(pd.concat(results), number_of, curves),
        summary=summarise(by_line, utterances["speaker"]),
        gains=gains(by_line, utterances["speaker"], lines=curves.lines),
        skipped=pd.DataFrame([(s.fold, s.reason) for s in skipped], columns=["fold", "reason"]),
        predictions=answers,
    )
    if session.folder is not None:
        files.write_table(Path(session.folder) / "few_shot.csv", found.fits)
        files.write_table(Path(session.folder) / "few_shot_gains.csv", found.gains)
    return found


def _possible(curves: Curves, parameters: Parameters) -> Curves:
    """What of the curves is left without a source."""
    return curves if parameters.sources else Curves(target_only=curves.target_only)


def _runs(
    planned: Sequence[protocols.ShotSplit],
    curves: Curves,
    skipped: list[protocols.SkippedFold],
) -> Iterator[tuple[str, list[protocols.Split]]]:
    """Each method and the splits it is run on; those with more labels than it may see are skipped."""
    zero, labelled = ([s.split for s in planned if (s.shots == 0) == none] for none in (True, False))
    for name in (*curves.alone, *(line.method for line in curves.lines)):
        limit = methods.get(name).target_limit
        fits, too_many = (
            [split for split in labelled if (limit is None or len(split.target_train) <= limit) == within]
            for within in (True, False)
        )
        skipped += [
            protocols.SkippedFold(f"{name}, {split.fold}", f"it sees at most {limit} labelled utterances")
            for split in too_many
        ]
        if fits:
            yield name, fits
    for name in dict.fromkeys(line.without_labels for line in curves.lines):
        if name and zero:
            yield name, zero


def _lines_of(table: pd.DataFrame, curves: Curves, shots: pd.Series) -> Iterator[tuple[str, pd.DataFrame]]:
    """Rows of each line: its method's, and without labels those of the same classifier without them."""
    for name in curves.alone:
        yield name, table[(table["method"] == name) & (shots > 0)]
    for line in curves.lines:
        own = (table["method"] == line.method) & (shots > 0)
        yield line.method, table[own | ((table["method"] == line.without_labels) & (shots == 0))]


def _by_line(
    predictions: pd.DataFrame,
    number_of: dict[str, protocols.ShotSplit],
    curves: Curves,
) -> pd.DataFrame:
    """Predictions with the line they are of as ``method``, ``shots``, and the draw as ``fold``."""
    # As text: numbers come in place of names.
    predictions = predictions.assign(fold=predictions["fold"].astype(str))
    shots = predictions["fold"].map(lambda name: number_of[name].shots)
    parts = [part.assign(method=name) for name, part in _lines_of(predictions, curves, shots)]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(
        shots=table["fold"].map(lambda name: number_of[name].shots),
        fold=table["fold"].map(lambda name: number_of[name].draw),
    )


def _fits(
    results: pd.DataFrame,
    number_of: dict[str, protocols.ShotSplit],
    curves: Curves,
) -> pd.DataFrame:
    """One row a fit of each line."""
    shots = results["fold"].map(lambda name: number_of[name].shots)
    parts = [
        part.assign(method=name, fitted=part["method"]) for name, part in _lines_of(results, curves, shots)
    ]
    table = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(
        {
            "method": table["method"],
            "fitted": table["fitted"],
            "title": table["method"].map(lambda name: methods.get(name).title),
            "shots": table["fold"].map(lambda name: number_of[name].shots),
            "draw": table["fold"].map(lambda name: number_of[name].draw),
            "seed": table["seed"],
            "n_test": table["n_test"],
            "uar": table["uar"],
        }
    ).sort_values(["method", "shots", "draw"], ignore_index=True)


def summarise(by_line: pd.DataFrame, speakers: pd.Series) -> pd.DataFrame:
    """UAR of each method and number of shots, over all draws together; see :class:`FewShot`.

    Parameters
    ----------
    by_line : DataFrame
        Predictions with method, shots, and the draw as ``fold``.
    speakers : Series
        Utterance -> speaker.
    """
    rows = []
    for (method, shots), own in by_line.groupby(["method", "shots"], sort=False):
        value, low, high = evaluation.uar(own, speakers, fold_is="draw")
        rows.append(
            {
                "method": method,
                "title": methods.get(method).title,
                "shots": shots,
                "uar": value,
                "uar_low": low,
                "uar_high": high,
                "n_draws": own["fold"].nunique(),
            }
        )
    return pd.DataFrame(rows)


def gains(by_line: pd.DataFrame, speakers: pd.Series, *, lines: Sequence[Line]) -> pd.DataFrame:
    """What the source adds to each number of labels: each method minus its control.

    Paired by draw and tested speaker, on the draws that both could run; see
    :func:`serlab.evaluation.paired`. Intervals are not corrected for their number, and there is no verdict.

    Parameters
    ----------
    by_line, speakers
        As for :func:`summarise`.
    lines : sequence of Line

    Returns
    -------
    DataFrame
        See :class:`FewShot`; no row without labels, where a control cannot learn.
    """
    columns = [
        "method",
        "title",
        "control",
        "over",
        "shots",
        "gain",
        "gain_low",
        "gain_high",
        "n_speakers",
        "n_draws",
    ]
    rows = []
    for line in (line for line in lines if line.control):
        for shots, own in by_line[by_line["shots"] > 0].groupby("shots"):
            pair = {"method": line.method, "control": line.control}
            if evaluation.differences.common_cells(own, **pair).empty:
                continue
            found = evaluation.paired(own, speakers, **pair, fold_is="draw")
            rows.append(
                {
                    **pair,
                    "title": methods.get(line.method).title,
                    "over": methods.get(line.control).title,
                    "shots": shots,
                    "gain": found.gain,
                    "gain_low": found.low,
                    "gain_high": found.high,
                    "n_speakers": found.n_speakers,
                    "n_draws": found.n_folds,
                }
            )
    return pd.DataFrame(rows, columns=columns)


def worth(summary: pd.DataFrame, *, method: str, alone: str, chance: float) -> pd.DataFrame:
    """How many labelled target utterances the source stands for.

    With ``s`` labels per class a method that also has the source reaches some UAR; the target alone
    reaches that with ``n``: the source is worth ``n - s``. Between numbers that were tried the curve of
    the target alone is taken to be straight, and without labels to be at chance; of several crossings the
    first counts. The curves are means over draws and noisy: read it beside their intervals.

    Parameters
    ----------
    summary : DataFrame
        See :class:`FewShot`.
    method : str
        Of a line with the source.
    alone : str
        The same classifier on the target alone.
    chance : float

    Returns
    -------
    DataFrame
        shots, uar (of the method), needed (labels per class of the target alone; NaN if it needs more
        than were tried), worth (``needed - shots``).
    """
    own = summary[summary["method"] == alone].sort_values("shots")
    shots = np.concatenate([[0.0], own["shots"].to_numpy(dtype=float)])
    reached = np.concatenate([[chance], own["uar"].to_numpy(dtype=float)])
    rows = []
    for row in summary[summary["method"] == method].sort_values("shots").itertuples():
        needed = _first_at(row.uar, shots, reached)
        rows.append((row.shots, row.uar, needed, needed - row.shots))
    return pd.DataFrame(rows, columns=["shots", "uar", "needed", "worth"])


def _first_at(level: float, x: np.ndarray, y: np.ndarray) -> float:
    """Where a line through points first reaches a level; NaN if it does not."""
    at = np.flatnonzero(y >= level)
    if not len(at):
        return float("nan")
    if at[0] == 0:
        return float(x[0])
    before = at[0] - 1
    share = (level - y[before]) / (y[at[0]] - y[before])
    return float(x[before] + share * (x[at[0]] - x[before]))
