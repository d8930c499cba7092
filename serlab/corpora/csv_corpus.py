"""Anybody's corpus: one CSV file that names the audio files and their labels.

A row is an utterance. Columns (in any order; others are kept as they are):

==========  ========  ==========================================================
path        required  audio file; a relative path starts at the CSV file's folder
speaker     required  any name; made unique by putting the corpus' name before it
label       required  your label, see below
utterance   optional  unique name; else the path without suffix (and the times)
emotion     optional  word of ``serlab.labels.EMOTIONS`` for this label
sex         optional  female or male
language    optional  ISO 639-1, such as "it"
text_id     optional  same value: same sentence
session     optional  same value: recorded together
start, end  optional  seconds into the file, for utterances cut from recordings
arousal     optional  rating; so are valence and dominance
==========  ========  ==========================================================

A label is understood if it is itself a word of ``serlab.labels.EMOTIONS``
("anger"), if the column ``emotion`` gives that word, or if ``from_csv`` is
told (``emotions={"wütend": "anger"}``). In the table, ``native_label`` and
``native_emotion`` are the word and ``label`` is what the file said. A row with an empty label is allowed if
it has a rating. The columns ``arousal_threshold`` and ``valence_threshold`` say
above which rating the upper half starts, for the schemes ``arousal`` and ``valence``.

The separator is a comma, semicolon or tab: whichever occurs in the first line.
A file ``<data>/<name>/corpus.csv`` makes ``name`` a corpus like any other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from serlab import data
from serlab.corpora import files, texts
from serlab.corpora.base import Corpus
from serlab.errors import CorpusError, LabelError
from serlab.labels import EMOTIONS

FILE_NAME = "corpus.csv"
REQUIRED: tuple[str, ...] = ("path", "speaker", "label")
SEXES: tuple[str, ...] = ("female", "male")

_NUMBERS = ("start", "end", "arousal", "valence", "dominance")
_THRESHOLDS = ("arousal_threshold", "valence_threshold")
_PREFIXED = ("speaker", "text_id", "session")


def from_csv(
    path: Path | str, name: str | None = None, *, emotions: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read a corpus described by a CSV file.

    Parameters
    ----------
    path : path
        CSV file in UTF-8, see the top of this module for its columns.
    name : str, optional
        Name of the corpus; else the name of the file, or of the folder of a
        ``corpus.csv``.
    emotions : mapping of str to str, optional
        Label -> word of :data:`serlab.labels.EMOTIONS`. Wins over the column
        ``emotion``.

    Returns
    -------
    DataFrame
        Utterances, see :mod:`serlab.data`; ``native_label`` holds words of
        the vocabulary, ``label`` the labels of the file.

    Raises
    ------
    CorpusError
        Naming line and column of what is missing or malformed.
    LabelError
        Naming the line of a label that is not understood.
    """
    path = Path(path).expanduser().absolute()
    if not path.is_file():
        raise CorpusError(f"no such file: {path}; give the path of a CSV file")
    if name is None:
        name = path.parent.name if path.name == FILE_NAME else path.stem
    sheet = texts.sheet(path)
    texts.require(sheet, REQUIRED)
    texts.refuse(path, sheet.problems)
    rows = [_row(cells, name, emotions or {}, path, number) for number, cells in sheet.rows]
    if not rows:
        raise CorpusError(f"{path} has a header but no rows; add one row an utterance")
    return data.utterances(files.unique(rows, remedy="make the column 'utterance' unique"))


def installed(root: Path | str | None = None) -> dict[str, Corpus]:
    """Corpora below the data root that are described by a ``corpus.csv``."""
    paths = sorted(data.data_root(root).glob(f"*/{FILE_NAME}"))
    return {path.parent.name: corpus(path.parent.name) for path in paths}


def corpus(name: str) -> Corpus:
    """Corpus that lives in ``<data>/<name>/corpus.csv``."""
    return Corpus(
        name=name,
        title=f"{name} ({FILE_NAME})",
        language="und",  # ISO 639-2, undetermined: the file says it row by row
        citation="not stated",
        license="not stated: ask whoever made it",
        how_to_get=f"Write <data>/{name}/{FILE_NAME} with the columns {', '.join(REQUIRED)}.",
        layout=FILE_NAME,
        expected={},
        expected_speakers=0,
        reader=partial(_read_folder, name=name),
    )


def _read_folder(folder: Path, *, name: str) -> pd.DataFrame:
    return from_csv(folder / FILE_NAME, name)


def _row(cells: dict[str, str], name: str, emotions: Mapping[str, str], path: Path, line: int) -> dict:
    """Checked row of one line."""

    def wrong(column: str, why: str) -> CorpusError:
        return CorpusError(f"{path}, line {line}, column {column!r}: {why}")

    for column in ("path", "speaker"):
        if not cells[column]:
            raise wrong(column, "empty; every utterance needs one")
    row: dict = {column: cell or None for column, cell in cells.items()}
    for column in (*_NUMBERS, *(column for column in _THRESHOLDS if column in cells)):
        row[column] = math.nan
        if cells.get(column):
            try:
                row[column] = float(cells[column])
            except ValueError:
                raise wrong(column, f"{cells[column]!r} is not a number (with a decimal point)") from None
    if row.get("sex") not in (None, *SEXES):
        raise wrong("sex", f"{row['sex']!r} is not one of {', '.join(SEXES)}; leave it empty if unknown")
    if row["start"] < 0 or row["end"] <= (0 if math.isnan(row["start"]) else row["start"]):
        raise wrong("end", f"start {row['start']} and end {row['end']} enclose nothing")

    audio = path.parent / cells["path"]
    if not files.is_file(audio):
        raise wrong("path", f"no such file: {audio}; relative paths start at {path.parent}")
    duration = files.duration(audio)
    first = 0.0 if math.isnan(row["start"]) else row["start"]
    last = duration if math.isnan(row["end"]) else row["end"]

    word = _word(cells, emotions, path, line)
    cut = "" if not cells.get("start") and not cells.get("end") else f"@{first:.3f}-{last:.3f}"
    stem = Path(cells["path"]).with_suffix("").as_posix()
    return {
        **row,
        **{column: f"{name}/{row[column]}" for column in _PREFIXED if row.get(column)},
        "utterance": f"{name}/{row.get('utterance') or stem + cut}",
        "corpus": name,
        "path": str(audio),
        "duration": last - first,
        "native_label": word,
        "native_emotion": word,
    }


def _word(cells: dict[str, str], emotions: Mapping[str, str], path: Path, line: int) -> str | None:
    """Word of the vocabulary for a row."""
    label = cells["label"]
    if not label:
        if any(cells.get(rating) for rating in ("arousal", "valence", "dominance")):
            return None
        raise LabelError(f"{path}, line {line}, column 'label': empty; give a label or a rating")
    word = emotions.get(label) or cells.get("emotion") or label
    if word not in EMOTIONS:
        raise LabelError(
            f"{path}, line {line}, column 'label': {label!r} is read as {word!r}, which is no emotion serlab "
            f"knows. Add a column 'emotion' with one of: {', '.join(EMOTIONS)}"
        )
    return word
