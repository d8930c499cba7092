"""Guess what somebody feels: a player, a button a class, answers on disk."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as w
import numpy as np
import pandas as pd
from IPython.display import Audio

from serlab import audio
from serlab.errors import AudioError
from serlab.files import write_table
from serlab.widgets.headless import GUESS_COLUMNS, read_guesses
from serlab.widgets.lines import GREEN, RED, write

#: Of full scale: the loudest utterance of all; the others keep their distance to it.
_LOUDEST = 0.8


class Guessing:
    """A player, and a button for each class; every answer is written down at once.

    Buttons are those of the browser: Tab goes to them, Enter or Space presses. Nothing says whether an
    answer was right. What is on disk already is gone on with.

    Parameters
    ----------
    utterances : DataFrame
        In the order in which they are heard, with ``emotion``.
    classes : sequence of str
    path : Path
        CSV of the answers.
    listener : str
        Who answers.

    Attributes
    ----------
    buttons : list of Button
        One a class, in order.
    back : Button
        Takes the last answer back.
    player, message : widget
    """

    def __init__(
        self, utterances: pd.DataFrame, *, classes: Sequence[str], path: Path, listener: str
    ) -> None:
        self._utterances, self._path, self._listener = utterances, Path(path), listener
        known = read_guesses(self._path)
        known = known[known["utterance"].isin(utterances.index)]
        self._rows: list[dict[str, Any]] = [
            {str(name): value for name, value in row.items()} for row in known.to_dict("records")
        ]
        self._sounds, self._bad = _sounds(utterances)
        self._shown = time.monotonic()
        self.buttons = [
            w.Button(description=name, tooltip=f"It sounds like {name}", layout=w.Layout(width="9em"))
            for name in classes
        ]
        for button, name in zip(self.buttons, classes, strict=True):
            button.on_click(partial(self._answer, name))
        self.back = w.Button(description="take back", tooltip="Take the last answer back")
        self.back.on_click(self._take_back)
        self.player, self.message, self._trouble = w.HTML(), w.HTML(), w.HTML()
        write(self._trouble, "; ".join(self._bad.values()), RED)
        answering = w.HBox([*self.buttons, self.back], layout=w.Layout(flex_flow="row wrap"))
        self.widget = w.VBox([self.message, self.player, answering, self._trouble])
        self._next(begun=False)

    @property
    def answers(self) -> pd.DataFrame:
        """One row an answer, in the order of answering: :data:`serlab.widgets.headless.GUESS_COLUMNS`."""
        return pd.DataFrame(self._rows, columns=list(GUESS_COLUMNS))

    def _left(self) -> list[str]:
        done = {row["utterance"] for row in self._rows}
        return [name for name in self._utterances.index if name not in done and name not in self._bad]

    def _next(self, *, begun: bool = True) -> None:
        left, n = self._left(), len(self._utterances) - len(self._bad)
        for button in self.buttons:
            button.disabled = not left
        self.back.disabled = not self._rows
        if not left:
            write(self.message, f"All {n} are answered, and kept in {self._path.name}. Thank you.", GREEN)
            self.player.value = ""
            return
        write(self.message, f"{n - len(left) + 1} of {n}: how does it sound?")
        sound = Audio(
            self._sounds[left[0]], rate=audio.SAMPLE_RATE, normalize=False, autoplay=begun
        )  # a browser plays nothing before the first click
        self.player.value = sound._repr_html_()
        self._shown = time.monotonic()

    def _answer(self, name: str, _: object = None) -> None:
        left = self._left()
        if not left:
            return
        row = self._utterances.loc[left[0]]
        self._rows.append(
            {
                "listener": self._listener,
                "position": len(self._rows) + 1,
                "utterance": left[0],
                "corpus": row["corpus"],
                "emotion": str(row["emotion"]),
                "answer": name,
                "seconds": round(time.monotonic() - self._shown, 1),
            }
        )
        self._keep()
        self._next()

    def _take_back(self, _: object) -> None:
        if self._rows:
            self._rows.pop()
            self._keep()
            self._next()

    def _keep(self) -> None:
        try:
            write_table(self._path, self.answers)
        except OSError as error:
            write(self._trouble, f"{self._path} cannot be written: {error.strerror}", RED)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options)


def _sounds(utterances: pd.DataFrame) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Samples of each utterance, all by one factor louder; and what cannot be heard, with the reason."""
    sounds, bad = {}, {}
    for name, row in utterances.iterrows():
        try:
            loaded = audio.load(
                row["path"], start=row["start"], end=row["end"], channel=str(row.get("channel") or audio.MIX)
            )
        except AudioError as error:
            bad[str(name)] = f"{html.escape(str(name))} is left out: {error}"
        else:
            sounds[str(name)] = loaded.samples
    peak = max((float(np.abs(samples).max()) for samples in sounds.values()), default=1.0)
    return {name: samples * (_LOUDEST / peak) for name, samples in sounds.items()}, bad
