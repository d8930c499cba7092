"""Opening a recording and reading it in blocks: the one way in which serlab gets at samples.

What the header says is checked against the file before (see
:mod:`serlab.audio.containers`) and after: every block must be there, and every
sample be a number. Memory is bounded by the block, whatever the header
says and however long the recording is.
"""

from __future__ import annotations

import io
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from serlab.audio import containers, foreign
from serlab.errors import AudioError

if TYPE_CHECKING:
    import soundfile

#: Samples (all channels together) that are read at once; 16 s of one channel at 16 kHz.
BLOCK = 2**18
#: Hz. Speech needs 4 kHz to be understood, and no recorder of speech exceeds the highest.
LOWEST_RATE, HIGHEST_RATE = 4_000, 384_000
#: Channels of a recording of speech at most.
MOST_CHANNELS = 64
#: Peak around the mean below which a file is silent: -70 dB re full scale,
#: ten steps of a 16-bit recording. No speech fits below.
SILENT_PEAK = 10 ** (-70 / 20)
#: openSMILE's longest analysis window is 60 ms; below 100 ms there is no syllable.
SHORTEST = 0.1
#: Seconds by which ``end`` may lie behind the end of the file: label files round.
END_TOLERANCE = 0.02
#: Full scales of whole numbers that a program may have left in a file of floating point.
_INTEGER_SCALES = (2.0**15, 2.0**23, 2.0**31)

#: Formats of libsndfile that are read: those whose length can be checked.
_FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "FLAC", "OGG", "MP3", "NIST"})


@dataclass(frozen=True)
class Recording:
    """An open file.

    Attributes
    ----------
    path : Path
    file : soundfile.SoundFile
    rate, channels : int
    subtype : str
        How samples are coded, in libsndfile's words: "PCM_16", "FLOAT".
    format : str
        Container, in libsndfile's words: "WAV", "FLAC".
    n_frames : int or None
        Samples of each channel; None where only decoding tells.
    notes : tuple of str
        What is odd about the container.
    """

    path: Path
    file: soundfile.SoundFile
    rate: int
    channels: int
    subtype: str
    format: str
    n_frames: int | None
    notes: tuple[str, ...]

    @property
    def is_float(self) -> bool:
        """Whether the file holds floating point, which no format's full scale limits."""
        return self.subtype in ("FLOAT", "DOUBLE")

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[np.ndarray]:
        """Samples from ``first`` up to ``last``, which must be there; without ``last`` up to the end.

        Yields
        ------
        ndarray of float32, shape (n, channels)
            In order; full scale is 1.

        Raises
        ------
        AudioError
            If less is there, or a sample is not a number.
        """
        import soundfile

        last = self.n_frames if last is None else last
        size = max(BLOCK // self.channels, 1)
        position = first
        try:
            if first:
                self._seek(first)
            while last is None or position < last:
                wanted = size if last is None else min(size, last - position)
                block = self.file.read(wanted, dtype="float32", always_2d=True)
                if not _finite(block):
                    raise AudioError(
                        f"{self.path}: holds NaN or infinite samples; export it again, or leave it out",
                        problem="not a number",
                    )
                if self.is_float and len(block) and np.abs(block).max() > _INTEGER_SCALES[-1]:
                    raise AudioError(
                        f"{self.path}: holds samples beyond any full scale; it is damaged, get it again",
                        problem="damaged",
                    )
                if len(block):
                    yield block
                position += len(block)
                if len(block) < wanted:
                    break
        except soundfile.SoundFileError as error:
            raise _damaged(self.path, error, f"after {position / self.rate:.3f} s") from error
        if last is not None and position < last:
            if self.n_frames is None:
                raise outside(self, f"the end at {last / self.rate:.3f} s")
            raise truncated(self.path, f"{position - first} of {last - first} samples can be read")

    def _seek(self, first: int) -> None:
        import soundfile

        try:
            self.file.seek(first)
        except soundfile.SoundFileError:
            if self.n_frames is not None:
                raise
            raise outside(self, f"the start at {first / self.rate:.3f} s") from None


def outside(recording: Recording, what: str) -> AudioError:
    """A start or an end does not lie in the file."""
    length = (
        "" if recording.n_frames is None else f", which is {recording.n_frames / recording.rate:.3f} s long"
    )
    return AudioError(
        f"{recording.path}: {what} is not a part of the file{length}; "
        "correct start and end of this utterance",
        problem="cut",
    )


def _finite(block: np.ndarray) -> bool:
    """Whether all samples are numbers; the sum of squares tells at once, but where it overflows."""
    flat = block.reshape(-1)
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.dot(flat, flat))) or bool(np.isfinite(block).all())


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Recording]:
    """Open an audio file whose header can be true.

    Raises
    ------
    AudioError
        If the file is missing, empty, truncated, of a format that is not read, or its rate or its
        number of channels cannot be that of speech.
    """
    import soundfile

    path = Path(path)
    with regular(path) as (raw, size):
        try:
            container = containers.inspect(raw, size)
        except containers.Truncated as error:
            raise truncated(path, str(error)) from None
        except (OSError, ValueError) as error:
            raise unopened(path, error) from error
        if container is None:
            raw.seek(0)
            raise AudioError(
                f"{path}: cannot be read as audio: {foreign.described(path, raw.read(64))}",
                problem="unreadable",
            )
        try:
            file = soundfile.SoundFile(_source(raw, container))
        except soundfile.SoundFileError as error:
            raise _damaged(path, error, "in its header") from error
        # Read as a stream: soundfile seeks after each block otherwise, which costs time, and fails behind
        # the end of a file whose header promises too much.
        file.seekable = lambda: False
        with file:
            yield _checked(path, file, container)


