"""IEMOCAP: acted English dialogues, scripted and improvised, ten speakers.

Five sessions, each with one woman and one man, in 151 dialogues cut into
10,039 turns. Every turn has a category (the majority of three annotators,
``xxx`` where they did not agree) and ratings of valence, activation (arousal)
and dominance on 1-5. Labels come from ``dialog/EmoEvaluation/*.txt``, where a
turn is one line followed by the votes of each annotator::

    [6.2901 - 8.2357]   Ses01F_impro01_F000   neu   [2.5000, 2.5000, 2.5000]

The rating's order is valence, activation, dominance. The speaker is the last
F or M: ``Ses01F_impro01_M000`` is the man of session 1. (The first F or M only
says who wore the motion-capture markers.)

A turn that is labelled but whose audio is missing keeps its row: ``serlab
validate`` lists it, and feature extraction skips it with a count, or stops.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from serlab import labels
from serlab.corpora import files, texts
from serlab.corpora.base import Corpus, audio_files, binary_counts
from serlab.corpora.terms import AGREEMENT
from serlab.errors import CorpusError

CITATION = (
    "C. Busso, M. Bulut, C.-C. Lee, A. Kazemzadeh, E. Mower, S. Kim, J. N. Chang, S. Lee, "
    "S. S. Narayanan: IEMOCAP: Interactive emotional dyadic motion capture database. Language Resources "
    "and Evaluation 42(4), 2008."
)
LICENSE = "Research licence of USC SAIL, signed by each institution; redistribution is not allowed."
HOW_TO_GET = (
    "Request it at https://sail.usc.edu/iemocap/iemocap_release.htm and unpack it so that "
    "<data>/iemocap/IEMOCAP_full_release/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt or "
    "<data>/iemocap/Session1/... exists. Videos and motion capture are not needed."
)

LABELS: dict[str, str] = {
    "ang": "anger", "hap": "joy", "exc": "excitement", "sad": "sadness", "fru": "frustration",
    "fea": "fear", "sur": "surprise", "neu": "neutral", "dis": "disgust", "oth": "other",
    "xxx": "ambiguous",
}  # fmt: skip

#: Of ratings from 1 to 5 (Neumann & Vu, table 1).
THRESHOLDS: dict[str, float] = {"arousal": 2.5, "valence": 2.5}

#: Native label -> published turns (10,039 in all).
EXPECTED: dict[str, int] = {
    "ang": 1103, "hap": 595, "exc": 1041, "sad": 1084, "fru": 1849, "fea": 40, "sur": 107,
    "neu": 1708, "dis": 2, "oth": 3, "xxx": 2507,
}  # fmt: skip

#: Rating -> turns at most 2.5, and above (Neumann & Vu, footnote 1).
EXPECTED_RATINGS: dict[str, tuple[int, int]] = {"arousal": (3121, 6918), "valence": (3421, 6618)}

SEX: dict[str, str] = {"F": "female", "M": "male"}

_LINE = re.compile(
    r"\[(?P<start>\d+\.?\d*) - (?P<end>\d+\.?\d*)\]\t(?P<turn>\w+)\t(?P<label>\w+)\t"
    r"\[(?P<valence>\d+\.?\d*), (?P<arousal>\d+\.?\d*), (?P<dominance>\d+\.?\d*)\]\s*"
)
_TURN = re.compile(
    r"(?P<dialogue>Ses0(?P<session>[1-5])[FM]_(?P<kind>impro|script)(?P<scene>\w*))_(?P<speaker>[FM])\w*"
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A subset that papers call IEMOCAP, with its published counts.

    Attributes
    ----------
    scheme : str
        Label scheme that selects it, see :data:`serlab.labels.SCHEMES`.
    native : mapping of str to int
        Native label -> published turns.
    sessions : mapping of str to int
        Session -> published turns; empty where the papers do not say.
    source : str
    """

    scheme: str
    native: Mapping[str, int]
    sessions: Mapping[str, int]
    source: str


RECIPES: dict[str, Recipe] = {
    "iemocap-5531": Recipe(
        scheme="four-merged",
        native={"ang": 1103, "hap": 595, "exc": 1041, "neu": 1708, "sad": 1084},
        sessions={},
        source="Durrani & Arshad, table 1: happiness and excitement in one class",
    ),
    "iemocap-4936": Recipe(
        scheme="four-excited",
        native={"ang": 1103, "exc": 1041, "neu": 1708, "sad": 1084},
        sessions={
            "iemocap/1": 950, "iemocap/2": 906, "iemocap/3": 1016, "iemocap/4": 966, "iemocap/5": 1098,
        },
        source="Zhou & Beigi, table 1: excitement stands for joy, happiness is left out",
    ),
}  # fmt: skip


