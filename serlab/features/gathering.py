"""Where features of many utterances are put together: in memory, or on disk where there are more.

Utterances come in any order. Nothing is held twice, and of sequences no padding.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from serlab.errors import SerlabError
from serlab.features.base import FeatureSet
from serlab.sequences import IN_MEMORY, Sequences, Writer


class Vectors:
    """A matrix (n, d) of float32; mapped from a file without a name where it is large."""

    def __init__(self, n_rows: int, n_features: int, *, folder: Path) -> None:
        self._values = _matrix(n_rows, n_features, folder)

    def put(self, position: int, values: np.ndarray) -> None:
        self._values[position] = values

    def of(self, positions: np.ndarray) -> np.ndarray:
        """The rows at some positions, which rise; they take the place of all rows."""
        if len(positions) < len(self._values):
            for row, position in enumerate(positions):
                self._values[row] = self._values[position]
        return self._values[: len(positions)]


class Frames:
    """Sequences (t, d), one behind the other."""

    def __init__(self, n_rows: int, n_features: int, *, folder: Path) -> None:
        self._writer = Writer(n_features, folder=folder)
        self._row = np.full(n_rows, -1)

    def put(self, position: int, values: np.ndarray) -> None:
        self._row[position] = self._writer.append(values)

    def of(self, positions: np.ndarray) -> Sequences:
        """Those at some positions."""
        return Sequences.of_store(self._writer.store(), self._row[positions])


def start(features: FeatureSet, *, n_rows: int, n_features: int, folder: Path) -> Vectors | Frames:
    """An empty place for so many utterances; a file it may need lies in ``folder``."""
    kind = Vectors if features.kind == "vectors" else Frames
    return kind(n_rows, n_features, folder=folder)


def _matrix(n_rows: int, n_columns: int, folder: Path) -> np.ndarray:
    size = 4 * n_rows * n_columns
    if size <= IN_MEMORY:
        return np.empty((n_rows, n_columns), dtype=np.float32)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # Taken now: a full disk would end the process when a page is written.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            return np.asarray(np.memmap(file, dtype=np.float32, mode="r+", shape=(n_rows, n_columns)))
    except OSError as error:
        raise SerlabError(
            f"{n_rows} x {n_columns} features ({size / 1e9:.1f} GB) do not fit into {folder} "
            f"({error.strerror}); set SERLAB_CACHE to a folder with space"
        ) from error
