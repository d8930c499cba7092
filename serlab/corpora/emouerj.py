"""emoUERJ: acted Brazilian Portuguese, eight actors, four states.

``w04a11`` is woman 4, anger, recording 11. The actors chose among ten
sentences; which one a recording has is not in its name.

Seen: the publisher's page (counts, names, licence) and the eight speakers of a
copy.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming
from serlab.corpora.base import Corpus
from serlab.corpora.terms import creative_commons

CITATION = (
    "R. G. Bastos Germano, M. Pompeu Tcheou, F. da Rocha Henriques, S. Pinto Gomes Junior: emoUERJ: an "
    "emotional speech database in Portuguese. Zenodo, 2021. doi:10.5281/zenodo.5427549"
)
LICENSE = "CC BY 4.0"
HOW_TO_GET = (
    "Get the archive of https://zenodo.org/records/5427549 and unpack it so that <data>/emouerj/w04a11.wav "
    "exists (a folder on top does no harm)."
)

LABELS: dict[str, str] = {"h": "joy", "a": "anger", "s": "sadness", "n": "neutral"}

#: Native label -> published utterances (377 in all).
EXPECTED: dict[str, int] = {"h": 91, "a": 94, "s": 100, "n": 92}
SPEAKERS: tuple[str, ...] = ("m01", "m02", "m03", "m04", "w01", "w02", "w03", "w04")

_NAME = re.compile(r"(?:^|/)(?P<speaker>[mw]0[1-4])(?P<emotion>[hasn])(?P<number>\d\d)")


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers."""
    return naming.table(folder, _NAME, _describe, corpus="emouerj", language="pt-BR")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    return {
        "speaker": name["speaker"],
        "sex": "male" if name["speaker"].startswith("m") else "female",
        "native_label": name["emotion"],
    }


CORPUS = Corpus(
    name="emouerj",
    title="emoUERJ",
    language="pt-BR",
    citation=CITATION,
    license=LICENSE,
    terms=creative_commons("BY"),
    how_to_get=HOW_TO_GET,
    layout="w04a11.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=len(SPEAKERS),
    speech="acted",
    scripted=True,
    reader=read,
    caveats=("Ten sentences shared by all actors, but not which recording has which.",),
)
