"""A table that somebody else made: columns of other names, paths put together from several of them.

``serlab import table train_sent_emo.csv meld -c label=Emotion -c speaker=Speaker -c
path='train/dia{Dialogue_ID}_utt{Utterance_ID}.wav'``: what a column is called is found by usual names, or
said; ``path`` is a column, or a pattern in which columns stand in braces. Paths start at the table's folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serlab.corpora import texts
from serlab.corpora.exchange.base import Imported, roles, with_sexes
from serlab.corpora.texts import Sheet
from serlab.errors import CorpusError, ParameterError

#: Names that the column of paths usually has, in any case.
PATHS: tuple[str, ...] = (
    "path", "file", "file_name", "filename", "filepath", "file_path", "wav", "audio", "wav_path",
    "audio_path",
)  # fmt: skip

_FIELD = re.compile(r"\{([^{}]+)\}")


def read(
    folder: Path,
    *,
    columns: Mapping[str, str] | None = None,
    tables: tuple[str, ...] = (),
    into: Path | None = None,
) -> Imported:
    """Read a table.

    Parameters
    ----------
    folder : Path
        The CSV file, or the folder of the one that ``tables`` names.
    columns : mapping of str to str, optional
        Column of corpus.csv -> column of the table; ``path`` may be a pattern with columns in braces.
    tables : tuple of str
    into
        Of other formats: there is nothing to unpack.

    Raises
    ------
    ParameterError
        If no column holds paths, or what is asked for is not there.
    CorpusError
        If the table cannot be read.
    """
    asked = dict(columns or {})
    if len(tables) > 1:
        raise ParameterError("one table becomes one corpus; name one with --table, or import them one by one")
    path = folder / tables[0] if tables else folder
    sheet = texts.sheet(path)
    texts.refuse(path, sheet.problems)
    place = asked.pop("path", None) or _column_of_paths(sheet)
    chosen = roles(sheet.columns, asked)
    notes, left = [], {place}
    name = chosen.get("utterance")
    if name and "utterance" not in asked and len({cells[name] for _, cells in sheet.rows}) < len(sheet.rows):
        left.add(chosen.pop("utterance"))  # as in MELD, where it is what is said
        notes.append(
            f"column {name!r} is left out: it is not unique, so it names no utterances; if it is what is "
            f"said, -c text_id={name}"
        )
    rows = []
    for line, cells in sheet.rows:
        rest = dict(cells)
        own = {role: rest[column] for role, column in chosen.items()}
        for column in {*chosen.values(), *left}:
            rest.pop(column, None)
        rest = {column: cell for column, cell in rest.items() if column.lower() not in own}
        rows.append({"path": _path(path, line, place, cells), **own, **rest})
    with_sex, of_sex = with_sexes(rows)
    return Imported(rows=with_sex, notes=(*sheet.notes, *notes, *of_sex))


def _column_of_paths(sheet: Sheet) -> str:
    for name in PATHS:
        for column in sheet.columns:
            if column.lower() == name:
                return column
    raise ParameterError(
        f"{sheet.path}: which column names the recordings? Say it with -c path=COLUMN, or with a pattern: "
        f" -c path='audio/{{{sheet.columns[0] if sheet.columns else 'name'}}}.wav'; there are "
        f"{', '.join(sheet.columns)}"
    )


def _path(table: Path, line: int, place: str, cells: Mapping[str, Any]) -> str:
    """Absolute path of a row's recording; empty where the table says none."""
    if place in cells:
        return str(table.parent / cells[place].replace("\\", "/")) if cells[place] else ""
    if unknown := [name for name in _FIELD.findall(place) if name not in cells]:
        raise ParameterError(f"path {place!r}: no column {unknown[0]!r}; there are {', '.join(cells)}")
    if not _FIELD.search(place):
        raise ParameterError(f"path: no column {place!r}; there are {', '.join(cells)}")
    if empty := [name for name in _FIELD.findall(place) if not cells[name]]:
        raise CorpusError(f"{table}, line {line}: {empty[0]!r} is empty, and belongs to the name of the file")
    return str(table.parent / _FIELD.sub(lambda found: cells[found[1]], place))
