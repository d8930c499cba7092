"""MESD: acted Mexican Spanish, single words, three kinds of voice, six states.

``Anger_F_A_tarde`` is anger, a woman (F; M a man, C a child), word list A,
"tarde". The 24 words of list A are said in all states; those of list B were chosen for
the state that they are said in.

Three women, two men and six children were recorded; which of them speaks is
not in the names. The kind of voice stands for the speaker: two people may be
one, but one is never two, so that no split parts a speaker.

Seen: all 862 names in a list of the EmoBox benchmark; the publisher's page
(voices, word lists). Told: the licence.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming
from serlab.corpora.base import Corpus
from serlab.corpora.terms import creative_commons

CITATION = (
    "M. M. Duville, L. M. Alonso-Valerdi, D. I. Ibarra-Zarate: Mexican Emotional Speech Database Based on "
    "Semantic, Frequency, Familiarity, Concreteness, and Cultural Shaping of Affective Prosody. Data 6(12), "
    "2021. doi:10.3390/data6120130"
)
LICENSE = "CC BY 4.0"
HOW_TO_GET = (
    "Get it from https://data.mendeley.com/datasets/cy34mh68j9/5 and unpack it so that "
    "<data>/mesd/Mexican Emotional Speech Database (MESD)/Anger_F_A_tarde.wav exists."
)

LABELS: dict[str, str] = {
    "Anger": "anger", "Disgust": "disgust", "Fear": "fear", "Happiness": "joy", "Neutral": "neutral",
    "Sadness": "sadness",
}  # fmt: skip

#: Native label -> published utterances (862 in all).
EXPECTED: dict[str, int] = {
    "Anger": 143, "Disgust": 144, "Fear": 144, "Happiness": 144, "Neutral": 143, "Sadness": 144,
}  # fmt: skip
#: Kind of voice -> sex; a child's is not said.
VOICES: dict[str, str | None] = {"F": "female", "M": "male", "C": None}

_NAME = re.compile(
    r"(?:^|/)(?P<emotion>Anger|Disgust|Fear|Happiness|Neutral|Sadness)_(?P<voice>[FMC])_(?P<list>[AB])"
    r"_(?P<word>[^/]+)"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Returns
    -------
    DataFrame
        ``speaker`` is the kind of voice; further column: ``word_list`` ("A", "B").
    """
    return naming.table(folder, _NAME, _describe, corpus="mesd", language="es-MX")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    return {
        "speaker": name["voice"],
        "sex": VOICES[name["voice"]],
        "native_label": name["emotion"],
        "text_id": name["word"],
        "word_list": name["list"],
    }


CORPUS = Corpus(
    name="mesd",
    title="Mexican Emotional Speech Database (MESD)",
    language="es-MX",
    citation=CITATION,
    license=LICENSE,
    terms=creative_commons("BY"),
    how_to_get=HOW_TO_GET,
    layout="Mexican Emotional Speech Database (MESD)/Anger_F_A_tarde.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=len(VOICES),
    expected_texts=205,
    speech="acted",
    scripted=True,
    reader=read,
    sampling_rates=(48_000,),
    channels=(1,),
    seconds=(0.19, 2.54),
    caveats=(
        "Who speaks is not published: three kinds of voice stand for eleven people. As a target it has three "
        "folds, and normalising per speaker mixes people.",
        "Words of list B were chosen for their emotion: the word says it, too.",
        "Single words, some shorter than a fifth of a second.",
    ),
)
