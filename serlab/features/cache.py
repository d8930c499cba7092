"""Features on disk, found again by what the audio contains.

Layout of the folder::

    features/<set>-<digest>/<2 digits>/<30 digits>   one entry an utterance
    features/<set>-<digest>/names                    names of the features
    features/partial/                                entries being written

An entry is named by the hash of the audio, so moved files are found and changed
files are not. It is written under another name and renamed, so a reader sees all
of it or nothing, whoever else writes and whoever is killed. It begins with its
own checksum, so a damaged one is noticed. The names lie beside the entries
because asking the library for them takes a hundred times as long as reading all
entries of a corpus.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serlab import pruning
from serlab.errors import SerlabError
from serlab.features.base import FeatureSet

_CHECKSUM = 16  # bytes
#: Seconds after which a partial entry belongs to nobody alive.
_ABANDONED = 3600


class CorruptEntry(Exception):
    """An entry is there but damaged."""


@dataclass(frozen=True)
class Entry:
    """Features of one utterance, shape (d,) or (t, d), and the notes of :class:`serlab.audio.Audio`."""

    values: np.ndarray
    notes: tuple[str, ...]


def entry_path(folder: Path, features: FeatureSet, audio_hash: str) -> Path:
    """Where the features of an utterance are kept."""
    return _set_folder(folder, features) / audio_hash[:2] / audio_hash[2:]


def names(folder: Path, features: FeatureSet) -> tuple[str, ...]:
    """Names of the features, from the cache or else from the set, which loads its library."""
    path = _set_folder(folder, features) / "names"
    pruning.touched(path)
    try:
        payload = _read(path)
    except CorruptEntry:
        payload = None
    if payload is not None:
        return tuple(json.loads(payload))
    with suppress(SerlabError):  # a cache that may only be read is still of use
        _write(folder, path, json.dumps(features.names).encode())
    return features.names


def read(path: Path, *, features: FeatureSet, n_features: int) -> Entry | None:
    """Read an entry; None if there is none.

    Raises
    ------
    CorruptEntry
        If it is damaged.
    """
    payload = _read(path)
    if payload is None:
        return None
    notes, _, numbers = payload.partition(b"\n")
    n_rows, rest = divmod(len(numbers), 4 * n_features)
    if rest or not n_rows or (n_rows > 1 and features.kind == "vectors"):
        raise CorruptEntry(f"{path}: {len(numbers) / 4:g} numbers do not fit {n_features} features")
    values = np.frombuffer(numbers, dtype="<f4")
    return Entry(
        values=values.reshape(-1, n_features) if features.kind == "frames" else values,
        notes=tuple(json.loads(notes)),
    )


def write(folder: Path, path: Path, entry: Entry) -> None:
    """Write an entry so that no reader ever sees half of it.

    Raises
    ------
    SerlabError
        If the folder cannot be written.
    """
    _write(folder, path, json.dumps(entry.notes).encode() + b"\n" + entry.values.astype("<f4").tobytes())


def remove_abandoned(folder: Path) -> None:
    """Remove what writers that were killed left behind."""
    for path in (folder / "features" / "partial").glob("*"):
        try:
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()
        except OSError:  # another process was faster, or owns it
            continue


def items(folder: Path) -> list[pruning.Item]:
    """Feature sets that are kept in a cache, each with its version, for :mod:`serlab.pruning`."""
    names = [path for path in sorted((folder / "features").glob("*")) if path.is_dir()]
    return [
        pruning.measured(path, path.name) for path in names if path.name != "partial" and path.name[0] != "."
    ]


def _set_folder(folder: Path, features: FeatureSet) -> Path:
    name = re.sub(r"[^\w.-]", "_", features.name)  # names of pretrained models may be paths
    return folder / "features" / f"{name}-{features.digest}"


def _checksum(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_CHECKSUM).digest()


def _read(path: Path) -> bytes | None:
    """What :func:`_write` wrote; None if there is nothing."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CorruptEntry(f"{path}: {error.strerror}") from error
    checksum, payload = content[:_CHECKSUM], content[_CHECKSUM:]
    if checksum != _checksum(payload):
        raise CorruptEntry(f"{path}: wrong checksum")
    return payload


def _write(folder: Path, path: Path, payload: bytes) -> None:
    try:
        partial = folder / "features" / "partial"
        partial.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=partial)
        with os.fdopen(handle, "wb") as file:
            file.write(_checksum(payload) + payload)
        os.replace(name, path)
    except OSError as error:
        raise SerlabError(
            f"the feature cache {folder} cannot be written ({error.strerror}); set SERLAB_CACHE, or the "
            "argument cache, to a folder with space that you may write"
        ) from error
