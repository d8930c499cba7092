"""Frames of transcribed utterances, in bounded memory whatever the corpus' size."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import features
from serlab.asr import perturbation
from serlab.progress import Progress

FEATURES = "mfcc40"
#: Utterances read at a time.
CHUNK = 512
#: Frames kept in memory (0.8 GB); of a larger corpus, frames are read from the cache again in each epoch.
MOST_FRAMES = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Speech:
    """Utterances whose audio can be used.

    Attributes
    ----------
    table : DataFrame
        See :mod:`serlab.asr.transcripts`; rows may be heard with a change, see
        :mod:`serlab.asr.perturbation`.
    n_frames, audio_hash : Series
        Of each utterance.
    skipped : DataFrame
        See :class:`serlab.features.Extraction`.
    kept : dict of str to ndarray, shape (t, 40)
        Frames in memory: all or none.
    cache : path, optional
    cancel : threading.Event, optional
    """

    table: pd.DataFrame
    n_frames: pd.Series
    audio_hash: pd.Series
    skipped: pd.DataFrame
    kept: dict[str, np.ndarray]
    cache: Path | str | None
    cancel: threading.Event | None

    def frames(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Frames of some utterances, shape (t, 40) each."""
        if self.kept:
            return {name: self.kept[name] for name in names}
        return _extract(self.table.loc[list(names)], cache=self.cache, cancel=self.cancel)[0]

    def batches(self, names: Sequence[str], batch_size: int) -> Iterator[tuple[list[str], np.ndarray]]:
        """Names and frames, shape (n, t, 40), NaN after the end, of ``batch_size`` utterances at a time.

        A single one that is left at the end goes with the batch before.
        """
        whole = max(1, CHUNK // batch_size) * batch_size
        for chunk in _parts(names, whole):
            frames = self.frames(chunk)
            for batch in _parts(chunk, batch_size):
                yield list(batch), padded([frames[name] for name in batch])

    def sample(self, names: Sequence[str], *, seed: int) -> list[np.ndarray]:
        """Frames of utterances in random order, until memory's share of frames is full."""
        order = np.random.default_rng(seed).permutation(len(names))
        drawn = [names[position] for position in order]
        within = self.n_frames[drawn].cumsum() <= MOST_FRAMES
        frames = self.frames([name for name, fits in within.items() if fits])
        return list(frames.values())


def read(
    table: pd.DataFrame,
    *,
    cache: Path | str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Speech:
    """Extract all utterances once, into the cache of features; unusable files are skipped and listed.

    Raises
    ------
    AudioError
        If none of the files read at a time can be used.
    Cancelled
    """
    kept: dict[str, np.ndarray] | None = {}
    n_frames, hashes, skipped, done = {}, [], [], 0
    for names in _parts(list(table.index), CHUNK):
        frames, extractions = _extract(table.loc[names], cache=cache, cancel=cancel)
        n_frames |= {name: len(values) for name, values in frames.items()}
        hashes += [extraction.audio_hash for extraction in extractions]
        skipped += [extraction.skipped for extraction in extractions]
        if kept is not None:
            kept = kept | frames if sum(n_frames.values()) <= MOST_FRAMES else None
        done += len(names)
        if progress is not None:
            progress(done, len(table), "reading speech")
    return Speech(
        table=table,
        n_frames=pd.Series(n_frames),
        audio_hash=pd.concat(hashes),
        skipped=pd.concat(skipped, ignore_index=True),
        kept=kept or {},
        cache=cache,
        cancel=cancel,
    )


def padded(sequences: Sequence[np.ndarray]) -> np.ndarray:
    """Sequences (t, d) as one array (n, t, d) of float32, NaN after the end of each."""
    longest = max(map(len, sequences))
    X = np.full((len(sequences), longest, sequences[0].shape[1]), np.nan, dtype=np.float32)
    for row, sequence in zip(X, sequences, strict=True):
        row[: len(sequence)] = sequence
    return X


def _parts(names: Sequence[str], size: int) -> list[list[str]]:
    """Consecutive parts; a single one at the end joins the part before."""
    starts = list(range(0, len(names), size))
    if len(starts) > 1 and len(names) - starts[-1] == 1:
        starts.pop()
    return [list(names[start:end]) for start, end in zip(starts, [*starts[1:], len(names)], strict=True)]


def _extract(
    table: pd.DataFrame, *, cache: Path | str | None, cancel: threading.Event | None
) -> tuple[dict[str, np.ndarray], list[features.Extraction]]:
    frames, extractions = {}, []
    changes = table[perturbation.COLUMN] if perturbation.COLUMN in table else pd.Series("", table.index)
    for change in changes.unique():
        extraction = features.extract(
            table[changes == change],
            features=FEATURES,
            seconds=None,
            augment=change or None,
            cache=cache,
            cancel=cancel,
        )
        frames |= dict(zip(extraction.X.index, extraction.X.sequences, strict=True))
        extractions.append(extraction)
    return frames, extractions
