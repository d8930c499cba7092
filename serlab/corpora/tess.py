"""TESS, Toronto emotional speech set: acted English, two women, two hundred words, seven states.

``OAF_back_fear`` is the older actress (64), "Say the word back", fear; YAF is
the younger (26); ``ps`` is pleasant surprise: 2 x 200 x 7 = 2800 files.

Seen: all names in a list of the EmoBox benchmark. Told: that some copies name
one file ``OA_...`` (read as OAF), that the copy at Kaggle holds the whole corpus
twice (refused: keep one), and the licence.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming
from serlab.corpora.base import Corpus

CITATION = (
    "M. K. Pichora-Fuller, K. Dupuis: Toronto emotional speech set (TESS). Borealis, 2020. "
    "doi:10.5683/SP2/E8H2MF"
)
LICENSE = "Said by others to be CC BY-NC-ND; check the terms that came with your copy."
HOW_TO_GET = (
    "Get it from https://doi.org/10.5683/SP2/E8H2MF (or https://hdl.handle.net/1807/24487) and unpack it so "
    "that <data>/tess/OAF_back_fear.wav exists; folders such as OAF_Fear do no harm."
)

LABELS: dict[str, str] = {
    "angry": "anger", "disgust": "disgust", "fear": "fear", "happy": "joy", "neutral": "neutral",
    "ps": "surprise", "sad": "sadness",
}  # fmt: skip

#: Native label -> published utterances (2800 in all).
EXPECTED: dict[str, int] = dict.fromkeys(LABELS, 400)
N_WORDS = 200

_NAME = re.compile(
    r"(?:^|/)(?P<speaker>OAF?|YAF)_(?P<word>[a-z]+)_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers."""
    return naming.table(folder, _NAME, _describe, corpus="tess", language="en")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    speaker = "OAF" if name["speaker"] == "OA" else name["speaker"]
    return {
        "utterance": f"{speaker}_{name['word']}_{name['emotion']}",
        "speaker": speaker,
        "sex": "female",
        "native_label": name["emotion"],
        "text_id": name["word"],
    }


CORPUS = Corpus(
    name="tess",
    title="Toronto emotional speech set (TESS)",
    language="en",
    citation=CITATION,
    license=LICENSE,
    how_to_get=HOW_TO_GET,
    layout="OAF_back_fear.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=2,
    expected_texts=N_WORDS,
    speech="acted",
    scripted=True,
    reader=read,
    sampling_rates=(24_414,),
    channels=(1,),
    seconds=(1.25, 3.0),
    caveats=(
        "Two speakers: a source at most. A score inside it says nothing about other speakers.",
        "One sentence (Say the word ...) with 200 words, shared by both.",
    ),
)
