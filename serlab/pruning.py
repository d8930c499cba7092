"""What may be removed from a folder of things that can be made again: the oldest, and what is too much.

Only whole items go (a set of features, the fits of a method), none that somebody uses, and each is moved away
before it is deleted: whoever looks for it meanwhile finds it whole, or not at all.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from serlab.errors import ParameterError
from serlab.wording import count

#: Seconds after which nobody is taken to be still at work with an item.
IN_USE = 3600.0
#: Folder, beside the items, of those that are being deleted.
_GOING = ".removed"
_DAY = 24 * 3600.0
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something that goes or stays as a whole.

    Attributes
    ----------
    path : Path
        Folder.
    title : str
    size : int
        Bytes of its files.
    n_files : int
    used : float
        When it was last written or found, seconds since 1970.
    in_use : bool
        Whether somebody has it now.
    """

    path: Path
    title: str
    size: int
    n_files: int
    used: float
    in_use: bool = False

    def is_free(self, now: float) -> bool:
        """Whether nobody is at work with it, nor was within the last hour."""
        return not self.in_use and now - self.used > IN_USE


def measured(path: Path, title: str, *, in_use: bool = False) -> Item:
    """An item as it is on disk; files that vanish meanwhile are not counted."""
    size = n_files = 0
    used = 0.0
    for one in itertools.chain([path], path.rglob("*")):
        with suppress(OSError):
            state = one.lstat()
            used = max(used, state.st_mtime)
            if not stat.S_ISDIR(state.st_mode):
                size, n_files = size + state.st_size, n_files + 1
    return Item(path=path, title=title, size=size, n_files=n_files, used=used, in_use=in_use)


def chosen(
    items: Sequence[Item], *, older_than: float | None, above: int | None, now: float | None = None
) -> list[Item]:
    """Items to be removed, those first that have not been used for longest.

    Parameters
    ----------
    items : sequence of Item
    older_than : float, optional
        Days without use.
    above : int, optional
        Bytes that may stay: more go, oldest first, until all together are no larger.
    now : float, optional
        Seconds since 1970.

    Raises
    ------
    ParameterError
        If neither is given, or one is below zero.

    Examples
    --------
    >>> items = [Item(path=Path(t), title=t, size=10, n_files=1, used=0.0) for t in "ab"]
    >>> [item.title for item in chosen(items, older_than=None, above=10, now=1e9)]
    ['a']
    """
    if older_than is None and above is None:
        raise ParameterError(
            "say what goes: --older-than DAYS, or --above SIZE (what may stay in all, as in 5GB)"
        )
    if (older_than or 0) < 0 or (above or 0) < 0:
        raise ParameterError("--older-than and --above are 0 or more")
    now = time.time() if now is None else now
    left = sum(item.size for item in items)
    going = []
    for item in sorted(items, key=lambda item: item.used):
        is_old = older_than is not None and now - item.used > older_than * _DAY
        is_much = above is not None and left > above
        if item.is_free(now) and (is_old or is_much):
            going.append(item)
            left -= item.size
    return going


def remove(items: Iterable[Item], *, root: Path) -> tuple[int, int]:
    """Delete items; what cannot be moved stays, and what an earlier call has begun is ended.

    Parameters
    ----------
    items : iterable of Item
    root : Path
        Folder that they are in, on the same disk.

    Returns
    -------
    (int, int)
        How many are gone, and their bytes.
    """
    going = root / _GOING
    n = size = 0
    for item in items:
        aside = going / uuid.uuid4().hex
        try:
            going.mkdir(exist_ok=True)
            os.replace(item.path, aside)
        except OSError:  # somebody else was quicker, or owns it
            continue
        n, size = n + 1, size + item.size
        with suppress(OSError):  # the folder above it, if nothing else is there
            if item.path.parent != root:
                item.path.parent.rmdir()
    shutil.rmtree(going, ignore_errors=True)
    return n, size


def touched(path: Path) -> None:
    """Say that something was used now; no matter if that cannot be said."""
    with suppress(OSError):
        os.utime(path)


def bytes_of(text: str) -> int:
    """Bytes of "800MB" or "5 GB".

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> bytes_of("1.5 GB")
    1500000000
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?b?)\s*", text, flags=re.IGNORECASE)
    unit = found[2].upper() if found else "?"
    unit = unit if unit in _UNITS else f"{unit}B"
    if found is None or unit not in _UNITS:
        raise ParameterError(f"{text!r} is no size; write 800MB or 5GB")
    return round(float(found[1]) * _UNITS[unit])


def size_text(size: float) -> str:
    """A size as it is read.

    Examples
    --------
    >>> size_text(1_530_000), size_text(12)
    ('1.5 MB', '12 B')
    """
    for name, factor in reversed(_UNITS.items()):
        if name and size >= factor:
            return f"{size / factor:.1f} {name}" if factor > 1 else f"{size:.0f} B"
    return "0 B"


def age_text(used: float, *, now: float) -> str:
    """How long ago that was.

    Examples
    --------
    >>> age_text(0.0, now=3 * 24 * 3600.0)
    '3 days'
    """
    seconds = max(now - used, 0.0)
    for name, length in (("day", _DAY), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= length:
            return count(int(seconds // length), name)
    return "now"
