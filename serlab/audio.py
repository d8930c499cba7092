"""Reading speech: one channel, one rate, checked.

Corpora differ in sampling rate, bandwidth and level, and a classifier learns
those before it learns emotion. So every utterance passes through :func:`load`:

- **Rate**: resampled to 16 kHz (soxr, HQ: linear phase, pass band to about
  7.3 kHz). What was recorded at a lower rate is noted.
- **Channels**: identical channels are one channel. Channels that differ are
  averaged and noted: the mean does not depend on which channel somebody
  connected first, and no speaker on either side is lost. Channels in opposite
  phase cancel; such a file is refused as silent rather than silently halved.
- **Level**: kept as recorded, because level carries emotion (and, in some
  corpora, the label: see URDU). Only where the peak would reach full scale is
  the whole utterance attenuated to 32767/32768, and noted: openSMILE converts
  to 16-bit integers, in which +1.0 wraps to -1.0. Clipping instead would add
  harmonics that were not recorded.
- **DC offset**: kept as recorded. Removing it is a filter, and a filter is the
  experimenter's decision; ``serlab validate`` reports it.
"""

from __future__ import annotations

import hashlib
import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from serlab.errors import AudioError

if TYPE_CHECKING:
    import soundfile

#: Raise it whenever :func:`load` gives other samples for the same file: features are cached under it.
VERSION = "1"
SAMPLE_RATE = 16_000
#: Largest magnitude that :func:`load` returns.
FULL_SCALE = 32767 / 32768
#: Peak around the mean below which a file is silent: -70 dB re full scale,
#: ten steps of a 16-bit recording. No speech fits below.
SILENT_PEAK = 10 ** (-70 / 20)
#: openSMILE's longest analysis window is 60 ms; below 100 ms there is no syllable.
SHORTEST = 0.1
#: Seconds by which ``end`` may lie behind the end of the file: label files round.
END_TOLERANCE = 0.02
#: Programs that write a WAV file to a pipe do not know its length beforehand, and
#: put the largest number (or sox: nearly half of it) into the header.
UNKNOWN_LENGTH = 0x7FFFF000

#: What is used of a recording with two channels.
MIX = "mix"
CHANNELS: tuple[str, ...] = (MIX, "left", "right")

CHANNELS_DIFFER = "channels differ: their mean is used"
ATTENUATED = "attenuated: the peak would reach full scale"
UPSAMPLED = "upsampled: recorded at a lower rate"


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
        :data:`CHANNELS_DIFFER`, :data:`ATTENUATED`, :data:`UPSAMPLED`.
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


