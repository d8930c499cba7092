"""Reading speech: one channel, one rate, checked.

Corpora differ in sampling rate, bandwidth and level, and a classifier learns
those before it learns emotion. So every utterance passes through :func:`load`:

- **Rate**: resampled to 16 kHz (soxr, HQ: linear phase, pass band to about
  7.3 kHz). What was recorded at a lower rate is noted.
- **Channels**: identical channels are one channel. Channels that differ are
  averaged and noted, unless a corpus says which one to use; where they cancel,
  the left one is used and noted (see :mod:`serlab.audio.channels`).
- **Level**: kept as recorded, because level carries emotion (and, in some
  corpora, the label: see URDU). Only where the peak would reach full scale is
  the whole utterance attenuated to 32767/32768, and noted: openSMILE converts
  to 16-bit integers, in which +1.0 wraps to -1.0. Clipping instead would add
  harmonics that were not recorded.
- **Floating point**: a file whose largest sample, in the whole file, exceeds
  full scale more than tenfold holds whole numbers that nobody scaled: it is
  divided by the full scale of 16, 24 or 32 bits, the smallest that fits, and
  noted. So level survives as in a file of whole numbers.
- **DC offset**: kept as recorded. Removing it is a filter, and a filter is the
  experimenter's decision; ``serlab validate`` reports it.
- **Length**: what the container promises must be there
  (:mod:`serlab.audio.containers`).
"""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from serlab.audio import reading
from serlab.audio.channels import CHANNELS, CHANNELS_CANCEL, CHANNELS_DIFFER, LEFT, MIX, RIGHT, Mixer
from serlab.audio.containers import END_UNMARKED, LENGTH_CORRECTED
from serlab.audio.foreign import CONVERTIBLE, SUFFIXES, conversion
from serlab.audio.levels import Level
from serlab.audio.reading import END_TOLERANCE, SHORTEST, SILENT_PEAK, integer_scale
from serlab.errors import AudioError

if TYPE_CHECKING:
    import soxr

__all__ = [
    "ATTENUATED",
    "CHANNELS",
    "CHANNELS_CANCEL",
    "CHANNELS_DIFFER",
    "CONVERTIBLE",
    "END_TOLERANCE",
    "END_UNMARKED",
    "FULL_SCALE",
    "LEFT",
    "LENGTH_CORRECTED",
    "MIX",
    "RIGHT",
    "SAMPLE_RATE",
    "SHORTEST",
    "SILENT_PEAK",
    "SUFFIXES",
    "UNSCALED",
    "UPSAMPLED",
    "VERSION",
    "Audio",
    "Header",
    "channel_of",
    "check_channel",
    "content_hash",
    "conversion",
    "cut_hash",
    "file_hash",
    "header",
    "load",
]

#: Raise it whenever :func:`load` gives other samples for the same file: features are cached under it.
VERSION = "2"
SAMPLE_RATE = 16_000
#: Largest magnitude that :func:`load` returns.
FULL_SCALE = 32767 / 32768

ATTENUATED = "attenuated: the peak would reach full scale"
UPSAMPLED = "upsampled: recorded at a lower rate"
UNSCALED = "floating point far beyond full scale: read as whole numbers"


