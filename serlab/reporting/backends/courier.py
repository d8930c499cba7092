"""Corpora brought to workers of Dask that share nothing, a part at a time, each once a worker."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serlab import data as corpus_data
from serlab.errors import SerlabError

if TYPE_CHECKING:
    from distributed import Client, Future

    from serlab.experiment.sending import Parcel

#: Folder, in that of a Dask worker, which ends with it.
_FOLDER = "serlab-data"
#: Seconds between looks whether a worker is still there.
_LOOK = 0.5


class Gone(SerlabError):
    """The worker is no longer there."""


class Unwelcome(SerlabError):
    """The worker cannot keep what is sent."""


@dataclass
class Courier:
    """Brings corpora of this machine to workers.

    Attributes
    ----------
    client : distributed.Client
    data : str
        Data root here.
    is_known : callable(worker) -> bool
        Whether a worker is still there.
    """

    client: Client
    data: str
    is_known: Callable[[str], bool]
    _parcels: dict[str, Parcel | None] = field(default_factory=dict)
    _arrived: set[tuple[str, str]] = field(default_factory=set)

    @property
    def token(self) -> str:
        """Name of the data root that a worker makes of what comes from here."""
        origin = f"{platform.node()}\0{corpus_data.data_root(self.data or None)}"
        return hashlib.blake2b(origin.encode(), digest_size=8).hexdigest()

    def bring(self, worker: str, names: Sequence[str]) -> list[str]:
        """Have a worker hold corpora; what was sent, in a sentence each. It waits until they are there.

        Raises
        ------
        CorpusError
            If one is not here, or cannot be sent.
        Gone, Unwelcome
        """
        said = []
        for name in names:
            if (worker, name) in self._arrived:
                continue
            if name not in self._parcels:
                from serlab.experiment import sending

                self._parcels[name] = sending.parcel(name, data=self.data)
            parcel = self._parcels[name]
            if parcel is not None and not self._ask(worker, _holds, self.token, name, parcel.digest):
                for part in parcel.parts():
                    (there,) = self.client.scatter([part], workers=[worker], hash=False)
                    self._require(worker, _unpack, self.token, name, there)
                    there.release()
                self._require(worker, _whole, self.token, name, parcel.digest)
                said.append(f"sent to {worker}: {parcel.title}")
            self._arrived.add((worker, name))
        return said

    def _require(self, worker: str, function: Callable[..., str], *arguments: Any) -> None:
        if reason := self._ask(worker, function, *arguments):
            raise Unwelcome(f"what is sent cannot be kept there: {reason}")

    def _ask(self, worker: str, function: Callable[..., Any], *arguments: Any) -> Any:
        future = self.client.submit(
            function, *arguments, workers=[worker], allow_other_workers=False, pure=False
        )
        return awaited(future, lambda: self.is_known(worker))


def awaited(future: Future, is_there: Callable[[], bool]) -> Any:
    """What a worker answers; it is not waited for once the worker is gone.

    A worker that was killed can take with it an answer that Dask knows to be ready.

    Parameters
    ----------
    future : distributed.Future
    is_there : callable
        Whether the worker still is.

    Raises
    ------
    Gone
    """
    from distributed import TimeoutError as NotYet

    while True:
        try:
            return future.result(timeout=_LOOK)
        except NotYet:
            if not is_there():
                future.cancel()
                raise Gone("the worker is gone") from None
        except Exception as error:  # of Dask: it was killed, or its data are lost
            raise Gone(f"the worker is gone ({type(error).__name__})") from None


def root_of(token: str) -> Path:
    """Of a worker: the data root that a :class:`Courier` has made there."""
    from distributed import get_worker

    return Path(get_worker().local_directory) / _FOLDER / token


def _holds(token: str, name: str, digest: str) -> bool:
    from serlab.experiment import sending

    return sending.is_there(root_of(token), name, digest)


def _unpack(token: str, name: str, part: Mapping[str, bytes]) -> str:
    from serlab.experiment import sending

    return _said(lambda: sending.unpack(root_of(token), name, part))


def _whole(token: str, name: str, digest: str) -> str:
    from serlab.experiment import sending

    return _said(lambda: sending.note_whole(root_of(token), name, digest))


def _said(function: Callable[[], None]) -> str:
    """Why something could not be written; empty where it was."""
    try:
        function()
    except OSError as error:
        return error.strerror or str(error)
    except SerlabError as error:
        return str(error)
    return ""
