"""Andova & Lustrek: Transferring Knowledge Between Emotional Speech Datasets.

Small targets, five ways to use a public source corpus beside one target
speaker's utterances (sections 3 and 4). ``published.csv`` holds tables 1-3.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from serlab.papers.base import Departure, Features, Pair, Paper, Protocol, Split

#: Rows are our methods: each is the paper's own. Its columns, in its order (tables 2 and 3).
ROWS: dict[str, str] = {
    "majority": "majority",
    "rf-source": "scenario 1",
    "rf-target": "scenario 2: baseline RF",
    "rf-pooled": "scenario 3",
    "dbn": "DBN",
    "fcnn": "FCNN",
    "rf-multitask": "multi-task",
    "rf-neutral": "norm. 1",
    "rf-distribution": "norm. 2",
}

_TABLES = "tables 2 and 3"


def published_accuracies() -> pd.DataFrame:
    """Tables 2 and 3 side by side: one row a method, one column a source -> target pair."""
    cells = PAPER.published.query("metric == 'accuracy'")
    pair = cells["source"] + " to " + cells["target"]
    wide = cells.assign(pair=pair).pivot(index="method", columns="pair", values="value")
    wide = wide.loc[list(ROWS), list(dict.fromkeys(pair))].rename(index=ROWS)
    return wide.rename_axis(index="title", columns=None).reset_index()


def figure_one_feature(names: Sequence[str]) -> str:
    """The loudness feature of the paper's figure 1, or the first loudness-like one of another set."""
    for wanted in ("pcm_loudness_sma_amean", "loudness", "level", "energy", "rms"):
        for name in names:
            if wanted in name.lower():
                return name
    return names[0]


PAPER = Paper(
    key="andova-lustrek",
    authors="Andova & Lustrek",
    title="Transferring Knowledge Between Emotional Speech Datasets",
    year=2019,
    notebook="01",
    rows=ROWS,
    nearest={name: name for name in ROWS},
    # Averaged over train-test splits, whatever their sizes (section 4).
    measures={"accuracy": "accuracy_fold_mean"},
    protocol=Protocol(
        pairs=(
            Pair(_TABLES, "emodb", "savee"),
            Pair(_TABLES, "emovo", "savee"),
            Pair(_TABLES, "iemocap", "savee"),
            Pair(_TABLES, "emodb", "iemocap"),
            Pair(_TABLES, "emovo", "iemocap"),
            Pair(_TABLES, "savee", "iemocap"),
        ),
        schemes=("four",),
        classes={"": 4},
        utterances={"emodb": 339, "emovo": 336, "iemocap": 1453, "savee": 300},
        features={"": Features("is10", ("is10",))},
        splits={"": Split("one target subject trains, all others test", ("one-subject",))},
    ),
    rebuilt={"dbn": "Latif et al. 2018: abstract, and sizes as reported"},
    weighed=("dbn", "fcnn"),
    normalized=tuple(name for name in ROWS if name not in ("dbn", "fcnn")),
    changed={
        "rf-distribution": (
            Departure(what="bins", printed="of each emotion by itself", here="common to all emotions"),
        )
    },
    tables=lambda: {f"Accuracy as published, {_TABLES}": published_accuracies()},
    decimals=2,
)
