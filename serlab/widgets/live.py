"""Progress and curves of a run, alive in a notebook."""

from __future__ import annotations

import html
import time

import ipywidgets as w
import numpy as np
import pandas as pd
from IPython import get_ipython
from IPython.display import display

from serlab.progress import duration


class ProgressBar:
    """A bar with text and remaining time; hidden when there is nothing to show."""

    def __init__(self) -> None:
        self._bar = w.FloatProgress(min=0, max=1, layout=w.Layout(width="240px"))
        self._text = w.HTML()
        self.widget = w.HBox([self._bar, self._text])
        self._began, self._first, self._stage, self._shown = 0.0, 0, 0, -1.0
        self.hide()

    def report(self, done: int, total: int, text: str) -> None:
        """Show that ``done`` of ``total`` pieces are done; at the last one, hide."""
        now = time.monotonic()
        if total != self._stage or done < self._first:  # another stage: its speed is its own
            self._began, self._first, self._stage, self._shown = now, done, total, -1.0
        if total and done >= total:
            self.hide()
            return
        if now - self._shown < 0.1:  # every update is a message to the browser
            return
        self._shown = now
        self._bar.value = done / total if total else 0
        count = f" &middot; {done} of {total}" if total else ""
        self._text.value = html.escape(text) + count + self._remaining(done, total, now)
        self.widget.layout.display = None

    def hide(self) -> None:
        """Take the bar away."""
        self.widget.layout.display = "none"

    def _remaining(self, done: int, total: int, now: float) -> str:
        if done <= self._first or now - self._began < 1:
            return ""
        seconds = (now - self._began) / (done - self._first) * (total - done)
        return f" &middot; about {duration(seconds)} left"


class LiveCurves:
    """Loss and UAR of the network in training, drawn anew after each epoch; hidden when there is none."""

    _SIZE = (300, 90)

    def __init__(self) -> None:
        self.widget = w.HTML()
        self._shown = 0.0
        self.hide()

    def report(self, text: str, history: pd.DataFrame) -> None:
        """Draw the history of one fit so far; see :func:`serlab.training.train`."""
        now = time.monotonic()
        if now - self._shown < 0.5:  # every update is a message to the browser
            return
        self._shown = now
        panels = "".join(
            self._panel(name, history[[c for c in (name, f"validation_{name}") if c in history]])
            for name in ("loss", "uar")
            if name in history
        )
        self.widget.value = f"<div style='line-height: 1.3'>{html.escape(text)}<br>{panels}</div>"
        self.widget.layout.display = None

    def hide(self) -> None:
        """Take the curves away."""
        self.widget.layout.display = "none"

    def _panel(self, name: str, values: pd.DataFrame) -> str:
        width, height = self._SIZE
        top, n = float(np.nanmax(values.to_numpy(), initial=1e-9)), max(len(values) - 1, 1)
        lines = ""
        for column, dash in zip(values, ("", "4 3"), strict=False):
            points = " ".join(
                f"{10 + (width - 20) * i / n:.1f},{height - 8 - (height - 26) * v / top:.1f}"
                for i, v in enumerate(values[column])
                if np.isfinite(v)
            )
            lines += (
                f"<polyline points='{points}' fill='none' stroke='#0072B2' stroke-width='2' "
                f"stroke-dasharray='{dash}'/>"
            )
        last = ", ".join(f"{column.replace('_', ' ')} {values[column].iloc[-1]:.3f}" for column in values)
        return (
            f"<svg width='{width}' height='{height}' role='img' aria-label='{name} by epoch'>"
            f"<text x='10' y='12' font-size='12'>{last}</text>{lines}</svg>"
        )


class BelowCell:
    """Progress and curves below whichever cell is running: one session serves several cells."""

    def __init__(self) -> None:
        self._cell: object = None
        self._bar, self._curves = ProgressBar(), LiveCurves()

    def progress(self, done: int, total: int, text: str) -> None:
        """As :data:`serlab.progress.Progress`."""
        self._follow()
        self._bar.report(done, total, text)
        if done >= total:
            self._curves.hide()

    def on_epoch(self, text: str, history: pd.DataFrame) -> None:
        """As :data:`serlab.progress.OnEpoch`."""
        self._follow()
        self._curves.report(text, history)

    def _follow(self) -> None:
        """Put a new bar below a cell that has none yet."""
        cell = getattr(get_ipython(), "execution_count", None)
        if cell == self._cell and cell is not None:
            return
        self._cell = cell
        self._bar, self._curves = ProgressBar(), LiveCurves()
        display(self._bar.widget, self._curves.widget)
