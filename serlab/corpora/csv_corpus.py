"""Anybody's corpus: one CSV file that names the audio files and their labels.

A row is an utterance. Columns (in any order; others are kept as they are):

=================  ========  =========================================================
path               required  audio file; a relative path starts at the CSV file's folder
speaker            required  any name; made unique by putting the corpus' name before it
label              required  your label, see below; may be empty where there is a rating
utterance          optional  unique name; else the path without suffix (and the times)
emotion            optional  word of ``serlab.labels.EMOTIONS`` for this label
sex                optional  female or male
language           optional  BCP 47, such as "it" or "fr-CA"
text_id            optional  same value: same sentence
session            optional  same value: recorded together
split              optional  train, validation or test, where the corpus is given with a split
start, end         optional  seconds into the file, for utterances cut from recordings
channel            optional  mix, left or right, of a recording with two channels
arousal            optional  rating; so are valence and dominance
arousal_threshold  optional  rating above which the upper half starts; so is valence_threshold
license, citation  optional  terms and source, better said once in ``corpus.toml``
=================  ========  =========================================================

What holds for the whole corpus stands in a ``corpus.toml`` beside it, see
:mod:`serlab.corpora.settings`: language, licence, citation, the scale of ratings, and what labels mean.

**Labels.** The word of a row is, in this order: what ``from_csv`` or the ``[labels]`` of
``corpus.toml`` say of its label, the column ``emotion``, the label itself. Case is forgiven, and
so are the other words for an emotion in ``serlab.corpora.words.SYNONYMS`` ("Happy", "NEU"). In the
table, ``native_label`` and ``native_emotion`` are the word and ``label`` is what the file said.

**Ratings.** The schemes ``arousal`` and ``valence`` cut ratings in two: above the threshold of the
row, else above the midpoint of the scale in ``corpus.toml``.

**What is forgiven** is noted in the column ``read_notes`` and told by ``serlab validate``: paths
written on another system (see :mod:`serlab.corpora.locating`), a nameless index column, files that
are missing (extraction skips them or stops, as parameter ``on_bad_file`` says). **What is not**
is refused with all problems of the file in one list. Several lines of one recording are refused
unless they are asked for as annotators, see :mod:`serlab.corpora.annotators`.

The separator is a comma, semicolon or tab: whichever occurs most in the first line.
A file ``<data>/<name>/corpus.csv`` makes ``name`` a corpus like any other.
"""

from __future__ import annotations

import math
import posixpath
import re
import shlex
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from serlab import audio, data
from serlab.corpora import annotators as annotating
from serlab.corpora import files, locating, settings, terms, texts, walking, words
from serlab.corpora.base import Corpus
from serlab.corpora.durations import durations
from serlab.corpora.settings import RATINGS, Settings
from serlab.corpora.texts import Problem, Sheet
from serlab.errors import CorpusError, LabelError, meant
from serlab.labels import EMOTIONS
from serlab.wording import count

FILE_NAME = "corpus.csv"
REQUIRED: tuple[str, ...] = ("path", "speaker", "label")
SEXES: tuple[str, ...] = ("female", "male")
#: Column of the table that says in what forgiving way a row was read.
NOTES = "read_notes"

_THRESHOLDS = ("arousal_threshold", "valence_threshold")
_NUMBERS = ("start", "end", *RATINGS, *_THRESHOLDS)
_WORDS = {"sex": words.SEXES, "split": words.SPLITS, "channel": {name: name for name in audio.CHANNELS}}
_PREFIXED = ("speaker", "text_id", "session")
#: Computed here; what a file says in such a column is not kept.
_COMPUTED = ("corpus", "native_label", "native_emotion", "duration", NOTES)
_KNOWN = (
    *REQUIRED, "utterance", "emotion", *_WORDS, "language", "text_id", "session", *_NUMBERS, "license",
    "citation",
)  # fmt: skip
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_LABELS = (
    f"Say what labels mean in a column 'emotion', or in {settings.FILE_NAME}, below [labels]: "
    f'"your label" = "joy"; one of {", ".join(EMOTIONS)}'
)
#: What programs write for a missing number.
_NO_NUMBER = ("nan", "na", "n/a", "none", "null")


