"""Long recordings cut into utterances, by level alone.

Speech is where the level is at most 30 dB below that which the loudest 5 % exceed, and not below
-70 dB re full scale. Short pauses are bridged, what is then too short is dropped, what is too long is
parted at its quietest place. The audio is not touched: a table says where utterances start and end.

Level cannot tell speech from music or a slammed door, nor one speaker from another: listen, and
fill in speaker and label by hand.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serlab.audio import SILENT_PEAK, reading
from serlab.corpora.base import audio_files
from serlab.errors import AudioError, CorpusError
from serlab.progress import Progress, stop_if

#: Seconds between levels; a level is that of three such steps.
HOP = 0.010
_STEPS = 3
#: Decibels below loud speech, and the quantile of levels that is loud.
DYNAMIC_RANGE = 30.0
LOUD = 0.95


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """How recordings are cut; all in seconds.

    Attributes
    ----------
    pause : float
        Pauses up to this length are bridged.
    shortest, longest : float
        Of an utterance; a longer one is parted at its quietest place.
    margin : float
        Kept before and after, where no neighbour is: voices begin and end softly.
    """

    pause: float = 0.5
    shortest: float = 0.5
    longest: float = 20.0
    margin: float = 0.1

    def __post_init__(self) -> None:
        fits = self.pause >= 0 and self.margin >= 0 and self.shortest > 0
        if not (fits and 2 * self.shortest < self.longest):
            raise CorpusError(
                f"pause {self.pause:g}, shortest {self.shortest:g}, longest {self.longest:g} and margin "
                f"{self.margin:g} s do not go together: none is negative, and longest is over twice shortest"
            )


def levels(path: Path, *, cancel: threading.Event | None = None) -> tuple[np.ndarray, float, float]:
    """Levels of a recording, read block by block.

    Returns
    -------
    rms : ndarray, shape (n,)
        Around the recording's mean, channels averaged; full scale is 1.
    hop : float
        Seconds from one to the next.
    seconds : float
        Length of the recording.

    Raises
    ------
    AudioError
        If it cannot be read.
    """
    sums, squares, n = [], [], 0
    with reading.opened(path) as recording:
        step = max(1, round(HOP * recording.rate))
        rest = np.zeros(0)
        for block in recording.blocks():
            stop_if(cancel, "cutting was cancelled")
            n += len(block)
            mono = np.concatenate([rest, block.mean(axis=1, dtype=np.float64)])
            whole = mono[: len(mono) // step * step].reshape(-1, step)
            rest = mono[whole.size :]
            sums.append(whole.sum(axis=1))
            squares.append(np.square(whole).sum(axis=1))
        rate = recording.rate
    s1, s2 = np.concatenate(sums or [np.zeros(0)]), np.concatenate(squares or [np.zeros(0)])
    if len(s1) < _STEPS:
        return np.zeros(0), step / rate, n / rate
    mean = s1.sum() / (len(s1) * step)
    power = s2 - 2 * mean * s1 + step * mean**2
    rms = np.sqrt(np.convolve(power, np.ones(_STEPS), "valid").clip(min=0) / (_STEPS * step))
    return rms, step / rate, n / rate


def active(
    rms: np.ndarray, *, hop: float, frame: float, pause: float = 0.5, shortest: float = 0.5
) -> list[tuple[float, float]]:
    """Where there is speech.

    Parameters
    ----------
    rms : ndarray, shape (n,)
        Of frames; full scale is 1.
    hop, frame : float
        Seconds from frame to frame, and of a frame.
    pause, shortest : float
        See :class:`Cutting`.

    Returns
    -------
    list of (float, float)
        Start and end in seconds, in order.

    Examples
    --------
    >>> active(np.repeat([0.0, 0.1, 0.0], 100), hop=0.01, frame=0.01)
    [(1.0, 2.0)]
    """
    if not len(rms):
        return []
    speech = np.flatnonzero(rms > max(np.quantile(rms, LOUD) * 10 ** (-DYNAMIC_RANGE / 20), SILENT_PEAK))
    if not len(speech):
        return []
    pauses = np.flatnonzero(np.diff(speech) * hop > pause + frame)
    firsts, lasts = speech[np.r_[0, pauses + 1]], speech[np.r_[pauses, -1]]
    turns = [(float(a) * hop, float(b) * hop + frame) for a, b in zip(firsts, lasts, strict=True)]
    return [(round(a, 3), round(b, 3)) for a, b in turns if b - a >= shortest - 1e-9]


def utterances(
    path: Path, how: Cutting | None = None, *, cancel: threading.Event | None = None
) -> list[tuple[float, float]]:
    """Utterances of a recording.

    Parameters
    ----------
    path : Path
    how : Cutting, optional
    cancel : threading.Event, optional

    Returns
    -------
    list of (float, float)
        Start and end in seconds, in order; none overlaps another.

    Raises
    ------
    AudioError
        If the file cannot be read.
    """
    how = how or Cutting()
    rms, hop, seconds = levels(path, cancel=cancel)
    found = active(rms, hop=hop, frame=_STEPS * hop, pause=how.pause, shortest=how.shortest)
    parts = [part for turn in found for part in _parted(*turn, rms=rms, hop=hop, how=how)]
    ends = [0.0, *(end for _, end in parts)]
    starts = [*(start for start, _ in parts), seconds]
    return [
        # Half of the pause to a neighbour at most, and of the beginning and end of the file all.
        (
            round(max(start - how.margin, (before + start) / 2 if number else 0.0), 3),
            round(min(end + how.margin, (end + after) / 2 if number < len(parts) - 1 else seconds), 3),
        )
        for number, ((start, end), before, after) in enumerate(zip(parts, ends, starts[1:], strict=False))
    ]


def _parted(
    start: float, end: float, *, rms: np.ndarray, hop: float, how: Cutting
) -> list[tuple[float, float]]:
    """A stretch in parts of at most ``longest``, parted where it is quietest."""
    todo, done = [(start, end)], []
    while todo:
        start, end = todo.pop()
        if end - start <= how.longest:
            done.append((start, end))
            continue
        # Not too near an end, nor so far from it that the first part is too long again.
        first = start + max(
            how.shortest, (end - start) / 4 if end - start < 2 * how.longest else how.longest / 2
        )
        last = min(end - how.shortest, start + how.longest)
        a, b = round(first / hop), max(round(last / hop), round(first / hop) + 1)
        middle = round(float(a + np.argmin(rms[a:b])) * hop + 1.5 * hop, 3)
        middle = min(max(middle, start + how.shortest), end - how.shortest)
        todo += [(middle, end), (start, middle)]
    return done


def by_nobody(paths: Sequence[Path]) -> dict[Path, str]:
    """No speaker is named: that is to be filled in."""
    return dict.fromkeys(paths, "")


def by_file(paths: Sequence[Path]) -> dict[Path, str]:
    """One speaker a file: its name without suffix, with as many of its folders as tell files apart.

    Examples
    --------
    >>> by_file([Path("/calls/mon/01.wav"), Path("/calls/tue/01.wav"), Path("/calls/tue/02.wav")]).values()
    dict_values(['mon/01', 'tue/01', '02'])
    """
    stems = Counter(path.with_suffix("") for path in paths)
    # Files of one name and several formats are told apart by these.
    alike = {path for path in paths if stems[path.with_suffix("")] > 1}
    return _apart({path: (path if path in alike else path.with_suffix("")).parts for path in paths})


def by_folder(paths: Sequence[Path]) -> dict[Path, str]:
    """One speaker a folder, by its name: folders of one name, as in several sessions, are one speaker."""
    return {path: path.parent.name for path in paths}


def _apart(parts: Mapping[Path, tuple[str, ...]]) -> dict[Path, str]:
    """The end of each path that no other one has."""
    named: dict[Path, str] = {}
    left, n = list(parts), 1
    while left:
        ends = {path: "/".join(parts[path][-n:]) for path in left}
        count = Counter(ends.values())
        whole = [path for path in left if count[ends[path]] == 1 or n >= len(parts[path])]
        named |= {path: ends[path] for path in whole}
        left, n = [path for path in left if path not in named], n + 1
    return {path: named[path] for path in parts}


def table(
    sources: Sequence[Path],
    *,
    folder: Path,
    how: Cutting | None = None,
    speaker: Callable[[Sequence[Path]], Mapping[Path, str]] | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> tuple[list[dict[str, Any]], list[tuple[Path, str]]]:
    """Rows of a ``corpus.csv`` for the utterances of recordings.

    Parameters
    ----------
    sources : sequence of Path
        Files, and folders with files at any depth.
    folder : Path
        Of the table: files below it are named by relative paths.
    how : Cutting, optional
    speaker : callable(paths) -> mapping of Path to str, optional
        Who speaks in each file: :func:`by_file`, :func:`by_folder`, or :func:`by_nobody`, which is taken
        if it is left out.
    progress : callable, optional
    cancel : threading.Event, optional

    Returns
    -------
    rows : list of dict
        path, speaker, label (empty), start, end.
    left_out : list of (Path, str)
        Files that cannot be read or hold no speech, and why.

    Raises
    ------
    CorpusError
        If a source is not there.
    Cancelled
    """
    paths: list[Path] = []
    for source in sources:
        if not source.exists():
            raise CorpusError(f"no such file or folder: {source}")
        paths += audio_files(source, "**/*") if source.is_dir() else [source]
    paths = list(dict.fromkeys(paths))
    rows, left_out, speaks = [], [], (speaker or by_nobody)(paths)
    for done, path in enumerate(paths, start=1):
        try:
            found = utterances(path, how, cancel=cancel)
        except AudioError as error:
            left_out.append((path, str(error)))
            found = []
        else:
            if not found:
                left_out.append((path, "no speech found"))
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
        rows += [
            {"path": name, "speaker": speaks[path], "label": "", "start": start, "end": end}
            for start, end in found
        ]
        if progress:
            progress(done, len(paths), path.name)
    return rows, left_out
