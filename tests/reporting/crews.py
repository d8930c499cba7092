"""Units that nobody computes, and crews whose clock is not that of the wall."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from serlab.experiment.work import Done, Unit
from serlab.experiment.workplace import Workplace
from serlab.reporting.backends import Answer, Backend, Event, Place
from serlab.reporting.backends.base import answer


@dataclass(frozen=True, kw_only=True)
class Sleeping(Unit):
    """A unit that takes a while."""

    seconds: float
    fed: str = "data"
    gpu: bool = False

    @property
    def data(self) -> str:
        return self.fed

    @property
    def name(self) -> str:
        return self.method

    @property
    def title(self) -> str:
        return self.method

    @property
    def wants_gpu(self) -> bool:
        return self.gpu


def sleeping(
    seconds: Sequence[float], *, data: Sequence[str] = ("data",), gpu: Collection[int] = ()
) -> list[Unit]:
    """Units of given lengths, their data in turns."""
    return [
        Sleeping(
            parameters={}, method=f"unit {n}", seed=0, fingerprint="", code="", seconds=own,
            fed=data[n % len(data)], gpu=n in gpu,
        )
        for n, own in enumerate(seconds)
    ]  # fmt: skip


DONE = Answer(kind="done", done=Done(seconds=1.0, preparing=0.0, fitting=1.0, folds=1))


@dataclass
class Simulated:
    """Workers of a virtual clock: what they are given ends when their seconds are over.

    Attributes
    ----------
    names : sequence of str
    answer : callable(Unit, worker) -> Answer
    loading : float
        Seconds that a worker needs for data it has not had last.
    latency : float
        Seconds from the end of a unit to the next one's beginning, at least.
    """

    names: Sequence[str]
    answer: Callable[[Unit, str], Answer] = lambda unit, worker: DONE
    with_gpu: Collection[str] = ()
    loading: float = 0.0
    latency: float = 0.0
    dashboard: str = ""
    now: float = 0.0
    given: list[tuple[str, Unit]] = field(default_factory=list)
    loads: int = 0
    _ends: list[tuple[float, int, str, Unit]] = field(default_factory=list)
    _has: dict[str, str] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)

    def workers(self) -> Collection[str]:
        return [name for name in self.names if name not in self._gone]

    def has_gpu(self, worker: str) -> bool:
        return worker in self.with_gpu

    def give(self, worker: str, unit: Unit) -> None:
        assert all(worker != busy for _, _, busy, _ in self._ends), "one at a time"
        takes = self.latency + unit.seconds
        if self._has.get(worker) != unit.data:
            self._has[worker] = unit.data
            self.loads += 1
            takes += self.loading
        self.given.append((worker, unit))
        heapq.heappush(self._ends, (self.now + takes, len(self.given), worker, unit))

    def wait(self, seconds: float) -> Sequence[Event]:
        if not self._ends:
            self.now += seconds
            return []
        self.now, _, worker, unit = heapq.heappop(self._ends)
        found = self.answer(unit, worker)
        if found.kind == "lost":
            self._gone.add(worker)
        return [Event(worker, found)]

    def clock(self) -> float:
        return self.now


@dataclass
class Here:
    """One worker, which is this process."""

    place: Place
    dashboard: str = ""
    _ended: list[Event] = field(default_factory=list)

    def workers(self) -> Collection[str]:
        return ["here"]

    def has_gpu(self, worker: str) -> bool:
        return False

    def give(self, worker: str, unit: Unit) -> None:
        own = Workplace(self.place.units, data=self.place.data)
        self._ended.append(Event(worker, answer(lambda: own.carry_out(unit))))

    def wait(self, seconds: float) -> Sequence[Event]:
        ended, self._ended = self._ended, []
        return ended


@contextmanager
def _open(place: Place) -> Iterator[Here]:
    yield Here(place)


HERE = Backend(name="here", title="this process", open=_open)


def lengths(n: int, *, seed: int = 0, mean: float = 10.0) -> list[float]:
    """Seconds of units, most short and some long."""
    rng = random.Random(seed)
    return [mean * rng.lognormvariate(-0.5, 1.0) for _ in range(n)]