def from_csv(
    path: Path | str,
    name: str | None = None,
    *,
    emotions: Mapping[str, str] | None = None,
    annotators: Literal["majority", "mean"] | None = None,
) -> pd.DataFrame:
    """Read a corpus described by a CSV file, and by a ``corpus.toml`` beside it if there is one.

    Parameters
    ----------
    path : path
        CSV file in UTF-8, see the top of this module for its columns.
    name : str, optional
        Name of the corpus; else the name of the file, or of the folder of a
        ``corpus.csv``.
    emotions : mapping of str to str, optional
        Label -> word of :data:`serlab.labels.EMOTIONS`. Wins over all else.
    annotators : {"majority", "mean"}, optional
        How several lines of one recording become one, see
        :mod:`serlab.corpora.annotators`; else what ``corpus.toml`` says, and
        else they are refused.

    Returns
    -------
    DataFrame
        Utterances, see :mod:`serlab.data`; ``native_label`` holds words of
        the vocabulary, ``label`` the labels of the file.

    Raises
    ------
    CorpusError
        Naming line and column of all that is missing or malformed; if none
        of the audio files is there.
    LabelError
        Naming the lines of labels that are not understood.
    """
    path = Path(path).expanduser().absolute()
    if name is None:
        name = path.parent.name if path.name == FILE_NAME else path.stem
    sheet = _lowered(texts.sheet(path))
    texts.require(sheet, REQUIRED, remedy="; rename them, or have it done by `serlab import table`")
    said = settings.beside(path)
    how = annotators or said.annotators
    if how and how not in settings.ANNOTATORS:
        raise CorpusError(f"annotators {how!r} is not one of {', '.join(settings.ANNOTATORS)}")
    meanings = {**said.labels, **_checked(emotions or {})}
    meanings = {**{words.plain(label): word for label, word in meanings.items()}, **meanings}

    find = locating.finder(path.parent)
    rows: list[annotating.Row] = []
    problems = list(sheet.problems)
    for line, cells in sheet.rows:
        row, wrong = _row(cells, said, meanings)
        problems += [Problem(line, text, column, label=column == "label") for column, text in wrong.items()]
        if not wrong:
            row["path"], row[NOTES] = find(cells["path"])
            rows.append((line, row))
    rows, repeated = annotating.merged(rows, how)
    texts.refuse(path, [*problems, *repeated, *_same_names(rows)], of_labels=_LABELS)
    if not rows:
        raise CorpusError(f"{path} has a header but no rows; add one row an utterance")
    return data.utterances(_finished(path, name, [row for _, row in rows], sheet))


def installed(root: Path | str | None = None) -> dict[str, Corpus]:
    """Corpora below the data root that are described by a ``corpus.csv``."""
    paths = sorted(data.data_root(root).glob(f"*/{FILE_NAME}"))
    return {path.parent.name: corpus(path.parent.name, path.parent) for path in paths}


def without_table(root: Path | str | None = None) -> tuple[str, ...]:
    """Folders below the data root that hold recordings and no ``corpus.csv``."""
    top = data.data_root(root)
    folders = sorted(path for path in top.iterdir() if path.is_dir()) if top.is_dir() else []
    suffixes = audio.SUFFIXES + audio.CONVERTIBLE
    return tuple(
        folder.name
        for folder in folders
        if not folder.name.startswith(".")
        and not (folder / FILE_NAME).exists()
        and any(path.suffix.lower() in suffixes for path, _ in walking.entries(folder))
    )


def no_table(folder: Path) -> CorpusError:
    """Error for a folder of recordings without a table, with the command that may make one."""
    place, name = shlex.quote(str(folder)), shlex.quote(folder.name)
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".csv", ".tsv"))
    remedy = (
        f"If {tables[0].name} says it: serlab import table {shlex.quote(str(tables[0]))} {name}"
        if tables
        else "If names of folders and files say it: "
        f"serlab import names {place} {name} -c path='{{speaker}}/{{label}}/{{text_id}}'"
    )
    return CorpusError(
        f"{folder} holds recordings, but no {FILE_NAME} that says who speaks and with what emotion. {remedy}"
    )


def corpus(name: str, folder: Path | None = None) -> Corpus:
    """Corpus that lives in ``<data>/<name>/corpus.csv``.

    Parameters
    ----------
    name : str
    folder : Path, optional
        Its folder, for what ``corpus.toml`` says there. A file that cannot be
        read says nothing here: reading the corpus says why, listing all goes on.
    """
    try:
        said = Settings() if folder is None else settings.beside(folder / FILE_NAME)
        in_rows = {} if folder is None else _in_rows(folder / FILE_NAME)
    except (CorpusError, OSError):
        said, in_rows = Settings(), {}
    said = replace(
        said,
        license=said.license or in_rows.get("license", ""),
        citation=said.citation or in_rows.get("citation", ""),
    )
    return Corpus(
        name=name,
        title=said.name or f"{name} ({FILE_NAME})",
        language=said.language or "und",  # ISO 639-2, undetermined: the file says it row by row
        citation=said.citation or "not stated",
        license=said.license or "not stated: ask whoever made it",
        terms=terms.of(said.license),
        how_to_get=f"Write <data>/{name}/{FILE_NAME} with the columns {', '.join(REQUIRED)}.",
        layout=FILE_NAME,
        expected={},
        expected_speakers=0,
        reader=partial(_read_folder, name=name),
        channel=said.channel or audio.MIX,
        remarks=remarks,
    )


