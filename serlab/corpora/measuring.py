"""What is measured in every audio file of a corpus, in one pass and in bounded memory.

A file that :func:`serlab.audio.load` refuses is refused here for the same
reason: both read blocks of the same reader and judge them by the same rules.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serlab import audio
from serlab.audio import reading
from serlab.audio.channels import CHANNELS_CANCEL, LEFT, MIX, Mixer
from serlab.audio.levels import Level
from serlab.corpora import overlaps
from serlab.corpora.bandwidth import Spectrum
from serlab.errors import AudioError

#: Samples in a row at full scale from which on a recording is clipped.
CLIPPED_RUN = 4
#: Seconds up to which a recording is searched for overlaps with others: an utterance is shorter.
LONGEST_SEARCHED = 60.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One file; all channels as one, as :func:`serlab.audio.load` makes them, unless said otherwise.

    Attributes
    ----------
    path : str
    problem, detail : str
        Why it cannot be used, in a word or two and as a sentence; empty where it can.
    sample_rate, channels : float
        Hz, number; NaN where not known.
    channels_differ : bool
    distance_db : float
        How far channels are apart; see :mod:`serlab.audio.channels`. NaN where they do not differ.
    container, format : str
        libsndfile's words for the container and the coding of samples.
    seconds, level_db, dc, peak : float
        Length; RMS around the mean in dB re full scale; mean; largest magnitude. Full scale is 1.
    bandwidth : float
        Hz; see :mod:`serlab.corpora.bandwidth`.
    clipped : bool
        Whether a channel stays at full scale for :data:`CLIPPED_RUN` samples.
    digest : str or None
        Of rate, channels and decoded samples.
    low : ndarray or None
        For the search for overlaps.
    notes : tuple of str
        As :class:`serlab.audio.Audio` has them, but for what resampling brings about.
    cuts : tuple of (float, str)
        Level in dB, and problem, of each part that was asked for.
    """

    path: str
    problem: str = ""
    detail: str = ""
    sample_rate: float = math.nan
    channels: float = math.nan
    channels_differ: bool = False
    distance_db: float = math.nan
    container: str = ""
    format: str = ""
    seconds: float = math.nan
    level_db: float = math.nan
    dc: float = math.nan
    peak: float = math.nan
    bandwidth: float = math.nan
    clipped: bool = False
    digest: str | None = None
    low: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    cuts: tuple[tuple[float, str], ...] = ()


def measure(
    path: str | Path,
    *,
    channel: str = MIX,
    cuts: Sequence[tuple[float, float]] = (),
    running: bool = False,
) -> Measured:
    """Decode a file once and measure it.

    Parameters
    ----------
    path : path
    channel : {"mix", "left", "right"}
    cuts : sequence of (float, float)
        Start and end in seconds, NaN for those of the file, of parts whose level is wanted.
    running : bool
        Whether ``low`` is wanted, for :func:`serlab.corpora.overlaps.find`.

    Returns
    -------
    Measured
        With a ``problem`` where the file cannot be used; no file raises an error.
    """
    try:
        with reading.opened(path) as recording:
            known = Measured(
                path=str(path),
                sample_rate=recording.rate,
                channels=recording.channels,
                container=recording.format,
                format=recording.subtype,
                seconds=math.nan if recording.n_frames is None else recording.n_frames / recording.rate,
            )
            try:
                return _decoded(recording, known, channel=channel, cuts=cuts, running=running)
            except AudioError as error:
                return dataclasses.replace(known, problem=error.problem, detail=str(error))
    except AudioError as error:
        return Measured(path=str(path), problem=error.problem, detail=str(error))


