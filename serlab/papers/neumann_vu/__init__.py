"""Neumann & Vu: Cross-lingual and Multilingual Speech Emotion Recognition on English and French.

Binary arousal and valence with an attentive convolutional network, four
conditions (section 4, a-d). ``published.csv`` holds both tables, the class
counts of footnote 1 and the numbers that stand in the text alone; the class
"low" of valence is negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from serlab.papers.base import Departure, Features, Pair, Paper, Protocol, Split

if TYPE_CHECKING:
    from serlab.experiment import Outcome, Parameters

#: Rows are our methods. Conditions a to d, in the order of table 2.
CONDITIONS: dict[str, str] = {
    "acnn-target": "mono-lingual",
    "acnn-pooled": "multilingual",
    "acnn-source": "cross-lingual",
    "acnn-finetuned": "cross-lingual + fine-tuning",
}

#: Method of section 5 -> what it is there: is a small corpus what makes RECOLA hard?
CONTROL: dict[str, str] = {"acnn-target-1308": "mono-lingual, 1308 utterances"}


def published_table() -> pd.DataFrame:
    """Table 2: one row a condition, one column a target and dimension."""
    cells = PAPER.published.query("where == 'table 2'")
    column = cells["target"] + " " + cells["dimension"]
    wide = cells.assign(column=column).pivot(index="method", columns="column", values="value")
    wide = wide.loc[list(CONDITIONS), list(dict.fromkeys(column))]
    wide.insert(0, "condition", list(CONDITIONS.values()))
    return wide.rename_axis(columns=None).reset_index()


def _cells(published: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """Of table 2, and of section 5, of the dimension that is recognised."""
    shown = published["where"].isin(["table 2", "section 5"])
    return published[shown & (published["dimension"] == parameters.scheme)]


def _padding(outcome: Outcome, method: str) -> Iterable[Departure]:
    """As printed with the preset ``paper``, unless something else is asked for."""
    zeros = "zeros" if outcome.parameters.preset == "paper" else "masked"
    if (outcome.parameters.options["padding"] or zeros) != "zeros":
        yield Departure(what="padding", printed="zeros that are not masked", here="masked")


PAPER = Paper(
    key="neumann-vu",
    authors="Neumann & Vu",
    title="Cross-lingual and Multilingual Speech Emotion Recognition on English and French",
    year=2018,
    notebook="02",
    rows=CONDITIONS | CONTROL,
    nearest={name: name for name in CONDITIONS | CONTROL},
    measures={"UAR": "uar"},
    protocol=Protocol(
        pairs=(Pair("table 2", "recola", "iemocap"), Pair("table 2", "iemocap", "recola")),
        schemes=("arousal", "valence"),
        classes={"": 2},
        utterances={"iemocap": 10039, "recola": 1308},
        features={"": Features("26 log-mel bands", ("logmel26",))},
        splits={
            # Sessions of IEMOCAP are kept together, and there are five.
            "": Split("five folds of whole speakers", ("speaker-groups", "session-groups"), 5),
            "acnn-source": Split(
                "the whole target is tested", ("speaker-groups", "session-groups", "loso", "random")
            ),
        },
        seconds=7.5,
        repeats=5,
        left_open=("RECOLA's five groups of speakers",),
    ),
    cells=_cells,
    rebuilt={},
    changed={},
    further=_padding,
    tables=lambda: {"Table 2 of the paper, as printed": published_table().drop(columns="method")},
    decimals=4,
)
