"""BAVED: Arabic, seven single words in three levels of emotion, 60 speakers.

``6/46-m-20-6-2-1729`` is speaker 46, a man of 20, word 6, level 2, recording
1729. Level 0 is low (tired, down), 1 is everyday speech, 2 is high, be it joy or
anger. That is arousal and no category: levels are read as ratings of arousal,
and as the emotion "other".

Seen: the publisher's repository with all names and README, and hashes of all
files: all 21 recordings of speaker 53 are those of speaker 46, so that the two
are read as one; six more pairs of files are identical. The README says 61
speakers; the names have 60. No licence is stated.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming
from serlab.corpora.base import Corpus

CITATION = "A. Aouf: Basic Arabic Vocal Emotions Dataset (BAVED). GitHub and Kaggle, 2019"
LICENSE = "None stated: ask the publisher."
HOW_TO_GET = (
    "Get https://github.com/40uf411/Basic-Arabic-Vocal-Emotions-Dataset so that "
    "<data>/baved/6/46-m-20-6-2-1729.wav exists (a folder on top does no harm)."
)

#: Levels are no categories: "other" keeps them out of schemes of emotions.
LABELS: dict[str, str] = {"0": "other", "1": "other", "2": "other"}

#: Of levels 0 to 2: above everyday speech.
THRESHOLDS: dict[str, float] = {"arousal": 1.0}

SENTENCES: dict[str, str] = {
    "baved/0": "اعجبني", "baved/1": "لم يعجبني", "baved/2": "هذا", "baved/3": "الفيلم", "baved/4": "رائع",
    "baved/5": "مقول", "baved/6": "سيئ",
}  # fmt: skip

#: Native label -> published utterances (1935 in all).
EXPECTED: dict[str, int] = {"0": 585, "1": 672, "2": 678}
#: The names have 60 numbers, of which two are one speaker.
N_SPEAKERS = 59
SAME_SPEAKER: dict[str, str] = {"53": "46"}

_NAME = re.compile(
    r"(?:^|/)(?P<speaker>\d{1,3})-(?P<sex>[mfMF])-(?P<age>\d{1,2})-(?P<word>[0-6])-(?P<level>[0-2])"
    r"-(?P<number>\d+)"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Returns
    -------
    DataFrame
        ``arousal`` is the level; further column: ``age`` of the speaker in years.
    """
    return naming.table(folder, _NAME, _describe, corpus="baved", language="ar")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    return {
        "speaker": SAME_SPEAKER.get(name["speaker"], name["speaker"]),
        "sex": "female" if name["sex"].lower() == "f" else "male",
        "native_label": name["level"],
        "arousal": float(name["level"]),
        "text_id": name["word"],
        "age": int(name["age"]),
    }


CORPUS = Corpus(
    name="baved",
    title="Basic Arabic Vocal Emotions Dataset (BAVED)",
    language="ar",
    citation=CITATION,
    license=LICENSE,
    how_to_get=HOW_TO_GET,
    layout="6/46-m-20-6-2-1729.wav",
    labels=LABELS,
    thresholds=THRESHOLDS,
    sentences=SENTENCES,
    expected=EXPECTED,
    expected_speakers=N_SPEAKERS,
    expected_texts=len(SENTENCES),
    speech="acted",
    scripted=True,
    reader=read,
    sampling_rates=(16_000,),
    channels=(1,),
    caveats=(
        "Arousal only: level 2 is joy and anger alike. Schemes of categories leave all of it out.",
        "Single words.",
        "Speaker 53 is speaker 46 again, file by file; six more pairs of files are identical.",
    ),
)
