"""Recordings that a model is asked about: found, read, cut into windows where they are long, described."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import audio
from serlab.corpora import walking
from serlab.corpora.base import AUDIO_SUFFIXES
from serlab.deployment import familiar
from serlab.errors import AudioError, ParameterError
from serlab.features import FeatureSet
from serlab.progress import Watch

#: Windows softer than this (dB re full scale) are not asked about.
SILENT_DB = -60.0


@dataclass(frozen=True)
class Windows:
    """How long recordings are cut.

    Attributes
    ----------
    longest : float
        Seconds up to which a recording is one utterance.
    length, step : float
        Seconds of a window, and from one to the next.
    """

    longest: float
    length: float
    step: float

    def __post_init__(self) -> None:
        if not (0.5 <= self.length <= 60 and 0 < self.step <= self.length and self.longest >= self.length):
            raise ParameterError(
                f"windows of {self.length:g} s each {self.step:g} s are not possible; choose 0.5 to 60 s"
            )

    def cuts(self, n: int) -> list[tuple[int, int]]:
        """First and last sample of each window of a recording of n samples; the last ends where it ends.

        Examples
        --------
        >>> Windows(longest=4, length=2, step=1).cuts(16_000 * 3)
        [(0, 48000)]
        >>> [(a / 16_000, b / 16_000) for a, b in Windows(longest=4, length=2, step=1).cuts(76_000)]
        [(0.0, 2.0), (1.0, 3.0), (2.0, 4.0), (2.75, 4.75)]
        """
        rate = audio.SAMPLE_RATE
        if n <= self.longest * rate:
            return [(0, n)]
        length, step = round(self.length * rate), round(self.step * rate)
        starts = list(range(0, n - length + 1, step))
        if starts[-1] + length < n:
            starts.append(n - length)
        return [(start, start + length) for start in starts]


@dataclass(frozen=True)
class Heard:
    """One recording.

    Attributes
    ----------
    path : Path
    start, end : ndarray, shape (w,)
        Seconds, of its windows that hold sound.
    X : ndarray of float32, shape (w, d)
    facts : ndarray, shape (4,)
        As :data:`serlab.deployment.familiar.FACTS`, of the whole; level and silence of a long one are
        those of its windows' median, so that pauses between do not count.
    native_rate : int
    is_long : bool
    notes : tuple of str
        What reading did to it, see :class:`serlab.audio.Audio`.
    """

    path: Path
    start: np.ndarray
    end: np.ndarray
    X: np.ndarray
    facts: np.ndarray
    native_rate: int
    is_long: bool
    notes: tuple[str, ...]


def find(recordings: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Files of a folder (and of all folders in it), one file, or a list of either.

    Raises
    ------
    ParameterError
        If there is no such file or folder, or no recording in a folder.
    """
    if isinstance(recordings, str | os.PathLike):
        recordings = [recordings]
    found: list[Path] = []
    for entry in map(Path, recordings):
        if entry.is_dir():
            own = [
                p for p in walking.files(entry) if p.suffix.lower() in {*AUDIO_SUFFIXES, *audio.CONVERTIBLE}
            ]
            if not own:
                raise ParameterError(
                    f"{entry} holds no recording; serlab reads {', '.join(sorted(AUDIO_SUFFIXES))}"
                )
            found += own
        elif entry.exists():
            found.append(entry)
        else:
            raise ParameterError(f"there is no file or folder {entry}")
    return list(dict.fromkeys(found))


def hear(path: Path, features: FeatureSet, windows: Windows) -> Heard:
    """Read one recording and compute its features.

    Raises
    ------
    AudioError
        If it cannot be used.
    """
    sound = audio.load(path)
    return describe(
        sound.samples, features, windows, path=path, native_rate=sound.native_rate, notes=sound.notes
    )


def describe(
    samples: np.ndarray,
    features: FeatureSet,
    windows: Windows,
    *,
    path: Path,
    native_rate: int = audio.SAMPLE_RATE,
    notes: tuple[str, ...] = (),
) -> Heard:
    """Features of samples at 16 kHz, shape (n,), window by window where they are many.

    Raises
    ------
    AudioError
        If no window holds sound, or a feature is not finite.
    """
    cuts = windows.cuts(len(samples))
    is_long = len(cuts) > 1
    facts, X, ends = [], [], []
    for first, last in cuts:
        part = samples[first:last]
        own = familiar.measure(part)
        if is_long and own[0] < SILENT_DB:
            continue
        values = features.extract(np.ascontiguousarray(part))
        if not np.isfinite(values).all():
            if not is_long:
                raise AudioError(f"{path}: its features are not finite; leave the file out")
            continue
        facts.append(own)
        X.append(values)
        ends.append((first / audio.SAMPLE_RATE, last / audio.SAMPLE_RATE))
    if not X:
        raise AudioError(f"{path}: no part of it holds sound; leave the file out", "silent")
    whole = np.median(facts, axis=0)
    whole[3] = len(samples) / audio.SAMPLE_RATE
    start, end = np.array(ends).T
    return Heard(
        path, start, end, np.array(X, dtype=np.float32), whole.astype(np.float32), native_rate, is_long, notes
    )


def hear_all(
    paths: Sequence[Path], features: FeatureSet, windows: Windows, *, jobs: int, watch: Watch
) -> tuple[list[Heard], pd.DataFrame]:
    """Read recordings, as many at once as there are jobs.

    Returns
    -------
    list of Heard
        In order, those that could be used.
    DataFrame
        file, reason: the others.

    Raises
    ------
    Cancelled
    """
    features.load_library()
    done, lock = [0], threading.Lock()

    def one(path: Path) -> Heard | AudioError:
        watch.report(done[0], len(paths), path.name)
        try:
            return hear(path, features, windows)
        except AudioError as error:
            return error
        finally:
            with lock:
                done[0] += 1

    with _pool(jobs) as pool:
        found = list(pool(one, paths))
    watch.report(len(paths), len(paths), "recordings read")
    heard = [entry for entry in found if isinstance(entry, Heard)]
    skipped = [
        (str(path), str(entry))
        for path, entry in zip(paths, found, strict=True)
        if isinstance(entry, Exception)
    ]
    return heard, pd.DataFrame(skipped, columns=["file", "reason"])


class _pool:
    """Threads whose waiting work is dropped as soon as one fails."""

    def __init__(self, jobs: int) -> None:
        self._executor = ThreadPoolExecutor(max(1, jobs))

    def __enter__(self) -> Callable:
        return self._executor.map

    def __exit__(self, *error: object) -> None:
        self._executor.shutdown(cancel_futures=True)
