"""AESDD: acted Greek, six actors, twenty sentences, five emotions, no neutral.

``anger/a03 (4)`` is anger, sentence 3, speaker 4; a letter behind the bracket is a
further take, and ``(01)`` is speaker 1. The publisher says that nineteen
sentences are the same for all and one more was improvised, without saying
which number that is: the sentence is taken to be the number, so that the
improvised ones count as one.

Seen: all 604 names in a list of the EmoBox benchmark; a copy of the
publisher's README. It says three women and two men, then more actors; which
speaker is which is not said, so that the sex stays unknown. Its licence is not
clear (a copy says CC BY 4.0).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming
from serlab.corpora.base import Corpus
from serlab.errors import CorpusError

CITATION = (
    "N. Vryzas, R. Kotsakis, A. Liatsou, C. A. Dimoulas, G. Kalliris: Speech Emotion Recognition for "
    "Performance Interaction. J. Audio Engineering Society 66(6), 2018. doi:10.17743/jaes.2018.0036"
)
LICENSE = "Not clear: ask the publisher."
HOW_TO_GET = (
    "Get it from http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/ and unpack it so that "
    "<data>/aesdd/anger/a03 (4).wav exists (a folder on top does no harm)."
)

LABELS: dict[str, str] = {
    "anger": "anger", "disgust": "disgust", "fear": "fear", "happiness": "joy", "sadness": "sadness",
}  # fmt: skip

#: Native label -> utterances in the list that was seen (604 in all).
EXPECTED: dict[str, int] = {"anger": 121, "disgust": 122, "fear": 120, "happiness": 119, "sadness": 122}
N_SPEAKERS, N_SENTENCES = 6, 20

_NAME = re.compile(
    r"(?:^|/)(?P<folder>anger|disgust|fear|happiness|sadness)/"
    r"(?P<letter>[adfhs])(?P<sentence>[012]\d) ?\(0?(?P<speaker>[1-9])\)(?P<take>[a-z]?)",
    re.IGNORECASE,
)


def read(folder: Path) -> pd.DataFrame:
    """Read folder names, file names and headers.

    Raises
    ------
    CorpusError
        If folder and file name disagree about the emotion.
    """
    return naming.table(folder, _NAME, _describe, corpus="aesdd", language="el")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    emotion = name["folder"].lower()
    if not emotion.startswith(name["letter"].lower()):
        raise CorpusError(
            f"{path}: the file name says {name['letter']!r} but the folder says {name['folder']!r}; "
            "put the file back where the publisher had it"
        )
    return {"speaker": name["speaker"], "native_label": emotion, "text_id": name["sentence"]}


CORPUS = Corpus(
    name="aesdd",
    title="Acted Emotional Speech Dynamic Database (AESDD)",
    language="el",
    citation=CITATION,
    license=LICENSE,
    how_to_get=HOW_TO_GET,
    layout="anger/a03 (4).wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=N_SPEAKERS,
    expected_texts=N_SENTENCES,
    speech="acted",
    scripted=True,
    reader=read,
    sampling_rates=(44_100,),
    channels=(1,),
    seconds=(0.98, 12.74),
    caveats=(
        "No neutral: a run with a scheme that has one learns it elsewhere or not at all.",
        "It grows: a newer copy may hold more than the 604 files that were counted here.",
        "Which speakers are women is not said.",
    ),
)
