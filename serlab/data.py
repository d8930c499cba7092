"""Utterances: the one table that every other part of serlab starts from.

A plain :class:`pandas.DataFrame`, one row an utterance, indexed by
``utterance`` (for example ``"emodb/03a01Fa"``). Missing values are NaN (or
None in text columns), never a magic value.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs

from serlab import contents
from serlab.errors import CorpusError

#: Column -> dtype. Corpora may add columns (``intensity``, ``repetition``). Where ratings are cut in two,
#: ``arousal_threshold`` and ``valence_threshold`` are the ratings above which the upper half starts.
COLUMNS: dict[str, str] = {
    "corpus": "object",
    "path": "object",  # absolute path of the audio file
    "start": "float64",  # seconds into the file; NaN: the whole file
    "end": "float64",  # seconds into the file; NaN: the whole file
    "speaker": "object",  # unique across corpora: "emodb/03"
    "sex": "object",  # "female", "male" or None
    "language": "object",  # BCP 47 ("de", "fr-CA"); synthetic languages "x-..."
    "native_label": "object",  # the publisher's own label, untouched
    "native_emotion": "object",  # the word of serlab.labels.EMOTIONS that it stands for
    "arousal": "float64",
    "valence": "float64",
    "dominance": "float64",
    "text_id": "object",  # same value: same sentence; "emodb/a01"
    "session": "object",  # recorded together; a speaker may have several
    "split": "object",  # the publisher's or one's own: "train", "validation", "test" or None
    "duration": "float64",  # seconds
}


def utterances(rows: Sequence[dict] | pd.DataFrame) -> pd.DataFrame:
    """Make a checked utterance table from rows.

    Parameters
    ----------
    rows : sequence of dict, or DataFrame
        Each row has ``utterance`` and any of :data:`COLUMNS`; what a corpus
        does not say is left out and becomes missing. Further keys are kept as
        further columns.

    Returns
    -------
    DataFrame
        Sorted by index, so that the order of a folder listing never matters.

    Raises
    ------
    CorpusError
        If there are no rows, or an utterance name occurs twice.

    Examples
    --------
    >>> rows = [{"utterance": "a/2", "speaker": "a/ben"}, {"utterance": "a/1", "speaker": "a/anna"}]
    >>> utterances(rows)["speaker"].to_dict()
    {'a/1': 'a/anna', 'a/2': 'a/ben'}
    """
    table = pd.DataFrame(rows).copy()
    if table.empty:
        raise CorpusError("no utterances: the table is empty")
    if "utterance" in table.columns:
        table = table.set_index("utterance")
    table.index.name = "utterance"
    repeated = table.index[table.index.duplicated()]
    if len(repeated):
        raise CorpusError(
            f"utterance {repeated[0]!r} occurs more than once "
            f"({len(repeated)} repeats in all); utterance names must be unique"
        )
    for column, dtype in COLUMNS.items():
        if column not in table.columns:
            table[column] = np.nan if dtype == "float64" else None
        if dtype == "float64":
            table[column] = table[column].astype("float64")
        else:
            table[column] = table[column].astype(object).where(table[column].notna(), None)
    further = [column for column in table.columns if column not in COLUMNS]
    return table[[*COLUMNS, *further]].sort_index()


def concatenate(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Stack utterance tables of several corpora into one.

    Raises
    ------
    CorpusError
        If an utterance occurs in two of them.
    """
    # Row by row: pd.concat would guess the types of columns that one table has nothing in.
    rows = [row for table in tables for row in table.reset_index().to_dict("records")]
    return utterances(rows)


def data_root(data: str | os.PathLike | None = None) -> Path:
    """Folder that holds one folder per corpus.

    ``data`` if given, else the environment variable ``SERLAB_DATA``, else
    ``./data``. The folder need not exist: the synthetic corpora live without it.
    """
    return Path(data or os.environ.get("SERLAB_DATA") or "data").expanduser().resolve()


def cache_root() -> Path:
    """Folder for what serlab can make again: features, synthetic corpora.

    The environment variable ``SERLAB_CACHE``, else the user's cache folder of
    this operating system. The folder need not exist.
    """
    chosen = os.environ.get("SERLAB_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    return platformdirs.user_cache_path("serlab", appauthor=False)


#: Where the audio lies, what follows from it, and what a reader said of a row: no part of a fingerprint.
_NOT_CONTENT = ("path", "duration", "read_notes")


def fingerprint(table: pd.DataFrame, *, cache: Path | None = None) -> str:
    """Short hash that changes when the data behind a result changes.

    Covers the content of every audio file and every column, since each may
    change a split or a label: names, speakers, sessions, sex, sentences,
    labels, ratings and where they are cut in two, given splits, cuts, columns
    of one's own. A column without any value is as good as none. Not covered is
    where the files lie.

    Parameters
    ----------
    table : DataFrame
        Utterances.
    cache : path, optional
        Folder where hashes of unchanged files are remembered, see
        :mod:`serlab.contents`; default :func:`cache_root`.

    Returns
    -------
    str
        12 hexadecimal digits.
    """
    table = table.sort_index()
    paths = known(table["path"]) if "path" in table else np.full(len(table), None)
    # A labelled utterance may lack its file (IEMOCAP); that is a difference too.
    found = contents.digests({path for path in paths if path}, cache=cache or cache_root()).digests
    content: list[str | None] = [found.get(path) for path in paths]
    columns = {"": [str(name) for name in table.index], "audio": content}
    for name in sorted(set(table.columns) - {*_NOT_CONTENT}, key=str):
        cells = [_written(cell) for cell in table[name].tolist()]
        if any(cell is not None for cell in cells):
            columns[f"column {name}"] = cells
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:12]


def _written(cell: object) -> str | None:
    """A cell as text, None if it is missing; a number is the same whether it was read as whole or not."""
    if isinstance(cell, int | float | np.number):
        return None if cell != cell else repr(float(cell))
    return None if cell is None or cell is pd.NA or cell is pd.NaT else str(cell)


def known(column: pd.Series) -> np.ndarray:
    """Values of a column as objects, None where one is not known; shape (n,)."""
    return column.astype(object).where(column.notna(), None).to_numpy()
