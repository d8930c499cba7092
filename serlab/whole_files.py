"""Files that are either whole or not there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8; a reader sees the old content or the new, nothing between."""
    unfinished = _unfinished(path)
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet or CSV, by the ending of ``path``; CSV without its index."""
    unfinished = _unfinished(path)
    if path.suffix == ".parquet":
        table.to_parquet(unfinished)
    else:
        table.to_csv(unfinished, index=False)
    os.replace(unfinished, path)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as a .npz file; numbers, no objects, so that reading it needs no pickle."""
    unfinished = _unfinished(path)
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)
    os.replace(unfinished, path)


def _unfinished(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{path.name}.{os.getpid()}.tmp")
