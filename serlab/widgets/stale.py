"""Marks below cells that describe an older choice than the panel shows."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any

import ipywidgets as w
from IPython.display import display

from serlab.experiment import Outcome, Parameters

#: Where and how fast: with others a cell describes the same.
_SAME = ("data", "jobs", "device")


def identity(parameters: Parameters) -> str:
    """Equal where cells would show the same."""
    chosen = {name: value for name, value in parameters.as_dict().items() if name not in _SAME}
    return json.dumps(chosen, sort_keys=True)


def pair(parameters: Parameters) -> str:
    """ "emodb -> urdu"."""
    return f"{' + '.join(parameters.sources) or 'no source'} \N{RIGHTWARDS ARROW} {parameters.target}"


class Marks:
    """One mark a choice, shown below every cell that was run with it.

    A cell describes the outcome that it names, or else what the cells last took from the panel.

    Attributes
    ----------
    used : Parameters or None
        What the cells last took from the panel.
    unfollow : callable()
        Ends what :func:`follow` began.
    changed : callable()
        Called when a cell has been run: :attr:`stale` may be another.
    """

    def __init__(self) -> None:
        self.used: Parameters | None = None
        self.unfollow: Callable[[], None] = _nothing
        self.changed: Callable[[], None] = _nothing
        self._marks: dict[str, tuple[w.HTML, Parameters]] = {}
        self._cells: dict[str, Parameters] = {}
        self._chosen: Parameters | None = None

    @property
    def stale(self) -> Parameters | None:
        """The choice that some cell still describes, if it is not the present one."""
        if self._chosen is None:
            return None
        now = identity(self._chosen)
        return next((what for what in self._cells.values() if identity(what) != now), None)

    def choose(self, parameters: Parameters) -> None:
        """Bring all marks in line with the present choice."""
        self._chosen = parameters
        for name, (mark, described) in self._marks.items():
            self._write(mark, "" if name == identity(parameters) else self._text(described))

    def forget(self) -> None:
        """All cells are to be run again: what they described is no matter."""
        for mark, _ in self._marks.values():
            self._write(mark, "")
        self._marks, self._cells = {}, {}

    def after_cell(self, source: str, names: dict[str, Any], *, cell: str = "") -> None:
        """Put a mark below a cell that has just run.

        Parameters
        ----------
        source : str
            Its code.
        names : dict
            Variables of the kernel.
        cell : str
            By which it is known when it is run again; its code without.
        """
        outcome = names.get("outcome")
        described = self.used
        if isinstance(outcome, Outcome) and "outcome" in source:
            described = outcome.parameters
        if described is None or "widgets.show(" in source:
            return
        name = identity(described)
        self._cells[cell or source] = described
        if name not in self._marks:
            mark = w.HTML(layout=w.Layout(margin="0"))
            self._marks[name] = (mark, described)
        mark = self._marks[name][0]
        fresh = self._chosen is None or name == identity(self._chosen)
        self._write(mark, "" if fresh else self._text(described))
        display(mark)
        self.changed()

    def _text(self, described: Parameters) -> str:
        different = self._difference(described)
        return (
            "<div role='status' style='border-left: 4px solid #B00020; padding: 2px 8px; line-height: 1.4'>"
            f"<b>Older than the choice above.</b> This describes {html.escape(pair(described))}"
            f"{html.escape(different)}.</div>"
        )

    def _difference(self, described: Parameters) -> str:
        """What else is chosen now, where the corpora are the same."""
        if self._chosen is None or pair(described) != pair(self._chosen):
            return ""
        now, then = self._chosen.as_dict(), described.as_dict()
        changed = [name for name in now if now[name] != then[name] and name not in _SAME]
        return f", with other {', '.join(changed)}" if changed else ""

    @staticmethod
    def _write(mark: w.HTML, text: str) -> None:
        mark.value = text
        mark.layout.display = None if text else "none"


def _nothing() -> None:
    return None


def follow(marks: Marks, shell: Any) -> Callable[[], None]:
    """Call :meth:`Marks.after_cell` after each cell of a kernel; returns what ends that."""

    def after(result: Any) -> None:
        if result.success and result.info is not None:
            cell = getattr(result.info, "cell_id", None) or ""
            marks.after_cell(result.info.raw_cell or "", shell.user_ns, cell=cell)

    shell.events.register("post_run_cell", after)

    def end() -> None:
        if after in shell.events.callbacks["post_run_cell"]:
            shell.events.unregister("post_run_cell", after)

    return end
