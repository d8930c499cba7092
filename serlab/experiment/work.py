"""Experiments cut into units of work, for any process on any machine to carry out.

A unit is one method and seed of one experiment, on all of its folds or on a
part of them. It is plain values; what comes of it lies on the shelf that a
session of the same experiment looks at (:mod:`serlab.experiment.sharing`).
A unit that is finished says so in a file beside it, whoever has carried it out.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from serlab import data as corpus_data
from serlab import files, methods, pruning
from serlab.errors import ParameterError, SerlabError
from serlab.evaluation import comparison
from serlab.evaluation.shelf import Shelf
from serlab.experiment import sharing
from serlab.experiment.parameters import Parameters
from serlab.methods import OPTIONS
from serlab.provenance import fitting_digest


class Refused(SerlabError):
    """A worker that must not do this unit: it has other code, or other data."""


class Elsewhere(SerlabError):
    """Another process is at work on this unit."""


class Unkept(SerlabError):
    """What was computed cannot be kept: the disk is full, or the folder may only be read."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One method and seed of an experiment, on all of its folds or a part.

    Attributes
    ----------
    parameters : mapping of str to JSON value
        Of :class:`serlab.experiment.Parameters`, narrowed to this method.
    method : str
    seed : int
    group, groups : int
        Fold ``i`` of the experiment is done where ``i % groups == group``.
    fingerprint : str
        Of the corpora as the plan's maker has them.
    code : str
        Of the plan's maker, see :func:`serlab.provenance.fitting_digest`.
    """

    parameters: Mapping[str, Any]
    method: str
    seed: int
    fingerprint: str
    code: str
    group: int = 0
    groups: int = 1

    @property
    def title(self) -> str:
        """For progress and errors."""
        chosen = self.parameters
        pair = f"{'+'.join(chosen['sources'])}-to-" if chosen["sources"] else ""
        part = f", part {self.group + 1} of {self.groups}" if self.groups > 1 else ""
        return f"{pair}{chosen['target']}, {chosen['scheme']}: {self.method}, seed {self.seed}{part}"

    @cached_property
    def chosen(self) -> Parameters:
        """Parameters of an experiment with this method alone."""
        return Parameters.from_names(self.parameters)

    @cached_property
    def address(self) -> str:
        """Name of the shelf that it fills, see :func:`serlab.experiment.sharing.address`."""
        common = sharing.basis(self.chosen, fingerprint=self.fingerprint)
        return sharing.address(common, self.chosen, methods.get(self.method), self.seed)

    @cached_property
    def name(self) -> str:
        """Hash of all that it is, by which all who have the same plan know it."""
        chosen = self.parameters
        folds = [chosen[name] for name in ("protocol", "shots", "folds", "transductive")]
        return sharing.digest([self.address, folds, self.group, self.groups])

    @cached_property
    def data(self) -> str:
        """Equal for units that are fed the same: a worker prepares it once."""
        spec, chosen = methods.get(self.method), self.chosen
        common = sharing.basis(chosen, fingerprint=self.fingerprint)
        return sharing.digest([common, spec.feature_set(chosen.options)])

    @property
    def facts(self) -> dict[str, Any]:
        """What a person, or an estimate, needs to know of it."""
        names = ("target", "sources", "scheme", "features", "protocol", "preset")
        own = {name: self.parameters[name] for name in names}
        return {"method": self.method, "seed": self.seed, "group": self.group, "groups": self.groups, **own}

    @property
    def wants_gpu(self) -> bool:
        """Whether a GPU would be used: a network of frames, where the parameters do not forbid it."""
        return methods.get(self.method).input == "frames" and self.chosen.device != "cpu"

    @property
    def reads_audio(self) -> bool:
        """Whether features are not enough: what its method is given is made from recordings."""
        chosen = self.chosen.options
        return any(OPTIONS[name].reads_audio(chosen[name]) for name in methods.get(self.method).options)

    def as_dict(self) -> dict[str, Any]:
        """JSON values, to be sent."""
        return asdict(self)


def units(
    parameters: Parameters, *, fingerprint: str, groups: int = 1, with_controls: bool = True
) -> Iterator[Unit]:
    """All units of an experiment, in the order in which a session would do them.

    Parameters
    ----------
    parameters : Parameters
    fingerprint : str
        Of its corpora, see :func:`fingerprint`.
    groups : int
        Parts into which the folds are divided.
    with_controls : bool
        With the methods that the chosen ones are compared with, as in a report.

    Raises
    ------
    ParameterError
        If there is less than one group.
    """
    if groups < 1:
        raise ParameterError(f"folds are divided into one group or more, not {groups}")
    chosen = parameters.methods
    code = fitting_digest()
    for name in comparison.with_controls(chosen) if with_controls else chosen:
        spec = methods.get(name)
        # The first seed stays: it divides folds and draws augmented audio, whatever the method's own is.
        own = parameters.with_values(
            methods=(name,), seeds=parameters.seeds[:1], baseline=Parameters.baseline, primary=(),
            jobs=1, data="",
        )  # fmt: skip
        for seed in parameters.seeds if spec.stochastic else parameters.seeds[:1]:
            for group in range(groups):
                yield Unit(
                    parameters=own.as_dict(), method=name, seed=seed, group=group, groups=groups,
                    fingerprint=fingerprint, code=code,
                )  # fmt: skip


def fingerprint(parameters: Parameters, *, data: str = "") -> str:
    """Of the corpora of an experiment as they are here.

    Raises
    ------
    CorpusError
        If one is not installed.
    """
    from serlab import corpora

    return corpus_data.fingerprint(corpora.read_many((parameters.target, *parameters.sources), data or None))


@dataclass(frozen=True, kw_only=True)
class Done:
    """What is known of a finished unit.

    Attributes
    ----------
    seconds : float
        It took, with reading and writing.
    preparing : float
        Seconds of these until its data were there; next to none for a worker that had them.
    fitting : float
        Seconds in which folds were fitted, whoever has done it.
    folds : int
    skipped : tuple of str
        Why folds could not be run; each reason once.
    pieces : tuple of str
        Files on its shelf that hold its folds.
    size : int
        Bytes of these.
    files : mapping of str to bytes
        The files themselves, if the worker shares no folder with whoever asked.
    """

    seconds: float
    preparing: float
    fitting: float
    folds: int
    skipped: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    size: int = 0
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)


#: Seconds after which nobody is still writing a file.
_ABANDONED = 24 * 3600.0
_NOTE = ("seconds", "preparing", "fitting", "folds", "skipped", "pieces", "size")


@dataclass(frozen=True)
class Store:
    """The folder that finished units lie in.

    Attributes
    ----------
    folder : Path
        The same as sessions look at, see :func:`serlab.experiment.sharing.root`.
    """

    folder: Path

    def shelf(self, unit: Unit) -> Shelf:
        """Where the unit's folds go; what cannot be written there is an error."""
        return sharing.shelf(self.folder, unit.address, strict=True)

    def finished(self, unit: Unit) -> Done | None:
        """What is known of a unit that is finished, and whose folds are there; None for another one."""
        path = self._note(unit)
        try:
            noted = json.loads(path.read_text(encoding="utf-8"))
            known = {name: noted[name] for name in _NOTE}
            pieces, skipped = (tuple(map(str, known[name])) for name in ("pieces", "skipped"))
            done = Done(**{**known, "pieces": pieces, "skipped": skipped})
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):  # whatever it is, the unit is looked at again
            return None
        return done if all((path.parent / piece).is_file() for piece in pieces) else None

    def note(self, unit: Unit, done: Done) -> None:
        """Say that a unit is finished."""
        noted = {name: getattr(done, name) for name in _NOTE} | {"unit": unit.facts}
        files.write_text(self._note(unit), json.dumps(noted, ensure_ascii=False))
        self._failure(unit).unlink(missing_ok=True)

    def failure(self, unit: Unit) -> str:
        """Why a unit has failed when it was last tried; empty where it has not."""
        try:
            return str(json.loads(self._failure(unit).read_text(encoding="utf-8"))["reason"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def note_failure(self, unit: Unit, reason: str) -> None:
        """Say why a unit has failed: it is not tried again unless somebody asks for it."""
        files.write_text(self._failure(unit), json.dumps({"reason": reason, "unit": unit.facts}))

    def forget_failure(self, unit: Unit) -> None:
        """Let a failed unit be tried again."""
        self._failure(unit).unlink(missing_ok=True)

    def notes(self) -> Iterator[dict[str, Any]]:
        """What is noted of all finished units that can be read, in no order."""
        for path in self.folder.glob("*/*/*.json"):
            with suppress(OSError, ValueError):
                noted = json.loads(path.read_text(encoding="utf-8"))
                if isinstance(noted, dict) and "fitting" in noted and isinstance(noted.get("unit"), dict):
                    yield noted

    def take(self, unit: Unit, done: Done) -> None:
        """Put here what a worker sent that has no part in this folder.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        folder = self.shelf(unit).folder
        for name, content in done.files.items():
            with files.whole(folder / Path(name).name) as unfinished:
                unfinished.write_bytes(content)
        self.note(unit, done)

    @contextmanager
    def claimed(self, unit: Unit) -> Iterator[None]:
        """Keep others off a unit; the system frees it with the process, whatever the clocks say.

        Raises
        ------
        Elsewhere
            If another process has it.
        """
        path = self._note(unit).with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise Elsewhere(f"{unit.title}: another process is at work on it") from None
        try:
            yield
        finally:
            # Who waits for the file that is removed here finds the unit finished, or does it twice: no harm.
            path.unlink(missing_ok=True)
            lock.release()

    def training(self, unit: Unit) -> Path:
        """Where networks keep their state; of all methods that are fed the same, which share a source."""
        return self.folder / "training" / unit.data

    def tidy(self, units: Iterable[Unit]) -> None:
        """Of finished units, remove the state of training, and what killed processes have half-written."""
        units = list(units)
        for folder in {self.training(unit) for unit in units}:
            shutil.rmtree(folder, ignore_errors=True)
        for folder in {self.shelf(unit).folder for unit in units}:
            for path in folder.glob("*.tmp"):
                with suppress(OSError):
                    # Somebody may be writing just now, on a machine whose clock is some hours off.
                    if time.time() - path.stat().st_mtime > _ABANDONED:
                        path.unlink()

    def _failure(self, unit: Unit) -> Path:
        return self._note(unit).with_suffix(".failed.json")

    def _note(self, unit: Unit) -> Path:
        return self.shelf(unit).folder / f"{unit.name}.json"

    def items(self) -> list[pruning.Item]:
        """What lies here, for :mod:`serlab.pruning`: shelves, and states of training."""
        found = [
            pruning.measured(folder, "fits of a method", in_use=_is_claimed(folder))
            for folder in sorted(self.folder.glob("??/*"))
            if folder.is_dir()
        ]
        for folder in sorted((self.folder / "training").glob("*")):
            state = pruning.measured(folder, "state of training")
            # Written every two minutes, but for an epoch that takes hours.
            found.append(replace(state, in_use=time.time() - state.used < _ABANDONED))
        return found

    def require_writable(self) -> None:
        """Refuse a folder that nothing can be kept in, before anything is computed.

        Raises
        ------
        ParameterError
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".writable"
            files.write_text(probe, str(time.time_ns()))
            probe.unlink(missing_ok=True)
        except OSError as error:
            raise ParameterError(str(unkept(self.folder, error))) from None


def _is_claimed(folder: Path) -> bool:
    """Whether a process is at work on a unit of a shelf, see :meth:`Store.claimed`."""
    for path in folder.glob("*.lock"):
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except (Timeout, OSError):
            return True
        lock.release()
    return False


def unkept(folder: Path, error: OSError) -> Unkept:
    """What to say where results cannot be kept."""
    return Unkept(
        f"cannot keep results in {folder}: {error.strerror or error}; free space or choose another folder "
        "(--units); what is finished is kept"
    )
