"""Progress of long work, told to whoever waits for it.

A headless notebook has nobody to draw a bar for. It writes how far it is into
its run folder; the command line reads that and prints a line.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serlab.errors import Cancelled
from serlab.files import write_text

Progress = Callable[[int, int, str], None]
#: What is being fitted, and the history of its epochs so far (a DataFrame).
OnEpoch = Callable[[str, Any], None]

FILE_NAME = "progress.json"


def stop_if(cancel: threading.Event | None, what: str) -> None:
    """Stop where somebody asked for it; ``what`` says what was stopped.

    Raises
    ------
    Cancelled
    """
    if cancel is not None and cancel.is_set():
        raise Cancelled(what)


def to_file(folder: Path | str, *, every: float = 0.5) -> Progress:
    """Progress callback that writes into ``folder``, at most once in ``every`` seconds."""
    path = Path(folder) / FILE_NAME
    last = [-every]

    def report(done: int, total: int, text: str) -> None:
        now = time.monotonic()
        if now - last[0] < every and done < total:
            return
        last[0] = now
        write_text(path, json.dumps([done, total, text]))

    return report


@contextmanager
def forwarded(folder: Path | str, progress: Progress | None, *, every: float = 5.0) -> Iterator[None]:
    """While the block runs, pass what is written in ``folder`` on to ``progress``.

    Looks every ``every`` seconds and passes on only what has changed.
    """
    if progress is None:
        yield
        return
    path, stop = Path(folder) / FILE_NAME, threading.Event()

    def watch() -> None:
        seen = ""
        while not stop.wait(every):
            try:
                text = path.read_text(encoding="utf-8")
            except OSError:  # not there yet, or the folder was renamed meanwhile
                continue
            if text != seen:
                progress(*json.loads(text))
                seen = text

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


class Pace:
    """Progress of many like things, told with how many are done a second and how long the rest takes.

    Parameters
    ----------
    progress : callable(done, total, text), optional
    total : int
    """

    #: Seconds before a rate says something.
    AFTER = 3.0

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total = progress, total
        self._began, self._found = time.monotonic(), 0

    def start(self, done: int, text: str) -> None:
        """Say how much was there before; what follows is timed."""
        self._began, self._found = time.monotonic(), done
        if self._progress is not None:
            self._progress(done, self._total, text)

    def tell(self, done: int, text: str) -> None:
        """Say how much is done now."""
        if self._progress is None:
            return
        seconds = time.monotonic() - self._began
        if seconds > self.AFTER and self._found < done < self._total:
            rate = (done - self._found) / seconds
            text = f"{text}, {rate:.3g} a second, {duration((self._total - done) / rate)} left"
        self._progress(done, self._total, text)


def duration(seconds: float) -> str:
    """A time as one says it: "40 s", "12 min", "3.5 h".

    Examples
    --------
    >>> duration(40), duration(700), duration(12600)
    ('40 s', '12 min', '3.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who looks on while something long is computed, and may end it.

    Attributes
    ----------
    progress : callable(done, total, text), optional
    on_epoch : callable(text, history), optional
        Called after each epoch of a network with what is being fitted and the table of its epochs so far.
    cancel : threading.Event, optional
        Set by somebody who has seen enough.
    """

    progress: Progress | None = None
    on_epoch: OnEpoch | None = None
    cancel: threading.Event | None = None

    def report(self, done: int, total: int, text: str) -> None:
        """Say how far the work is, unless it is to end.

        Raises
        ------
        Cancelled
        """
        stop_if(self.cancel, "cancelled; what is finished is kept and will not be repeated")
        if self.progress is not None:
            self.progress(done, total, text)


#: Nobody looks on.
UNWATCHED = Watch()
