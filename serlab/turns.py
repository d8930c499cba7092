"""One fit at a time in a process.

Initial weights and dropout are drawn from torch's generator, of which a process
has one. Two fits that run beside each other, in two threads of a kernel, would
draw from it in turns and change each other's numbers. So the second one waits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from serlab.progress import Progress, stop_if

#: Of the process, as the generator is. Who holds it may take it again: a fit trains several networks.
_TURN = threading.RLock()

#: Seconds between looks at whether a waiting fit is to end.
_LOOK = 0.2


@contextmanager
def one_at_a_time(
    *, progress: Progress | None = None, cancel: threading.Event | None = None
) -> Iterator[None]:
    """Hold the turn of the process; wait where another thread has it.

    Parameters
    ----------
    progress : callable(done, total, text), optional
        Told once if there is a wait.
    cancel : threading.Event, optional
        Ends the wait.

    Raises
    ------
    Cancelled
        While it waits.
    """
    if not _TURN.acquire(blocking=False):
        if progress is not None:
            progress(0, 0, "waiting: another fit runs in this process")
        while not _TURN.acquire(timeout=_LOOK):
            stop_if(cancel, "cancelled while waiting for another fit; what is finished is kept")
    try:
        yield
    finally:
        _TURN.release()
