"""CaFE: acted Canadian French, twelve actors, six sentences, seven states.

``06-P-2-5`` is actor 6 (even: a woman), fear (peur), strong, sentence 5.
Neutral has one intensity, all others two: 12 x 6 x (6 x 2 + 1) = 936 files.
Folders such as ``Peur/Fort`` say the same again; their accents are often
broken by unpacking, so that only file names are read.

Seen: all names in a list of the EmoBox benchmark. Told: the licence.
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
    "P. Gournay, O. Lahaie, R. Lefebvre: A Canadian French Emotional Speech Dataset. ACM Multimedia Systems "
    "Conference 2018. doi:10.1145/3204949.3208121"
)
LICENSE = "CC BY-NC-SA 4.0"
HOW_TO_GET = (
    "Get CaFE_48k.zip from https://zenodo.org/records/1478765 and unpack it so that "
    "<data>/cafe/CaFE_48k/Neutre/01-N-1-1.wav exists. CaFE_192k is the same again: keep one of the two."
)

#: French initials: colère, dégoût, joie, neutre, peur, surprise, tristesse.
LABELS: dict[str, str] = {
    "C": "anger", "D": "disgust", "J": "joy", "N": "neutral", "P": "fear", "S": "surprise", "T": "sadness",
}  # fmt: skip

#: Native label -> published utterances (936 in all).
EXPECTED: dict[str, int] = {"C": 144, "D": 144, "J": 144, "N": 72, "P": 144, "S": 144, "T": 144}
N_ACTORS, N_SENTENCES = 12, 6
INTENSITY: dict[str, str] = {"1": "weak", "2": "strong"}

_NAME = re.compile(
    r"(?:^|/)(?P<actor>0[1-9]|1[0-2])-(?P<emotion>[CDJNPST])-(?P<intensity>[12])-(?P<sentence>[1-6])"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Returns
    -------
    DataFrame
        Further column: ``intensity`` ("weak", "strong"; None of neutral).
    """
    return naming.table(folder, _NAME, _describe, corpus="cafe", language="fr-CA")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    return {
        "speaker": name["actor"],
        "sex": "male" if int(name["actor"]) % 2 else "female",
        "native_label": name["emotion"],
        "text_id": name["sentence"],
        "intensity": None if name["emotion"] == "N" else INTENSITY[name["intensity"]],
    }


def expected_names(folder: Path) -> set[str]:
    """Names of all published utterances."""
    return {
        f"cafe/{actor:02d}-{emotion}-{intensity}-{sentence}"
        for actor, emotion, intensity, sentence in itertools.product(
            range(1, N_ACTORS + 1), EXPECTED, INTENSITY, range(1, N_SENTENCES + 1)
        )
        if (emotion, intensity) != ("N", "2")
    }


CORPUS = Corpus(
    name="cafe",
    title="Canadian French Emotional speech (CaFE)",
    language="fr-CA",
    citation=CITATION,
    license=LICENSE,
    terms=creative_commons("BY-NC-SA"),
    how_to_get=HOW_TO_GET,
    layout="CaFE_48k/Neutre/01-N-1-1.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=N_ACTORS,
    expected_texts=N_SENTENCES,
    speech="acted",
    scripted=True,
    reader=read,
    expected_names=expected_names,
    sampling_rates=(48_000, 192_000),
    channels=(1,),
    seconds=(2.5, 7.8),
    caveats=("Six sentences shared by all actors.", "Neutral is half as frequent as any other state."),
)
