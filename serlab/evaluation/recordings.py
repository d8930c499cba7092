"""Which utterances are the same recording, by what is heard.

A file that was encoded again, resampled, made softer or tagged has other bytes
and the same sound; so has a part that was cut out. If one of two copies trains
and the other is tested, a result is invalid, in whatever corpora they lie.

Two steps, neither of which compares all pairs: triples of spectral peaks that
occur in two utterances at one shift make a candidate, and then the signals
themselves are laid on each other. Another take of the same sentence by the
same speaker passes neither.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import audio, features
from serlab.corpora import overlaps
from serlab.errors import AudioError, SerlabError
from serlab.features.landmarks import LANDMARKS, LONGEST, SHIFT
from serlab.progress import Progress, stop_if
from serlab.sequences import Sequences

#: Columns of :func:`copies`.
COLUMNS = ("first", "second", "correlation", "seconds")
#: Frames (16 ms) from a peak to the last of its triple, at most, and peaks that follow it there.
_REACH, _FAN = 31, 5
#: Bins (16 Hz) that count as one.
_BINS = 2
#: Triples that two utterances must have at one shift (to a frame) to be looked at.
_VOTES = 6
#: A triple that more utterances have says nothing: a hum, a jingle, clicks.
_COMMON = 40
#: Pairs of triples that are counted at most, those of the rarest triples first: what grows with the
#: square of a corpus is what its utterances have in common by chance.
_MOST_COUNTED = 30_000_000
#: Triples that are sorted at once (16 bytes each, and as much again), and frames of an utterance.
_AT_ONCE, _FRAMES = 20_000_000, LONGEST * 16_000 // SHIFT + 1
#: Correlation of the signals at about 4 kHz, see :mod:`serlab.corpora.overlaps`.
CORRELATION = 0.6
#: Pairs that are laid on each other at most: beyond, something is wrong with the corpora as a whole.
MOST_PAIRS = 20_000
#: Signals held in memory while they are laid on each other.
_SIGNALS = 512


def copies(
    utterances: pd.DataFrame,
    *,
    cache: Path | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Pairs of utterances that share a stretch of one recording, over all corpora.

    The first two minutes of an utterance are compared.

    Parameters
    ----------
    utterances : DataFrame
        Of one or several corpora; those whose audio cannot be used are passed over.
    cache : path, optional
        Folder where landmarks are kept, see :func:`serlab.features.extract`.
    jobs : int, optional
        Threads.
    progress, cancel
        See :func:`serlab.features.extract`.

    Returns
    -------
    DataFrame
        Columns first, second, correlation (of the signals, 0 to 1), seconds
        (shared); highest correlation first.
    """
    try:
        found = features.extract(
            utterances, features=LANDMARKS, seconds=None, cache=cache, jobs=jobs, progress=progress,
            cancel=cancel,
        )  # fmt: skip
    except AudioError:  # none can be used: nothing is the same as anything
        return pd.DataFrame(columns=list(COLUMNS))
    names = found.X.index
    same: list[tuple[int, int, int]] = []
    others: list[tuple[int, int, int]] = []
    for first, second, shift in _candidates(found.X.sequences, cancel):
        (same if _equal(found.audio_hash, first, second) else others).append((first, second, shift))
    rows = [(names[a], names[b], 1.0, _length(utterances, names[a])) for a, b, _ in same]
    rows += _laid_on_each_other(utterances.loc[names], others, cancel)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = ["correlation", "first", "second"]
    return table.sort_values(order, ascending=[False, True, True], ignore_index=True)


def groups(index: pd.Index, pairs: pd.DataFrame) -> pd.Series:
    """Utterance -> the first utterance of its recording; itself, where it has no copy.

    What is linked through a third (two halves and the whole) is one recording.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = index.get_indexer(pairs["first"]), index.get_indexer(pairs["second"])
    known = (first >= 0) & (second >= 0)
    links = coo_array((np.ones(known.sum()), (first[known], second[known])), shape=(len(index), len(index)))
    of = connected_components(links, directed=False)[1]
    leader = np.full(of.max() + 1 if len(of) else 0, len(index))
    np.minimum.at(leader, of, np.arange(len(index)))
    return pd.Series(index.to_numpy()[leader[of]], index=index, name="recording", dtype=object)


def _triples(peaks: Sequences, part: int, n_parts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Code, utterance and frame of triples of peaks near each other: those of a part of the codes.

    Parameters
    ----------
    peaks : Sequences, shape (n, peaks, 2)
        Frames and bins in order of time.
    """
    found = []
    for rows in peaks.blocks():
        own = peaks[rows]
        for code, row, frame in _triples_of(own.dense(int(own.lengths.max()))):
            kept = code % n_parts == part if n_parts > 1 else slice(None)
            found.append((code[kept], rows[row[kept]].astype(np.int32), frame[kept].astype(np.int32)))
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32)
    code, row, frame = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return code, row, frame