@dataclass(frozen=True, kw_only=True)
class Audio:
    """One utterance, ready for analysis.

    Attributes
    ----------
    samples : ndarray of float32, shape (n,)
        One channel, magnitudes below 1.
    sample_rate : int
        Of ``samples``, in Hz.
    native_rate, channels : int
        Of the file.
    notes : tuple of str
        What was done to it that a reader of the results may want counted:
        :data:`CHANNELS_DIFFER` and how far, :data:`CHANNELS_CANCEL`, :data:`ATTENUATED`,
        :data:`UPSAMPLED`, :data:`UNSCALED`, :data:`LENGTH_CORRECTED`, :data:`END_UNMARKED`.
    """

    samples: np.ndarray
    sample_rate: int
    native_rate: int
    channels: int
    notes: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says about itself, as far as it can be true.

    Attributes
    ----------
    sample_rate, channels : int
    seconds : float
        Length, as :func:`load` would read it.
    format, subtype : str
        Container and coding of samples, in libsndfile's words: "WAV", "PCM_16".
    """

    sample_rate: int
    channels: int
    seconds: float
    format: str
    subtype: str


def load(
    path: str | os.PathLike[str],
    *,
    start: float = math.nan,
    end: float = math.nan,
    channel: str = MIX,
    sample_rate: int = SAMPLE_RATE,
) -> Audio:
    """Read an utterance as one channel at one rate, peak below full scale.

    Parameters
    ----------
    path : path
        A file in one of the formats of :data:`SUFFIXES`, whatever its name, of any sample format.
    start, end : float
        Seconds into the file; NaN is its beginning or end.
    channel : {"mix", "left", "right"}
        What is used of two channels.
    sample_rate : int
        Hz.

    Returns
    -------
    Audio

    Raises
    ------
    AudioError
        If the file is missing, empty, truncated, not audio, holds NaN or
        infinity, is silent or shorter than 0.1 s, or if start and end do not
        lie in it. The message names the file and the remedy, ``problem`` the kind.
    """
    check_channel(channel, of=str(path))
    with reading.opened(path) as recording:
        first, last = reading.part(recording, start=start, end=end)
        mixer = Mixer(channel, recording.channels)
        level = Level(power=False)
        # Block by block, so that of an hour only what is returned is held; the samples are the same.
        resampled = _Resampler(recording.rate, sample_rate)
        for block in recording.blocks(first, last):
            mono = mixer(block)
            level.add(mono)
            resampled.add(mono)
        reading.refuse_short(recording, level.n)
        notes = list(recording.notes)
        if mixer.channel == MIX and mixer.cancel:
            left = load(path, start=start, end=end, channel=LEFT, sample_rate=sample_rate)
            return Audio(
                samples=left.samples, sample_rate=sample_rate, native_rate=left.native_rate,
                channels=left.channels, notes=(CHANNELS_CANCEL, *left.notes),
            )  # fmt: skip
        notes += [mixer.note] if mixer.note else []
        scale = 1.0
        if recording.is_float:
            # Judged by the whole file, not by the part of it that is used.
            whole = math.isnan(start) and math.isnan(end) and recording.channels == 1
            scale = integer_scale(level.peak if whole else reading.peak_of(recording))
            notes += [UNSCALED] if scale > 1 else []
    if level.around / scale < SILENT_PEAK:
        raise reading.silent(Path(path), channel=channel if mixer.differ else MIX)
    samples = resampled.samples()
    if scale > 1:
        samples = samples / np.float32(scale)  # a power of two: nothing is rounded
    if recording.rate < sample_rate:
        notes.append(UPSAMPLED)
    peak = max(samples.max(), -samples.min())
    if peak > FULL_SCALE:
        samples = samples * np.float32(FULL_SCALE / peak)
        notes.append(ATTENUATED)
    return Audio(
        samples=np.ascontiguousarray(samples, dtype=np.float32),
        sample_rate=sample_rate,
        native_rate=recording.rate,
        channels=recording.channels,
        notes=tuple(notes),
    )


class _Resampler:
    """Changes the rate of blocks, and puts them together."""

    def __init__(self, rate: int, wanted: int) -> None:
        self._rate, self._wanted = rate, wanted
        self._only: np.ndarray | None = None  # the first block, until a second one comes
        self._stream: soxr.ResampleStream | None = None
        self._blocks: list[np.ndarray] = []

    def add(self, samples: np.ndarray) -> None:
        """Take in a block, of shape (n,)."""
        if self._rate == self._wanted:
            self._blocks.append(samples)
        elif self._stream is not None:
            self._feed(samples)
        elif self._only is None:
            self._only = samples
        else:
            import soxr  # late: listing corpora and feature sets reads no audio

            self._stream = soxr.ResampleStream(self._rate, self._wanted, 1, dtype="float32", quality="HQ")
            self._feed(self._only)
            self._feed(samples)

    def samples(self) -> np.ndarray:
        """All of them, to be asked for once."""
        if self._only is not None and self._stream is None:
            import soxr

            return soxr.resample(self._only, self._rate, self._wanted, quality="HQ")
        if self._stream is not None:
            self._feed(np.zeros(0, np.float32), last=True)
        blocks, self._blocks = self._blocks, []
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def _feed(self, samples: np.ndarray, *, last: bool = False) -> None:
        assert self._stream is not None
        # What comes out is a view of a buffer as long as what went in.
        self._blocks.append(self._stream.resample_chunk(np.ascontiguousarray(samples), last=last).copy())


def header(path: str | os.PathLike[str]) -> Header:
    """Rate, channels and length of a file, without decoding it where the header tells.

    Raises
    ------
    AudioError
        If the file cannot be opened as audio, or less is there than its header promises.
    """
    with reading.opened(path) as recording:
        n_frames = recording.n_frames
        if n_frames is None:
            n_frames = sum(map(len, recording.blocks()))
        return Header(
            sample_rate=recording.rate,
            channels=recording.channels,
            seconds=n_frames / recording.rate,
            format=recording.format,
            subtype=recording.subtype,
        )


def channel_of(utterances: pd.DataFrame, *, otherwise: str = MIX) -> pd.Series:
    """What of its channels each utterance of a table uses: its column ``channel``, where it says so."""
    if "channel" not in utterances:
        return pd.Series(otherwise, index=utterances.index, dtype=object)
    return utterances["channel"].astype(object).where(utterances["channel"].notna(), otherwise)


def check_channel(channel: str, *, of: str) -> None:
    """Refuse what is none of :data:`CHANNELS`.

    Raises
    ------
    AudioError
        Naming ``of`` what it is the channel.
    """
    if channel not in CHANNELS:
        raise AudioError(f"{of}: the channel is {channel!r}; choose one of {', '.join(CHANNELS)}")


def file_hash(path: str | os.PathLike[str]) -> str:
    """Hash of the bytes of a file, 32 hexadecimal digits.

    Raises
    ------
    AudioError
        If the file is missing, empty, no regular file or cannot be opened.
    """
    path = Path(path)
    with reading.regular(path) as (file, _):
        try:
            digest = _blake2b()
            while block := file.read(2**20):
                digest.update(block)
            return digest.hexdigest()
        except OSError as error:
            raise reading.unopened(path, error) from error


def content_hash(
    path: str | os.PathLike[str], *, start: float = math.nan, end: float = math.nan, channel: str = MIX
) -> str:
    """Hash that two utterances share exactly when they are the same recording.

    "The same" is: the same bytes on disk, the same cut and the same channel. A
    WAV file and its FLAC copy differ.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    AudioError
        If the file is missing or cannot be opened.
    """
    return cut_hash(file_hash(path), start=start, end=end, channel=channel)


def cut_hash(whole: str, *, start: float, end: float, channel: str = MIX) -> str:
    """Hash of a cut out of a file, or of a channel of it, from the hash of the whole file."""
    if math.isnan(start) and math.isnan(end) and channel == MIX:
        return whole
    text = f"{whole} {float(start)!r} {float(end)!r}" + (f" {channel}" if channel != MIX else "")
    return _blake2b(text.encode()).hexdigest()


def _blake2b(data: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(data, digest_size=16)
