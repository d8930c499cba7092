"""RECOLA: spontaneous French, video conferences of two who solve a task, rated continuously.

Of 46 participants 23 are freely available, five minutes each. Six annotators
(FM1-FM3 men, FF1-FF3 women) rated arousal and valence every 40 ms in [-1, 1]:
``RECOLA-Annotation/emotional_behaviour/{arousal,valence}/P16.csv``, with the
columns ``time;FM1;FM2;FM3;FF1;FF2;FF3``. There are no categories.

An utterance is a turn. Its label is the mean of an annotator's ratings at
``start <= time < end``, then the mean over annotators (Neumann & Vu, section 3).
A turn without any rating inside keeps its row and has no label.

Where turns come from, the first that is there:

1. ``<data>/recola/turns.csv``, your own: columns ``speaker`` (P16), ``start``
   and ``end`` (seconds into the recording), and ``sex`` (female, male) if known;
2. ``RECOLA-Audio_timings/P16.csv``, columns ``start;stop``, from the publisher;
3. voice activity, see :func:`voice_activity`.

The column ``turns`` says which; validation and reports say it too. The counts
of Neumann & Vu are compared with the first two only.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serlab.audio import reading
from serlab.corpora import cutting, files, texts, walking
from serlab.corpora.base import Corpus, binary_counts
from serlab.corpora.csv_corpus import SEXES
from serlab.corpora.terms import AGREEMENT
from serlab.errors import AudioError, CorpusError

CITATION = (
    "F. Ringeval, A. Sonderegger, J. Sauer, D. Lalanne: Introducing the RECOLA multimodal corpus of remote "
    "collaborative and affective interactions. FG 2013. doi:10.1109/FG.2013.6553805"
)
LICENSE = "Free for academic research after signing its end user licence; redistribution is not allowed."
HOW_TO_GET = (
    "Request it at https://diuf.unifr.ch/main/diva/recola/ and unpack it so that "
    "<data>/recola/RECOLA-Audio-recordings/P16.wav and "
    "<data>/recola/RECOLA-Annotation/emotional_behaviour/arousal/P16.csv exist, and RECOLA-Audio_timings "
    "beside them. Videos and physiology are not needed."
)

#: Of ratings from -1 to 1 (Neumann & Vu, table 1). There are no native labels.
THRESHOLDS: dict[str, float] = {"arousal": 0.0, "valence": 0.0}

#: The freely available speakers.
SPEAKERS: tuple[str, ...] = (
    "P16", "P17", "P19", "P21", "P23", "P25", "P26", "P28", "P30", "P34", "P37", "P39", "P41", "P42", "P43",
    "P45", "P46", "P48", "P56", "P58", "P62", "P64", "P65",
)  # fmt: skip
DIMENSIONS: tuple[str, ...] = ("arousal", "valence")
ANNOTATORS: tuple[str, ...] = ("FM1", "FM2", "FM3", "FF1", "FF2", "FF3")

#: Utterances, and rating -> utterances at most 0, and above (Neumann & Vu, footnote 1).
N_UTTERANCES = 1308
EXPECTED_RATINGS: dict[str, tuple[int, int]] = {"arousal": (520, 788), "valence": (241, 1067)}

#: Where turns come from: the user's table, the publisher's files, the audio.
TURNS, TIMINGS, VOICE = "turns.csv", "RECOLA-Audio_timings", "voice activity"

#: Voice activity, see :func:`voice_activity`. Seconds; decibels.
FRAME, HOP = 0.032, 0.010
DYNAMIC_RANGE = cutting.DYNAMIC_RANGE
LONGEST_PAUSE = 0.5
SHORTEST_TURN = 0.5


@dataclass(frozen=True)
class Turn:
    """A stretch of one speaker's recording, in seconds."""

    speaker: str
    start: float
    end: float
    sex: str | None = None


