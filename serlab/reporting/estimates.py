"""What a plan will take, from what earlier runs took."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serlab.errors import SerlabError
from serlab.experiment import times
from serlab.experiment.work import Store, Unit
from serlab.files import DamagedFile, read_parquet
from serlab.reporting import pages, records


@dataclass(frozen=True)
class Took:
    """What one earlier fit of all folds took.

    Attributes
    ----------
    facts : mapping
        Of the unit, see :attr:`serlab.experiment.work.Unit.facts`.
    seconds : float
    size : float or None
        Bytes; None where it is not known.
    """

    facts: Mapping[str, Any]
    seconds: float
    size: float | None = None


@dataclass
class Estimates:
    """Medians over earlier fits that are alike: the most alike of which there are any."""

    _seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _sizes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, took: Took) -> None:
        """Learn from one."""
        for key in _alike(took.facts):
            self._seconds[key].append(took.seconds)
            if took.size is not None:
                self._sizes[key].append(took.size)

    def seconds(self, unit: Unit) -> float | None:
        """Of a unit; None where no fit of its method with its preset is known."""
        found = _median(self._seconds, _alike(unit.facts))
        return None if found is None else found / unit.groups

    def size(self, unit: Unit) -> float | None:
        """Bytes that it leaves, likewise."""
        found = _median(self._sizes, _alike(unit.facts))
        return None if found is None else found / unit.groups


def _alike(facts: Mapping[str, Any]) -> list[str]:
    """From the same question to the same method and preset on any corpora."""
    method, preset = facts.get("method"), facts.get("preset")
    pair = [facts.get("sources"), facts.get("target")]
    further = [facts.get("features"), facts.get("protocol"), facts.get("scheme")]
    return [
        json.dumps(key) for key in ([method, preset, pair, further], [method, preset, pair], [method, preset])
    ]


def _median(known: Mapping[str, list[float]], keys: Iterable[str]) -> float | None:
    return next((statistics.median(known[key]) for key in keys if known.get(key)), None)


def of(store: Store, reports: Path) -> Estimates:
    """From finished units, and from runs below a folder of reports.

    Parameters
    ----------
    store : Store
    reports : Path
        What is damaged there says nothing.
    """
    found = Estimates()
    for noted in store.notes():
        groups = noted["unit"].get("groups", 1)
        if noted["fitting"] > 0:
            found.add(Took(noted["unit"], noted["fitting"] * groups, noted.get("size", 0) * groups))
    for took in _of_reports(reports):
        found.add(took)
    return found


def _of_reports(reports: Path) -> Iterator[Took]:
    for folder, record in records.readable(sorted(reports.glob("*/*/*/run.json"))):
        path = folder / "fits.parquet"
        try:
            fits = read_parquet(path) if path.is_file() else None
        except (DamagedFile, OSError, SerlabError):
            continue
        if fits is None or not {"method", "seed", "seconds"} <= set(fits):
            continue
        for (method, _), seconds in fits.groupby(["method", "seed"])["seconds"].sum().items():
            yield Took({**record["parameters"], "method": method}, float(seconds))


@dataclass(frozen=True)
class Forecast:
    """What is left of a plan.

    Attributes
    ----------
    units, finished, failed : int
    seconds : float
        Of one worker, for what is not finished and of which something is known.
    size : float
        Bytes, likewise.
    unknown : tuple of str
        Methods of which nothing is known.
    extraction : float
        Seconds until features are there that a corpus lacks, of one worker; not in ``seconds``.
    """

    units: int
    finished: int
    failed: int
    seconds: float
    size: float
    unknown: tuple[str, ...]
    extraction: float = 0.0

    def text(self, *, workers: int = 1) -> str:
        """In a sentence or two."""
        left = self.units - self.finished
        failed = f" ({self.failed} of them failed before)" if self.failed else ""
        said = f"{self.units} units, {self.finished} finished, {left} to do{failed}."
        if left and (self.seconds or not self.unknown):
            beside = f" on {workers} workers" if workers > 1 else " on one worker"
            said += (
                f" By earlier runs about {pages.duration(self.seconds / workers)}{beside}, "
                f"and {self.size / 1e6:.1f} MB."
            )
        if left and self.extraction:
            said += f" Features before that: about {pages.duration(self.extraction)} on one worker."
        if self.unknown:
            said += f" Nothing is known yet of {', '.join(self.unknown)}: that is not counted."
        return said


def forecast(
    units: Sequence[Unit],
    store: Store,
    estimates: Estimates,
    *,
    n_utterances: Callable[[str], int] | None = None,
) -> Forecast:
    """What is left of units, and what that will take.

    Parameters
    ----------
    units : sequence of Unit
    store : Store
    estimates : Estimates
    n_utterances : callable(corpus) -> int, optional
        To count features that are not there yet; without it they are not counted.
    """
    left = [unit for unit in units if store.finished(unit) is None]
    seconds = size = 0.0
    unknown: dict[str, None] = {}
    for unit in left:
        expected = estimates.seconds(unit)
        if expected is None:
            unknown[unit.method] = None
        else:
            seconds += expected
            size += estimates.size(unit) or 0.0
    asked = ((unit.chosen, unit.method) for unit in left)
    return Forecast(
        units=len(units),
        finished=len(units) - len(left),
        failed=sum(bool(store.failure(unit)) for unit in left),
        seconds=seconds,
        size=size,
        unknown=tuple(unknown),
        extraction=0.0 if n_utterances is None else times.extraction(asked, n_utterances=n_utterances),
    )
