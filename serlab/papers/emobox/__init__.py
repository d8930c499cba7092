"""EmoBox (Ma et al. 2024): published results of frozen encoders on RAVDESS.

Only what stands beside this workbench's own runs is here: frozen features, all
classes of RAVDESS, six folds of four unseen actors each. No method of a
notebook is theirs, so none stands beside them.
"""

from __future__ import annotations

import pandas as pd

from serlab.papers.base import Pair, Paper, Protocol, Split

#: Encoder -> title.
ENCODERS: dict[str, str] = {"whisper-large-v3": "Whisper-large-v3", "wavlm-large": "WavLM-large"}
N_FOLDS = 6


def _tables() -> dict[str, pd.DataFrame]:
    caption = "EmoBox: frozen encoders on RAVDESS, six folds of unseen actors"
    return {caption: PAPER.published.drop(columns=["emotion", "where"])}


PAPER = Paper(
    key="emobox",
    authors="Ma et al.",
    title="EmoBox: multilingual multi-corpus speech emotion recognition toolkit and benchmark",
    year=2024,
    notebook="05",
    rows=ENCODERS,
    nearest={},
    measures={"UAR": "uar"},
    protocol=Protocol(
        pairs=(Pair("single corpus", "", "ravdess"),),
        schemes=("eight",),
        classes={"": 8},
        utterances={},
        features={},
        splits={"": Split("six folds of four unseen actors", ("speaker-groups",), N_FOLDS)},
    ),
    rebuilt={},
    changed={},
    tables=_tables,
)
