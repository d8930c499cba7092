"""BanglaSER: acted Bangla, 34 speakers who are no actors, three sentences, five states.

Named as RAVDESS is: ``03-01-02-01-03-02-25`` is modality 03, channel 01, sad (02),
intensity 01, sentence 3, repetition 2, speaker 25 (odd: a man). Happy and sad
have intensity 01, anger and surprise 02. Three sentences x three repetitions x
(four states x 34 speakers + neutral x 27) = 1467 files.

Seen: the publisher's page (counts, sentences, names). Told: codes of the states,
that men are odd, and the licence. A folder that also holds RAVDESS is refused: the names
of the two cannot be told apart.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import files, naming
from serlab.corpora.base import Corpus

CITATION = (
    "R. K. Das, N. Islam, M. R. Ahmed, S. Islam, S. Shatabda, A. K. M. M. Islam: BanglaSER: A speech emotion "
    "recognition dataset for the Bangla language. Data in Brief 42, 2022. doi:10.1016/j.dib.2022.108091"
)
LICENSE = "Said by others to be CC BY 4.0; check the terms that came with your copy."
HOW_TO_GET = (
    "Get it from https://data.mendeley.com/datasets/t9h6p943xy/5 and unpack it so that "
    "<data>/banglaser/Actor_25/03-01-02-01-03-02-25.wav exists, in whatever folders."
)

LABELS: dict[str, str] = {"01": "joy", "02": "sadness", "03": "anger", "04": "surprise", "05": "neutral"}

#: Native label -> published utterances (1467 in all).
EXPECTED: dict[str, int] = {"01": 306, "02": 306, "03": 306, "04": 306, "05": 243}
N_SPEAKERS, N_SENTENCES = 34, 3

_NAME = re.compile(
    r"(?:^|/)03-01-(?P<emotion>0[1-5])-(?P<intensity>0[12])-(?P<sentence>0[1-3])-(?P<repetition>0[1-3])"
    r"-(?P<speaker>0[1-9]|[12]\d|3[0-4])"
)
#: Fear, disgust and surprise of RAVDESS: no code of this corpus.
_RAVDESS = re.compile(r"(?:^|/)03-01-0[678]-0[12]-0[12]-0[12]-\d\d")


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Returns
    -------
    DataFrame
        Further column: ``repetition``. Empty where the folder holds RAVDESS.
    """
    if any(files.matching(folder, _RAVDESS)):
        return pd.DataFrame()
    return naming.table(folder, _NAME, _describe, corpus="banglaser", language="bn")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    return {
        "speaker": name["speaker"],
        "sex": "male" if int(name["speaker"]) % 2 else "female",
        "native_label": name["emotion"],
        "text_id": name["sentence"],
        "repetition": int(name["repetition"]),
    }


CORPUS = Corpus(
    name="banglaser",
    title="BanglaSER",
    language="bn",
    citation=CITATION,
    license=LICENSE,
    how_to_get=HOW_TO_GET,
    layout="03-01-02-01-03-02-25.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=N_SPEAKERS,
    expected_texts=N_SENTENCES,
    speech="acted",
    scripted=True,
    reader=read,
    caveats=(
        "Three sentences shared by all speakers.",
        "Recorded with telephones and laptops of the speakers: the device goes with the speaker.",
        "Seven speakers have no neutral.",
    ),
)
