"""Whom a method recognises worse: UAR by sex, age, language and sentence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from serlab.evaluation import gaps, intervals
from serlab.evaluation.scoring import POOLED
from serlab.experiment import Outcome
from serlab.plotting.marks import chance_line, interval_mark, known, limits
from serlab.plotting.style import (
    MARKERS,
    PALETTE,
    Figure,
    finished,
    heading,
    legend_below,
    note_figure,
    styled,
)
from serlab.plotting.tables import telling_methods, titles
from serlab.plotting.texts import interval, listing, p_equals, sentences, wrapped

_HEADING = "Which speakers and sentences are recognised worse?"
#: Groups of one attribute that a figure shows; of more, as many of the lowest and of the highest.
_MOST = 12


def groups_of(outcome: Outcome) -> pd.DataFrame:
    """UAR by sex, age, language and sentence of the telling methods of an experiment.

    Returns
    -------
    DataFrame
        As of :func:`serlab.evaluation.gaps.by_group`, with ``title`` behind ``method``.
    """
    found = gaps.by_group(
        outcome.predictions,
        outcome.utterances,
        methods=telling_methods(outcome),
        fold_is=outcome.parameters.split_protocol().fold_is,
    )
    found.insert(1, "title", found["method"].map(titles(outcome)))
    return found


def groups_table(groups: pd.DataFrame) -> pd.DataFrame:
    """The same with headings for a reader: one row a method and group."""
    table = groups.assign(attribute=groups["attribute"].map(gaps.ATTRIBUTES))
    columns = {
        "title": "method", "attribute": "by", "group": "group", "n_utterances": "utterances",
        "n_speakers": "speakers", "uar": "UAR", "uar_low": "UAR_low", "uar_high": "UAR_high",
        "gap": "gap", "gap_low": "gap_low", "gap_high": "gap_high", "p_holm": "p (Holm)",
        "verdict": "verdict",
    }  # fmt: skip
    return table[list(columns)].rename(columns=columns)


def not_compared_table(outcome: Outcome) -> pd.DataFrame:
    """By what the tested utterances could not be divided, and why."""
    tested = outcome.utterances.loc[outcome.predictions["utterance"].unique()]
    said = gaps.not_compared(tested)
    return pd.DataFrame({"by": [gaps.ATTRIBUTES[name] for name in said], "reason": list(said.values())})


@styled
def plot_groups(groups: pd.DataFrame, *, chance: float | None = None, title: str = "") -> Figure:
    """Show the UAR of each group with its interval, a mark a method; a star where a gap is shown.

    Parameters
    ----------
    groups : DataFrame
        From :func:`groups_of`. Of more than twelve groups of a kind the six lowest and highest of the
        first method are shown.
    chance : float, optional
        Level to draw.
    title : str
        Added to the heading.
    """
    if groups.empty:
        return note_figure(_HEADING, "Sex, age, language and sentence are not known, or the same throughout.")
    methods = list(dict.fromkeys(groups["method"]))
    rows, left_out = _shown(groups, methods[0])
    figure, axes, position = _rows(rows, len(methods))
    offsets = (np.arange(len(methods)) - (len(methods) - 1) / 2) * 0.8 / max(len(methods), 2)
    handles = []
    for number, method in enumerate(methods):
        colour, marker = PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]
        own = groups[groups["method"] == method].set_index(["attribute", "group"])
        for y, key in zip(position, rows, strict=True):
            if key in own.index:
                row = own.loc[key]
                interval_mark(axes, y + offsets[number], row, "uar", colour, marker)
                if row["verdict"] in (gaps.HIGHER, gaps.LOWER):
                    _star(axes, row, y + offsets[number], colour)
        label = wrapped(str(own["title"].iloc[0]) if "title" in own else method, 48)
        handles += axes.plot([], [], marker, color=colour, markersize=8, label=label)
    if chance is not None:
        handles.append(chance_line(axes, chance, upright=True))
    axes.set_xlim(*limits(known(groups, "uar", "uar_low", "uar_high"), chance))
    axes.set_xlabel(f"UAR: {POOLED}")
    note = f"Bars: {intervals.LABEL} over speakers. *: differs from all others of its kind, corrected."
    legend_below(figure, handles, ncols=2, note="\n".join([note, *left_out]))
    heading(figure, f"{_HEADING} {title}".strip())
    return finished(figure, _says(groups))


def _shown(groups: pd.DataFrame, method: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Attribute and group of each row, and what was left out."""
    rows, said = [], []
    for attribute, own in groups.groupby("attribute", sort=False):
        names = list(dict.fromkeys(own["group"]))
        if len(names) > _MOST:
            first = own[own["method"] == method].sort_values("uar", kind="stable")["group"]
            kept = {*first.iloc[: _MOST // 2], *first.iloc[-_MOST // 2 :]}
            said.append(
                f"By {gaps.ATTRIBUTES[attribute]}: the {_MOST // 2} lowest and highest of {len(names)}, by "
                "the first method; the table has all."
            )
            names = [name for name in first if name in kept]
        rows += [(attribute, name) for name in names]
    return rows, said


def _rows(rows: list[tuple[str, str]], n_methods: int):
    """A figure with a line a group, as high as its marks; kinds of groups stand apart."""
    kind = pd.Series([attribute for attribute, _ in rows])
    position = np.arange(len(rows)) + 0.5 * (kind.ne(kind.shift()).cumsum().to_numpy() - 1)
    height = max(0.3, 0.15 * n_methods + 0.08) * (position.max() + 1) + 0.9
    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.subplots()
    axes.set_ylim(position.max() + 0.6, -0.6)
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_yticks(position, [f"{gaps.ATTRIBUTES[attribute]}: {_short(name)}" for attribute, name in rows])
    return figure, axes, position


def _short(name: str) -> str:
    """Without the corpus, and not longer than a label may be."""
    name = name.rpartition("/")[2]
    return name if len(name) <= 28 else f"{name[:27]}…"


def _star(axes, row: Mapping, y: float, colour: str) -> None:
    ends = [end for end in (row["uar_high"], row["uar"]) if pd.notna(end)]
    axes.annotate(
        "*", (ends[0], y), xytext=(5, -3), textcoords="offset points", va="center", color=colour,
        fontsize=13, annotation_clip=False,
    )  # fmt: skip


def _says(groups: pd.DataFrame) -> str:
    """Gaps that are shown; or how many were asked for, and how many could not be decided."""
    shown = groups[groups["verdict"].isin([gaps.HIGHER, gaps.LOWER])]
    said = [
        f"{row.get('title', row['method'])}, {gaps.ATTRIBUTES[row['attribute']]} {_short(row['group'])}: gap "
        f"{interval(row, 'gap', sign=True)}, corrected p {p_equals(row['p_holm'])}"
        for _, row in shown.iterrows()
    ]
    undecided = int(groups["verdict"].str.startswith("cannot").sum())
    return sentences(
        listing(said) if said else f"Of {len(groups)} groups none is shown to differ from the others",
        f"{undecided} cannot be decided" if undecided else "",
    )