def _checked(path: Path, file: soundfile.SoundFile, container: containers.Container) -> Recording:
    rate, channels, frames = file.samplerate, file.channels, file.frames
    if file.format not in _FORMATS:
        raise AudioError(
            f"{path}: {file.format_info} is not read; convert it: {foreign.conversion(path)}",
            problem="unreadable",
        )
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise AudioError(
            f"{path}: {rate} Hz is no rate of speech ({LOWEST_RATE} to {HIGHEST_RATE}); the header is "
            "damaged, get the file again",
            problem="rate",
        )
    if channels > MOST_CHANNELS:
        raise AudioError(
            f"{path}: {channels} channels are no recording of speech (at most {MOST_CHANNELS}); the header "
            "is damaged, get the file again",
            problem="unreadable",
        )
    known = 0 <= frames < 2**62  # FLAC from a pipe does not say
    return Recording(
        path=path,
        file=file,
        rate=rate,
        channels=channels,
        subtype=file.subtype,
        format=file.format,
        n_frames=frames if known else None,
        notes=container.notes,
    )


@contextmanager
def regular(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """A file that is one, open, and its size; a pipe or a device would hang or never end.

    Raises
    ------
    AudioError
        If it is missing, empty, no regular file or cannot be opened.
    """
    try:
        # Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise missing(path) from None
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):  # a name that no file can have cannot be asked about
            if path.is_dir():
                raise missing(path) from None
        raise unopened(path, error) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise missing(path)
    with os.fdopen(descriptor, "rb") as raw:
        if status.st_size == 0:
            raise AudioError(
                f"{path}: zero bytes long; the copy or download failed, get it again", problem="empty"
            )
        yield raw, status.st_size


def _source(raw: BinaryIO, container: containers.Container) -> io.RawIOBase | BinaryIO | int:
    """What libsndfile opens: the file by its number, whatever its name is, or the file as it should be."""
    if container.patches or container.prefix or container.skipped:
        return _Mended(raw, container)
    raw.seek(0)
    if os.name == "nt":  # descriptors are not shared between C libraries there
        return raw
    descriptor = os.dup(raw.fileno())
    os.lseek(descriptor, 0, os.SEEK_SET)  # what is buffered has been read from it
    return descriptor


class _Mended(io.RawIOBase):
    """A file with some bytes replaced, left out at its beginning, or put before it."""

    def __init__(self, raw: BinaryIO, container: containers.Container) -> None:
        self._raw, self._container, self._position = raw, container, 0
        self._size = len(container.prefix) + raw.seek(0, os.SEEK_END) - container.skipped

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # any buffer
        view = memoryview(buffer).cast("B")
        prefix, skipped = self._container.prefix, self._container.skipped
        content = prefix[self._position : self._position + len(view)]
        if len(content) < len(view):
            at = self._position + len(content) - len(prefix) + skipped
            self._raw.seek(at)
            rest = bytearray(self._raw.read(len(view) - len(content)))
            for position, right in self._container.patches.items():
                for i, byte in enumerate(right):
                    if 0 <= position + i - at < len(rest):
                        rest[position + i - at] = byte
            content += bytes(rest)
        view[: len(content)] = content
        self._position += len(content)
        return len(content)


