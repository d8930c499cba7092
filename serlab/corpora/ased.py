"""ASED: acted Amharic, 65 numbered speakers, 27 sentences, five states.

``05Angry/a5-03-01-02-50`` is anger (folder 5), sentence 3, first repetition, 02 a
man, speaker 50. Numbers 09, 15, 21, 23 and 25 are given to a woman and a man, so
that the speaker is sex and number: 70 of them.

Per state five sentences are its own and two are common to all. The names do
not say which two; sentences 01 and 02 are taken for the common ones, because
fewer of them passed the judges, who had heard them without being told the emotion.

Seen: the publisher's repository with all names and README. Its README says 25
women and 40 men; no licence is stated.
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
    "E. A. Retta, E. Almekhlafi, R. Sutcliffe, M. Mhamed, H. Ali, J. Feng: A New Amharic Speech Emotion "
    "Dataset and Classification Benchmark. ACM TALLIP 22(1), 2023. arXiv:2201.02710"
)
LICENSE = "None stated: ask the publisher."
HOW_TO_GET = (
    "Get https://github.com/wgwangang/ASED_V1 so that <data>/ased/05Angry/a5-03-01-02-50.wav exists (a "
    "folder on top does no harm)."
)

LABELS: dict[str, str] = {"n": "neutral", "f": "fear", "h": "joy", "s": "sadness", "a": "anger"}
#: Number of the folder of each.
FOLDERS: dict[str, str] = {"n": "1", "f": "2", "h": "3", "s": "4", "a": "5"}

#: Native label -> published utterances (2474 in all).
EXPECTED: dict[str, int] = {"n": 522, "f": 510, "h": 486, "s": 470, "a": 486}
N_SPEAKERS = 70
COMMON: tuple[str, ...] = ("01", "02")

_NAME = re.compile(
    r"(?:^|/)(?P<emotion>[nfhsaS])(?P<folder>[1-5])-(?P<sentence>0[1-7])-(?P<repetition>0[12])"
    r"-(?P<sex>0[12])-(?P<number>\d\d)"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Returns
    -------
    DataFrame
        Further column: ``repetition``.

    Raises
    ------
    CorpusError
        If letter and number of the emotion disagree.
    """
    return naming.table(folder, _NAME, _describe, corpus="ased", language="am")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    emotion = name["emotion"].lower()  # one file begins with S
    if FOLDERS[emotion] != name["folder"]:
        raise CorpusError(
            f"{path}: {emotion!r} is number {FOLDERS[emotion]} in ASED, not {name['folder']}; "
            "move files of other origin out of this folder"
        )
    sentence, sex = name["sentence"], "female" if name["sex"] == "01" else "male"
    return {
        "speaker": f"{sex[0].upper()}{name['number']}",
        "sex": sex,
        "native_label": emotion,
        "text_id": sentence if sentence in COMMON else f"{emotion}{sentence}",
        "repetition": int(name["repetition"]),
    }


CORPUS = Corpus(
    name="ased",
    title="Amharic Speech Emotion Dataset (ASED)",
    language="am",
    citation=CITATION,
    license=LICENSE,
    how_to_get=HOW_TO_GET,
    layout="05Angry/a5-03-01-02-50.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=N_SPEAKERS,
    expected_texts=27,
    speech="acted",
    scripted=True,
    reader=read,
    sampling_rates=(16_000,),
    channels=(1,),
    caveats=(
        "Five of seven sentences belong to one emotion: who knows the words knows the emotion, and a "
        "recogniser of words would, too. Compare with the two common ones, or split by sentence.",
        "Four pairs of repetitions are one file twice.",
        "Numbers 09, 15, 21, 23 and 25 are two speakers each.",
    ),
)
