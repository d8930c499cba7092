"""A microphone in a notebook: a button, a level, and samples that go to the kernel only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import numpy as np


class Microphone(anywidget.AnyWidget):
    """Records in the browser.

    Samples come as a message, not as the state of a widget: a notebook that is saved with its widgets has
    no voice in it.

    Parameters
    ----------
    on_recording : callable(samples, rate)
        Is given what was recorded: float32 of shape (n,), and Hz.
    """

    _esm = Path(__file__).with_name("recorder.js")

    def __init__(self, on_recording: Callable[[np.ndarray, int], None]) -> None:
        super().__init__()
        self._on_recording = on_recording
        self.on_msg(self._heard)

    def _heard(self, _: object, content: Any, buffers: Any) -> None:
        if not isinstance(content, dict) or content.get("kind") != "recording" or not buffers:
            return
        raw = bytes(buffers[0])
        samples = np.frombuffer(raw[: len(raw) // 4 * 4], dtype="<f4").astype(np.float32)
        self._on_recording(samples, int(content["rate"]))