def _triples_of(values: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Code, row and frame of all triples in a dense array (n, peaks, 2), NaN after the end."""
    frame, bin_ = np.nan_to_num(values[:, :, 0], nan=-1), np.nan_to_num(values[:, :, 1], nan=-1)
    row = np.broadcast_to(np.arange(len(values))[:, None], frame.shape)

    def later(numbers: np.ndarray, by: int) -> np.ndarray:
        moved = np.full_like(numbers, -1)
        moved[:, : numbers.shape[1] - by] = numbers[:, by:]
        return moved

    for one in range(1, _FAN):
        for two in range(one + 1, _FAN + 1):
            if two >= frame.shape[1]:
                continue
            apart = later(frame, one) - frame, later(frame, two) - frame
            good = (frame >= 0) & (later(frame, two) >= 0) & (apart[1] > 0) & (apart[1] <= _REACH)
            code = np.zeros(good.sum(), dtype=np.int64)
            for part, size in (
                (bin_ // _BINS, 128), (later(bin_, one) // _BINS, 128), (later(bin_, two) // _BINS, 128),
                (apart[0], 32), (apart[1], 32),
            ):  # fmt: skip
                code = code * size + part[good].astype(np.int64)
            yield code, row[good], frame[good]


def _candidates(peaks: Sequences, cancel: threading.Event | None = None) -> Iterator[tuple[int, int, int]]:
    """First, second and shift (frames that the second starts later in the first) of likely copies.

    Of a large corpus the triples are gone through in parts, by their codes, so
    that memory does not grow with it.
    """
    n_triples = int(peaks.lengths.sum()) * _FAN * (_FAN - 1) // 2
    n_parts = max(1, math.ceil(n_triples / _AT_ONCE))
    n_rows, width = len(peaks), 2 * _FRAMES
    keys: list[np.ndarray] = []
    for part in range(n_parts):
        stop_if(cancel, "the search for copies was cancelled")
        keys += _votes(_triples(peaks, part, n_parts), _MOST_COUNTED // n_parts, n_rows, width)
    if not keys:
        return
    votes, counts = np.unique(np.concatenate(keys), return_counts=True)
    # A shift between two frames falls to both sides of the border: neighbours are counted together.
    beside = (np.diff(votes) == 1) & (votes[:-1] // width == votes[1:] // width)
    joined = counts.copy()
    joined[:-1][beside] += counts[1:][beside]
    strong = joined >= _VOTES
    pair, shift = votes[strong] // width, votes[strong] % width - width // 2
    best = pd.DataFrame({"a": pair // n_rows, "b": pair % n_rows, "shift": shift, "votes": joined[strong]})
    best = best.sort_values("votes", ascending=False, kind="stable").drop_duplicates(["a", "b"])
    yield from best[["a", "b", "shift"]].head(MOST_PAIRS).itertuples(index=False, name=None)


def _votes(
    triples: tuple[np.ndarray, np.ndarray, np.ndarray], most: int, n_rows: int, width: int
) -> list[np.ndarray]:
    """Pairs of utterances with the same triple, and their shift: one number a vote."""
    code, row, frame = triples
    order = np.argsort(code, kind="stable")
    code, row, frame = code[order], row[order], frame[order]
    starts = np.flatnonzero(np.r_[True, code[1:] != code[:-1]]) if len(code) else np.empty(0, dtype=int)
    sizes = np.diff(np.r_[starts, len(code)])
    keys, counted = [], 0
    for size in np.unique(sizes[(sizes > 1) & (sizes <= _COMMON)]):
        counted += int((sizes == size).sum()) * size * (size - 1) // 2
        if counted > most:
            break
        members = starts[sizes == size][:, None] + np.arange(size)
        for one in range(size):
            for two in range(one + 1, size):
                a, b = members[:, one], members[:, two]
                differ = row[a] != row[b]
                a, b = a[differ], b[differ]
                turned = row[a] > row[b]
                a, b = np.where(turned, b, a), np.where(turned, a, b)
                pair = row[a].astype(np.int64) * n_rows + row[b]
                keys.append(pair * width + (frame[a] - frame[b]) + width // 2)
    return keys


def _laid_on_each_other(
    utterances: pd.DataFrame, candidates: list[tuple[int, int, int]], cancel: threading.Event | None
) -> list[tuple[str, str, float, float]]:
    """Those candidates whose signals correlate."""
    channel = audio.channel_of(utterances)

    @lru_cache(maxsize=_SIGNALS)
    def signal(position: int) -> np.ndarray | None:
        row = utterances.iloc[position]
        try:
            sound = audio.load(
                row["path"], start=row["start"], end=row["end"], channel=channel.iloc[position]
            )
            return overlaps.reduce(sound.samples, sound.sample_rate)
        except SerlabError:
            return None

    found = []
    for a, b, _ in sorted(candidates):
        stop_if(cancel, "the search for copies was cancelled")
        x, y = signal(a), signal(b)
        if x is None or y is None:
            continue
        correlation, seconds = overlaps.best_lag(x, y)
        if correlation >= CORRELATION:
            found.append((utterances.index[a], utterances.index[b], correlation, seconds))
    return found


def _equal(audio_hash: pd.Series, first: int, second: int) -> bool:
    return bool(audio_hash.iloc[first] == audio_hash.iloc[second])


def _length(utterances: pd.DataFrame, name: str) -> float:
    return float(utterances["duration"].get(name, np.nan)) if "duration" in utterances else float("nan")