def read(folder: Path) -> pd.DataFrame:
    """Read ratings and turns; audio only where turns have to be found in it.

    Returns
    -------
    DataFrame
        Further column: ``turns``, where they come from. ``sex`` is what the
        user's table says; the publisher's files do not. A turn whose recording
        is missing keeps its row.

    Raises
    ------
    CorpusError
        Naming file and line of a malformed rating or turn, or what is missing.
    """
    sounds = _sounds(folder)
    ratings = {dimension: _csv_files(folder, f"emotional_behaviour/{dimension}") for dimension in DIMENSIONS}
    speakers = sorted(set().union(*ratings.values()))
    if not speakers and not sounds:
        return pd.DataFrame()
    if not speakers or not sounds:
        there, absent = ("recordings", "ratings") if sounds else ("ratings", "recordings")
        raise CorpusError(f"{folder} holds {there} of RECOLA but no {absent}. {HOW_TO_GET}")
    origin, turns = _turns(folder, speakers, sounds)
    rows = []
    for speaker in speakers:
        own = sorted((turn for turn in turns if turn.speaker == speaker), key=lambda turn: turn.start)
        means = {
            dimension: _mean_ratings(dimension, ratings[dimension], speaker, own) for dimension in DIMENSIONS
        }
        path = sounds.get(speaker, next(iter(sounds.values())).with_name(f"{speaker}.wav"))
        # As in other corpora: unknown where the file is broken, as labelled where it is missing.
        broken = speaker in sounds and math.isnan(files.duration(path))
        rows += [
            {
                "utterance": f"recola/{speaker}_{1000 * turn.start:06.0f}-{1000 * turn.end:06.0f}",
                "corpus": "recola",
                "path": str(path),
                "start": turn.start,
                "end": turn.end,
                "speaker": f"recola/{speaker}",
                "sex": turn.sex,
                "language": "fr",
                **{dimension: means[dimension][number] for dimension in DIMENSIONS},
                "duration": math.nan if broken else turn.end - turn.start,
                "turns": origin,
            }
            for number, turn in enumerate(own)
        ]
    if not rows:
        raise CorpusError(f"{folder}: no turns ({origin}) for any of {len(speakers)} speakers")
    return pd.DataFrame(files.unique(rows, remedy="name each turn once"))


def _csv_files(folder: Path, inside: str) -> dict[str, Path]:
    """Speaker -> CSV file, at any depth below ``folder``."""
    paths = walking.glob(folder, f"**/{inside}/P*.csv")
    rows = files.unique({"utterance": path.stem, "path": path} for path in paths)
    return {row["utterance"]: row["path"] for row in rows}


def _sounds(folder: Path) -> dict[str, Path]:
    """Speaker -> recording."""
    pattern = re.compile(r"(?:^|/)RECOLA-Audio-recordings/P\d+")
    rows = files.unique({"utterance": path.stem, "path": path} for path, _ in files.matching(folder, pattern))
    return {row["utterance"]: row["path"] for row in rows}


def _turns(folder: Path, speakers: Sequence[str], sounds: Mapping[str, Path]) -> tuple[str, list[Turn]]:
    """Turns of all speakers, and where they come from."""
    if (folder / TURNS).exists():
        return TURNS, _turns_of_table(folder / TURNS, speakers)
    published = _csv_files(folder, TIMINGS)
    if published:
        return TIMINGS, [turn for speaker in speakers for turn in _published_turns(published, speaker)]
    return VOICE, [
        Turn(speaker, start, end)
        for speaker in speakers
        if speaker in sounds
        for start, end in _voice_activity_of_file(sounds[speaker])
    ]


def _turns_of_table(path: Path, speakers: Sequence[str]) -> list[Turn]:
    """The user's turns; one after the other for each speaker."""
    lines = _lines(path, ("speaker", "start", "end"))
    turns: list[tuple[int, Turn]] = []
    sexes: dict[str, str | None] = {}
    for number, cells in lines:
        speaker, sex = cells["speaker"], cells.get("sex") or None
        if speaker not in speakers:
            raise CorpusError(
                f"{path}, line {number}: speaker {speaker!r} has no ratings; rated are {', '.join(speakers)}"
            )
        if sex not in (None, *SEXES):
            raise CorpusError(
                f"{path}, line {number}: sex {sex!r} is not one of {', '.join(SEXES)}, or empty"
            )
        if sexes.setdefault(speaker, sex) != sex:
            raise CorpusError(
                f"{path}, line {number}: speaker {speaker} has sex {sex or '(empty)'} here, and "
                f"{sexes[speaker] or '(empty)'} above; a speaker has one"
            )
        turns.append((number, Turn(speaker, *_times(path, number, cells, "start", "end"), sex)))
    turns.sort(key=lambda turn: (turn[1].speaker, turn[1].start))
    for (above, first), (below, second) in itertools.pairwise(turns):
        if first.speaker == second.speaker and second.start < first.end:
            raise CorpusError(
                f"{path}, lines {above} and {below}: turns of {first.speaker} overlap ({first.start:g} to "
                f"{first.end:g} s and {second.start:g} to {second.end:g} s); correct their times"
            )
    return [turn for _, turn in turns]


