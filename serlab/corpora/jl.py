"""JL corpus: acted New Zealand English, four speakers, ten states.

``female1_angry_10a_1`` is the first woman, anger, sentence 10, ``a``,
repetition 1: 4 speakers x 10 states x 15 sentences x 2 letters x 2 repetitions
= 2400 files. Five states are primary (angry, sad, neutral, happy, excited), five
secondary (anxious, apologetic, assertive, concerned, encouraging).

Seen: all names in a list of the EmoBox benchmark. Told: the licence. Whether
the letters are two sentences or one said again is not said there: the sentence is
taken to be the number, so that both lie on one side of a split by sentence.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming
from serlab.corpora.base import Corpus

CITATION = (
    "J. James, L. Tian, C. I. Watson: An Open Source Emotional Speech Corpus for Human Robot Interaction "
    "Applications. Interspeech 2018. doi:10.21437/Interspeech.2018-1349"
)
LICENSE = "Said by others to be CC0; check the terms that came with your copy."
HOW_TO_GET = (
    "Get https://www.kaggle.com/datasets/tli725/jl-corpus and unpack it so that <data>/jl/Raw JL corpus "
    "(unchecked and unannotated)/JL(wav+txt)/female1_angry_10a_1.wav exists."
)

LABELS: dict[str, str] = {
    "angry": "anger", "sad": "sadness", "neutral": "neutral", "happy": "joy", "excited": "excitement",
    "anxious": "anxiety", "apologetic": "apology", "assertive": "assertiveness", "concerned": "concern",
    "encouraging": "encouragement",
}  # fmt: skip

#: Native label -> published utterances (2400 in all).
EXPECTED: dict[str, int] = dict.fromkeys(LABELS, 240)
SPEAKERS: tuple[str, ...] = ("female1", "female2", "male1", "male2")
N_SENTENCES = 15

_NAME = re.compile(
    r"(?:^|/)(?P<speaker>(?P<sex>female|male)[12])_"
    r"(?P<emotion>angry|sad|neutral|happy|excited|anxious|apologetic|assertive|concerned|encouraging)"
    r"_(?P<sentence>1[0-5]|[1-9])(?P<letter>[ab])_(?P<repetition>[12])"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Returns
    -------
    DataFrame
        Further columns: ``letter`` and ``repetition``.
    """
    return naming.table(folder, _NAME, _describe, corpus="jl", language="en-NZ")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    return {
        "speaker": name["speaker"],
        "sex": name["sex"],
        "native_label": name["emotion"],
        "text_id": f"{int(name['sentence']):02d}",
        "letter": name["letter"],
        "repetition": int(name["repetition"]),
    }


def expected_names(folder: Path) -> set[str]:
    """Names of all published utterances."""
    numbers = itertools.product(SPEAKERS, EXPECTED, range(1, N_SENTENCES + 1), "ab", (1, 2))
    return {f"jl/{s}_{emotion}_{text}{letter}_{again}" for s, emotion, text, letter, again in numbers}


CORPUS = Corpus(
    name="jl",
    title="JL corpus",
    language="en-NZ",
    citation=CITATION,
    license=LICENSE,
    how_to_get=HOW_TO_GET,
    layout="Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/female1_angry_10a_1.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=len(SPEAKERS),
    expected_texts=N_SENTENCES,
    speech="acted",
    scripted=True,
    reader=read,
    expected_names=expected_names,
    sampling_rates=(44_100,),
    channels=(1,),
    seconds=(1.2, 3.75),
    caveats=(
        "Four speakers: as a target it shows little.",
        "Five of the ten states are secondary (anxious, apologetic, assertive, concerned, encouraging): "
        "schemes of basic emotions leave them out.",
    ),
)