def _in_rows(path: Path) -> dict[str, str]:
    """Licence and citation of a table whose rows all name the same; read if there is such a column only."""
    if not files.is_file(path):
        return {}
    with path.open("rb") as file:
        head = file.readline(texts.LONGEST_LINE).lower()
    if not any(name in head for name in (b"license", b"licence", b"citation")):
        return {}
    rows = _lowered(texts.sheet(path)).rows
    said = {key: {cells.get(key, "") for _, cells in rows} for key in ("license", "citation")}
    return {key: values.pop() for key, values in said.items() if len(values) == 1}


def remarks(table: pd.DataFrame) -> tuple[str, ...]:
    """In what forgiving ways rows were read, and speakers that may be one, a sentence each."""
    said = []
    if NOTES in table:
        counts = table[NOTES].dropna().str.split("; ").explode().value_counts()
        said += [f"{note} ({count(n, 'utterance')})" for note, n in counts.items()]
    if "label" in table:
        spelled: dict[str, set[str]] = {}
        for label in table["label"].dropna().unique():
            spelled.setdefault(words.plain(str(label)), set()).add(str(label))
        alike = sorted(", ".join(map(repr, sorted(found))) for found in spelled.values() if len(found) > 1)
        if alike:
            said.append(f"labels that differ in case only are read as one: {'; '.join(alike[:3])}")
    names: dict[str, set[str]] = {}
    for speaker in table["speaker"].unique():
        names.setdefault(words.plain(speaker), set()).add(speaker)
    same = sorted(", ".join(sorted(found)) for found in names.values() if len(found) > 1)
    if same:
        said.append(
            f"speakers who differ in case only are kept apart; one person is to have one name: {same[0]}"
        )
    sexes = table[table["sex"].notna()].groupby("speaker")["sex"].nunique()
    if len(both := sexes.index[sexes > 1]):
        said.append(f"{len(both)} speakers have both sexes, so they may be two persons each: {both[0]}")
    return tuple(said)


def _read_folder(folder: Path, *, name: str) -> pd.DataFrame:
    return from_csv(folder / FILE_NAME, name)


def _lowered(sheet: Sheet) -> Sheet:
    """A sheet with the names of known columns in lower case."""
    new = {}
    for column in sheet.columns:
        plain = "license" if words.plain(column) == "licence" else words.plain(column)
        new[column] = plain if plain in _KNOWN else column
    if all(old == name for old, name in new.items()):
        return sheet
    for name in new.values():
        same = [old for old, other in new.items() if other == name]
        if len(same) > 1:
            raise CorpusError(
                f"{sheet.path}, line 1: columns {' and '.join(map(repr, same))} are both read as {name!r}; "
                "keep one"
            )
    rows = tuple((line, {new[column]: cell for column, cell in cells.items()}) for line, cells in sheet.rows)
    return Sheet(sheet.path, tuple(new.values()), rows, sheet.notes, sheet.problems)


def _checked(emotions: Mapping[str, str]) -> dict[str, str]:
    return {label: emotion(label, word) for label, word in emotions.items()}


def emotion(label: str, word: str) -> str:
    """The word of the vocabulary that a label is said to stand for.

    Raises
    ------
    LabelError
        If it is none.
    """
    found = words.find(word, words.EMOTIONS_BY_WORD)
    if found is None:
        raise LabelError(
            f"{label!r} stands for {word!r}{meant(word, EMOTIONS)}; known: {', '.join(EMOTIONS)}"
        )
    return found


