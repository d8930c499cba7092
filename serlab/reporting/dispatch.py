"""Which worker does which unit, what is tried again, and when it is over: the same for every backend."""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from serlab.errors import SerlabError
from serlab.experiment.work import Done, Unit
from serlab.reporting.backends.base import Crew, Event

#: A unit whose worker was lost so often is not tried again: it is likely to be the reason.
ATTEMPTS = 3
#: Seconds after which a unit that another process had is asked for again.
PATIENCE = 5.0
#: Seconds between looks at who is there.
_LOOK = 1.0


class Stopped(SerlabError):
    """A plan cannot go on at all: results cannot be kept, or nobody is there to compute them."""


@dataclass
class State:
    """How far a plan is; told to whoever looks on, and not to be changed by them.

    Attributes
    ----------
    total : int
        Units of the plan.
    done : dict of int to Done
        Number of a unit -> what is known of it; those found finished among them.
    failed : dict of int to str
        And why.
    running : dict of str to int
        Worker -> what it is at.
    workers : int
        How many are there.
    refused : dict of str to str
        Worker -> why it was given nothing more.
    lost : int
        Workers that were lost while at work.
    elsewhere : dict of int to str
        Units that another process is at work on.
    """

    total: int
    done: dict[int, Done] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    running: dict[str, int] = field(default_factory=dict)
    workers: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    lost: int = 0
    elsewhere: dict[int, str] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Units that nobody is at."""
        return self.total - len(self.done) - len(self.failed) - len(self.running)


#: Called when something has happened: the state, and a sentence about what; the sentence may be empty.
Told = Callable[[State, str], None]


class Queue:
    """Units that wait, of which a worker gets those of the data it has, the longest first.

    So data are prepared once a worker, and no long unit is left for the end. A
    worker that has nothing left of its data goes where most work waits for each
    worker that is at it.

    Parameters
    ----------
    units : sequence of Unit
    numbers : iterable of int
        Those of them that wait.
    seconds : mapping of int to float
        What each is expected to take, by number.
    """

    def __init__(self, units: Sequence[Unit], numbers: Iterable[int], seconds: Mapping[int, float]) -> None:
        self._units, self._seconds = units, seconds
        self._waiting: dict[tuple[str, bool], deque[int]] = {}
        self._left: defaultdict[tuple[str, bool], float] = defaultdict(float)
        self._at: dict[str, tuple[str, bool]] = {}
        for number in sorted(numbers, key=lambda number: -seconds.get(number, 0.0)):
            self.put(number)

    def put(self, number: int, *, first: bool = False) -> None:
        """Let a unit wait, behind the others of its data or before them."""
        group = self._units[number].data, self._units[number].wants_gpu
        waiting = self._waiting.setdefault(group, deque())
        (waiting.appendleft if first else waiting.append)(number)
        self._left[group] += self._expected(number)

    def take(self, worker: str, *, gpu: bool | None = None) -> int | None:
        """What a worker should do now; None where there is nothing for it.

        Parameters
        ----------
        worker : str
        gpu : bool, optional
            Where some workers have a GPU and some have none: whether this one has. Units that use a
            GPU wait for one then.
        """
        allowed = [
            group for group, waiting in self._waiting.items() if waiting and not (gpu is False and group[1])
        ]
        if not allowed:
            return None
        own = self._at.get(worker)
        if own not in allowed:
            there = Counter(self._at.values())
            own = max(
                allowed,
                # A worker with a GPU first looks for what needs one.
                key=lambda group: (bool(gpu) and group[1], self._left[group] / (1 + there[group])),
            )
            self._at[worker] = own
        number = self._waiting[own].popleft()
        self._left[own] -= self._expected(number)
        return number

    def gone(self, worker: str) -> None:
        """A worker is there no longer."""
        self._at.pop(worker, None)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _expected(self, number: int) -> float:
        return max(self._seconds.get(number, 0.0), 1e-3)


def carry_out(
    units: Sequence[Unit],
    crew: Crew,
    *,
    state: State,
    seconds: Mapping[int, float] | None = None,
    tell: Told = lambda state, text: None,
    keep: Callable[[Unit, Done], None] = lambda unit, done: None,
    finished: Callable[[Unit], Done | None] = lambda unit: None,
    clock: Callable[[], float] = time.monotonic,
    alone: float = 60.0,
) -> State:
    """Have a crew do all units that are neither done nor failed in ``state``; it is filled on the way.

    Parameters
    ----------
    units : sequence of Unit
    crew : Crew
    state : State
    seconds : mapping of int to float, optional
        What units are expected to take, by number.
    tell : callable(State, str)
    keep : callable(Unit, Done)
        Called with what a unit has left, before it counts as done.
    finished : callable(Unit) -> Done or None
        Asked about a unit that another process was at, before a worker is.
    clock : callable() -> float
        Seconds.
    alone : float
        Seconds without any worker, after which nobody is expected any more.

    Returns
    -------
    State

    Raises
    ------
    Stopped
        If results cannot be kept, or no worker is there, or all were refused.
    """
    waiting = [number for number in range(len(units)) if number not in state.done | state.failed]
    shift = _Shift(units, crew, state, Queue(units, waiting, seconds or {}), tell, keep, clock)
    seen = clock()
    while shift.is_not_over:
        shift.ask_again(finished)
        there = [worker for worker in crew.workers() if worker not in state.refused]
        if there:
            seen = clock()
        elif state.refused or clock() - seen > alone:
            raise Stopped(_nobody(state))
        state.workers = len(there)
        shift.hand_out(there)
        shift.say()
        for event in crew.wait(_LOOK):
            shift.settle(event)
    shift.say()
    return state


def _nobody(state: State) -> str:
    if not state.refused:
        return "no worker is there any more; what is finished is kept, and the same command goes on"
    reasons = "; ".join(f"{reason} ({worker})" for worker, reason in list(state.refused.items())[:3])
    return f"no worker may do these units: {reasons}"


@dataclass
class _Shift:
    """The work of one call, from the first unit handed out to the last one settled."""

    units: Sequence[Unit]
    crew: Crew
    state: State
    queue: Queue
    tell: Told
    keep: Callable[[Unit, Done], None]
    clock: Callable[[], float]
    attempts: Counter[int] = field(default_factory=Counter)
    later: dict[int, float] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def is_not_over(self) -> bool:
        return bool(len(self.queue) or self.state.running or self.later)

    def ask_again(self, finished: Callable[[Unit], Done | None]) -> None:
        """Let units wait again that another process had for a while, or find them finished by it."""
        for number in [number for number, when in self.later.items() if self.clock() >= when]:
            del self.later[number], self.state.elsewhere[number]
            done = finished(self.units[number])
            if done is None:
                self.queue.put(number)
            else:
                self.state.done[number] = done
                self.said.append(f"{self.units[number].title}: done by another process")

    def say(self) -> None:
        """Tell what has happened, when free workers have something to do again."""
        for text in self.said:
            self.tell(self.state, text)
        self.said.clear()

    def hand_out(self, there: Sequence[str]) -> None:
        """Give every worker that has nothing to do a unit."""
        with_gpu = {worker for worker in there if self.crew.has_gpu(worker)}
        for worker in there:
            if worker in self.state.running:
                continue
            number = self.queue.take(worker, gpu=worker in with_gpu if with_gpu else None)
            if number is None:
                continue
            self.state.running[worker] = number
            self.crew.give(worker, self.units[number])

    def settle(self, event: Event) -> None:
        """Draw the conclusion from how a unit ended."""
        if event.answer.kind == "told":
            self.said.append(event.answer.reason)
            return
        number = self.state.running.pop(event.worker, None)
        if number is None:
            return
        unit, answer = self.units[number], event.answer
        if answer.kind == "done" and answer.done is not None:
            self._done(number, answer.done)
        elif answer.kind == "failed":
            self._failed(number, answer.reason)
        elif answer.kind == "elsewhere":
            self.state.elsewhere[number] = answer.reason
            self.later[number] = self.clock() + PATIENCE
        elif answer.kind == "refused":
            self.state.refused[event.worker] = answer.reason
            self.queue.gone(event.worker)
            self.queue.put(number, first=True)
            self.said.append(f"{event.worker} is given nothing: {answer.reason}")
        elif answer.kind == "unkept":
            self.say()
            raise Stopped(answer.reason)
        else:
            self.state.lost += 1
            self.queue.gone(event.worker)
            self.attempts[number] += 1
            if self.attempts[number] >= ATTEMPTS:
                self._failed(number, f"{answer.reason}, {ATTEMPTS} times (out of memory?)")
            else:
                self.queue.put(number, first=True)
                self.said.append(f"{unit.title}: {answer.reason}; it is done again")

    def _done(self, number: int, done: Done) -> None:
        unit = self.units[number]
        try:
            self.keep(unit, done)
        except OSError as error:
            raise Stopped(f"cannot keep results: {error.strerror}; what is finished is kept") from None
        self.state.done[number] = done
        data = f", {done.preparing:.1f} s of it for its data" if done.preparing > 1 else ""
        skipped = f"; folds skipped: {'; '.join(done.skipped)}" if done.skipped else ""
        self.said.append(f"{unit.title}: done in {done.seconds:.1f} s{data}{skipped}")

    def _failed(self, number: int, reason: str) -> None:
        self.state.failed[number] = reason
        self.said.append(f"{self.units[number].title}: failed: {reason}")
