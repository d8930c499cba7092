"""Record a phrase or choose a file, listen to it, delete it."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ipywidgets as w
import numpy as np
from IPython.display import Audio

from serlab import audio
from serlab.errors import AudioError, ParameterError, SerlabError
from serlab.widgets.lines import GREEN, RED, write
from serlab.widgets.recordings import Recordings

#: Of full scale: quieter recordings are said to be.
_QUIET = 0.05


class Recorder:
    """A microphone, a file picker, and the recordings of a folder.

    Nothing leaves the machine that the kernel runs on, and the notebook has no voice in it.

    Parameters
    ----------
    folder : Path
        Where recordings are kept.
    on_recording : callable(path), optional
        Called with each new recording.

    Attributes
    ----------
    recordings : Recordings
    microphone : Microphone or HTML
        A note, where anywidget is not installed.
    upload : FileUpload
    chosen : Dropdown
        Of the recordings.
    delete : Button
    player, message : widget
    """

    def __init__(self, folder: Path, *, on_recording: Callable[[Path], None] | None = None) -> None:
        self.recordings = Recordings(Path(folder))
        self._on_recording = on_recording
        self.microphone: w.DOMWidget = self._microphone()
        self.upload = w.FileUpload(
            accept="audio/*," + ",".join(sorted(audio.SUFFIXES)), multiple=True, description="or a file",
            tooltip="Choose recordings on this computer",
        )  # fmt: skip
        self.upload.observe(self._uploaded, names="value")
        self.chosen = w.Dropdown(description="recording")
        self.chosen.observe(lambda _: self._show(), names="value")
        self.delete = w.Button(description="delete", tooltip="Delete the recording that is shown")
        self.delete.on_click(self._delete)
        self.player, self.message = w.HTML(), w.HTML()
        place = html.escape(self.recordings.folder.name)
        note = w.HTML(f"<small>Recordings lie in the folder {place}, nowhere else.</small>")
        row = w.Layout(flex_flow="row wrap")
        self.widget = w.VBox(
            [
                w.HBox([self.microphone, self.upload], layout=row),
                self.message,
                w.HBox([self.chosen, self.delete], layout=row),
                self.player,
                note,
            ]
        )
        self._list()

    @property
    def paths(self) -> list[Path]:
        """Recordings, by name."""
        return self.recordings.paths

    def utterances(self) -> Any:
        """See :meth:`serlab.widgets.recordings.Recordings.utterances`."""
        return self.recordings.utterances()

    def _microphone(self) -> w.DOMWidget:
        if find_spec("anywidget") is None:
            return w.HTML("To record here: pip install 'serlab[lab]'. A file can be chosen in any case.")
        from serlab.widgets.microphone import Microphone

        return Microphone(self._heard)

    def _heard(self, samples: np.ndarray, rate: int) -> None:
        peak = float(np.abs(samples).max(initial=0))
        if self._add(lambda: self.recordings.keep(samples, rate)):
            if peak >= 0.999:
                write(self.message, "kept; too loud, and cut off: speak from further away.", RED)
            elif peak < _QUIET:
                write(self.message, "kept; very quiet: come nearer to the microphone.", RED)

    def _uploaded(self, change: Any) -> None:
        for one in change["new"]:
            if not self._add(partial(self.recordings.take, one["name"], bytes(one["content"]))):
                break

    def _add(self, keep: Callable[[], Path]) -> bool:
        try:
            path = keep()
        except (AudioError, ParameterError) as error:
            write(self.message, str(error), RED)
            return False
        write(self.message, f"kept: {path.name}", GREEN)
        self._list(path)
        if self._on_recording is not None:
            try:
                self._on_recording(path)
            except SerlabError as error:
                write(self.message, str(error), RED)
                return False
        return True

    def _list(self, last: Path | None = None) -> None:
        paths = self.paths
        self.chosen.options = [(path.name, path) for path in paths]
        self.chosen.value = last if last in paths else paths[-1] if paths else None
        self.delete.disabled = self.chosen.disabled = not paths
        self._show()

    def _show(self) -> None:
        path = self.chosen.value
        if path is None:
            self.player.value = ""
            return
        try:
            loaded = audio.load(path)
        except AudioError as error:
            self.player.value = ""
            write(self.message, str(error), RED)
            return
        sound = Audio(loaded.samples, rate=loaded.sample_rate, normalize=False)
        self.player.value = sound._repr_html_()

    def _delete(self, _: object) -> None:
        if self.chosen.value is not None:
            name = self.chosen.value.name
            self.recordings.remove(self.chosen.value)
            self._list()
            write(self.message, f"deleted: {name}")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options)