def _row(
    cells: Mapping[str, str], said: Settings, meanings: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Values of one line, and what is wrong with it: column -> text."""
    wrong: dict[str, str] = {}
    row: dict[str, Any] = {
        column: (cell if cell.isascii() else unicodedata.normalize("NFC", cell)) or None
        for column, cell in cells.items()
        if column not in _COMPUTED
    }
    for column in ("path", "speaker"):
        if not cells[column] or cells[column].casefold() in _NO_NUMBER:
            wrong[column] = f"{cells[column] or 'empty'}; every utterance needs one"
    for column in _NUMBERS:
        row[column] = _number(cells.get(column, ""), column, wrong)
    for rating, (low, high) in said.scale.items():
        if row[rating] < low or row[rating] > high:
            wrong[rating] = f"{row[rating]:g} is not on the scale from {low:g} to {high:g} of corpus.toml"
        threshold = f"{rating}_threshold"
        if threshold in _THRESHOLDS and math.isnan(row[threshold]):
            row[threshold] = (low + high) / 2
    for column, known in _WORDS.items():
        if row.get(column):
            found = words.find(row[column], known)
            if found is None:
                choices = ", ".join(dict.fromkeys(known.values()))
                wrong[column] = f"{row[column]!r} is not one of {choices}; leave it empty if unknown"
            row[column] = found
    if not row.get("channel"):
        row["channel"] = said.channel or audio.MIX
    row["language"] = row.get("language") or said.language or None
    if row["language"] and not settings.is_language(row["language"]):
        wrong["language"] = f"{row['language']!r} is no BCP 47 tag, such as it, fr-CA or zh-Hant"
    start, end = row["start"], row["end"]
    if start < 0 or end <= (0 if math.isnan(start) else start):
        wrong["end"] = f"start {start:g} and end {end:g} enclose nothing"
    row["native_label"] = row["native_emotion"] = _word(row, meanings, wrong)
    row["utterance"] = row.get("utterance") or _name(row)
    return row, wrong


def _number(cell: str, column: str, wrong: dict[str, str]) -> float:
    if not cell or cell.casefold() in _NO_NUMBER:
        return math.nan
    if not _NUMBER.fullmatch(cell) or math.isinf(number := float(cell)):
        wrong[column] = f"{cell!r} is not a number (with a decimal point)"
        return math.nan
    return number


def _word(row: Mapping[str, Any], meanings: Mapping[str, str], wrong: dict[str, str]) -> str | None:
    """Word of the vocabulary for a row."""
    label, emotion = row["label"], row.get("emotion")
    if not label and not emotion:
        if all(math.isnan(row[rating]) for rating in RATINGS) and not set(RATINGS) & wrong.keys():
            wrong["label"] = "empty; give a label or a rating"
        return None
    word = words.find(label, meanings) if label else None
    word = word or words.find(emotion or label, words.EMOTIONS_BY_WORD)
    if word is None:
        known = [*words.EMOTIONS_BY_WORD, *meanings]
        said = emotion or label
        through = f" (emotion {emotion!r})" if emotion and emotion != label else ""
        wrong["label"] = f"{label!r}{through} is no emotion serlab knows{meant(words.plain(said), known)}"
    return word


def _name(row: Mapping[str, Any]) -> str:
    """Name of an utterance that has none: its path without suffix, and the times of a cut."""
    stem = posixpath.splitext((row["path"] or "").replace("\\", "/"))[0].removeprefix("./")
    if math.isnan(row["start"]) and math.isnan(row["end"]):
        return stem
    first = 0.0 if math.isnan(row["start"]) else row["start"]
    last = "end" if math.isnan(row["end"]) else f"{row['end']:.3f}"
    return f"{stem}@{first:.3f}-{last}"


def _same_names(rows: list[annotating.Row]) -> list[Problem]:
    """Utterances with the name of an earlier one."""
    seen: dict[str, tuple[int, tuple]] = {}
    problems = []
    for line, row in rows:
        recording = annotating.recording(row)
        first, named = seen.setdefault(row["utterance"], (line, recording))
        if named != recording:
            text = (
                f"{row['utterance']!r} is the name of line {first}, too; make the column 'utterance' unique"
            )
            problems.append(Problem(line, text, "utterance"))
    return problems


def _finished(path: Path, name: str, rows: list[dict[str, Any]], sheet: Sheet) -> pd.DataFrame:
    """The table of all rows, with what files say."""
    table = pd.DataFrame(rows)
    missing = table[NOTES] == locating.MISSING
    if missing.all():
        raise CorpusError(
            f"{path}: none of the {table['path'].nunique()} files is there, the first is "
            f"{table['path'].iloc[0]}; relative paths start at {path.parent}"
        )
    seconds = durations(table.loc[~missing, "path"])
    whole = table["path"].map(seconds).astype(float)
    # As labelled, where the file is missing: there is nothing to measure it by.
    table["duration"] = table["end"].fillna(whole) - table["start"].fillna(0.0)
    table.loc[~missing & whole.isna(), "duration"] = math.nan
    notes = ["; ".join(filter(None, (note, *sheet.notes))) or None for note in table[NOTES]]
    table = table.drop(columns=NOTES)
    if any(notes):
        table[NOTES] = notes
    for column in _THRESHOLDS:
        if table[column].isna().all():
            table = table.drop(columns=column)
    if (table["channel"] == audio.MIX).all():
        table = table.drop(columns="channel")
    for column in _PREFIXED:
        if column in table:
            known = table[column].notna()
            table.loc[known, column] = name + "/" + table.loc[known, column].astype(str)
    return table.assign(corpus=name, utterance=name + "/" + table["utterance"])
