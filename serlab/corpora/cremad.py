"""CREMA-D: acted English from Philadelphia, 91 actors, twelve sentences, six states.

``1001_IEO_ANG_HI`` is actor 1001, sentence "It's eleven o'clock", anger, high
intensity. That sentence was said with three intensities, all others with one
that is not specified (``XX``). ``VideoDemographics.csv`` beside the recordings
has age and sex of the actors.

Seen: the publisher's repository with all 7442 names and its README (counts,
sentences, licence). Some copies name one file ``1040_ITH_SAD_X``.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import naming
from serlab.corpora.base import Corpus
from serlab.corpora.terms import OPEN_DATABASE
from serlab.errors import CorpusError

CITATION = (
    "H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova, R. Verma: CREMA-D: Crowd-sourced Emotional "
    "Multimodal Actors Dataset. IEEE Trans. Affective Computing 5(4), 2014. doi:10.1109/TAFFC.2014.2336244"
)
LICENSE = "Open Database License (ODbL) 1.0; contents: Database Contents License 1.0"
HOW_TO_GET = (
    "Clone https://github.com/CheyneyComputerScience/CREMA-D with Git LFS (a clone or ZIP without it holds "
    "pointers of some 130 bytes instead of audio) so that <data>/cremad/AudioWAV/1001_IEO_ANG_HI.wav exists. "
    "Videos and AudioMP3 are not needed."
)

LABELS: dict[str, str] = {
    "ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "joy", "NEU": "neutral", "SAD": "sadness",
}  # fmt: skip

SENTENCES: dict[str, str] = {
    "cremad/IEO": "It's eleven o'clock",
    "cremad/TIE": "That is exactly what happened",
    "cremad/IOM": "I'm on my way to the meeting",
    "cremad/IWW": "I wonder what this is about",
    "cremad/TAI": "The airplane is almost full",
    "cremad/MTI": "Maybe tomorrow it will be cold",
    "cremad/IWL": "I would like a new alarm clock",
    "cremad/ITH": "I think I have a doctor's appointment",
    "cremad/DFA": "Don't forget a jacket",
    "cremad/ITS": "I think I've seen this before",
    "cremad/TSI": "The surface is slick",
    "cremad/WSI": "We'll stop in a couple of minutes",
}

#: Native label -> published utterances (7442 in all).
EXPECTED: dict[str, int] = {
    "ANG": 1271, "DIS": 1271, "FEA": 1271, "HAP": 1271, "NEU": 1087, "SAD": 1271,
}  # fmt: skip
ACTORS: tuple[str, ...] = tuple(str(actor) for actor in range(1001, 1092))
#: The other 48 are men (VideoDemographics.csv).
WOMEN: frozenset[str] = frozenset(
    [
        "1002",
        "1003",
        "1004",
        "1006",
        "1007",
        "1008",
        "1009",
        "1010",
        "1012",
        "1013",
        "1018",
        "1020",
        "1021",
        "1024",
        "1025",
        "1028",
        "1029",
        "1030",
        "1037",
        "1043",
        "1046",
        "1047",
        "1049",
        "1052",
        "1053",
        "1054",
        "1055",
        "1056",
        "1058",
        "1060",
        "1061",
        "1063",
        "1072",
        "1073",
        "1074",
        "1075",
        "1076",
        "1078",
        "1079",
        "1082",
        "1084",
        "1089",
        "1091",
    ]
)
#: Actor and sentence of which no recording was published.
UNPUBLISHED: tuple[tuple[str, str], ...] = (("1008", "WSI"), ("1009", "MTI"), ("1019", "ITH"))
#: Neutral recordings that were not published, of sentences that the actor said otherwise.
NO_NEUTRAL: tuple[tuple[str, str], ...] = (("1002", "TIE"), ("1076", "ITS"))
INTENSITY: dict[str, str] = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}

# AudioMP3 holds the same recordings, made lossy for listeners in a browser.
_NAME = re.compile(
    r"(?:^|(?<!AudioMP3)/)(?P<actor>1\d{3})_(?P<sentence>IEO|TIE|IOM|IWW|TAI|MTI|IWL|ITH|DFA|ITS|TSI|WSI)"
    r"_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(?P<level>XX?|LO|MD|HI)"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers.

    Returns
    -------
    DataFrame
        Further column: ``intensity`` ("low", "medium", "high", "unspecified").

    Raises
    ------
    CorpusError
        If an actor is unknown.
    """
    return naming.table(folder, _NAME, _describe, corpus="cremad", language="en")


def _describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
    if name["actor"] not in ACTORS:
        raise CorpusError(
            f"{path}: CREMA-D has no actor {name['actor']}, only {ACTORS[0]} to {ACTORS[-1]}; "
            "move files of other origin out of this folder"
        )
    level = "XX" if name["level"] == "X" else name["level"]
    return {
        "utterance": f"{name['actor']}_{name['sentence']}_{name['emotion']}_{level}",
        "speaker": name["actor"],
        "sex": "female" if name["actor"] in WOMEN else "male",
        "native_label": name["emotion"],
        "text_id": name["sentence"],
        "intensity": INTENSITY[level],
    }


def expected_names(folder: Path) -> set[str]:
    """Names of all published utterances."""
    names = set()
    for actor, text, emotion in itertools.product(ACTORS, SENTENCES, EXPECTED):
        sentence = text.partition("/")[2]
        if (actor, sentence) in UNPUBLISHED or (emotion == "NEU" and (actor, sentence) in NO_NEUTRAL):
            continue
        levels = ("LO", "MD", "HI") if sentence == "IEO" and emotion != "NEU" else ("XX",)
        names |= {f"cremad/{actor}_{sentence}_{emotion}_{level}" for level in levels}
    return names


CORPUS = Corpus(
    name="cremad",
    title="CREMA-D",
    language="en",
    citation=CITATION,
    license=LICENSE,
    terms=OPEN_DATABASE,
    how_to_get=HOW_TO_GET,
    layout="AudioWAV/1001_IEO_ANG_HI.wav",
    labels=LABELS,
    sentences=SENTENCES,
    expected=EXPECTED,
    expected_speakers=len(ACTORS),
    expected_texts=len(SENTENCES),
    speech="acted",
    scripted=True,
    reader=read,
    remarks=naming.pointers,
    expected_names=expected_names,
    sampling_rates=(16_000,),
    channels=(1,),
    caveats=(
        "Labels are what the actors were asked for; listeners to the voice alone often heard something else "
        "(finishedResponses.csv of the publisher, which is not read).",
        "Twelve sentences shared by all actors.",
        "1076_MTI_SAD_XX is silent.",
    ),
)
