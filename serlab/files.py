"""Files that are either whole or not there, and the hashes that tell that they are the right ones."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

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
