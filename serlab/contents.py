"""What files contain, by hash; a file is read again only when its state has changed.

Layout of the folder::

    contents          path -> state and hash, JSON

The state of a file is its size, the times of its last modification and of its
last change of status, and its number in the file system. A copying program can
set the first time back, and a file may be replaced by another one of the same
size and time; the second time and the number tell. (Where the operating system
has no time of change, as on Windows, they are that of creation.)
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from serlab.files import write_text
from serlab.progress import stop_if

#: A file changed within these seconds may change again within one tick of its
#: time stamp, unseen; its hash is not remembered yet.
UNSETTLED = 2.0
#: Reading waits for the disk more than for a processor.
_THREADS = 4


class Contents(NamedTuple):
    """Hashes of files, and why there is none of the others."""

    digests: dict[str, str]
    failed: dict[str, Exception]


def of_file(path: Path | str) -> str:
    """Hash of the bytes of a file, 32 hexadecimal digits.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, _blake2b).hexdigest()


def digests(
    paths: Iterable[str],
    *,
    cache: Path,
    read: Callable[[str], str] = of_file,
    cancel: threading.Event | None = None,
) -> Contents:
    """Hashes of files, each read at most once, and not at all if it is unchanged.

    Parameters
    ----------
    paths : iterable of str
    cache : Path
        Folder where hashes are remembered, as a rule :func:`serlab.data.cache_root`.
    read : callable(str) -> str
        Computes the hash of a file; what it raises is listed in ``failed``.
    cancel : threading.Event, optional

    Raises
    ------
    Cancelled
        If ``cancel`` was set.
    """
    asked = set(paths)
    known = remembered(cache, asked)
    found = Contents(dict(known), {})

    # As they are before they are read: what changes meanwhile is read once more.
    before = {path: _state(path) for path in asked - known.keys()}

    def one(path: str) -> str:
        stop_if(cancel, "reading files was cancelled; what was read is remembered")
        return read(path)

    new: dict[str, str] = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        for path, future in {path: pool.submit(one, path) for path in sorted(asked - known.keys())}.items():
            error = future.exception()
            if error is None:
                new[path] = future.result()
            elif isinstance(error, Exception):
                found.failed[path] = error
    remember(cache, {path: known for path, known in new.items() if _state(path) == before[path]})
    stop_if(cancel, "reading files was cancelled; what was read is remembered")
    found.digests.update(new)
    return found


def of_paths(paths: Iterable[str], *, cache: Path) -> str:
    """Short hash of files, and of folders with all in them, wherever they lie; empty where there is none.

    Parameters
    ----------
    paths : iterable of str
        What is neither (a name of a model that is found elsewhere) is passed over.
    cache : Path
        See :func:`digests`.
    """
    content = []
    for path in map(Path, filter(None, paths)):
        found = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        known = digests([str(p) for p in found if p.is_file()], cache=cache).digests
        content += [[p.relative_to(path.parent).as_posix(), known[str(p)]] for p in found if str(p) in known]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12] if content else ""


def remembered(folder: Path, paths: Iterable[str]) -> dict[str, str]:
    """Hashes of those files that have not changed since they were last read."""
    memory = _memory(folder)
    found = {}
    for path in paths:
        state, known = memory.get(path, (None, ""))
        if state is not None and state == _state(path):
            found[path] = known
    return found


def remember(folder: Path, hashes: Mapping[str, str]) -> None:
    """Remember hashes of files, except of those that changed just now.

    Two processes that do so at once may forget one another's: then a file is
    read once more.
    """
    settled: dict[str, tuple[list[int], str]] = {}
    for path, known in hashes.items():
        state = _state(path)
        if state is not None and time.time() - max(state[1:3]) / 1e9 > UNSETTLED:
            settled[path] = (state, known)
    if settled:
        with suppress(OSError):  # a cache that may only be read is still of use
            write_text(folder / "contents", json.dumps({**_memory(folder), **settled}))


def _memory(folder: Path) -> dict[str, tuple[list[int], str]]:
    try:
        found = json.loads((folder / "contents").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # there is none, or it is damaged: then every file is read once more
        return {}
    return found if isinstance(found, dict) else {}


def _state(path: str) -> list[int] | None:
    try:
        stat = Path(path).stat()
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _blake2b(content: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(content, digest_size=16)