def _published_turns(published: Mapping[str, Path], speaker: str) -> list[Turn]:
    if speaker not in published:
        folder = next(iter(published.values())).parent
        raise CorpusError(f"{folder} has no {speaker}.csv, though {speaker} is rated. {HOW_TO_GET}")
    path = published[speaker]
    lines = _lines(path, ("start", "stop"))
    return [Turn(speaker, *_times(path, number, cells, "start", "stop")) for number, cells in lines]


def _lines(path: Path, required: Sequence[str]) -> Sequence[tuple[int, dict[str, str]]]:
    found = texts.sheet(path)
    texts.require(found, required)
    texts.refuse(path, found.problems)
    return found.rows


def _times(path: Path, line: int, cells: Mapping[str, str], *columns: str) -> tuple[float, float]:
    """Start and end of a turn."""
    times = []
    for column in columns:
        try:
            times.append(float(cells[column]))
        except ValueError:
            raise CorpusError(
                f"{path}, line {line}, column {column!r}: {cells[column]!r} is not a number of seconds "
                "(with a decimal point)"
            ) from None
    start, end = times
    if not 0 <= start < end < math.inf:
        raise CorpusError(
            f"{path}, line {line}: {start:g} to {end:g} s is not a turn; it needs 0 <= start < end"
        )
    return start, end


def _mean_ratings(
    dimension: str, paths: Mapping[str, Path], speaker: str, turns: Sequence[Turn]
) -> list[float]:
    """Mean over each turn, then over annotators; NaN without a rating inside."""
    if not turns:
        return []
    if speaker not in paths:
        raise CorpusError(
            f"emotional_behaviour/{dimension} has no {speaker}.csv, but {speaker} has turns. {HOW_TO_GET}"
        )
    times, values = _ratings(paths[speaker])
    means = []
    for turn in turns:
        first, last = np.searchsorted(times, (turn.start, turn.end))
        mean = values[first:last].mean(axis=0).mean() if last > first else math.nan
        # A mean of exactly zero belongs to the lower class; rounding noise must not lift it.
        means.append(round(float(mean), 9))
    return means


