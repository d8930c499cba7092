"""EMOVO: acted Italian, fourteen sentences, six actors, seven states.

Six actors (three women, three men) spoke the same fourteen sentences in six
emotions and neutrally: 6 x 14 x 7 = 588 files. ``dis-f1-b1`` is disgust, the
first woman, the first short sentence. Sentences: b1-b3 short, l1-l4 long,
n1-n5 without meaning, d1-d2 questions.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from serlab.corpora import files
from serlab.corpora.base import Corpus

CITATION = (
    "G. Costantini, I. Iadarola, A. Paoloni, M. Todisco: EMOVO Corpus: an Italian Emotional Speech "
    "Database. LREC 2014."
)
LICENSE = "Free for research, non-commercial, with citation; check the terms that came with your copy."
HOW_TO_GET = (
    "Get EMOVO.zip from Fondazione Ugo Bordoni (http://voice.fub.it/activities/corpora/emovo/index.html; "
    "when the site is down, ask the authors of the LREC 2014 paper) and unpack it so that "
    "<data>/emovo/EMOVO/f1/dis-f1-b1.wav or <data>/emovo/f1/dis-f1-b1.wav exists."
)

#: Italian abbreviations: neutro, disgusto, gioia, paura, rabbia, sorpresa, tristezza.
LABELS: dict[str, str] = {
    "neu": "neutral", "dis": "disgust", "gio": "joy", "pau": "fear", "rab": "anger", "sor": "surprise",
    "tri": "sadness",
}  # fmt: skip

SPEAKERS: tuple[str, ...] = ("f1", "f2", "f3", "m1", "m2", "m3")
TEXTS: tuple[str, ...] = (
    "b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2",
)  # fmt: skip

#: Native label -> published utterances (588 in all).
EXPECTED: dict[str, int] = dict.fromkeys(LABELS, 84)

_NAME = re.compile(
    r"(?:^|/)(?P<emotion>neu|dis|gio|pau|rab|sor|tri)-(?P<speaker>[fm][123])-(?P<sentence>[blnd]\d)"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names and headers."""
    return pd.DataFrame(
        files.unique(
            {
                "utterance": f"emovo/{path.stem}",
                "corpus": "emovo",
                "path": str(path),
                "speaker": f"emovo/{name['speaker']}",
                "sex": "female" if name["speaker"].startswith("f") else "male",
                "language": "it",
                "native_label": name["emotion"],
                "text_id": f"emovo/{name['sentence']}",
                "duration": files.duration(path),
            }
            for path, name in files.matching(folder, _NAME)
        )
    )


def expected_names(folder: Path) -> set[str]:
    """Names of all published utterances."""
    return {
        f"emovo/{emotion}-{speaker}-{sentence}"
        for emotion in EXPECTED
        for speaker in SPEAKERS
        for sentence in TEXTS
    }


CORPUS = Corpus(
    name="emovo",
    title="EMOVO",
    language="it",
    citation=CITATION,
    license=LICENSE,
    speech="acted",
    scripted=True,
    expected_texts=len(TEXTS),
    how_to_get=HOW_TO_GET,
    layout="EMOVO/f1/dis-f1-b1.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=6,
    reader=read,
    sampling_rates=(48_000,),
    expected_names=expected_names,
    caveats=("Fourteen fixed sentences shared by all speakers and emotions.",),
)
