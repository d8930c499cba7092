"""URDU: spontaneous Urdu from television talk shows, four emotions.

400 utterances, 100 each of angry, happy, neutral and sad, cut from talk shows
and labelled by four annotators. ``SM1_F10_A010`` is male speaker 1, clip 10
of this speaker, angry number 10. The paper counts 38 speakers (27 men, 11
women); the file names of the published archive hold 29.

Read before using it: most speakers have one emotion only, and level follows
the class. A random split measures speaker and recording as much as emotion,
and normalising per speaker erases the label. ``serlab validate urdu`` shows
both.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from serlab.corpora import files
from serlab.corpora.base import Corpus, Download
from serlab.errors import CorpusError

CITATION = (
    "S. Latif, A. Qayyum, M. Usman, J. Qadir: Cross Lingual Speech Emotion Recognition: Urdu vs. Western "
    "Languages. FIT 2018. arXiv:1812.10411"
)
LICENSE = "For research, with citation; check the terms in its repository."
HOW_TO_GET = (
    "Get the archive of https://github.com/siddiquelatif/URDU-Dataset and unpack it so that "
    "<data>/urdu/Angry/SM1_F10_A010.wav exists (a folder such as URDU-Dataset-master on top does no harm)."
)

DOWNLOAD = Download(
    # GitHub makes this archive on the fly and states no checksum.
    files={"master.zip": ("https://github.com/siddiquelatif/URDU-Dataset/archive/refs/heads/master.zip", "")},
    note="GitHub states no checksum, so pass the hash of a copy you trust",
)

LABELS: dict[str, str] = {"Angry": "anger", "Happy": "joy", "Neutral": "neutral", "Sad": "sadness"}

#: Native label -> published utterances (400 in all).
EXPECTED: dict[str, int] = dict.fromkeys(LABELS, 100)
#: Speakers in the published file names; the paper says 38.
N_SPEAKERS = 29

_NAME = re.compile(
    r"(?:^|/)(?P<emotion>Angry|Happy|Neutral|Sad)/"
    r"S(?P<speaker>[MF]\d+)_F(?P<clip>\d+)_(?P<letter>[AHNS])(?P<number>\d+)"
)


def read(folder: Path) -> pd.DataFrame:
    """Read folder names, file names and headers.

    Returns
    -------
    DataFrame
        Further column: ``clip``, the number of the clip within its speaker.

    Raises
    ------
    CorpusError
        If folder and file name disagree about the emotion.
    """
    rows = []
    for path, name in files.matching(folder, _NAME):
        if not name["emotion"].startswith(name["letter"]):
            raise CorpusError(
                f"{path}: the file name says {name['letter']!r} but the folder says {name['emotion']!r}; "
                "put the file back where the publisher had it"
            )
        rows.append(
            {
                "utterance": f"urdu/{path.stem}",
                "corpus": "urdu",
                "path": str(path),
                "speaker": f"urdu/{name['speaker']}",
                "sex": "male" if name["speaker"].startswith("M") else "female",
                "language": "ur",
                "native_label": name["emotion"],
                "duration": files.duration(path),
                "clip": int(name["clip"]),
            }
        )
    return pd.DataFrame(files.unique(rows))


CORPUS = Corpus(
    name="urdu",
    title="URDU",
    language="ur",
    citation=CITATION,
    license=LICENSE,
    speech="spontaneous",
    scripted=False,
    how_to_get=HOW_TO_GET,
    layout="Angry/SM1_F10_A010.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=N_SPEAKERS,
    reader=read,
    sampling_rates=(44_100,),
    channels=(1,),
    seconds=(0.99, 3.0),
    download=DOWNLOAD,
    caveats=(
        "The paper counts 38 speakers, the file names hold 29.",
        "Most speakers have one emotion only, and level follows the class: a random split measures "
        "speaker and recording as much as emotion; per-speaker normalisation erases the label.",
    ),
)
