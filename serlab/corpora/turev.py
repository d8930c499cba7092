"""TurEV-DB: acted Turkish, six actors, single words, four states, no neutral.

``Sound Source/Calm/1984_sk_eger`` is actor 1984, calm (sakin), the word eğer.
The other folders of its repository hold filtered copies of the same recordings
and pictures; they are not read.

Seen: the publisher's repository with all names, README and licence. 82 words;
one recording (``..._ogul1``) has a word a second time. Who of the actors is a
woman is not in it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming
from serlab.corpora.base import Corpus
from serlab.corpora.terms import creative_commons
from serlab.errors import CorpusError

CITATION = (
    "S. F. Canpolat, Z. Ormanoğlu, D. Zeyrek: Turkish Emotion Voice Database (TurEV-DB). SLTU and CCURL 2020"
)
LICENSE = "CC BY-NC-ND 4.0"
HOW_TO_GET = (
    "Get https://github.com/Xeonen/TurEV-DB and put its folder 'Sound Source' so that "
    "<data>/turev/Sound Source/Calm/1984_sk_eger.wav exists; the other folders are not needed."
)

#: Folder names; the file names say kız(gın), sa(kin), m(u)t(lu), h(üzün)l(ü).
LABELS: dict[str, str] = {"Angry": "anger", "Calm": "calm", "Happy": "joy", "Sad": "sadness"}
CODES: dict[str, str] = {"kz": "Angry", "sk": "Calm", "mt": "Happy", "hl": "Sad"}

#: Native label -> published utterances (1735 in all).
EXPECTED: dict[str, int] = {"Angry": 487, "Calm": 408, "Happy": 357, "Sad": 483}
SPEAKERS: tuple[str, ...] = ("1157", "1234", "1358", "1984", "6783", "7895")
N_WORDS = 82

_NAME = re.compile(
    r"(?:^|/)(?P<folder>Angry|Calm|Happy|Sad)/(?P<speaker>\d{4})_(?P<code>kz|sk|mt|hl)_(?P<word>[^/_]+)"
)


def read(folder: Path) -> pd.DataFrame:
    """Read folder names, file names and headers.

    Raises
    ------
    CorpusError
        If folder and file name disagree about the emotion.
    """
    return naming.table(folder, _NAME, _describe, corpus="turev", language="tr")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    if CODES[name["code"]] != name["folder"]:
        raise CorpusError(
            f"{path}: the file name says {CODES[name['code']]!r} ({name['code']}) but the folder says "
            f"{name['folder']!r}; put the file back where the publisher had it"
        )
    return {
        "speaker": name["speaker"],
        "native_label": name["folder"],
        "text_id": name["word"].rstrip("0123456789"),
    }


CORPUS = Corpus(
    name="turev",
    title="Turkish Emotion Voice Database (TurEV-DB)",
    language="tr",
    citation=CITATION,
    license=LICENSE,
    terms=creative_commons("BY-NC-ND"),
    how_to_get=HOW_TO_GET,
    layout="Sound Source/Calm/1984_sk_eger.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=len(SPEAKERS),
    expected_texts=N_WORDS,
    speech="acted",
    scripted=True,
    reader=read,
    sampling_rates=(44_100,),
    channels=(1,),
    seconds=(0.35, 2.5),
    caveats=(
        "Single words, most shorter than a second: functionals of so little speech are noisy.",
        "No neutral, but calm: schemes of four classes leave calm out.",
        "Speaker 1157 is never calm or happy.",
    ),
)
