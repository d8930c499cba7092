"""How far a plan is: a page that reads itself again, and a line for a terminal."""

from __future__ import annotations

import html
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from serlab.experiment.work import Unit
from serlab.files import write_text
from serlab.reporting import pages
from serlab.reporting.dispatch import State

#: Seconds after which the page is written and read again.
EVERY = 5.0
#: Rows of a table beyond which the rest is counted.
_MOST = 200


@dataclass
class Page:
    """Progress of one plan.

    Attributes
    ----------
    path : Path
    name : str
    units : sequence of Unit
    expected : mapping of int to float
        Seconds of units, by number, from earlier runs.
    workers : int
        How many there are about.
    dashboard : str
        Of the backend.
    """

    path: Path
    name: str
    units: Sequence[Unit]
    expected: Mapping[int, float] = field(default_factory=dict)
    workers: int = 1
    dashboard: str = ""
    clock: Callable[[], float] = time.monotonic
    _written: float = -1e9
    _found: frozenset[int] | None = None

    def left(self, state: State) -> float | None:
        """Seconds that are left, from what units of each method took here, else earlier; None if unknown."""
        took = defaultdict(list)
        for number, done in state.done.items():
            if number not in (self._found or ()):
                took[self.units[number].method].append(done.seconds - done.preparing)
        every = [seconds for known in took.values() for seconds in known]
        total = 0.0
        for number, unit in enumerate(self.units):
            if number in state.done or number in state.failed:
                continue
            if unit.method in took:
                total += statistics.median(took[unit.method])
            elif number in self.expected:
                total += self.expected[number]
            elif every:
                total += statistics.fmean(every)
            else:
                return None
        return total / max(1, min(state.workers or self.workers, state.waiting + len(state.running)))

    def line(self, state: State) -> str:
        """The state in one line."""
        seconds = self.left(state) if state.waiting or state.running else None
        about = f", about {pages.duration(seconds)} left" if seconds is not None else ""
        failed = f", {len(state.failed)} failed" if state.failed else ""
        return f"{len(state.done)} done, {len(state.running)} running{failed}, {state.waiting} waiting{about}"

    def show(self, state: State, *, over: str = "") -> None:
        """Write the page, at most every :data:`EVERY` seconds; always when it is over.

        Parameters
        ----------
        state : State
        over : str
            How it ended: "complete", "interrupted" ...; empty while it goes on.

        Raises
        ------
        OSError
        """
        if self._found is None:  # those that were there when it began
            self._found = frozenset(state.done)
        if over or self.clock() - self._written >= EVERY:
            write_text(self.path, self.html(state, over=over))
            self._written = self.clock()

    def html(self, state: State, *, over: str = "") -> str:
        """The page."""
        mark = f'<span class="badge">{html.escape(over)}</span>' if over else ""
        dashboard = (
            f'<p><a href="{html.escape(self.dashboard, quote=True)}">Dashboard of Dask</a></p>'
            if self.dashboard.startswith(("http://", "https://")) and not over
            else ""
        )
        body = [
            pages.QUESTION,
            f"<p><strong>{html.escape(self.line(state))}</strong> {mark}</p>",
            dashboard,
            self._failed(state),
            self._running(state),
            self._refused(state),
            self._methods(state),
        ]
        return pages.page(
            f"Plan {self.name}", "\n".join(filter(None, body)), refresh=0 if over else round(EVERY)
        )

    def _failed(self, state: State) -> str:
        rows = [(self.units[number].title, reason) for number, reason in state.failed.items()]
        again = "<p>They are tried again by <code>--retry-failed</code>.</p>" if rows else ""
        return _table("Failed", ("unit", "reason"), rows) + again

    def _running(self, state: State) -> str:
        rows = [(self.units[number].title, worker) for worker, number in state.running.items()]
        rows += [(self.units[number].title, "another process") for number in state.elsewhere]
        return _table("Running", ("unit", "worker"), rows)

    def _refused(self, state: State) -> str:
        return _table("Workers that are given nothing", ("worker", "reason"), list(state.refused.items()))

    def _methods(self, state: State) -> str:
        total = Counter(unit.method for unit in self.units)
        done = Counter(self.units[number].method for number in state.done)
        failed = Counter(self.units[number].method for number in state.failed)
        rows = [(name, f"{done[name]} of {n}", str(failed[name] or "")) for name, n in total.items()]
        return _table("Methods", ("method", "done", "failed"), rows)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th scope='col'>{html.escape(text)}</th>" for text in heads)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[:_MOST]
    )
    more = f"<p>And {len(rows) - _MOST} more.</p>" if len(rows) > _MOST else ""
    return (
        f'<h2>{html.escape(title)}</h2>\n<div class="scroll"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>\n{more}"
    )
