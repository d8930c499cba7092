"""Damaged input through every reader: each case is read, or refused by an error of serlab's own.

A :class:`Target` writes a sound input, damages it at random, and reads it. What may come out: a
result that ``check`` accepts, or a :class:`serlab.errors.SerlabError`. Anything else (another
exception, a case that takes longer than :data:`SECONDS`, a wrong result) is a failure, and is told
with its number: ``run`` with that number as ``first`` and ``n=1`` makes the same case again.

Tests run some cases of each target; ``make fuzz`` runs thousands and prints a table.
"""

from __future__ import annotations

import random
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serlab.errors import SerlabError

#: A case may take so long; the slowest sound one takes a hundredth of it.
SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """A reader, and what it is given.

    Attributes
    ----------
    name : str
    write : callable(Path)
        Writes a sound input into an empty folder.
    damage : callable(Path, Random) -> str
        Damages what is in the folder, and says how.
    read : callable(Path) -> object
        Reads the folder with serlab.
    check : callable(object)
        Raises AssertionError where a result that came out is wrong.
    seconds : float
        A case may take so long.
    costly : bool
        Whether a case takes as long as a hundred others: then a hundredth of them is tried.
    """

    name: str
    write: Callable[[Path], None]
    damage: Callable[[Path, random.Random], str]
    read: Callable[[Path], Any]
    check: Callable[[Any], None] = lambda result: None
    seconds: float = SECONDS
    costly: bool = False


@dataclass
class Outcome:
    """What came of the cases of one target: counts by ``read`` and ``refused``, and what failed."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class TooLong(BaseException):
    """No Exception, so that no reader takes it for one of its own."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer; in the main thread only."""

    def interrupt(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run(target: Target, *, n: int, folder: Path, first: int = 0, seconds: float | None = None) -> Outcome:
    """Cases ``first`` to ``first + n`` of a target, one after the other, in a folder that is emptied."""
    seconds = target.seconds if seconds is None else seconds
    outcome = Outcome()
    for number in range(first, first + n):
        here = folder / "case"
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir(parents=True)
        target.write(here)
        what = target.damage(here, random.Random(f"{target.name} {number}"))
        try:
            with limit(seconds):
                target.check(target.read(here))
            outcome.counts["read"] += 1
        except SerlabError:
            outcome.counts["refused"] += 1
        except TooLong:
            outcome.failures.append(f"{target.name}, case {number} ({what}): more than {seconds:g} s")
        except Exception:
            told = "".join(traceback.format_exc().splitlines(keepends=True)[-8:])
            outcome.failures.append(f"{target.name}, case {number} ({what}):\n{told}")
    return outcome


def damaged(content: bytes, draw: random.Random) -> tuple[bytes, str]:
    """Bytes with one to three random faults, and their names."""
    names = []
    for _ in range(draw.randint(1, 3)):
        name = draw.choice(tuple(FAULTS))
        content = FAULTS[name](content, draw)
        names.append(name)
    return content, ", ".join(names)


def _position(content: bytes, draw: random.Random) -> int:
    # Headers are short and matter most: every second fault is near the beginning.
    return draw.randrange(1 + (min(len(content), 64) if draw.random() < 0.5 else len(content)))


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: _position(content, draw)]


def _flip(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.randint(1, 8) if changed else 0):
        changed[min(_position(content, draw), len(changed) - 1)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _insert(content: bytes, draw: random.Random) -> bytes:
    at = _position(content, draw)
    return content[:at] + draw.randbytes(draw.randint(1, 40)) + content[at:]


def _remove(content: bytes, draw: random.Random) -> bytes:
    at = _position(content, draw)
    return content[:at] + content[at + draw.randint(1, 40) :]


def _repeat(content: bytes, draw: random.Random) -> bytes:
    at = _position(content, draw)
    return content[:at] + content[at : at + draw.randint(1, 200)] * draw.randint(2, 5) + content[at:]


def _extreme(content: bytes, draw: random.Random) -> bytes:
    at = _position(content, draw)
    return content[:at] + draw.choice((b"\xff", b"\x00", b"\x7f", b"\x80")) * 4 + content[at + 4 :]


#: Name -> fault that any file may have.
FAULTS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut": _cut,
    "bits flipped": _flip,
    "bytes put in": _insert,
    "bytes taken out": _remove,
    "a part repeated": _repeat,
    "four extreme bytes": _extreme,
    "emptied": lambda content, draw: b"",
}
