"""All files below a folder: links followed, cycles cut, and what is left out named.

A corpus often lies on another disk and is linked, as a whole or folder by
folder; a file that is not found because of that would be missing without a
word. A folder that is reached in two ways is read once, under its own name
rather than a link's. Left out are hidden files and folders, what macOS
(``__MACOSX``) and file servers (``@eaDir``) put beside the files, and whatever is
neither a file nor a folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, NamedTuple

from serlab.errors import CorpusError

#: Folders that hold no recordings, whatever their files are called.
PASSED_OVER: frozenset[str] = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN", "lost+found"})
#: Endings of what has to be unpacked first.
ARCHIVES: tuple[str, ...] = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")

Kind = Literal["file", "broken link", "special", "unnameable"]


class Entry(NamedTuple):
    """A file, a link to nothing, what is neither file nor folder, or whatever has a name not in UTF-8."""

    path: Path
    kind: Kind


def entries(folder: Path) -> Iterator[Entry]:
    """Everything below ``folder`` but folders, in no order; nothing where there is no such folder.

    Raises
    ------
    CorpusError
        If a folder below it may not be read.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [folder] if folder.is_dir() else []
    linked: list[Path] = []
    while waiting or linked:
        # Links last: a folder that is there under its own name is not read under another.
        here = waiting.pop() if waiting else linked.pop(0)
        try:
            status = here.stat()
            if (status.st_dev, status.st_ino) in seen and status.st_ino:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(here) as scanned:
                found = sorted(scanned, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            raise CorpusError(
                f"{printable(here)}: cannot be read ({error.strerror}); check its permissions"
            ) from error
        for entry in found:
            path = here / entry.name
            if entry.name.startswith(".") or entry.name in PASSED_OVER:
                continue
            if not _is_text(entry.name):
                yield Entry(path, "unnameable")
            elif _is_dir(entry):
                (linked if entry.is_symlink() else waiting).append(path)
            else:
                yield Entry(path, _kind(entry))


def files(folder: Path) -> list[Path]:
    """All files below a folder, sorted."""
    return sorted(entry.path for entry in entries(folder) if entry.kind == "file")


def glob(folder: Path, pattern: str) -> list[Path]:
    """Files below a folder whose path matches a glob, sorted; ``**/`` at its beginning: in any folder.

    :meth:`Path.glob` does not look into linked folders.
    """
    return sorted(
        path
        for path, kind in entries(folder)
        if kind == "file" and matches(path.relative_to(folder), pattern)
    )


def matches(path: Path, pattern: str) -> bool:
    """Whether a relative path matches a glob, folder by folder."""
    deep, names = pattern.startswith("**/"), pattern.removeprefix("**/").split("/")
    parts = path.parts
    if len(parts) < len(names) or (len(parts) > len(names) and not deep):
        return False
    return all(map(fnmatchcase, parts[-len(names) :], names))


def archives_only(folder: Path) -> list[Path]:
    """The archives in a folder that holds nothing else; empty where it holds anything else."""
    found = []
    for path, kind in entries(folder):
        if kind != "file" or path.suffix.lower() not in ARCHIVES:
            return []
        found.append(path)
    return sorted(found)


def printable(path: Path) -> str:
    """A path as text that can be written anywhere, whatever bytes are in its name."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _kind(entry: os.DirEntry[str]) -> Kind:
    try:
        if entry.is_file():
            return "file"
        return "broken link" if entry.is_symlink() and not Path(entry.path).exists() else "special"
    except OSError:
        return "broken link"
