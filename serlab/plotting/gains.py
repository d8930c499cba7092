"""What each method adds to its control: one figure a question."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from serlab.errors import ParameterError
from serlab.evaluation import intervals, verdicts
from serlab.evaluation.verdicts import QUESTIONS
from serlab.plotting.marks import interval_mark, known, right_texts, row_figure, thinned
from serlab.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    SKY,
    VERMILLION,
    Figure,
    finished,
    heading,
    legend_below,
    note_figure,
    styled,
)
from serlab.plotting.texts import interval, listing, p_value, sentences, wrapped

#: kind of verdict -> (colour, marker)
VERDICTS: dict[str, tuple[str, str]] = {
    verdicts.HELPS: (BLUE, "^"),
    verdicts.HURTS: (VERMILLION, "v"),
    verdicts.NO_DIFFERENCE: (GREY, "o"),
    verdicts.UNDECIDABLE: (GREY, "X"),
    verdicts.EXPLORATORY: (SKY, "."),
    verdicts.NOT_RUN: (GREY, ""),
    verdicts.APART: (GREY, ""),
}

#: Comparisons of one verdict that are named in words; the figure has all.
_NAMED = 2


@styled
def plot_gain(comparison: pd.DataFrame, *, question: str = "", title: str = "") -> Figure:
    """Show what each method adds to its control, for one question: declared comparisons, then the others.

    Parameters
    ----------
    comparison : DataFrame
        From :func:`serlab.evaluation.compare`; ``title`` and
        ``control_title`` may be missing. Without rows of the question the
        figure says that there is nothing to compare.
    question : str
        Of :data:`serlab.evaluation.verdicts.QUESTIONS`; may be left out where the table has one alone.
    title : str
        Added to the heading.

    Raises
    ------
    ParameterError
        If a question has to be named.
    """
    table, question = of_question(comparison, question)
    if table.empty:
        head = QUESTIONS.get(question, "Gain over the control")
        return note_figure(head, "Nothing to compare: no method was run that adds this to its control.")
    declared = table["primary"].astype(bool)
    table = table.assign(_declared=declared).sort_values(
        ["_declared", "gain"], ascending=False, na_position="last"
    )
    whole, size = table, table["gain"].abs()
    table, more = thinned(table.assign(_size=size), "_size", groups=table["_declared"])
    kinds = [verdicts.kind(verdict) for verdict in table["verdict"]]
    figure, axes, position = row_figure(
        [_label(row) for _, row in table.iterrows()], groups=table["_declared"]
    )
    for y, kind, (_, row) in zip(position, kinds, table.iterrows(), strict=True):
        interval_mark(axes, y, row, "gain", *VERDICTS[kind])
    texts = {
        f"gain {intervals.HEADING}": [interval(row, "gain", sign=True) for _, row in table.iterrows()],
        "p (Holm)": [p_value(p) for p in table["p_holm"]],
    }  # fmt: skip
    right_texts(axes, position, texts)
    axes.axvline(0, color=BLACK, linewidth=1.2, zorder=1)
    reach = 1.08 * max(np.abs(known(table, "gain", "gain_low", "gain_high")).max(initial=0.0), 0.05)
    axes.set_xlim(-reach, reach)
    shown = dict(
        sorted(zip(kinds, table["verdict"], strict=True), key=lambda item: list(VERDICTS).index(item[0]))
    )
    handles = [
        Line2D([], [], color=VERDICTS[kind][0], marker=VERDICTS[kind][1], label=_means(kind, verdict))
        for kind, verdict in shown.items()
    ]
    legend_below(figure, handles, ncols=2, note=more)
    axes.set_xlabel(f"gain: UAR minus that of the control, {intervals.LABEL}")
    heading(figure, f"{QUESTIONS[question]} {title}".strip())
    return finished(figure, _says(whole))


def of_question(comparison: pd.DataFrame, question: str = "") -> tuple[pd.DataFrame, str]:
    """Rows of one question, and its name.

    Raises
    ------
    ParameterError
        If there are several questions and none is named, or an unknown one.
    """
    asked = verdicts.asked(comparison)
    if not question and len(asked) > 1:
        raise ParameterError(
            f"the table answers {len(asked)} questions, which are not compared with each other: choose one, "
            f"question={' or '.join(map(repr, asked))}"
        )
    if question and question not in QUESTIONS:
        raise ParameterError(f"unknown question {question!r}; known: {', '.join(QUESTIONS)}")
    question = question or "".join(asked)
    return (comparison[comparison["question"] == question] if len(comparison) else comparison), question


def _title(row: pd.Series, name: str) -> str:
    return str(row.get("title" if name == "method" else "control_title") or row[name])


def _label(row: pd.Series) -> str:
    return "\n".join((wrapped(_title(row, "method")), wrapped(f"over {_title(row, 'control')}")))


def _means(kind: str, verdict: str) -> str:
    """What a marker stands for."""
    return {
        verdicts.HELPS: "declared: helps",
        verdicts.HURTS: "declared: hurts",
        verdicts.NO_DIFFERENCE: "declared: no difference shown",
        verdicts.UNDECIDABLE: f"declared: {verdict}",
        verdicts.EXPLORATORY: "exploratory: no claim",
        verdicts.NOT_RUN: "declared: not run",
        verdicts.APART: "declared: no fold in common",
    }[kind]


def _says(table: pd.DataFrame) -> str:
    """What was declared and how it ended, then the others; a control that all share is named once."""
    controls = [_title(row, "control") for _, row in table.iterrows()]
    is_one = len(set(controls)) == 1
    says = [f"Over {controls[0]}"] if is_one else []
    over = [""] * len(table) if is_one else [f" over {control}" for control in controls]
    kinds = [verdicts.kind(verdict) for verdict in table["verdict"]]
    for kind in VERDICTS:
        named = [
            _title(row, "method")
            + (f" {interval(row, 'gain', sign=True)}{beside}" if kind not in verdicts.WITHOUT_NUMBER else "")
            for own, beside, (_, row) in zip(kinds, over, table.iterrows(), strict=True)
            if own == kind
        ]
        if named:
            verdict = table["verdict"].iloc[kinds.index(kind)]
            most = 1 if kind == verdicts.EXPLORATORY else _NAMED
            says.append(f"{verdict.capitalize()}: {listing(named, most=most)}")
    return sentences(*says)
