"""Files that are either whole or not there, and the hashes that tell that they are the right ones."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import struct
import uuid
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serlab.errors import SerlabError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


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
        unfinished.write_text(text, encoding="utf-8")


def write_table(path: Path, table: pd.DataFrame, **options: object) -> None:
    """Write a table as Parquet or CSV, by the ending of ``path``; CSV without its index.

    Parquet with a checksum of every page, for :func:`read_parquet`; ``options`` are those of
    pandas (``compression``).
    """
    with whole(path) as unfinished:
        if path.suffix == ".parquet":
            table.to_parquet(unfinished, engine="pyarrow", write_page_checksum=True, **options)
        else:
            table.to_csv(unfinished, index=False, **options)


class DamagedFile(SerlabError):
    """A file that serlab has written is not what it has written."""


def read_parquet(path: Path) -> pd.DataFrame:
    """A table of :func:`write_table`.

    Raises
    ------
    DamagedFile
        If it is cut, or a byte of it was changed.
    """
    import pandas as pd
    import pyarrow

    try:
        return pd.read_parquet(path, engine="pyarrow", page_checksum_verification=True)
    except (pyarrow.ArrowException, ValueError, KeyError, TypeError) as error:
        raise DamagedFile(f"{path} is damaged ({_first_line(error)})") from None
    except OSError as error:
        if error.errno is not None:  # the disk, or permissions: not what is in it
            raise
        raise DamagedFile(f"{path} is damaged ({_first_line(error)})") from None


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
