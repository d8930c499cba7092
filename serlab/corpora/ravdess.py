"""RAVDESS speech: acted North American English, 24 actors, two sentences.

The speech part of the Ryerson Audio-Visual Database of Emotional Speech and
Song: 24 actors (odd numbers are men), two sentences, two repetitions, two
intensities (neutral has one), eight emotions: 1440 audio files.
``03-01-06-01-02-01-12`` is modality 03 (audio only), vocal channel 01
(speech), emotion 06, intensity 01, sentence 02, repetition 01, actor 12. Song
and video files of the full release are not read; ``serlab validate`` counts
them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from serlab.corpora import files
from serlab.corpora.base import Corpus, Download
from serlab.corpora.terms import creative_commons
from serlab.errors import CorpusError

CITATION = (
    "S. R. Livingstone, F. A. Russo: The Ryerson Audio-Visual Database of Emotional Speech and Song "
    "(RAVDESS). PLoS ONE 13(5), 2018. doi:10.1371/journal.pone.0196391"
)
LICENSE = "CC BY-NC-SA 4.0"
HOW_TO_GET = (
    "`serlab download ravdess`, or get Audio_Speech_Actors_01-24.zip from "
    "https://zenodo.org/records/1188976 and unpack it so that "
    "<data>/ravdess/Actor_01/03-01-01-01-01-01-01.wav exists."
)

DOWNLOAD = Download(
    files={
        "Audio_Speech_Actors_01-24.zip": (
            "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
            "md5:bc696df654c87fed845eb13823edef8a",
        )
    },
    note="208 MB",
)

LABELS: dict[str, str] = {
    "01": "neutral", "02": "calm", "03": "joy", "04": "sadness", "05": "anger", "06": "fear",
    "07": "disgust", "08": "surprise",
}  # fmt: skip

SENTENCES: dict[str, str] = {
    "ravdess/01": "Kids are talking by the door",
    "ravdess/02": "Dogs are sitting by the door",
}

#: Native label -> published utterances (1440 in all).
EXPECTED: dict[str, int] = {
    "01": 96, "02": 192, "03": 192, "04": 192, "05": 192, "06": 192, "07": 192, "08": 192,
}  # fmt: skip
N_ACTORS = 24
INTENSITY: dict[str, str] = {"01": "normal", "02": "strong"}

_NAME = re.compile(
    r"(?:^|/)03-01-(?P<emotion>\d\d)-(?P<intensity>\d\d)-(?P<sentence>\d\d)-(?P<repetition>\d\d)-(?P<actor>\d\d)"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Returns
    -------
    DataFrame
        Further columns: ``intensity`` ("normal", "strong") and ``repetition``.

    Raises
    ------
    CorpusError
        If a file name holds a code that RAVDESS does not have.
    """
    rows = []
    for path, name in files.matching(folder, _NAME):
        utterance = f"ravdess/{path.stem}"
        if utterance not in _NAMES:
            raise CorpusError(
                f"{path}: no published RAVDESS speech file has this name; expected files such as "
                "Actor_01/03-01-01-01-01-01-01.wav (BanglaSER names its files alike). Move files of other "
                "origin out of this folder"
            )
        rows.append(
            {
                "utterance": utterance,
                "corpus": "ravdess",
                "path": str(path),
                "speaker": f"ravdess/{name['actor']}",
                "sex": "male" if int(name["actor"]) % 2 else "female",
                "language": "en",
                "native_label": name["emotion"],
                "text_id": f"ravdess/{name['sentence']}",
                "duration": files.duration(path),
                "intensity": INTENSITY[name["intensity"]],
                "repetition": int(name["repetition"]),
            }
        )
    return pd.DataFrame(files.unique(rows))


_NAMES: frozenset[str] = frozenset(
    f"ravdess/03-01-{emotion}-{intensity}-{sentence}-{repetition}-{actor:02d}"
    for emotion in EXPECTED
    for intensity in INTENSITY
    if (emotion, intensity) != ("01", "02")  # neutral has no strong intensity
    for sentence in ("01", "02")
    for repetition in ("01", "02")
    for actor in range(1, N_ACTORS + 1)
)


def expected_names(folder: Path) -> set[str]:
    """Names of all published utterances."""
    return set(_NAMES)


CORPUS = Corpus(
    name="ravdess",
    title="RAVDESS, speech",
    language="en",
    citation=CITATION,
    license=LICENSE,
    terms=creative_commons("BY-NC-SA"),
    speech="acted",
    scripted=True,
    expected_texts=len(SENTENCES),
    how_to_get=HOW_TO_GET,
    layout="Actor_01/03-01-01-01-01-01-01.wav",
    labels=LABELS,
    sentences=SENTENCES,
    expected=EXPECTED,
    expected_speakers=N_ACTORS,
    reader=read,
    sampling_rates=(48_000,),
    channels=(1, 2),
    seconds=(2.94, 5.27),
    download=DOWNLOAD,
    expected_names=expected_names,
    caveats=(
        "Two fixed sentences: text is shared across all speakers and splits.",
        "As published, five files are stereo, and two recordings of actor 07 are identical.",
    ),
)
