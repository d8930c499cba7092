"""Processes of this machine, each of which does one unit after the other."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from serlab.errors import ParameterError
from serlab.experiment.work import Unit
from serlab.reporting import workers
from serlab.reporting.backends.base import Answer, Backend, Crew, Event, Place, answer


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    busy: bool = False


def _work(pipe: Connection, place: Place, parent: int) -> None:
    """Of the process: do what is sent, until nobody sends any more."""
    workers.end_with(parent)
    from serlab.experiment.workplace import Workplace  # torch

    own = Workplace(place.units, data=place.data)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            unit = Unit(**pipe.recv())
            pipe.send(answer(lambda: own.carry_out(unit)))  # noqa: B023  called before the next one


@dataclass
class Processes:
    """A crew of processes; one that was killed is replaced.

    Attributes
    ----------
    place : Place
    work : callable(Connection, Place, parent)
        What each process does: take units from the connection and send an answer for each.
    """

    place: Place
    work: Callable[[Connection, Place, int], None] = _work
    dashboard: str = ""
    _staff: dict[str, _Worker] = field(default_factory=dict)
    _hired: int = 0

    def hire(self) -> None:
        """Start one more."""
        # Fresh, not forked: a forked one would share the threads of numerical libraries.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=self.work, args=(theirs, self.place, os.getpid()))
        process.start()
        theirs.close()  # else its end would not be heard
        self._hired += 1
        self._staff[f"process {self._hired}"] = _Worker(process, ours)

    def workers(self) -> Collection[str]:
        """All of them."""
        return list(self._staff)

    def has_gpu(self, worker: str) -> bool:
        """They share what this machine has: none is preferred."""
        return False

    def give(self, worker: str, unit: Unit) -> None:
        """Send it a unit."""
        self._staff[worker].busy = True
        with suppress(OSError):  # it is dead, and that will be heard
            self._staff[worker].pipe.send(unit.as_dict())

    def wait(self, seconds: float) -> Sequence[Event]:
        """Listen to all of them."""
        heard = wait([one.pipe for one in self._staff.values()], seconds)
        names = [name for name, one in self._staff.items() if one.pipe in heard]
        return [event for name in names if (event := self._hear(name))]

    def _hear(self, name: str) -> Event | None:
        worker = self._staff[name]
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            worker.pipe.close()
            worker.process.join()
            del self._staff[name]
            self.hire()
            how = workers.how_ended(worker.process)
            return (
                Event(name, Answer(kind="lost", reason=f"its process ended {how}")) if worker.busy else None
            )
        worker.busy = False
        return Event(name, said)

    def dismiss(self) -> None:
        """End them all, and wait for it."""
        workers.end([one.process for one in self._staff.values()])


@contextmanager
def _open(place: Place) -> Iterator[Crew]:
    if place.workers < 1:
        raise ParameterError(f"at least one worker (--workers), not {place.workers}")
    crew = Processes(place)
    try:
        for _ in range(place.workers):
            crew.hire()
        yield crew
    finally:
        crew.dismiss()


BACKEND = Backend(name="local", title="processes of this machine", open=_open)