def read(folder: Path) -> pd.DataFrame:
    """Read the label files and the headers of the turns' audio.

    ``start`` and ``end`` stay missing, because each turn has its own file.

    Returns
    -------
    DataFrame
        Further columns: ``dialogue`` and ``improvised`` (bool). ``text_id`` is
        the scene of a scripted turn, which all sessions acted, and missing for
        improvised ones. The duration of a turn without audio is the labelled
        one.

    Raises
    ------
    CorpusError
        If a label line cannot be read, or no turn has audio.
    """
    rows = []
    for session in _sessions(folder):
        sounds = _sounds(session)
        for path in sorted((session / "dialog" / "EmoEvaluation").glob("Ses*.txt")):
            rows += [_row(turn, session, sounds) for turn in _turns(path)]
    table = pd.DataFrame(files.unique(rows))
    if not table.empty and not any(Path(path).exists() for path in table["path"]):
        raise CorpusError(
            f"{folder} holds the labels of {len(table)} turns but none of their audio, such as "
            f"{table['path'].iloc[0]}; unpack sentences/wav of each session as well"
        )
    return table


def _sessions(folder: Path) -> list[Path]:
    """Session folders: directly inside, or in one folder further down."""
    return sorted({*folder.glob("Session[1-5]"), *folder.glob("*/Session[1-5]")})


def _sounds(session: Path) -> dict[str, Path]:
    """Turn -> audio file."""
    paths = audio_files(session / "sentences" / "wav", "*/*")
    rows = files.unique({"utterance": path.stem, "path": path} for path in paths)
    return {row["utterance"]: row["path"] for row in rows}


def _turns(path: Path) -> list[dict[str, str]]:
    """Turns of one label file; votes, self-evaluations and the header are passed over."""
    turns = []
    for number, line in texts.lines(path, encoding="latin-1"):
        # Votes start with C-, A-, F- or M-, the header with a percent sign.
        if not re.match(r"\[\d", line):
            continue
        found = _LINE.fullmatch(line)
        name = found and _TURN.fullmatch(found["turn"])
        if not name:
            raise CorpusError(
                f"{path}, line {number}: expected [start - end], turn, label and [valence, activation, "
                f"dominance] separated by tabs, found {line!r}; restore the file from the publisher's archive"
            )
        turns.append({**found.groupdict(), **name.groupdict()})
    return turns


def _row(turn: dict[str, str], session: Path, sounds: dict[str, Path]) -> dict:
    improvised = turn["kind"] == "impro"
    path = sounds.get(turn["turn"])
    labelled = float(turn["end"]) - float(turn["start"])
    return {
        "utterance": f"iemocap/{turn['turn']}",
        "corpus": "iemocap",
        "path": str(path or session / "sentences" / "wav" / turn["dialogue"] / f"{turn['turn']}.wav"),
        "speaker": f"iemocap/Ses0{turn['session']}{turn['speaker']}",
        "sex": SEX[turn["speaker"]],
        "language": "en",
        "native_label": turn["label"],
        **{rating: float(turn[rating]) for rating in ("arousal", "valence", "dominance")},
        "text_id": None if improvised else f"iemocap/script{turn['scene']}",
        "session": f"iemocap/{turn['session']}",
        "duration": files.duration(path) if path else labelled,
        "dialogue": turn["dialogue"],
        "improvised": improvised,
    }


def check_recipe(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Compare a table of IEMOCAP with the published counts of a recipe.

    Parameters
    ----------
    table : DataFrame
        All utterances as read; other corpora in it are passed over.
    name : str
        Key of :data:`RECIPES`.

    Returns
    -------
    DataFrame
        Columns what, published, found, source; one row for the total and one
        for each native label and session that the papers count.

    Raises
    ------
    CorpusError
        If there is no such recipe.
    """
    if name not in RECIPES:
        raise CorpusError(f"unknown recipe {name!r}; known: {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    subset = labels.scheme(recipe.scheme).apply(table[table["corpus"] == "iemocap"])
    rows = [(f"{name}, all", sum(recipe.native.values()), len(subset))]
    for column, published in (("native_label", recipe.native), ("session", recipe.sessions)):
        rows += [(f"{name}, {key}", n, int((subset[column] == key).sum())) for key, n in published.items()]
    return pd.DataFrame(rows, columns=["what", "published", "found"]).assign(source=recipe.source)


def further_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Published counts beyond those per label: binary ratings and the recipes.

    Returns
    -------
    DataFrame
        Columns what, published, found, source.
    """
    ratings = binary_counts(table, "iemocap", EXPECTED_RATINGS, THRESHOLDS)
    ratings["source"] = "Neumann & Vu, footnote 1"
    return pd.concat([ratings, *(check_recipe(table, name) for name in RECIPES)], ignore_index=True)


CORPUS = Corpus(
    name="iemocap",
    title="IEMOCAP",
    language="en",
    citation=CITATION,
    license=LICENSE,
    terms=AGREEMENT,
    speech="acted",
    how_to_get=HOW_TO_GET,
    layout="IEMOCAP_full_release/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
    labels=LABELS,
    thresholds=THRESHOLDS,
    expected=EXPECTED,
    expected_speakers=10,
    reader=read,
    sampling_rates=(16_000,),
    channels=(1,),
    seconds=(0.58, 34.14),
    further_counts=further_counts,
    caveats=(
        "Both speakers of a session share microphones and dialogues: hold out sessions, not only speakers.",
        "A quarter of the turns has no majority label (xxx); every session acts the same scripts.",
    ),
)
