"""Workers of Dask distributed: of this machine, of a scheduler that is there, or of a batch system.

Each worker is given one unit at a time, by name, so that it keeps the data it
has. Workers share the folder of finished units with whoever asks; or nothing
(``sends``): then features or corpora go to them, and answers come back.
"""

from __future__ import annotations

import logging
import queue
import tempfile
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from serlab.errors import ParameterError, SerlabError
from serlab.experiment.work import Unit
from serlab.reporting.backends import courier
from serlab.reporting.backends.base import Answer, Backend, Crew, CrewLost, Event, Place, answer
from serlab.reporting.backends.courier import Gone, Unwelcome

if TYPE_CHECKING:
    from distributed import Client, Future

    from serlab.experiment.preparation import Prepared

#: Resource by which a worker says that it has a GPU: ``dask worker --resources "GPU=1"``.
GPU = "GPU"
#: Seconds in which a scheduler answers.
_ANSWERS = 20.0
#: Seconds between looks at which workers a scheduler has.
_LOOK = 0.5


@dataclass
class Workers:
    """Those that a scheduler has.

    Attributes
    ----------
    client : distributed.Client
    place : Place
    """

    client: Client
    place: Place
    dashboard: str = ""
    _futures: dict[str, Future] = field(default_factory=dict)
    _ended: queue.SimpleQueue[tuple[str, Future]] = field(default_factory=queue.SimpleQueue)
    _known: dict[str, bool] = field(default_factory=dict)
    _looked: float = -1e9
    _sent: dict[str, Any] = field(default_factory=dict)
    _waiting: list[Event] = field(default_factory=list)
    _courier: courier.Courier = field(init=False)

    def __post_init__(self) -> None:
        self._courier = courier.Courier(self.client, self.place.data, self._is_known)

    def _is_known(self, worker: str) -> bool:
        self._look()
        return worker in self._known

    def workers(self) -> Collection[str]:
        """Addresses of those that are there."""
        self._look()
        return list(self._known)

    def has_gpu(self, worker: str) -> bool:
        """Whether it was started with the resource ``GPU``."""
        return self._known.get(worker, False)

    def give(self, worker: str, unit: Unit) -> None:
        """Submit a unit for one worker, which first gets what it lacks."""
        arguments = [unit.as_dict(), str(self.place.units), self.place.data, self.place.sends]
        prepared, received = None, ""
        if self.place.sends and (self.place.sends_audio or unit.reads_audio):
            try:
                chosen = unit.chosen
                for text in self._courier.bring(worker, (chosen.target, *chosen.sources)):
                    self._waiting.append(Event(worker, Answer(kind="told", reason=text)))
            except SerlabError as error:
                kinds: dict[type, Literal["lost", "refused"]] = {Gone: "lost", Unwelcome: "refused"}
                answer = Answer(kind=kinds.get(type(error), "failed"), reason=str(error))
                self._waiting.append(Event(worker, answer))
                return
            received = self._courier.token
        elif self.place.sends:
            prepared = self._data_for(unit)
        future = self.client.submit(
            carry_out,
            *arguments,
            prepared,
            received,
            key=f"serlab-{unit.name}-{uuid.uuid4().hex[:8]}",
            workers=[worker],
            allow_other_workers=False,
            pure=False,
            resources={GPU: 1} if self.has_gpu(worker) and unit.wants_gpu else None,
        )
        self._futures[worker] = future
        future.add_done_callback(lambda ended: self._ended.put((worker, ended)))

    def wait(self, seconds: float) -> Sequence[Event]:
        """Listen for answers, and look for workers that are gone."""
        events, self._waiting = self._waiting, []
        if events:
            return events
        with suppress(queue.Empty):
            events += self._event(*self._ended.get(timeout=min(seconds, _LOOK)))
            while True:
                events += self._event(*self._ended.get_nowait())
        self._look()
        for worker in [worker for worker in self._futures if worker not in self._known]:
            self._futures.pop(worker).cancel()
            events.append(Event(worker, Answer(kind="lost", reason="the worker is gone")))
        return events

    def _event(self, worker: str, future: Any) -> list[Event]:
        if (
            worker not in self._futures or self._futures[worker] is not future
        ):  # cancelled: its worker was gone
            return []
        del self._futures[worker]
        if future.status == "finished":
            try:
                return [Event(worker, courier.awaited(future, lambda: self._is_known(worker)))]
            except Gone as gone:
                return [Event(worker, Answer(kind="lost", reason=str(gone)))]
        if future.status != "error":
            return [Event(worker, Answer(kind="lost", reason="the scheduler has dropped it"))]
        error = future.exception()
        name = type(error).__name__
        if name in ("KilledWorker", "NoValidWorkerError"):
            return [Event(worker, Answer(kind="lost", reason="its worker was killed"))]
        # Not an error of the unit, which is answered in plain values: serlab is not there, or another one.
        return [Event(worker, Answer(kind="refused", reason=f"serlab does not run there: {name}: {error}"))]

    def _look(self) -> None:
        if time.monotonic() - self._looked < _LOOK:
            return
        found = self._registered()
        if found is None:
            where = self.place.scheduler or "here"
            raise CrewLost(
                f"the scheduler ({where}) is gone; what is finished is kept: start it and its workers "
                "again, and the same command goes on"
            )
        self._known = {address: bool(facts.get("resources", {}).get(GPU)) for address, facts in found.items()}
        self._looked = time.monotonic()

    def _registered(self) -> Mapping[str, Mapping[str, Any]] | None:
        """Workers of the scheduler by address; None where it is no longer to be reached."""
        if self.client.status in ("closed", "closing"):
            return None
        try:
            return self.client.scheduler_info(n_workers=-1).get("workers")
        except (OSError, RuntimeError, ValueError):
            return None

    def _data_for(self, unit: Unit) -> Any:
        """Data of a unit where all workers can get them; prepared here, once."""
        if unit.data not in self._sent:
            from serlab.experiment.preparation import prepare

            prepared = prepare(unit.chosen.with_values(data=self.place.data), with_copies=False)
            # Not over: one worker asks another one, too.
            self._sent[unit.data] = self.client.scatter(prepared, hash=False)
        return self._sent[unit.data]


