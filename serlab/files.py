"""Files that are either whole or not there, and the hashes that tell that they are the right ones."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import struct
import tempfile
import uuid
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serlab.errors import SerlabError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file to write to, that takes the place of ``path`` at the end; gone if that is not reached.

    Its name is one of its own: threads share a process id, and containers on one volume have the same.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """Refuse before hours of work what cannot be written at their end.

    Parameters
    ----------
    folder : Path
        To be made, or there; what is made of it here goes away again.

    Raises
    ------
    SerlabError
        Naming it, and what the system says.
    """
    try:
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryDirectory(prefix=".serlab-", dir=there) as made:
            (Path(made) / "a").write_bytes(bytes(4096))
    except OSError as error:
        raise SerlabError(
            f"{folder} cannot be written ({error.strerror}); choose another folder, or free some space"
        ) from None


def set_aside(path: Path, why: str) -> Path:
    """Rename what cannot be used to ``<name>.damaged``, with a warning: nobody is stopped by it twice.

    Parameters
    ----------
    path : Path
        File or folder.
    why : str
        What is wrong, and what is done now: "not a whole checkpoint; the training begins again".

    Returns
    -------
    Path
        Where it is now; what an earlier one left there is replaced.
    """
    aside = path.with_name(f"{path.name}.damaged")
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside)
    os.replace(path, aside)
    warnings.warn(f"{path.name} is {why}; set aside as {aside.name}", stacklevel=3)
    return aside


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8; a reader sees the old content or the new, nothing between."""
    with whole(path) as unfinished:
        # A name of a file that is not UTF-8 is written as its bytes are, in place of ending the page.
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_table(path: Path, table: pd.DataFrame, **options: object) -> None:
    """Write a table as Parquet or CSV, by the ending of ``path``; CSV as :func:`csv_text` writes it.

    Parquet with a checksum of every page, for :func:`read_parquet`; ``options`` are those of
    pandas (``compression``).
    """
    with whole(path) as unfinished:
        if path.suffix == ".parquet":
            table.to_parquet(unfinished, engine="pyarrow", write_page_checksum=True, **options)
        else:
            _guarded(table).to_csv(unfinished, index=False, errors="backslashreplace", **options)


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV, without its index, for people who open it in a spreadsheet.

    Text that a spreadsheet would compute (``=HYPERLINK(...)``, ``@SUM(A1)``) gets an apostrophe in front,
    which makes it text there; names of corpora and speakers come from anywhere. Numbers stay as they are.

    Examples
    --------
    >>> import pandas as pd
    >>> print(csv_text(pd.DataFrame({"speaker": ["=1+1", "ann"], "gain": ["-0.10", "+0.20"]})), end="")
    speaker,gain
    '=1+1,-0.10
    ann,+0.20
    """
    return _guarded(table).to_csv(index=False)


def _guarded(table: pd.DataFrame) -> pd.DataFrame:
    """A table, in whose text a spreadsheet finds nothing to compute."""
    found = table.rename(columns=_guarded_cell)
    for place in range(found.shape[1]):
        column = found.iloc[:, place]
        if column.dtype.kind in "biufcmM":
            continue
        written = {value: _guarded_cell(value) for value in column.unique() if isinstance(value, str)}
        changed = {value for value, text in written.items() if text != value}
        if changed:
            texts = [written.get(value, value) if isinstance(value, str) else value for value in column]
            found.isetitem(place, texts)
    return found


#: What begins a formula in one spreadsheet or another, its full-width forms among them.
_COMPUTED = ("=", "+", "-", "@", "\t", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def _guarded_cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Python's csv leaves a carriage return unquoted, and what follows it would begin a row.
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    if len(value) < 2 or not value.lstrip(" \ufeff").startswith(_COMPUTED):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


class DamagedFile(SerlabError):
    """A file that serlab has written is not what it has written."""


def write_parts(path: Path, parts: Iterable[pd.DataFrame], **options: object) -> None:
    """Write a table as Parquet, of which a part at a time is in memory; else as :func:`write_table`.

    Parameters
    ----------
    path : Path
    parts : iterable of DataFrame
        At least one, all with the columns of the first; without an index.
    **options
        Of Parquet (``compression``).
    """
    import pyarrow
    from pyarrow import parquet

    with whole(path) as unfinished, ExitStack() as stack:
        writer = None
        for part in parts:
            rows = pyarrow.Table.from_pandas(part, preserve_index=False)
            if writer is None:
                writer = parquet.ParquetWriter(unfinished, rows.schema, write_page_checksum=True, **options)
                stack.enter_context(writer)
            writer.write_table(rows.cast(writer.schema))


def read_parquet(path: Path, *, names: Collection[str] = ()) -> pd.DataFrame:
    """A table of :func:`write_table` or :func:`write_parts`.

    Parameters
    ----------
    path : Path
    names : collection of str
        Columns of text with few values, to be read as categoricals.

    Raises
    ------
    DamagedFile
        If it is cut, or a byte of it was changed.
    """
    import pandas as pd
    import pyarrow
    from pyarrow import parquet

    try:
        kinds = parquet.read_schema(path) if names else ()
        return pd.read_parquet(
            path,
            engine="pyarrow",
            page_checksum_verification=True,
            read_dictionary=[kind.name for kind in kinds if kind.name in names and _is_text(kind.type)],
            # Each column is let go of when it is converted: else a table is there twice.
            to_pandas_kwargs={"split_blocks": True, "self_destruct": True},
        )
    except (pyarrow.ArrowException, ValueError, KeyError, TypeError) as error:
        raise DamagedFile(f"{path} is damaged ({_first_line(error)})") from None
    except OSError as error:
        if error.errno is not None:  # the disk, or permissions: not what is in it
            raise
        raise DamagedFile(f"{path} is damaged ({_first_line(error)})") from None


def _is_text(kind: pyarrow.DataType) -> bool:
    return str(kind) in ("string", "large_string")


def write_tables(path: Path, tables: Mapping[str, pd.DataFrame], *, facts: Mapping[str, object]) -> None:
    """Write several tables and what is to be known of them as one file: whole or not there, all together.

    A .zip that is not compressed again, with a Parquet file for each table and ``facts.json``.

    Parameters
    ----------
    path : Path
    tables : mapping of str to DataFrame
    facts : mapping of str to JSON value
    """
    with whole(path) as unfinished, zipfile.ZipFile(unfinished, "w") as archive:
        archive.writestr("facts.json", json.dumps(facts, ensure_ascii=False))
        for name, table in tables.items():
            content = io.BytesIO()
            table.to_parquet(content, engine="pyarrow", compression="zstd")
            archive.writestr(f"{name}.parquet", content.getvalue())


def read_facts(path: Path) -> dict[str, Any]:
    """``facts`` of a file of :func:`write_tables`, without its tables.

    Raises
    ------
    DamagedFile
        If it is cut, or a byte of it was changed.
    """
    with _opened(path) as archive:
        facts = json.loads(archive.read("facts.json"))
        if not isinstance(facts, dict):
            raise ValueError("facts.json is not an object")
    return facts


def read_tables(path: Path) -> dict[str, pd.DataFrame]:
    """Tables of a file of :func:`write_tables`, by their names.

    Raises
    ------
    DamagedFile
        If it is cut, or a byte of it was changed.
    """
    import pandas as pd

    with _opened(path) as archive:
        return {
            name.removesuffix(".parquet"): pd.read_parquet(io.BytesIO(archive.read(name)), engine="pyarrow")
            for name in archive.namelist()
            if name.endswith(".parquet")
        }


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive; what is wrong with it, or with what is done to it meanwhile, is a DamagedFile."""
    import pyarrow

    wrong = (
        zipfile.BadZipFile, zlib.error, pyarrow.ArrowException, ValueError, KeyError, TypeError, EOFError,
        NotImplementedError, RuntimeError, struct.error,
    )  # fmt: skip
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except wrong as error:
        raise DamagedFile(f"{path} is damaged ({_first_line(error)})") from None
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # the disk, or permissions: not what is in it
            raise
        raise DamagedFile(f"{path} is damaged ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as a .npz file; numbers, no objects, so that reading it needs no pickle."""
    import numpy as np

    with whole(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def sha256(path: Path) -> str:
    """Hash of a file, in hexadecimal; an unchanged file is read once."""
    state = path.stat()
    # The time of change as well: that of modification can be set back.
    return _sha256(path, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)


@lru_cache(maxsize=64)
def _sha256(path: Path, *state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
