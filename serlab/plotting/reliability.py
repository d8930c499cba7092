"""Whether answers are right as often as they are sure."""

from __future__ import annotations

import pandas as pd

from serlab import methods
from serlab.evaluation import compact, intervals, reliability
from serlab.experiment import Outcome
from serlab.plotting.marks import panel_figure
from serlab.plotting.style import (
    BLUE,
    GREY,
    VERMILLION,
    Figure,
    finished,
    heading,
    legend_below,
    note_figure,
    styled,
)
from serlab.plotting.tables import telling_methods, titles
from serlab.plotting.texts import interval, listing, number, sentences, wrapped

_HEADING = "Can its probabilities be believed?"
#: access -> what its calibration is across.
_LEARNED = {"none": "other corpora", "unlabelled": "other corpora", "target-only": "the same corpus",
            "target-semi-supervised": "the same corpus"}  # fmt: skip
_BEFORE, _AFTER = "as answered", "with temperature"


def reliability_of(outcome: Outcome, temperatures: pd.DataFrame | None = None) -> pd.DataFrame:
    """Errors of calibration of the telling methods, of which no label was seen while they were made.

    Parameters
    ----------
    outcome : Outcome
    temperatures : DataFrame, optional
        From :func:`serlab.studies.calibration.temperatures`; fits without one are in no row "with
        temperature", and the rows "as answered" are of the same fits.

    Returns
    -------
    DataFrame
        Columns of :func:`serlab.evaluation.reliability.errors`, and title, learned_from, probabilities ("as
        answered", "with temperature"), temperature (median over folds).
    """
    found = []
    for _, name, own in _answers(outcome, temperatures):
        table = reliability.errors(
            own,
            outcome.utterances["speaker"],
            fold_is=outcome.parameters.split_protocol().fold_is,
        )
        found.append(table.assign(probabilities=name))
    table = pd.concat(found, ignore_index=True)
    table.insert(1, "title", table["method"].map(titles(outcome)))
    access = table["method"].map(lambda method: methods.get(method).access)
    table.insert(2, "learned_from", access.map(_LEARNED).fillna("both"))
    if temperatures is not None:
        median = temperatures.groupby("method")["temperature"].median()
        table["temperature"] = table["method"].map(median).where(table["probabilities"] == _AFTER)
    order = {name: place for place, name in enumerate(telling_methods(outcome))}
    return table.sort_values("method", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def reliability_curves(outcome: Outcome, temperatures: pd.DataFrame | None = None) -> pd.DataFrame:
    """Points of the diagrams: method, title, probabilities and the columns of a curve."""
    found = [
        reliability.curve(own).assign(method=method, title=titles(outcome)[method], probabilities=name)
        for method, name, own in _answers(outcome, temperatures)
    ]
    return pd.concat(found, ignore_index=True)


def _answers(outcome: Outcome, temperatures: pd.DataFrame | None) -> list[tuple[str, str, pd.DataFrame]]:
    """Answers of each telling method as they are, and with temperatures where there are any."""
    parts = []
    for method in telling_methods(outcome):
        own = compact.of_method(outcome.predictions, method)
        if temperatures is None:
            parts.append((method, _BEFORE, own))
            continue
        known = temperatures[(temperatures["method"] == method) & temperatures["temperature"].notna()]
        known = known[["method", "fold", "seed", "temperature"]]
        if known.empty:
            parts.append((method, _BEFORE, own))
            continue
        same = own.merge(known.drop(columns="temperature"), on=["method", "fold", "seed"])
        parts += [(method, _BEFORE, same), (method, _AFTER, reliability.heated(own, known))]
    return parts


def reliability_table(errors: pd.DataFrame) -> pd.DataFrame:
    """The same with headings for a reader."""
    columns = {
        "title": "method", "learned_from": "learned from", "probabilities": "probabilities",
        "temperature": "temperature", "n_speakers": "speakers", "confidence": "confidence",
        "right": "right (UAR)", "ece": "ECE", "ece_low": "ECE_low", "ece_high": "ECE_high",
        "by_luck": "ECE by luck alone",
    }  # fmt: skip
    known = [name for name in columns if name in errors]
    return errors[known].rename(columns=columns)


@styled
def plot_reliability(curves: pd.DataFrame, errors: pd.DataFrame, *, title: str = "") -> Figure:
    """Show the share of right answers against confidence, in ten bins, a panel a method.

    Below the diagonal a method is surer than it is right.

    Parameters
    ----------
    curves : DataFrame
        From :func:`reliability_curves`.
    errors : DataFrame
        From :func:`reliability_of`, for the titles of panels.
    title : str
        Added to the heading.
    """
    if curves.empty:
        return note_figure(_HEADING, "No method was run.")
    names = list(dict.fromkeys(curves["method"]))
    figure, panels, columns = panel_figure(
        len(names), size=(3.0, 3.1), most_columns=4, margin=(0.6, 1.3), sharex=True, sharey=True
    )
    looks = {_BEFORE: (VERMILLION, "o", "-"), _AFTER: (BLUE, "s", "--")}
    handles: dict[str, object] = {}
    for place, (axes, method) in enumerate(zip(panels, names, strict=True)):
        handles["right"] = axes.plot(
            [0, 1], [0, 1], ":", color=GREY, linewidth=1.3, label="as right as it is sure"
        )[0]
        own = curves[curves["method"] == method]
        said = []
        for name, points in own.groupby("probabilities", sort=False):
            colour, marker, line = looks[str(name)]
            handles[str(name)] = axes.plot(
                points["confidence"], points["right"], line, marker=marker, color=colour, linewidth=1.8,
                markersize=6, label=str(name),
            )[0]  # fmt: skip
            row = errors[(errors["method"] == method) & (errors["probabilities"] == name)].iloc[0]
            said.append(number(row["ece"]))
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.set_aspect("equal")
        axes.grid(True)
        axes.set_title(f"{wrapped(str(own['title'].iloc[0]), 30)}\nECE {' to '.join(said)}")
        axes.set_xlabel("confidence")
        if place % columns == 0:
            axes.set_ylabel("right, classes weigh the same")
    note = "Bins of equal weight, all folds and seeds together."
    legend_below(figure, list(handles.values()), ncols=3, note=note)
    heading(figure, f"{_HEADING} {title}".strip())
    return finished(figure, _says(errors))


def _says(errors: pd.DataFrame) -> str:
    said = [
        f"{row['title']}, {row['probabilities']}: ECE {interval(row, 'ece')}, by luck alone "
        f"{number(row['by_luck'])}"
        for _, row in errors.iterrows()
    ]
    return sentences(listing(said, most=4), f"Brackets: {intervals.LABEL}")
