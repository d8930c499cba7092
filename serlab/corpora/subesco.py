"""SUBESCO: acted Bangla, twenty actors, ten sentences, seven states.

``F_02_MONIKA_S_1_NEUTRAL_5`` is woman 2, sentence 1, neutral, take 5: 20 actors
x 10 sentences x 7 states x 5 takes = 7000 files. Men and women are numbered
apart, so that the speaker is sex and number.

Seen: all names in a list of the EmoBox benchmark (one has a stray bracket,
``F_02_MONIKA_S_2_SURPRISE_3]``, which is read all the same). Told: the licence
(Zenodo record 4526477, by way of copies that name it).
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming
from serlab.corpora.base import Corpus
from serlab.corpora.terms import creative_commons

CITATION = (
    "S. Sultana, M. S. Rahman, M. R. Selim, M. Z. Iqbal: SUST Bangla Emotional Speech Corpus (SUBESCO): An "
    "audio-only emotional speech corpus for Bangla. PLoS ONE 16(4), 2021. doi:10.1371/journal.pone.0250173"
)
LICENSE = "CC BY 4.0"
HOW_TO_GET = (
    "Get SUBESCO.zip from https://zenodo.org/records/4526477 (2 GB) and unpack it so that "
    "<data>/subesco/F_01_OISHI_S_1_ANGRY_1.wav exists (a folder on top does no harm)."
)

LABELS: dict[str, str] = {
    "ANGRY": "anger", "DISGUST": "disgust", "FEAR": "fear", "HAPPY": "joy", "NEUTRAL": "neutral",
    "SAD": "sadness", "SURPRISE": "surprise",
}  # fmt: skip

#: Native label -> published utterances (7000 in all).
EXPECTED: dict[str, int] = dict.fromkeys(LABELS, 1000)
N_SENTENCES, N_TAKES = 10, 5
#: Sex and number, and the name that the files carry.
SPEAKERS: dict[str, str] = {
    "F_01": "OISHI", "F_02": "MONIKA", "F_03": "SMITA", "F_04": "SWARNALI", "F_05": "MOUNI", "F_06": "SIMI",
    "F_07": "TITHI", "F_08": "JOYEETA", "F_09": "CHAITY", "F_10": "FAHMEE", "M_01": "BASHIR",
    "M_02": "NIPUN", "M_03": "ILIAS", "M_04": "BIBHAS", "M_05": "DURANTO", "M_06": "SHUKANTO",
    "M_07": "SIBLY", "M_08": "PRASUN", "M_09": "SHUMANTA", "M_10": "EVAN",
}  # fmt: skip

_NAME = re.compile(
    r"(?:^|/)(?P<utterance>(?P<speaker>[FM]_(?:0\d|10))_(?P<name>[A-Z]+)_S_(?P<sentence>10|[1-9])"
    r"_(?P<emotion>ANGRY|DISGUST|FEAR|HAPPY|NEUTRAL|SAD|SURPRISE)_(?P<take>[1-5]))\]?"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Returns
    -------
    DataFrame
        Further column: ``repetition``, the take.
    """
    return naming.table(folder, _NAME, _describe, corpus="subesco", language="bn")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    return {
        "utterance": name["utterance"],
        "speaker": name["speaker"],
        "sex": "female" if name["speaker"].startswith("F") else "male",
        "native_label": name["emotion"],
        "text_id": f"{int(name['sentence']):02d}",
        "repetition": int(name["take"]),
    }


def expected_names(folder: Path) -> set[str]:
    """Names of all published utterances."""
    numbers = itertools.product(SPEAKERS.items(), range(1, N_SENTENCES + 1), EXPECTED, range(1, N_TAKES + 1))
    return {
        f"subesco/{speaker}_{name}_S_{sentence}_{emotion}_{take}"
        for (speaker, name), sentence, emotion, take in numbers
    }


CORPUS = Corpus(
    name="subesco",
    title="SUBESCO",
    language="bn",
    citation=CITATION,
    license=LICENSE,
    terms=creative_commons("BY"),
    how_to_get=HOW_TO_GET,
    layout="F_01_OISHI_S_1_ANGRY_1.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=len(SPEAKERS),
    expected_texts=N_SENTENCES,
    speech="acted",
    scripted=True,
    reader=read,
    expected_names=expected_names,
    sampling_rates=(44_100, 48_000),
    channels=(1,),
    seconds=(2.75, 6.03),
    caveats=(
        "Ten sentences shared by all actors, each said five times in each state.",
        "Two sampling rates (44.1 and 48 kHz).",
    ),
)