def part(recording: Recording, *, start: float, end: float) -> tuple[int, int | None]:
    """First sample and the one after the last of a cut, as far as that can be said before reading.

    Raises
    ------
    AudioError
        If start and end do not lie in the file, or enclose too little.
    """
    rate, n_frames = recording.rate, recording.n_frames
    first = 0 if math.isnan(start) else _sample(start, rate)
    last = n_frames if math.isnan(end) else _sample(end, rate)
    cut = not (math.isnan(start) and math.isnan(end))
    long = math.inf if n_frames is None else n_frames
    if cut and (
        first < 0
        or first >= long
        or (last is not None and (last <= first or last > long + END_TOLERANCE * rate))
    ):
        raise outside(recording, f"{start} s to {end} s")
    if last is not None and n_frames is not None:
        last = min(last, n_frames)
    if last is not None:
        refuse_short(recording, last - first)
    return first, last


def _sample(seconds: float, rate: int) -> int:
    # An infinite or absurd time is a time behind the end of any file.
    return round(min(max(seconds, -1e9), 1e9) * rate)


def refuse_short(recording: Recording, n: int) -> None:
    """Refuse less than :data:`SHORTEST`.

    Raises
    ------
    AudioError
    """
    if n == 0:
        raise AudioError(
            f"{recording.path}: too short to analyse: it holds no samples; get it again, or leave it out",
            problem="empty",
        )
    if n < SHORTEST * recording.rate:
        raise AudioError(
            f"{recording.path}: {n / recording.rate:.3f} s is too short to analyse (less than {SHORTEST} s); "
            "leave it out",
            problem="too short",
        )


def integer_scale(peak: float) -> float:
    """Full scale of a file of floating point with this peak: 1, or that of whole numbers left unscaled.

    A peak between 1 and ten is floating point beyond full scale: 16-bit numbers of such a peak would be
    silence.
    """
    if peak <= SILENT_PEAK * _INTEGER_SCALES[0]:
        return 1.0
    return next((scale for scale in _INTEGER_SCALES if peak <= scale), 1.0)


def peak_of(recording: Recording) -> float:
    """Largest magnitude in the whole file, whatever part of it is used."""
    status = recording.path.stat()
    return _peak(recording.path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _peak(path: Path, size: int, modified: int) -> float:
    with opened(path) as recording:
        return max((float(np.abs(block).max()) for block in recording.blocks()), default=0.0)


def silent(path: Path, *, channel: str) -> AudioError:
    """Nothing is to be heard in what was read."""
    where = f"the {channel} channel is " if channel != "mix" else ""
    remedy = "choose the other channel, " if where else ""
    return AudioError(
        f"{path}: {where}silent (peak below -70 dB re full scale); {remedy}leave it out, or record it again",
        problem="silent",
    )


def missing(path: Path) -> AudioError:
    """Nothing that could be read has this name."""
    return AudioError(
        f"{path}: no such file; put it there, or correct its path in the corpus' table (paths are relative "
        "to the table's folder)",
        problem="missing",
    )


def unopened(path: Path, error: OSError | ValueError) -> AudioError:
    """The file is there, and cannot be opened."""
    why = getattr(error, "strerror", None) or error
    return AudioError(f"{path}: cannot be opened ({why}); check its permissions", problem="unreadable")


def truncated(path: Path, found: str) -> AudioError:
    """Less is there than was promised."""
    return AudioError(
        f"{path}: truncated: {found}; the copy or download broke off, get it again", problem="truncated"
    )


def _damaged(path: Path, error: soundfile.SoundFileError, where: str) -> AudioError:
    reason = getattr(error, "error_string", str(error)).strip().rstrip(".") or "unknown reason"
    return AudioError(
        f"{path}: cannot be read as audio ({reason}, {where}); it is damaged or cut short: get it again, or "
        "convert it to WAV or FLAC",
        problem="damaged",
    )