def _ratings(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) in seconds and ratings (n, 6) of one file."""
    remedy = texts.RESTORE
    sheet = texts.sheet(path, separator=";", encoding="latin-1", remedy=remedy)
    wanted = ["time", *ANNOTATORS]
    if list(sheet.columns) != wanted:
        raise CorpusError(
            f"{path}, line 1: expected {';'.join(wanted)}, found {';'.join(sheet.columns)}; {remedy}"
        )
    texts.refuse(path, sheet.problems)
    lines = [line for line, _ in sheet.rows]
    table = pd.DataFrame([cells for _, cells in sheet.rows], index=lines, columns=wanted, dtype=object)
    numbers = table.apply(pd.to_numeric, errors="coerce")
    wrong = numbers.isna() | (numbers[list(ANNOTATORS)].abs() > 1).reindex(columns=wanted, fill_value=False)
    if wrong.to_numpy().any():
        line = wrong.index[wrong.any(axis=1)][0]
        column = wrong.columns[wrong.loc[line]][0]
        raise CorpusError(
            f"{path}, line {line}, column {column!r}: {table.at[line, column]!r} is not a number"
            f"{'' if column == 'time' else ' from -1 to 1'} (with a decimal point); {remedy}"
        )
    times = numbers["time"].to_numpy()
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back):
        raise CorpusError(f"{path}, line {numbers.index[back[0] + 1]}: time does not go on; {remedy}")
    return times, numbers[list(ANNOTATORS)].to_numpy()


def _voice_activity_of_file(path: Path) -> list[tuple[float, float]]:
    try:
        with reading.opened(path) as recording:
            parts = [block.mean(axis=1) for block in recording.blocks()]
            rate = recording.rate
    except AudioError as error:
        raise CorpusError(
            f"{path}: cannot be read, so no turns can be found in it ({error}); get it again, or give the "
            f"turns in {TURNS}"
        ) from None
    return voice_activity(np.concatenate([*parts, np.zeros(0, dtype=np.float32)]), rate)


def voice_activity(samples: np.ndarray, rate: int) -> list[tuple[float, float]]:
    """Turns in a recording of one speaker, by level alone.

    Frames of 32 ms every 10 ms are speech where their RMS is at most
    :data:`DYNAMIC_RANGE` dB below the level that the loudest 5 % exceed (and not
    below -70 dB re full scale). Pauses up to 0.5 s are bridged; what is then
    shorter than 0.5 s is dropped.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    rate : int
        Hz.

    Returns
    -------
    list of (float, float)
        Start and end in seconds, in order.
    """
    length, hop = round(FRAME * rate), round(HOP * rate)
    if len(samples) < length:
        return []
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples - np.median(samples), dtype=np.float64))])
    starts = np.arange(0, len(samples) - length + 1, hop)
    rms = np.sqrt((energy[starts + length] - energy[starts]).clip(min=0) / length)
    return cutting.active(
        rms, hop=hop / rate, frame=length / rate, pause=LONGEST_PAUSE, shortest=SHORTEST_TURN
    )


def remarks(table: pd.DataFrame) -> tuple[str, ...]:
    """Where the turns come from, and what is odd about them."""
    origin = table["turns"].iloc[0]
    median = (table["end"] - table["start"]).median()
    said = [f"{len(table)} turns (median {median:.1f} s) come from {origin}"]
    if origin == VOICE:
        said[0] += (
            f" ({DYNAMIC_RANGE:g} dB below loud speech, pauses up to {LONGEST_PAUSE:g} s bridged), not "
            f"from a table: they are other utterances than the {N_UTTERANCES} of Neumann & Vu, so counts are "
            "not compared"
        )
    ordered = table.sort_values(["speaker", "start"])
    overlapping = ordered["start"] < ordered.groupby("speaker")["end"].shift()
    unrated = table[list(DIMENSIONS)].isna().any(axis=1)
    absent = sorted(set(SPEAKERS) - set(table["speaker"].str.removeprefix("recola/")))
    said += [
        f"{text}: {', '.join(names)}"
        for text, names in (
            (
                f"{overlapping.sum()} turns begin before the one above has ended",
                ordered.index[overlapping][:5],
            ),
            (f"{unrated.sum()} turns hold no rating and get no label", table.index[unrated][:5]),
            (f"{len(absent)} speakers have no turns", absent),
        )
        if len(names)
    ]
    return tuple(said)


def further_counts(table: pd.DataFrame) -> pd.DataFrame:
    """The counts of Neumann & Vu; none to compare with where turns come from voice activity.

    Returns
    -------
    DataFrame
        Columns what, published, found, source.
    """
    counts = binary_counts(table, "recola", EXPECTED_RATINGS, THRESHOLDS)
    counts.loc[len(counts)] = ("utterances", N_UTTERANCES, len(table))
    counts["source"] = "Neumann & Vu, section 3 and footnote 1"
    return counts[[table["turns"].iloc[0] != VOICE] * len(counts)]


CORPUS = Corpus(
    name="recola",
    title="RECOLA",
    language="fr",
    citation=CITATION,
    license=LICENSE,
    terms=AGREEMENT,
    speech="spontaneous",
    scripted=False,
    how_to_get=HOW_TO_GET,
    layout="RECOLA-Annotation/emotional_behaviour/arousal/P16.csv",
    thresholds=THRESHOLDS,
    expected={},
    expected_speakers=len(SPEAKERS),
    reader=read,
    further_counts=further_counts,
    remarks=remarks,
    caveats=(
        "Ratings only, no categories: use the schemes arousal and valence.",
        "Which turns Neumann & Vu used is not published; the publisher's timings are the best guess.",
        "Participants talked in pairs: a split by speaker can part two who were in one conversation.",
    ),
)
