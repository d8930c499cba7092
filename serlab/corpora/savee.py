"""SAVEE, Surrey Audio-Visual Expressed Emotion: acted British English, four men.

Four men read 15 TIMIT sentences per emotion and 30 neutrally: 480 files. Of
the 15, three are common to all emotions, two belong to the emotion, and ten
are generic but different for each emotion; neutral has the common ones, the
twelve emotion-specific ones and fifteen of its own.

Text identity is not in the file names. ``text_id`` takes the sentence number
as the publisher orders it: 01-03 are the common ones ("savee/common-01"), all
others are named by emotion and number ("savee/a04") and are the same sentence
for all four speakers. Which neutral recording repeats which emotion-specific
sentence is not stated, so those twelve pairs are *not* marked as shared.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from serlab.corpora import files
from serlab.corpora.base import Corpus
from serlab.corpora.terms import AGREEMENT

CITATION = (
    "S. Haq, P. J. B. Jackson, J. Edge: Audio-visual feature selection and reduction for emotion "
    "classification. AVSP 2008. Database: P. Jackson, S. Haq, University of Surrey, 2014."
)
LICENSE = "Free for research after registration; redistribution is not allowed."
HOW_TO_GET = (
    "Register at http://kahlan.eps.surrey.ac.uk/savee/ (University of Surrey) and unpack AudioData.zip "
    "so that <data>/savee/AudioData/DC/a01.wav exists; the older <data>/savee/ALL/DC_a01.wav is read too."
)

LABELS: dict[str, str] = {
    "a": "anger", "d": "disgust", "f": "fear", "h": "joy", "n": "neutral", "sa": "sadness",
    "su": "surprise",
}  # fmt: skip

SPEAKERS: tuple[str, ...] = ("DC", "JE", "JK", "KL")

#: Native label -> published utterances (480 in all).
EXPECTED: dict[str, int] = {"a": 60, "d": 60, "f": 60, "h": 60, "n": 120, "sa": 60, "su": 60}

_COMMON_SENTENCES = 3
_NAME = re.compile(r"(?:^|/)(?P<speaker>DC|JE|JK|KL)[/_](?P<emotion>sa|su|[adfhn])(?P<number>\d\d)")


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers."""
    return pd.DataFrame(
        files.unique(
            {
                "utterance": f"savee/{name['speaker']}_{name['emotion']}{name['number']}",
                "corpus": "savee",
                "path": str(path),
                "speaker": f"savee/{name['speaker']}",
                "sex": "male",
                "language": "en",
                "native_label": name["emotion"],
                "text_id": text_id(name["emotion"], name["number"]),
                "duration": files.duration(path),
            }
            for path, name in files.matching(folder, _NAME)
        )
    )


def text_id(emotion: str, number: str) -> str:
    """Identity of the sentence, see the top of this module."""
    return f"savee/common-{number}" if int(number) <= _COMMON_SENTENCES else f"savee/{emotion}{number}"


def expected_names(folder: Path) -> set[str]:
    """Names of all published utterances."""
    return {
        f"savee/{speaker}_{emotion}{number:02d}"
        for speaker in SPEAKERS
        for emotion, n in EXPECTED.items()
        for number in range(1, n // len(SPEAKERS) + 1)
    }


CORPUS = Corpus(
    name="savee",
    title="Surrey Audio-Visual Expressed Emotion (SAVEE)",
    language="en",
    citation=CITATION,
    license=LICENSE,
    terms=AGREEMENT,
    speech="acted",
    scripted=True,
    how_to_get=HOW_TO_GET,
    layout="AudioData/DC/a01.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=4,
    reader=read,
    sampling_rates=(44_100,),
    channels=(1,),
    expected_names=expected_names,
    caveats=(
        "Four men only; neutral is twice as frequent as any other emotion.",
        "All speakers read the same sentences; twelve neutral recordings repeat emotion-specific "
        "sentences, but which is not published.",
    ),
)