def carry_out(
    unit: Mapping[str, Any], units: str, data: str, sends: bool, prepared: Prepared | None, received: str
) -> Answer:
    """Of a worker: do a unit; how it ended is returned, not raised.

    Parameters
    ----------
    unit : mapping
        Of :meth:`serlab.experiment.work.Unit.as_dict`.
    units, data : str
        See :class:`serlab.reporting.backends.base.Place`.
    sends : bool
    prepared : Prepared, optional
        Features that were sent.
    received : str
        Name of the data root that was made of corpora that were sent; empty for the worker's own.
    """
    from distributed import get_worker

    from serlab.experiment.workplace import Workplace

    worker, asked = get_worker(), Unit(**unit)
    data = str(courier.root_of(received)) if received else data
    own = getattr(worker, "serlab_workplace", None)
    if own is None or own.data != data or own.sends != sends or (own.folder != Path(units) and not sends):
        # Dask clears its own folder, of workers that were killed, too.
        folder = Path(worker.local_directory) / "serlab-units" if sends else Path(units)
        own = worker.serlab_workplace = Workplace(folder, data=data, sends=sends)
    if prepared is not None and not own.has(asked.data):
        own.put(asked.data, prepared)
    return answer(lambda: own.carry_out(asked))


@contextmanager
def _open(place: Place) -> Iterator[Crew]:
    from distributed import Client

    # What has happened is said in a sentence of our own.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        if place.scheduler:
            client = stack.enter_context(_client(place.scheduler))
        elif place.cluster:
            from serlab.reporting.backends import batch

            cluster = stack.enter_context(batch.cluster(place.cluster, place.options))
            cluster.scale(jobs=place.workers)
            client = stack.enter_context(Client(cluster))
        else:
            client = stack.enter_context(Client(stack.enter_context(_of_this_machine(place))))
        yield Workers(client, place, dashboard=client.dashboard_link or "")


def _client(address: str) -> Client:
    from distributed import Client

    try:
        return Client(address, timeout=_ANSWERS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ParameterError(
            f"no scheduler answers at {address} ({error}); start one: dask scheduler, and on each machine: "
            f"dask worker {address} --nthreads 1"
        ) from None


def _of_this_machine(place: Place) -> Any:
    from distributed import LocalCluster

    if place.workers < 1:
        raise ParameterError(f"at least one worker (--workers), not {place.workers}")
    # Loopback alone: nobody on the network can give these workers code to run.
    return LocalCluster(
        n_workers=place.workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=tempfile.gettempdir(),
        memory_limit=0,
        silence_logs=logging.ERROR,
    )


BACKEND = Backend(
    name="dask",
    title="workers of Dask distributed",
    open=_open,
    requires="distributed",
    extra="cluster",
)