def load(
    path: str | os.PathLike,
    *,
    start: float = math.nan,
    end: float = math.nan,
    sample_rate: int = SAMPLE_RATE,
) -> Audio:
    """Read an utterance as one channel at one rate, peak below full scale.

    Parameters
    ----------
    path : path
        WAV, FLAC or anything else libsndfile reads, of any sample format.
    start, end : float
        Seconds into the file; NaN is its beginning or end.
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
        lie in it. The message names the file and the remedy.
    """
    # Late: listing corpora and feature sets reads no audio.
    import soundfile
    import soxr

    path = _existing(path)
    try:
        refuse_truncated(path)
        with soundfile.SoundFile(path) as file:
            native_rate = file.samplerate
            first, last = _frames(path, start, end, rate=native_rate, n_frames=file.frames)
            file.seek(first)
            recorded = file.read(last - first, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise AudioError(
            f"{path}: cannot be read as audio ({_reason(error)}); it is damaged, cut short or of an "
            "unknown format: get it again, or convert it to WAV or FLAC"
        ) from error
    except OSError as error:
        raise _unopened(path, error) from error
    if len(recorded) < last - first:
        raise _truncated(path, f"{len(recorded)} of {last - first} samples can be read")
    if not np.isfinite(recorded).all():
        raise AudioError(f"{path}: holds NaN or infinite samples; export it again, or leave it out")

    notes = []
    samples = recorded[:, 0]
    if (recorded != recorded[:, :1]).any():
        samples = recorded.mean(axis=1)
        notes.append(CHANNELS_DIFFER)
    if np.abs(samples - samples.mean()).max() < SILENT_PEAK:
        why = " after averaging channels that cancel each other" if len(notes) else ""
        raise AudioError(
            f"{path}: silent{why} (peak below -70 dB re full scale); leave it out, or record it again"
        )
    if native_rate != sample_rate:
        samples = soxr.resample(samples, native_rate, sample_rate, quality="HQ")
        if native_rate < sample_rate:
            notes.append(UPSAMPLED)
    peak = np.abs(samples).max()
    if peak > FULL_SCALE:
        samples = samples * np.float32(FULL_SCALE / peak)
        notes.append(ATTENUATED)
    return Audio(
        samples=np.ascontiguousarray(samples, dtype=np.float32),
        sample_rate=sample_rate,
        native_rate=native_rate,
        channels=recorded.shape[1],
        notes=tuple(notes),
    )


def check_channel(channel: str, *, of: str) -> None:
    """Refuse what is none of :data:`CHANNELS`.

    Raises
    ------
    AudioError
        Naming ``of`` what it is the channel.
    """
    if channel not in CHANNELS:
        raise AudioError(f"{of}: the channel is {channel!r}; choose one of {', '.join(CHANNELS)}")


def file_hash(path: str | os.PathLike) -> str:
    """Hash of the bytes of a file, 32 hexadecimal digits.

    Raises
    ------
    AudioError
        If the file is missing or cannot be opened.
    """
    path = _existing(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, _blake2b).hexdigest()
    except OSError as error:
        raise _unopened(path, error) from error


def content_hash(path: str | os.PathLike, *, start: float = math.nan, end: float = math.nan) -> str:
    """Hash that two utterances share exactly when they are the same recording.

    "The same" is: the same bytes on disk and the same cut. A WAV file and its
    FLAC copy differ.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    AudioError
        If the file is missing or cannot be opened.
    """
    return cut_hash(file_hash(path), start=start, end=end)


def cut_hash(whole: str, *, start: float, end: float) -> str:
    """Hash of a cut out of a file, from the hash of the whole file."""
    if math.isnan(start) and math.isnan(end):
        return whole
    return _blake2b(f"{whole} {float(start)!r} {float(end)!r}".encode()).hexdigest()


def _blake2b(data: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(data, digest_size=16)


def _existing(path: str | os.PathLike) -> Path:
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path}: no such file; check the data root, or read the corpus again")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: zero bytes long; the copy or download failed, get it again")
    return path


def _frames(path: Path, start: float, end: float, *, rate: int, n_frames: int) -> tuple[int, int]:
    """First frame and the frame after the last, checked against the file."""
    first = 0 if math.isnan(start) else round(start * rate)
    last = n_frames if math.isnan(end) else round(end * rate)
    cut = not (math.isnan(start) and math.isnan(end))
    if cut and (first < 0 or last <= first or last > n_frames + END_TOLERANCE * rate):
        raise AudioError(
            f"{path}: {start} s to {end} s is not a part of the file, which is {n_frames / rate:.3f} s long; "
            "correct start and end of this utterance"
        )
    last = min(last, n_frames)
    if last - first < SHORTEST * rate:
        raise AudioError(
            f"{path}: {(last - first) / rate:.3f} s is too short to analyse (less than {SHORTEST} s); "
            "leave it out"
        )
    return first, last


def refuse_truncated(path: Path) -> None:
    """Compare the length a WAV header promises with what is there.

    libsndfile reads what is left of a truncated WAV file without a word. (Of a
    truncated FLAC file it does complain.)
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return
        while len(header := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                there = size - file.tell()
                if there < length < UNKNOWN_LENGTH:
                    raise _truncated(path, f"{there} of {length} bytes of samples are there")
                return
            file.seek(length + length % 2, os.SEEK_CUR)  # chunks are padded to even length
    raise _truncated(path, "there are no samples")


def _unopened(path: Path, error: OSError) -> AudioError:
    return AudioError(f"{path}: cannot be opened ({error.strerror}); check its permissions")


def _truncated(path: Path, found: str) -> AudioError:
    return AudioError(f"{path}: truncated: {found}; the copy or download broke off, get it again")


def _reason(error: soundfile.SoundFileError) -> str:
    return getattr(error, "error_string", str(error)).strip().rstrip(".")
