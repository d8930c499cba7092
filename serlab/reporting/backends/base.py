"""What a backend is: a way to open a crew, and what a crew does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from serlab.errors import SerlabError
from serlab.experiment.work import Done, Elsewhere, Refused, Unit, Unkept


class CrewLost(SerlabError):
    """Nobody can be reached any more who would know of workers."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a unit ended for the worker that had it; plain values, to be sent.

    Attributes
    ----------
    kind : {"done", "failed", "elsewhere", "refused", "unkept", "lost", "told"}
        "lost" is the worker itself: killed, or no longer to be reached. After "refused" it gets nothing
        more; "unkept" ends the plan, since nothing else could be kept either. With "told" it goes on: there
        is something to be said.
    reason : str
        Of all but "done".
    done : Done, optional
    """

    kind: Literal["done", "failed", "elsewhere", "refused", "unkept", "lost", "told"]
    reason: str = ""
    done: Done | None = None


@dataclass(frozen=True)
class Event:
    """A worker has ended what it was given."""

    worker: str
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where and with what units are computed; a backend takes from it what it needs.

    Attributes
    ----------
    units : Path
        Folder of finished units.
    data : str
        Data root of the workers; empty for their own default.
    workers : int
        How many, where the backend starts them.
    scheduler : str
        Address of one that is there, ``tcp://host:8786``; empty where there is none.
    cluster : str
        Batch system that starts the workers, see :mod:`serlab.reporting.backends.batch`.
    options : mapping
        For that: cores, memory, walltime ...
    sends : bool
        Whether nothing is shared with the workers: features are sent to them, and recordings where these are
        not enough; and answers back.
    sends_audio : bool
        Whether corpora are sent in place of features, which workers compute then.
    """

    units: Path
    data: str = ""
    workers: int = 1
    scheduler: str = ""
    cluster: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    sends: bool = False
    sends_audio: bool = False


class Crew(Protocol):
    """Workers that are there now.

    ``workers`` may grow and shrink between two calls. A worker that is given a
    unit while it has one is a mistake of the caller. All three may raise
    :class:`CrewLost`, which ends the plan for now.
    """

    #: A page of the backend's own, for who wants to look; empty where there is none.
    dashboard: str

    def workers(self) -> Collection[str]:
        """Names of all workers that can be given work, at work or not."""
        ...

    def has_gpu(self, worker: str) -> bool:
        """Whether a worker was started with a GPU."""
        ...

    def give(self, worker: str, unit: Unit) -> None:
        """Have a worker begin a unit."""
        ...

    def wait(self, seconds: float) -> Sequence[Event]:
        """What has ended; empty after so many seconds without."""
        ...


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A way to compute units.

    Attributes
    ----------
    name : str
        As on the command line.
    title : str
    open : callable(Place) -> context manager of Crew
        Workers end with the context, whatever ended it.
    requires : str
        Module that must be installed, and the extra that brings it.
    extra : str
    """

    name: str
    title: str
    open: Callable[[Place], AbstractContextManager[Crew]] = field(repr=False)
    requires: str = ""
    extra: str = ""


def answer(function: Callable[[], Done]) -> Answer:
    """Do a unit, and say in plain values how it ended: no error of a worker's own has to be understood.

    Parameters
    ----------
    function : callable() -> Done
    """
    try:
        return Answer(kind="done", done=function())
    except Refused as error:
        return Answer(kind="refused", reason=str(error))
    except Elsewhere as error:
        return Answer(kind="elsewhere", reason=str(error))
    except Unkept as error:
        return Answer(kind="unkept", reason=str(error))
    except SerlabError as error:
        return Answer(kind="failed", reason=str(error))
    except MemoryError:
        return Answer(kind="failed", reason="out of memory; give it fewer neighbours (--workers)")
    except Exception as error:  # one unit, whatever has happened to it, does not end the others
        return Answer(kind="failed", reason=f"{type(error).__name__}: {error}")
