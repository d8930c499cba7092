"""Utterances of unequal length: as many numbers as they have frames, however long the longest is.

A dense array (n, t, d) of 100,000 utterances takes 12 GB, most of it padding.
Here an utterance is a row of a :class:`Store`: in memory while the store is
small, above that in a file without a name, of which only the frames asked for
are read. (Read, not mapped: pages of a mapped file count as memory of the
process.) :class:`Sequences` are some of the rows of stores, scaled as they are
read, and are indexed like an array; dense is what a batch of them becomes.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np

from serlab.errors import SerlabError

#: Bytes of a store above which it lies on disk.
IN_MEMORY = 2**28
#: Numbers held at a time where all of them are gone through (32 MB of float32).
BLOCK = 2**23


class _OnDisk:
    """Numbers in a file that nobody else sees, and that ends with the process."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._alone = threading.Lock()

    def read(self, start: int, out: np.ndarray) -> None:
        """Fill a contiguous array from a byte on."""
        into = memoryview(out.data).cast("B")
        done = 0
        while done < len(into):
            if hasattr(os, "preadv"):  # threads and forks share the place in a file, but not this
                n = os.preadv(self._file.fileno(), [into[done:]], start + done)
            else:
                with self._alone:
                    self._file.seek(start + done)
                    n = self._file.readinto(into[done:])  # type: ignore[attr-defined]
            if not n:
                raise SerlabError("a file of features has become shorter while it was read; run it again")
            done += n


@dataclass(frozen=True, eq=False)
class Store:
    """Frames of utterances, each of shape (lengths[row], n_features), float32.

    Attributes
    ----------
    lengths : ndarray of int64, shape (n,)
    n_features : int
    """

    lengths: np.ndarray
    n_features: int
    _held: list[np.ndarray] | None = field(default=None, repr=False)
    _disk: _OnDisk | None = field(default=None, repr=False)
    _starts: np.ndarray | None = field(default=None, repr=False)

    @classmethod
    def of(cls, utterances: Sequence[np.ndarray]) -> Store:
        """Of arrays of shape (frames, d), which are kept as they are; one at least."""
        held = [np.ascontiguousarray(utterance, dtype=np.float32) for utterance in utterances]
        return cls(np.array([len(part) for part in held], dtype=np.int64), held[0].shape[1], _held=held)

    @property
    def on_disk(self) -> bool:
        return self._disk is not None

    def read(self, row: int, out: np.ndarray) -> None:
        """Fill ``out``, shape (k, d) and contiguous, with the first k frames of an utterance."""
        if self._held is not None:
            out[...] = self._held[row][: len(out)]
        else:
            assert self._disk is not None and self._starts is not None
            self._disk.read(int(self._starts[row]), out)

    def get(self, row: int) -> np.ndarray:
        """Frames of an utterance; not to be written to."""
        if self._held is not None:
            return self._held[row]
        out = np.empty((int(self.lengths[row]), self.n_features), dtype=np.float32)
        self.read(row, out)
        return out

    @cached_property
    def facts(self) -> tuple[list[bytes], np.ndarray]:
        """Hash of each utterance, and whether all its numbers are finite; all are read once."""
        hashes, finite = [], np.empty(len(self.lengths), dtype=bool)
        for row in range(len(self.lengths)):
            values = self.get(row)
            hashes.append(hashlib.blake2b(np.ascontiguousarray(values).data, digest_size=16).digest())
            finite[row] = np.isfinite(values).all()
        return hashes, finite

    def __deepcopy__(self, memo: object) -> Store:
        return self  # nothing changes it

    def __reduce__(self) -> tuple[Any, ...]:
        # To another process: a file without a name cannot be opened there.
        return Store.of, ([self.get(row) for row in range(len(self.lengths))],)