def _decoded(
    recording: reading.Recording,
    known: Measured,
    *,
    channel: str,
    cuts: Sequence[tuple[float, float]],
    running: bool,
) -> Measured:
    rate = recording.rate
    reading.part(recording, start=math.nan, end=math.nan)
    mixer, level, spectrum = Mixer(channel, recording.channels), Level(), Spectrum(rate)
    parts = [_Part(rate, start, end) for start, end in cuts]
    clipping, kept = Clipping(), _Kept(most=int(LONGEST_SEARCHED * rate) if running else 0)
    digest = hashlib.blake2b(digest_size=16, key=f"{rate} {recording.channels}".encode())
    for block in recording.blocks():
        mono = mixer(block)
        for part in parts:
            part.add(mono, at=level.n)
        level.add(mono)
        spectrum.add(mono)
        clipping.add(block)
        kept.add(mono)
        digest.update(np.ascontiguousarray(block).data)
    reading.refuse_short(recording, level.n)
    notes = list(recording.notes)
    if mixer.channel == MIX and mixer.cancel:
        left = measure(recording.path, channel=LEFT, cuts=cuts, running=running)
        return dataclasses.replace(
            left, channels_differ=True, distance_db=mixer.distance, notes=(CHANNELS_CANCEL, *left.notes)
        )
    notes += [mixer.note] if mixer.note else []
    scale = 1.0
    if recording.is_float:
        scale = reading.integer_scale(clipping.peak)
        notes += [audio.UNSCALED] if scale > 1 else []
    if level.around / scale < reading.SILENT_PEAK:
        raise reading.silent(recording.path, channel=channel if mixer.differ else MIX)
    return dataclasses.replace(
        known,
        channels_differ=mixer.differ,
        distance_db=mixer.distance if mixer.differ else math.nan,
        seconds=level.n / rate,
        level_db=level.db(scale),
        dc=level.mean / scale,
        peak=clipping.peak / scale,
        bandwidth=spectrum.bandwidth,
        # Floating point has no full scale to be clipped at.
        clipped=clipping.found and not (recording.is_float and clipping.peak > 1),
        digest=digest.hexdigest(),
        low=overlaps.reduce(kept.samples(), rate) if running and kept.complete else None,
        notes=tuple(notes),
        cuts=tuple(part.result(recording, scale) for part in parts),
    )


class _Part:
    """Level of a part of a file."""

    def __init__(self, rate: int, start: float, end: float) -> None:
        self._start, self._end, self._level = start, end, Level()
        self._first = 0 if math.isnan(start) else round(max(start, 0.0) * rate)
        self._last = math.inf if math.isnan(end) else round(end * rate)

    def add(self, samples: np.ndarray, *, at: int) -> None:
        """Take in what of a block belongs here; the block begins at sample ``at``."""
        first, last = max(self._first - at, 0), min(self._last - at, len(samples))
        if first < last:
            self._level.add(samples[int(first) : int(last)])

    def result(self, recording: reading.Recording, scale: float) -> tuple[float, str]:
        """Level, and problem."""
        try:
            reading.part(recording, start=self._start, end=self._end)
            reading.refuse_short(recording, self._level.n)
        except AudioError as error:
            return math.nan, error.problem
        silent = self._level.around / scale < reading.SILENT_PEAK
        return self._level.db(scale), "silent" if silent else ""


class Clipping:
    """Peak of all channels, and whether one stays at full scale."""

    def __init__(self) -> None:
        self.peak, self.found = 0.0, False
        self._before: np.ndarray | None = None  # the last samples of the block before

    def add(self, block: np.ndarray) -> None:
        """Take in a block, of shape (n, channels)."""
        if not len(block):
            return
        peak = max(float(block.max()), -float(block.min()))
        self.peak = max(self.peak, peak)
        if not self.found and (peak >= audio.FULL_SCALE or self._before is not None):
            whole = block if self._before is None else np.concatenate([self._before, block])
            self.found = is_clipped(whole)
        reaches = np.abs(block[-CLIPPED_RUN:]).max() >= audio.FULL_SCALE
        self._before = block[-(CLIPPED_RUN - 1) :].copy() if reaches else None


def is_clipped(samples: np.ndarray) -> bool:
    """Whether a channel of (n, channels) stays at full scale for :data:`CLIPPED_RUN` samples."""
    full = np.abs(samples) >= audio.FULL_SCALE
    if full.sum() < CLIPPED_RUN:
        return False
    runs = full[CLIPPED_RUN - 1 :].copy()
    for back in range(1, CLIPPED_RUN):
        runs &= full[CLIPPED_RUN - 1 - back : len(full) - back]
    return bool(runs.any())


class _Kept:
    """The samples, as long as they are no more than ``most``."""

    def __init__(self, *, most: int) -> None:
        self._most, self._n = most, 0
        self._blocks: list[np.ndarray] = []

    @property
    def complete(self) -> bool:
        """Whether all are kept."""
        return self._n <= self._most

    def add(self, samples: np.ndarray) -> None:
        """Keep a block, or forget all."""
        self._n += len(samples)
        self._blocks = [*self._blocks, samples] if self.complete else []

    def samples(self) -> np.ndarray:
        """All of them."""
        return np.concatenate(self._blocks)
