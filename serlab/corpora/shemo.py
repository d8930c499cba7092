"""ShEMO: acted Persian from radio plays, 87 speakers, six states.

``male/M36S02`` is man 36, sadness, his second utterance that is sad: speaker
(letter and number), state, number. The letter F is a woman in front and fear
behind the speaker.

Seen: the publisher's README (counts, letters); 2838 of the 3000 names in a
list of the EmoBox benchmark, with all 87 speakers. Told: the counts by state.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming
from serlab.corpora.base import Corpus
from serlab.corpora.terms import Terms
from serlab.errors import CorpusError

CITATION = (
    "O. Mohamad Nezami, P. Jamshid Lou, M. Karami: ShEMO: a large-scale validated database for Persian "
    "speech emotion detection. Language Resources and Evaluation 53, 2019. doi:10.1007/s10579-018-9427-x"
)
LICENSE = "Free for academic purposes; check the terms in its repository."
HOW_TO_GET = (
    "Get female.zip and male.zip from https://github.com/mansourehk/ShEMO and unpack them so that "
    "<data>/shemo/male/M36S02.wav and <data>/shemo/female/F21N23.wav exist."
)

LABELS: dict[str, str] = {
    "A": "anger", "F": "fear", "H": "joy", "N": "neutral", "S": "sadness", "W": "surprise",
}  # fmt: skip

#: Native label -> published utterances (3000 in all).
EXPECTED: dict[str, int] = {"A": 1059, "F": 38, "H": 201, "N": 1028, "S": 449, "W": 225}
N_WOMEN, N_MEN = 31, 56

_NAME = re.compile(r"(?:^|/)(?P<speaker>(?P<sex>[FM])\d\d)(?P<emotion>[AFHNSW])\d{2,3}")


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Raises
    ------
    CorpusError
        If a speaker is unknown.
    """
    return naming.table(folder, _NAME, _describe, corpus="shemo", language="fa")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    number, published = int(name["speaker"][1:]), N_WOMEN if name["sex"] == "F" else N_MEN
    if not 1 <= number <= published:
        raise CorpusError(
            f"{path}: ShEMO has speakers F01 to F{N_WOMEN} and M01 to M{N_MEN}, not {name['speaker']}; "
            "move files of other origin out of this folder"
        )
    return {
        "speaker": name["speaker"],
        "sex": "female" if name["sex"] == "F" else "male",
        "native_label": name["emotion"],
    }


CORPUS = Corpus(
    name="shemo",
    title="Sharif Emotional Speech Database (ShEMO)",
    language="fa",
    citation=CITATION,
    license=LICENSE,
    terms=Terms(commercial="no"),
    how_to_get=HOW_TO_GET,
    layout="male/M36S02.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=N_WOMEN + N_MEN,
    speech="acted",
    scripted=True,
    reader=read,
    sampling_rates=(44_100, 22_050),
    channels=(1,),
    seconds=(0.35, 33.5),
    caveats=(
        "From radio plays: a speaker is heard in few of them, so that play and channel go with the speaker.",
        "Fear has 38 utterances; its recall moves by much with each of them.",
        "A benchmark lists 2838 of the 3000.",
    ),
)