class Writer:
    """Makes a store, one utterance after the other.

    Parameters
    ----------
    n_features : int
    folder : Path, optional
        Where the file lies if it comes to one; default: that of temporary files.
    in_memory : int
        Bytes above which it does.
    """

    def __init__(self, n_features: int, *, folder: Path | None = None, in_memory: int = IN_MEMORY) -> None:
        self._n_features, self._folder, self._limit = n_features, folder, in_memory
        self._lengths: list[int] = []
        self._held: list[np.ndarray] = []
        self._file: IO[bytes] | None = None
        self._bytes = 0

    def append(self, utterance: np.ndarray) -> int:
        """Keep an utterance, shape (frames, d); its row.

        Raises
        ------
        SerlabError
            If the disk is full.
        """
        values = np.ascontiguousarray(utterance, dtype=np.float32)
        self._lengths.append(len(values))
        self._held.append(values)
        self._bytes += values.nbytes
        if self._bytes > self._limit:
            self._spill()
        return len(self._lengths) - 1

    def store(self) -> Store:
        """All of them. Nothing may be appended any more."""
        lengths = np.array(self._lengths, dtype=np.int64)
        if self._file is None:
            return Store(lengths, self._n_features, _held=self._held)
        try:
            self._file.flush()
        except OSError as error:
            raise self._full(error) from error
        sizes = lengths * self._n_features * np.dtype(np.float32).itemsize
        starts = np.cumsum(sizes) - sizes
        return Store(lengths, self._n_features, _disk=_OnDisk(self._file), _starts=starts)

    def _spill(self) -> None:
        try:
            if self._file is None:
                if self._folder is not None:
                    self._folder.mkdir(parents=True, exist_ok=True)
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
            for values in self._held:
                self._file.write(values.data)
        except OSError as error:
            raise self._full(error) from error
        self._held = []

    def _full(self, error: OSError) -> SerlabError:
        where = self._folder or Path(tempfile.gettempdir())
        return SerlabError(
            f"features of {len(self._lengths)} utterances so far ({self._bytes / 1e9:.1f} GB) do not fit "
            f"into {where} ({error.strerror}); set SERLAB_CACHE to a folder with space"
        )


@dataclass(frozen=True, eq=False)
class Scales:
    """What is subtracted from features, and what they are then multiplied by.

    Attributes
    ----------
    mean, scale : ndarray of float32, shape (k, d)
    of : ndarray of int, shape (n,)
        Which of them, for each utterance.
    """

    mean: np.ndarray
    scale: np.ndarray
    of: np.ndarray


