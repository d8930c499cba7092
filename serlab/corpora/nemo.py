"""nEMO: acted Polish, nine actors, ninety sentences, six states.

``EB0_anger_16`` is speaker EB0, anger, sentence 16. All speakers say the same
ninety sentences in each state, as far as their recordings were kept: MP0 has
256 of 540 and MK0 no surprise. ``data.tsv`` beside the recordings lists all of
them with what is said, and sex and age of the speaker.

Seen: ``data.tsv`` whole and a fifth of the recordings, of which all names fit;
its README (counts, recorded at 24 kHz, licence).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming, texts, walking
from serlab.corpora.base import Corpus
from serlab.corpora.terms import creative_commons
from serlab.errors import CorpusError

CITATION = "I. Christop: nEMO: Dataset of Emotional Speech in Polish. LREC-COLING 2024. arXiv:2404.06292"
LICENSE = "CC BY-NC-SA 4.0"
HOW_TO_GET = (
    "Get https://github.com/amu-cai/nEMO (or the data set amu-cai/nEMO of Hugging Face, as files) so that "
    "<data>/nemo/samples/EB0_anger_16.wav and <data>/nemo/data.tsv exist."
)

LABELS: dict[str, str] = {
    "anger": "anger", "fear": "fear", "happiness": "joy", "neutral": "neutral", "sadness": "sadness",
    "surprised": "surprise",
}  # fmt: skip

#: Native label -> published utterances (4481 in all).
EXPECTED: dict[str, int] = {
    "anger": 749, "fear": 736, "happiness": 749, "neutral": 809, "sadness": 769, "surprised": 669,
}  # fmt: skip
N_SENTENCES = 90

#: Speaker -> sex and age in years, from data.tsv.
SPEAKERS: dict[str, tuple[str, int]] = {
    "EB0": ("female", 27), "IC0": ("female", 28), "KD0": ("female", 28), "KS0": ("male", 23),
    "MK0": ("female", 23), "MP0": ("male", 24), "SM0": ("male", 24), "TP0": ("male", 26), "WR0": ("male", 23),
}  # fmt: skip

_NAME = re.compile(
    r"(?:^|/)(?P<speaker>[A-Z]{2}\d)_(?P<emotion>anger|fear|happiness|neutral|sadness|surprised)"
    r"_(?P<sentence>\d{1,2})"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Returns
    -------
    DataFrame
        Further column: ``age`` of the speaker in years.

    Raises
    ------
    CorpusError
        If a speaker is unknown.
    """
    return naming.table(folder, _NAME, _describe, corpus="nemo", language="pl")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    if name["speaker"] not in SPEAKERS:
        raise CorpusError(
            f"{path}: nEMO has no speaker {name['speaker']!r}, only {', '.join(SPEAKERS)}; "
            "move files of other origin out of this folder"
        )
    sex, age = SPEAKERS[name["speaker"]]
    return {
        "speaker": name["speaker"],
        "sex": sex,
        "native_label": name["emotion"],
        "text_id": f"{int(name['sentence']):02d}",
        "age": age,
    }


def expected_names(folder: Path) -> set[str]:
    """Names of all published utterances, as ``data.tsv`` lists them; none without that file.

    Raises
    ------
    CorpusError
        Naming the line of a name that is none.
    """
    names: set[str] = set()
    for path in walking.glob(folder, "**/data.tsv"):
        for number, line in texts.lines(path):
            name = Path(line.partition("\t")[0].strip())
            if number == 1 or not line.strip():
                continue
            if not _NAME.fullmatch(name.stem):
                raise CorpusError(
                    f"{path}, line {number}: {name.name!r} is no recording of nEMO; get data.tsv again"
                )
            names.add(f"nemo/{name.stem}")
    return names


def remarks(table: pd.DataFrame) -> tuple[str, ...]:
    """Which sentences a part of the corpus has."""
    here = sorted(text.rpartition("/")[2] for text in table["text_id"].unique())
    if len(here) == N_SENTENCES:
        return ()
    shown = ", ".join(here if len(here) <= 30 else [*here[:29], "..."])
    return (f"of the {N_SENTENCES} sentences {len(here)} are here: {shown}",)


CORPUS = Corpus(
    name="nemo",
    title="nEMO",
    language="pl",
    citation=CITATION,
    license=LICENSE,
    terms=creative_commons("BY-NC-SA"),
    how_to_get=HOW_TO_GET,
    layout="samples/EB0_anger_16.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=len(SPEAKERS),
    expected_texts=N_SENTENCES,
    speech="acted",
    scripted=True,
    reader=read,
    sampling_rates=(24_000,),
    channels=(1,),
    expected_names=expected_names,
    remarks=remarks,
    caveats=(
        "Ninety sentences shared by all speakers: split by speaker, and by sentence too where text matters.",
        "Speaker MP0 has 256 of 540 recordings, 90 of them neutral; MK0 has no surprise.",
    ),
)
