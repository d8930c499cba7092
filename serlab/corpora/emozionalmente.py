"""Emozionalmente: acted Italian, 431 volunteers, eighteen sentences, seven states.

``audio/1613655062436.wav`` says nothing by its name; ``metadata/samples.csv``
(file_name, actor, emotion_expressed, sentence) says all, ``metadata/users.csv``
sex and age of the volunteers (username, gender, age, mother_tongue).

The publisher gives a split into train, dev and test that parts no speaker. The
form of its files was not seen: any CSV of which the name has train, dev (or
validation) or test, and which has a column of file names (``file_name``) or actors
(``actor``, ``username``), is read as such.

Seen: the publisher's page (counts, licence, hash), all file names in a list of
the EmoBox benchmark, the columns of the tables in scripts that read them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import files, naming, texts, walking
from serlab.corpora.base import Corpus
from serlab.corpora.terms import creative_commons
from serlab.errors import CorpusError

CITATION = (
    "F. Catania, J. W. Wilke, F. Garzotto: Emozionalmente: A Crowdsourced Corpus of Simulated Emotional "
    "Speech in Italian. IEEE Trans. Audio, Speech and Language Processing 33, 2025. "
    "doi:10.1109/TASLPRO.2025.3540662"
)
LICENSE = "CC BY 4.0"
HOW_TO_GET = (
    "Get emozionalmente.zip (559 MB, version 1.1) from https://zenodo.org/records/6569824 and unpack it so "
    "that <data>/emozionalmente/audio/1613655062436.wav and "
    "<data>/emozionalmente/metadata/samples.csv exist (a folder on top does no harm)."
)

LABELS: dict[str, str] = {
    "anger": "anger", "disgust": "disgust", "fear": "fear", "joy": "joy", "neutrality": "neutral",
    "sadness": "sadness", "surprise": "surprise",
}  # fmt: skip

#: Native label -> published utterances (6902 in all).
EXPECTED: dict[str, int] = dict.fromkeys(LABELS, 986)
N_SPEAKERS, N_SENTENCES = 431, 18

_NAME = re.compile(r"(?:^|/)audio/(?P<name>\d+)", re.IGNORECASE)
_SAMPLES: tuple[str, ...] = ("file_name", "actor", "emotion_expressed", "sentence")
_AGAIN = "get the publisher's archive again"
_SPLITS: dict[str, str] = {"train": "train", "dev": "validation", "val": "validation", "test": "test"}
_SEXES: dict[str, str] = {"f": "female", "female": "female", "m": "male", "male": "male"}


def read(folder: Path) -> pd.DataFrame:
    """Read metadata and headers.

    Returns
    -------
    DataFrame
        Further columns: ``split`` ("train", "validation", "test" of the
        publisher, where it is there), ``age`` of the speaker in years.

    Raises
    ------
    CorpusError
        If ``samples.csv`` is missing, lacks a column or does not know a file.
    """
    if not any(files.matching(folder, _NAME)):
        return pd.DataFrame()
    samples, users, splits = _samples(folder), _users(folder), _given_splits(folder)

    def describe(path: Path, name: re.Match[str]) -> dict[str, Any]:
        if name["name"] not in samples:
            raise CorpusError(
                f"{path}: samples.csv has no such file; get metadata and audio of one version. {HOW_TO_GET}"
            )
        cells = samples[name["name"]]
        user = users.get(cells["actor"], {})
        age = user.get("age", "")
        return {
            "speaker": cells["actor"],
            "sex": _SEXES.get(user.get("gender", "").lower()),
            "native_label": cells["emotion_expressed"],
            "text_id": " ".join(cells["sentence"].casefold().split()),
            "split": splits.get(name["name"]) or splits.get(cells["actor"]),
            "age": int(age) if age.isdigit() else None,
        }

    return naming.table(folder, _NAME, describe, corpus="emozionalmente", language="it")


def _samples(folder: Path) -> dict[str, dict[str, str]]:
    """Stem of the audio file -> cells of samples.csv."""
    path = _find(folder, "samples.csv")
    if path is None:
        raise CorpusError(
            f"{folder} has no metadata/samples.csv, which says who speaks and how. {HOW_TO_GET}"
        )
    return {Path(cells["file_name"]).stem: cells for cells in _cells(path, _SAMPLES)}


def _users(folder: Path) -> dict[str, dict[str, str]]:
    """Actor -> cells of users.csv; none without that file."""
    path = _find(folder, "users.csv")
    return {cells["username"]: cells for cells in _cells(path, ("username", "gender"))} if path else {}


def _given_splits(folder: Path) -> dict[str, str]:
    """Stem of the audio file, or actor -> part of the publisher's split."""
    parts: dict[str, str] = {}
    for path in walking.glob(folder, "**/*.csv"):
        named = {part for word, part in _SPLITS.items() if word in re.split(r"[^a-z]+", path.stem.lower())}
        if len(named) != 1:
            continue
        found = texts.sheet(path, remedy=_AGAIN)
        key = next((column for column in ("file_name", "actor", "username") if column in found.columns), None)
        if key is None:
            continue
        for _, cells in found.rows:
            parts[Path(cells[key]).stem if key == "file_name" else cells[key]] = min(named)
    return parts


def _find(folder: Path, name: str) -> Path | None:
    return next(iter(walking.glob(folder, f"**/{name}")), None)


def _cells(path: Path, required: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a table of which each has something in the required columns."""
    found = texts.sheet(path, remedy=_AGAIN)
    texts.require(found, required)
    empty = [
        texts.Problem(line, "empty", column)
        for line, cells in found.rows
        for column in required
        if not cells[column]
    ]
    texts.refuse(path, [*found.problems, *empty])
    return [cells for _, cells in found.rows]


def expected_names(folder: Path) -> set[str]:
    """Names of all published utterances, as ``samples.csv`` lists them; none without that file."""
    if not _find(folder, "samples.csv"):
        return set()
    return {f"emozionalmente/{name}" for name in _samples(folder)}


CORPUS = Corpus(
    name="emozionalmente",
    title="Emozionalmente",
    language="it",
    citation=CITATION,
    license=LICENSE,
    terms=creative_commons("BY"),
    how_to_get=HOW_TO_GET,
    layout="audio/1613655062436.wav",
    labels=LABELS,
    expected=EXPECTED,
    expected_speakers=N_SPEAKERS,
    expected_texts=N_SENTENCES,
    speech="acted",
    scripted=True,
    reader=read,
    expected_names=expected_names,
    sampling_rates=(16_000, 44_100),
    channels=(1,),
    seconds=(0.75, 13.9),
    caveats=(
        "Recorded by volunteers with their own devices: the device goes with the speaker.",
        "Listeners recognised 66 % (UAR): labels are what was meant, not what is heard.",
        "150 files have 44.1 kHz, all others 16 kHz.",
    ),
)