@dataclass(frozen=True, eq=False)
class Sequences:
    """Utterances of one or several stores, in an order, scaled or as they are.

    Attributes
    ----------
    stores : tuple of Store
    store, row : ndarray of int, shape (n,)
        Where each utterance lies.
    longest : int
        Frames of a dense array of all of them; longer utterances are cut there.
    scales : Scales, optional
    """

    stores: tuple[Store, ...]
    store: np.ndarray
    row: np.ndarray
    longest: int
    scales: Scales | None = None

    ndim = 3
    dtype = np.dtype(np.float32)

    @classmethod
    def of_store(
        cls, store: Store, rows: np.ndarray | None = None, *, longest: int | None = None
    ) -> Sequences:
        """Some rows of a store, all if not said, in the order given."""
        rows = np.arange(len(store.lengths)) if rows is None else np.asarray(rows, dtype=np.int64)
        if longest is None:
            longest = int(store.lengths[rows].max(initial=0))
        return cls((store,), np.zeros(len(rows), dtype=np.int64), rows, longest)

    @classmethod
    def of_dense(cls, X: np.ndarray) -> Sequences:
        """Of an array (n, t, d), NaN after the end of an utterance; numbers are not copied."""
        X = np.asarray(X, dtype=np.float32)
        position = np.arange(1, X.shape[1] + 1)
        ends = np.maximum((~np.isnan(X).all(axis=2) * position).max(axis=1, initial=0), 1)
        held = [values[:end] for values, end in zip(X, ends, strict=True)]
        store = Store(ends.astype(np.int64), X.shape[2], _held=held)
        return cls.of_store(store, longest=X.shape[1])

    def __len__(self) -> int:
        return len(self.row)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Utterances, frames of a dense array of them, features."""
        return len(self.row), self.longest, self.stores[0].n_features

    @cached_property
    def lengths(self) -> np.ndarray:
        """Frames of each utterance, shape (n,)."""
        found = np.empty(len(self.row), dtype=np.int64)
        for number, store in enumerate(self.stores):
            own = self.store == number
            found[own] = store.lengths[self.row[own]]
        return np.minimum(found, self.longest)

    @property
    def nbytes(self) -> int:
        """Bytes of all frames, without padding."""
        return int(self.lengths.sum()) * self.shape[2] * self.dtype.itemsize

    def __getitem__(self, rows: Any) -> Sequences:
        """Utterances by slice, positions or mask; the number of frames stays."""
        if isinstance(rows, tuple | int | np.integer):
            raise TypeError("sequences are indexed by a slice, positions or a mask of utterances")
        rows = rows if isinstance(rows, slice) else np.asarray(rows)
        if isinstance(rows, np.ndarray) and not rows.size:
            rows = rows.astype(np.int64)
        scales = None if self.scales is None else replace(self.scales, of=self.scales.of[rows])
        return Sequences(self.stores, self.store[rows], self.row[rows], self.longest, scales)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Frames of each utterance, shape (t, d), without padding."""
        for position in range(len(self.row)):
            yield self.utterance(position)

    def utterance(self, position: int) -> np.ndarray:
        """Frames of one utterance, shape (t, d)."""
        out = np.empty((int(self.lengths[position]), self.shape[2]), dtype=np.float32)
        self._into(position, out)
        return out

    def dense(self, width: int | None = None) -> np.ndarray:
        """As an array (n, width, d), NaN after the end of an utterance.

        Parameters
        ----------
        width : int, optional
            Frames; default: :attr:`longest`. What is longer is cut.
        """
        n, longest, d = self.shape
        out = np.empty((n, longest if width is None else width, d), dtype=np.float32)
        for position, length in enumerate(np.minimum(self.lengths, out.shape[1]).tolist()):
            self._into(position, out[position, :length])
            out[position, length:] = np.nan
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Dense: whoever does not know sequences sees what they stand for."""
        found = self.dense()
        return found if dtype is None else found.astype(dtype, copy=False)

    def blocks(self, size: int = BLOCK) -> Iterator[np.ndarray]:
        """Positions of utterances next to each other that have about ``size`` numbers."""
        ends = np.cumsum(self.lengths * self.shape[2]) // size
        yield from np.split(np.arange(len(self.row)), np.flatnonzero(np.diff(ends)) + 1)

    def frames(self) -> Iterator[np.ndarray]:
        """All frames, some at a time, each of shape (m, d)."""
        if not len(self.row):
            return
        for positions in self.blocks():
            yield np.concatenate([self.utterance(position) for position in positions])

    def scaled(self, mean: np.ndarray, scale: np.ndarray, of: np.ndarray | None = None) -> Sequences:
        """The same less a mean, times a scale: carried out whenever frames are read.

        Parameters
        ----------
        mean, scale : ndarray, shape (k, d)
        of : ndarray of int, shape (n,), optional
            Which of the k, for each utterance; default: the first.
        """
        if self.scales is not None:
            return self.carried_out().scaled(mean, scale, of)
        of = np.zeros(len(self.row), dtype=np.int64) if of is None else of
        mean, scale = (np.atleast_2d(part).astype(np.float32) for part in (mean, scale))
        return replace(self, scales=Scales(mean, scale, of))

    def carried_out(self, *, folder: Path | None = None) -> Sequences:
        """The same numbers in a store of their own, without scales."""
        writer = Writer(self.shape[2], folder=folder)
        for utterance in self:
            writer.append(utterance)
        return Sequences.of_store(writer.store(), longest=self.longest)

    @property
    def finite(self) -> np.ndarray:
        """Whether all numbers of an utterance are finite, shape (n,), before they are scaled."""
        found = np.empty(len(self.row), dtype=bool)
        for number, store in enumerate(self.stores):
            own = self.store == number
            found[own] = store.facts[1][self.row[own]]
        return found

    def digest(self) -> bytes:
        """Hash of the numbers, in whatever stores they lie."""
        digest = hashlib.blake2b(f"{self.shape}".encode(), digest_size=16)
        for store, row, length in zip(self.store, self.row, self.lengths.tolist(), strict=True):
            digest.update(self.stores[store].facts[0][row] + length.to_bytes(4))
        if self.scales is not None:
            used, of = np.unique(self.scales.of, return_inverse=True)
            for part in (self.scales.mean[used], self.scales.scale[used], of.astype(np.int64)):
                digest.update(np.ascontiguousarray(part).data)
        return digest.digest()

    def _into(self, position: int, out: np.ndarray) -> None:
        self.stores[self.store[position]].read(int(self.row[position]), out)
        if self.scales is not None:
            of = self.scales.of[position]
            out -= self.scales.mean[of]
            out *= self.scales.scale[of]


def concatenate(parts: Sequence[Sequences]) -> Sequences:
    """One below the other; no number is copied."""
    stores = tuple({id(store): store for part in parts for store in part.stores}.values())
    place = {id(store): number for number, store in enumerate(stores)}
    scales = None
    if any(part.scales is not None for part in parts):
        if any(part.scales is None for part in parts):
            return concatenate([part if part.scales is None else part.carried_out() for part in parts])
        known = [part.scales for part in parts if part.scales is not None]
        first = np.cumsum([0, *(len(own.mean) for own in known)])
        scales = Scales(
            np.concatenate([own.mean for own in known]),
            np.concatenate([own.scale for own in known]),
            np.concatenate([own.of + start for own, start in zip(known, first[:-1], strict=True)]),
        )
    return Sequences(
        stores,
        np.concatenate([np.array([place[id(s)] for s in part.stores])[part.store] for part in parts]),
        np.concatenate([part.row for part in parts]),
        max(part.longest for part in parts),
        scales,
    )
