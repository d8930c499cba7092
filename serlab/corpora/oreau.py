"""Oréau: acted French, 32 speakers who are no actors, seven states.

``f/sessj/10a02Ja`` is a woman, joy (the letter behind "sess" and the capital say
the same), speaker 10, sentence 02 of joy. Sentences were written for the state
that they are said in, so that the sentence is state and number.

Seen: all 434 names in a list of the EmoBox benchmark, two of them with z instead
of a behind the speaker (``07z03Sa``). Its description says 79 sentences, the
names have 83. Told: the licence.
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
    "L. Kerkeni, C. Cleder, Y. Serrestou, K. Raoof: French Emotional Speech Database - Oréau. Zenodo, 2020. "
    "doi:10.5281/zenodo.4405783"
)
LICENSE = "Said by others to be CC BY 4.0; check the terms that came with your copy."
HOW_TO_GET = (
    "Get it from https://zenodo.org/records/4405783 and unpack it so that "
    "<data>/oreau/OréauFR_02/f/sessj/10a02Ja.wav exists."
)

#: French initials: colère, dégoût, joie, neutre, peur, surprise, tristesse.
LABELS: dict[str, str] = {
    "C": "anger", "D": "disgust", "J": "joy", "N": "neutral", "P": "fear", "S": "surprise", "T": "sadness",
}  # fmt: skip

#: Native label -> utterances in the list that was seen (434 in all).
EXPECTED: dict[str, int] = {"C": 67, "D": 67, "J": 62, "N": 70, "P": 51, "S": 62, "T": 55}
N_SPEAKERS, N_SENTENCES = 32, 83

_NAME = re.compile(
    r"(?:^|/)(?P<sex>[fm])/sess(?P<folder>[cdjnpst])/"
    r"(?P<speaker>\d\d)[a-z](?P<sentence>\d\d)(?P<emotion>[CDJNPST])[a-z]"
)


def read(folder: Path) -> pd.DataFrame:
    """Read folder names, file names and headers.

    Raises
    ------
    CorpusError
        If folder and file name disagree about the emotion.
    """
    return naming.table(folder, _NAME, _describe, corpus="oreau", language="fr")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    if name["folder"] != name["emotion"].lower():
        raise CorpusError(
            f"{path}: the file name says {name['emotion']!r} but the folder says {name['folder']!r}; "
            "put the file back where the publisher had it"
        )
    return {
        "speaker": name["speaker"],
        "sex": "female" if name["sex"] == "f" else "male",
        "native_label": name["emotion"],
        "text_id": f"{name['emotion']}{name['sentence']}",
    }


CORPUS = Corpus(
    name="oreau",
    title="Oréau",
    language="fr",
    citation=CITATION,
    license=LICENSE,
    how_to_get=HOW_TO_GET,
    layout="OréauFR_02/f/sessj/10a02Ja.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=N_SPEAKERS,
    expected_texts=N_SENTENCES,
    speech="acted",
    scripted=True,
    reader=read,
    sampling_rates=(44_100,),
    channels=(1,),
    seconds=(1.04, 6.8),
    caveats=(
        "Each sentence belongs to one emotion: who knows the words knows the emotion.",
        "Seven women, 25 men; most speakers have about a dozen utterances.",
    ),
)
