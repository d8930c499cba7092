"""audformat: a header ``db.yaml`` and tables ``db.<table>.csv`` or ``.parquet``, media beside them.

Format: https://audeering.github.io/audformat (Wagner et al., audEERING). It is read and
written here without that package: its own reader unpickles cached tables, and makes objects of
the header. Tables that are there as ``.pkl`` only are refused with what to do.

Reading joins tables by file and segment: those with a label or a rating say which utterances
there are; of tables of whole files, what they say holds for each segment. Labels of a scheme that
are a table or a mapping (speakers with gender and language) become columns. A split is that of
the table (``split_id``). Limits of a rating's scheme are its scale.

Writing makes a table ``utterances`` of all columns, one for each part of a split. Times are written
in whole nanoseconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from serlab.corpora import texts, words
from serlab.corpora.base import Corpus
from serlab.corpora.exchange.base import (
    LANGUAGES,
    Imported,
    copied,
    export_rows,
    filled,
    inside,
    roles,
    sex,
    text,
    write_rows,
)
from serlab.corpora.settings import RATINGS, Settings, is_language
from serlab.errors import CorpusError
from serlab.files import write_text

HEADER = "db.yaml"
_MOST_HEADER = 20 * 1024**2
_KEYS = ("file", "start", "end")
#: Names of splits here and there.
_PARTS = {"train": "train", "validation": "dev", "test": "test"}


def read(
    folder: Path,
    *,
    columns: Mapping[str, str] | None = None,
    tables: tuple[str, ...] = (),
    into: Path | None = None,
) -> Imported:
    """Read a database.

    Parameters
    ----------
    folder : Path
        With ``db.yaml``.
    columns : mapping of str to str, optional
        Column of corpus.csv -> column of the database, where its name is unusual.
    tables : tuple of str
        Tables to read; all by default.
    into : Path, optional
        Not used: audio stays where it is.

    Raises
    ------
    CorpusError
        If a file is missing or malformed, or tables contradict each other.
    """
    header = _header(folder / HEADER)
    said = _mapping(header, "tables")
    unknown = [name for name in tables if name not in said]
    if unknown:
        raise CorpusError(f"{folder / HEADER} has no table {unknown[0]!r}; it has {', '.join(said)}")
    read_tables = {name: _table(folder, name, said[name]) for name in (tables or said)}
    chosen = roles((c for found in read_tables.values() for c in found.columns), columns or {})
    values: dict[tuple, dict[str, str]] = {}
    of_files: dict[str, dict[str, str]] = {}
    deciding = {chosen[role] for role in ("label", "emotion", *RATINGS) if role in chosen}
    if not any(deciding & {*found.columns} for found in read_tables.values()):
        raise CorpusError(
            f"{folder / HEADER}: no table has a column for label, nor for a rating; name it (label=COLUMN)"
        )
    for name, found in read_tables.items():
        split = _split(header, said[name])
        for key, cells in zip(found.index, found.to_dict("records"), strict=True):
            # NaN is not itself: what is not there is None in a key.
            key = tuple(part if isinstance(part, str) or not math.isnan(part) else None for part in key)
            decides = any(cells.get(column) for column in deciding)
            of_file = key[1:] == (None, None) and not decides
            goes = of_files.setdefault(key[0], {}) if of_file else values.setdefault(key, {})
            for column, cell in {**cells, **({"split": split} if split else {})}.items():
                if cell and goes.setdefault(column, cell) != cell:
                    raise CorpusError(
                        f"{folder}: tables contradict each other in {column!r} of {key[0]}: {goes[column]!r} "
                        f"and {cell!r} (in {name!r}); choose one with --table"
                    )
    deciders = {key: own for key, own in values.items() if any(own.get(column) for column in deciding)}
    schemes = _attributes(folder, header, said)
    rows = [
        _row(folder, key, {**of_files.get(key[0], {}), **own}, chosen, schemes)
        for key, own in deciders.items()
    ]
    return Imported(rows=tuple(rows), settings=_settings(header, chosen, said))


def write(table: pd.DataFrame, folder: Path, *, corpus: Corpus, audio: bool = True) -> Path:
    """Write utterances of one corpus as a database.

    Parameters
    ----------
    table : DataFrame
        See :mod:`serlab.data`.
    folder : Path
        New or empty.
    corpus : Corpus
        What is said of it.
    audio : bool
        Copy the audio, too; tables name it by where it would lie.

    Returns
    -------
    Path
        The header.
    """
    rows = list(export_rows(table))
    places = copied([row["path"] for row in rows], folder) if audio else _places(rows)
    segmented = bool(table[["start", "end"]].notna().any(axis=None))
    columns = [c for c in dict.fromkeys(c for row in rows for c in row) if c not in ("path", "start", "end")]
    numbers = [c for c in columns if c in table and pd.api.types.is_float_dtype(table[c])]
    known = [c for c in filled(rows) if c in columns]
    header: dict[str, Any] = {
        "name": corpus.name,
        "description": corpus.title,
        "source": corpus.how_to_get,
        "usage": "other",
        "author": corpus.citation,
        "license": corpus.license,
        "schemes": {c: {"dtype": "float" if c in numbers else "str"} for c in known},
        "splits": {},
        "tables": {},
    }
    iso = {short: long for long, short in reversed(LANGUAGES.items())}
    if (language := corpus.language.split("-")[0]) in iso:
        header["languages"] = [iso[language]]
    for part in (None, *_PARTS):
        own = [row for row in rows if (row.get("split") or None) == part]
        if not own:
            continue
        name = "utterances" if part is None else f"utterances.{part}"
        header["tables"][name] = {
            "type": "segmented" if segmented else "filewise",
            **({"split_id": part} if part else {}),
            "columns": {c: {"scheme_id": c} for c in known},
        }
        if part:
            header["splits"][part] = {"type": _PARTS[part]}
        write_rows(
            folder / f"db.{name}.csv",
            [_written(row, folder, places) for row in own],
            columns=["file", *(("start", "end") if segmented else ()), *known],
        )
    if not header["splits"]:
        del header["splits"]
    write_text(folder / HEADER, yaml.safe_dump(header, sort_keys=False, allow_unicode=True))
    return folder / HEADER


def _places(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["path"]: row["path"] for row in rows}


def _written(row: dict, folder: Path, places: Mapping[str, str]) -> dict:
    place = Path(places[row["path"]])
    name = (
        place.relative_to(folder).as_posix() if place.is_relative_to(folder) else place.as_posix().lstrip("/")
    )
    start = 0.0 if math.isnan(row["start"]) else row["start"]
    return {**row, "file": name, "start": _timedelta(start), "end": _timedelta(row["end"])}


def _timedelta(seconds: float) -> str:
    if math.isnan(seconds):
        return ""
    whole, rest = divmod(round(seconds * 1e9), 10**9)
    return f"0 days {whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{rest:09}"


def _header(path: Path) -> dict[str, Any]:
    content = texts.read(path, remedy="get the database again")
    if len(content) > _MOST_HEADER:
        raise CorpusError(f"{path} has {len(content):,} characters, too many for a header")
    try:
        header = yaml.safe_load(content)
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, AttributeError) as error:
        raise CorpusError(f"{path}: no YAML that a database has ({error}); get the database again") from None
    if not isinstance(header, dict):
        raise CorpusError(f"{path}: no header of a database; get the database again")
    return header


def _mapping(of: Mapping[str, Any], key: str) -> dict[str, dict]:
    """A mapping of mappings in a header; what is none of that kind is left out."""
    found = of.get(key)
    if not isinstance(found, dict):
        return {}
    return {str(name): value if isinstance(value, dict) else {} for name, value in found.items()}


def _table(folder: Path, name: str, said: Mapping[str, Any]) -> pd.DataFrame:
    """Cells of a table as text, indexed by file, start and end in seconds."""
    cells = _cells(folder, name)
    if "file" not in cells.columns:
        raise CorpusError(f"{folder}, table {name!r}: no column 'file'; get the database again")
    times = {}
    for column in ("start", "end"):
        given = cells[column] if column in cells.columns else pd.Series("", index=cells.index)
        parsed = pd.to_timedelta(given.mask(given == ""), errors="coerce").dt.total_seconds()
        wrong = parsed.isna() & (given != "")
        if wrong.any():
            line = wrong.to_numpy().argmax() + 2
            raise CorpusError(f"{folder}, table {name!r}, line {line}: {given[wrong].iloc[0]!r} is no time")
        times[column] = parsed
    # From the beginning to the end is the whole file.
    times["start"] = times["start"].mask((times["start"] == 0) & times["end"].isna())
    index = pd.MultiIndex.from_arrays([cells["file"], times["start"], times["end"]], names=_KEYS)
    if index.has_duplicates:
        raise CorpusError(f"{folder}, table {name!r}: {index[index.duplicated()][0]} stands there twice")
    return cells.drop(columns=[*_KEYS], errors="ignore").set_index(index)


def _cells(folder: Path, name: str) -> pd.DataFrame:
    path = inside(folder, f"db.{name}")
    if path is None or "/" in name or "\\" in name:
        raise CorpusError(f"{folder / HEADER}: {name!r} cannot be the name of a table")
    as_csv, as_parquet, pickled = (
        path.with_name(f"{path.name}.{ending}") for ending in ("csv", "parquet", "pkl")
    )
    if as_csv.exists():
        sheet = texts.sheet(as_csv, separator=",")
        texts.refuse(as_csv, sheet.problems)
        return pd.DataFrame([cells for _, cells in sheet.rows], columns=list(sheet.columns), dtype=object)
    if as_parquet.exists():
        return parquet_cells(as_parquet)
    if pickled.exists():
        raise CorpusError(
            f"{pickled}: a pickled table can run code when it is read, so it is not. Where you trust it, let "
            'audformat write it anew: audformat.Database.load(folder).save(folder, storage_format="csv")'
        )
    raise CorpusError(f"{as_csv} is missing (and no .parquet in its place); get the database again")


def parquet_cells(path: Path) -> pd.DataFrame:
    """A Parquet file as text, times in their long form; empty for what is missing."""
    import pyarrow
    from pyarrow import parquet

    texts.refuse_irregular(path)
    try:
        table = parquet.read_table(path).to_pandas(ignore_metadata=True)
    except (OSError, ValueError, TypeError, KeyError, pyarrow.ArrowException) as error:
        raise CorpusError(f"{path} cannot be read as Parquet ({error}); get the file again") from None
    return pd.DataFrame(
        {str(c): table[c].astype(object).where(table[c].notna(), "").map(text) for c in table.columns},
        dtype=object,
    )


def _split(header: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    found = _mapping(header, "splits").get(str(said.get("split_id")), {})
    return words.find(str(found.get("type", "")), words.SPLITS) or ""


def _attributes(
    folder: Path, header: Mapping[str, Any], said: Mapping[str, dict]
) -> dict[str, dict[str, dict]]:
    """Column -> its label -> what a mapping or a table says of the label."""
    schemes, found = _mapping(header, "schemes"), {}
    for one in said.values():
        for column, about in _mapping(one, "columns").items():
            given = schemes.get(str(about.get("scheme_id")), {}).get("labels")
            if isinstance(given, dict):
                found[column] = {str(k): v for k, v in given.items() if isinstance(v, dict)}
            elif isinstance(given, str) and given in _mapping(header, "misc_tables"):
                cells = _cells(folder, given)
                rows = cells.to_dict("records")
                found[column] = (
                    {str(row[cells.columns[0]]): row for row in rows} if len(cells.columns) else {}
                )
    return found


def _row(
    folder: Path,
    key: tuple,
    own: dict[str, str],
    chosen: Mapping[str, str],
    schemes: Mapping[str, dict[str, dict]],
) -> dict[str, Any]:
    """Row of corpus.csv."""
    file, *times = key
    start, end = (math.nan if time is None else time for time in times)
    path = inside(folder, file)
    if path is None:
        raise CorpusError(f"{folder}: file {file!r} does not lie below the database; correct its tables")
    row: dict[str, Any] = {"path": str(path), "start": start, "end": end}
    row |= {role: own.pop(column) for role, column in chosen.items() if column in own}
    about = schemes.get(chosen.get("speaker", ""), {}).get(row.get("speaker", ""), {})
    for name, value in about.items():
        role = next((r for r in ("sex", "language") if name.lower() in ("gender", r)), name)
        if text(value) and name != chosen.get("speaker"):
            row.setdefault(role, text(value))
    if "sex" in row:
        row["sex"] = sex(row["sex"])
    if "language" in row:
        row["language"] = _language(row["language"])
    return {**row, **own}


def _language(tag: str) -> str:
    found = LANGUAGES.get(tag.lower(), tag)
    return found if is_language(found) else ""


def _settings(header: Mapping[str, Any], chosen: Mapping[str, str], said: Mapping[str, dict]) -> Settings:
    schemes, scale = _mapping(header, "schemes"), {}
    for rating in RATINGS:
        for one in said.values():
            about = _mapping(one, "columns").get(chosen.get(rating, ""), {})
            limits = schemes.get(str(about.get("scheme_id")), {})
            low, high = limits.get("minimum"), limits.get("maximum")
            if not (isinstance(low, int | float) and isinstance(high, int | float)):
                continue
            if -math.inf < low < high < math.inf:
                scale[rating] = (float(low), float(high))
    spoken = header.get("languages")
    language = _language(str(spoken[0])) if isinstance(spoken, list) and len(spoken) == 1 else ""

    def plain(key: str) -> str:
        return str(header[key]).strip() if isinstance(header.get(key), (str, int, float)) else ""

    title = plain("description")
    return Settings(
        name=title if 0 < len(title) < 100 else plain("name"),
        language=language, license=plain("license"), citation=plain("author") or plain("source"), scale=scale,
    )  # fmt: skip
