"""Features: from utterances to a matrix, or to sequences of frames, once.

Besides the named sets there are those of pretrained models: "encoder:<model>",
"encoder-speech:<model>", "encoder-frames:<model>@<layer>" and
"speaker-encoder:<model>", where a model is a folder, its name under
``SERLAB_MODELS``, or a name of the Hugging Face hub.

>>> extract(utterances, features="is10").X.shape  # doctest: +SKIP
(339, 1582)
>>> extract(utterances, features="logmel26", seconds=7.5).X.shape  # doctest: +SKIP
(339, 750, 26)
"""

from __future__ import annotations

import hashlib
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import joblib
import numpy as np
import pandas as pd

from serlab import audio, data
from serlab.errors import AudioError, Cancelled, ParameterError
from serlab.features import augmentation, encoder, speaker_encoder
from serlab.features import cache as disk
from serlab.features.base import FeatureSet
from serlab.features.constant_q import CQT
from serlab.features.frames import Frames
from serlab.features.librosa_functionals import LIBROSA
from serlab.features.opensmile_sets import EGEMAPS, IS10
from serlab.features.short_term import SHORTTERM34, SPECTROGRAM200, VOICE32
from serlab.features.spectral import HARMONIC, MFCC39, MFCC40, MFSC, SPEECH_MEL, log_mel
from serlab.progress import Progress

__all__ = [
    "FEATURE_SETS",
    "PREFIXES",
    "Extraction",
    "FeatureSet",
    "Frames",
    "describe",
    "extract",
    "get",
    "log_mel",
    "progress_bar",
]

FEATURE_SETS: dict[str, FeatureSet] = {
    features.name: features
    for features in (
        IS10, EGEMAPS, LIBROSA, log_mel(26), log_mel(40), log_mel(64), SPEECH_MEL, MFSC, CQT, MFCC39,
        MFCC40, HARMONIC, VOICE32, SPECTROGRAM200, SHORTTERM34,
    )
}  # fmt: skip


#: What stands before the colon -> maker of a feature set from what stands behind it.
PREFIXES: dict[str, Callable[[str], FeatureSet]] = {
    "encoder": encoder.encoder,
    "encoder-speech": encoder.encoder_speech,
    "encoder-frames": encoder.frames_by_name,
    "speaker-encoder": speaker_encoder.speaker_encoder,
}


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """Features of utterances, and all that happened on the way.

    Attributes
    ----------
    X : DataFrame of float32, or Frames
        Index: utterance, in the order given, without the skipped ones;
        columns: feature names. Always finite, but for the padding of
        :class:`Frames`.
    audio_hash : Series of str
        Utterance -> hash of its audio, for the rows of ``X``; the leakage
        auditor finds duplicates with it.
    skipped : DataFrame
        Columns utterance, path, reason; one row a file that could not be used.
    notes : DataFrame
        Columns utterance, path, note: what :func:`serlab.audio.load` did to
        the audio (channels averaged, attenuated, upsampled), and which
        sequences were cut.
    from_cache : int
        Utterances whose features were found on disk.
    rebuilt : int
        Utterances whose entry on disk was damaged, and was made again.
    seconds : float
        Wall time.
    """

    X: pd.DataFrame | Frames
    audio_hash: pd.Series
    skipped: pd.DataFrame
    notes: pd.DataFrame
    from_cache: int
    rebuilt: int
    seconds: float


def get(features: str | FeatureSet) -> FeatureSet:
    """Feature set by name; one that is a feature set already is returned.

    Raises
    ------
    ParameterError
        Listing the known feature sets.
    """
    if isinstance(features, FeatureSet):
        return features
    prefix, colon, model = features.partition(":")
    if colon and prefix in PREFIXES:
        return PREFIXES[prefix](model)
    if features not in FEATURE_SETS:
        known = [*FEATURE_SETS, *(f"{prefix}:<model>" for prefix in PREFIXES)]
        raise ParameterError(f"unknown feature set {features!r}; known: {', '.join(known)}")
    return FEATURE_SETS[features]


def describe() -> pd.DataFrame:
    """Table of the feature sets: kind, title, version, license and reference, by name."""
    rows = [
        {key: getattr(features, key) for key in ("name", "kind", "title", "version", "license", "reference")}
        for features in FEATURE_SETS.values()
    ]
    return pd.DataFrame(rows).set_index("name")


def extract(
    utterances: pd.DataFrame,
    *,
    features: str | FeatureSet,
    seconds: float | None = 7.5,
    augment: str | None = None,
    seed: int = 0,
    cache: Path | str | None = None,
    on_bad: Literal["skip", "stop"] = "skip",
    jobs: int | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Extraction:
    """Compute the features of utterances, or find them in the cache.

    Parameters
    ----------
    utterances : DataFrame
        See :mod:`serlab.data`; ``path``, ``start`` and ``end`` are read.
    features : str or FeatureSet
        A name of :data:`FEATURE_SETS` or :data:`PREFIXES`, or what :func:`log_mel` makes;
        ``is10`` and ``egemaps`` are for research only.
    seconds : float, optional
        Frame sets only: longer utterances are cut at the end, and noted.
        Default 7.5 (Neumann & Vu, section 2); None keeps all. The cache holds
        whole utterances, so another value costs nothing.
    augment : str, optional
        Features of changed audio: "noise-20", "speed-0.9", "gain-6"; see
        :mod:`serlab.features.augmentation`.
    seed : int
        Of ``augment``: noise depends on it and on the audio, not on the order
        of utterances.
    cache : path, optional
        Folder of the cache; default :func:`serlab.data.cache_root`. Keyed by
        audio bytes, cut, change, feature set, version and settings; may be
        shared by processes running at once.
    on_bad : {"skip", "stop"}
        Whether a file that cannot be used is listed in ``skipped``, or raises.
    jobs : int, optional
        Threads; default (or -1) one a processor. The result does not depend on it.
    progress : callable, optional
        ``progress(done, total, text)``; :func:`progress_bar` makes one.
    cancel : threading.Event, optional
        Set it to stop; what is finished stays in the cache.

    Returns
    -------
    Extraction

    Raises
    ------
    AudioError
        If a file cannot be used and ``on_bad`` is "stop", or if none can.
    ParameterError
        If ``features``, ``seconds``, ``augment``, ``on_bad`` or ``jobs`` is
        not one of the choices.
    SerlabError
        If the cache cannot be written.
    Cancelled
        If ``cancel`` was set.
    """
    began = time.perf_counter()
    chosen = get(features)
    if on_bad not in ("skip", "stop"):
        raise ParameterError(f"on_bad is {on_bad!r}; choose 'skip' or 'stop'")
    n_threads = _n_threads(jobs)
    n_kept = _n_kept(chosen, seconds)
    change = _Change(augment, seed=seed) if augment else None
    folder = Path(cache) if cache is not None else data.cache_root()
    report = progress or (lambda done, total, text: None)
    feature_names = disk.names(folder, chosen)
    names, n_features, n = utterances.index, len(feature_names), len(utterances)
    cuts = list(utterances[["path", "start", "end"]].itertuples(index=False, name=None))

    # All by position in the table.
    entries: dict[int, disk.Entry] = {}
    bad: dict[int, AudioError] = {}
    damaged: set[int] = set()

    def refuse(position: int, error: AudioError) -> None:
        if on_bad == "stop":
            raise AudioError(f"{names[position]}: {error}") from error
        bad[position] = error

    def entry_path(audio_hash: str) -> Path:
        return disk.entry_path(folder, chosen, change.hash(audio_hash) if change else audio_hash)

    with _threads(n_threads) as pool:
        hashes = _hashes(cuts, folder=folder, pool=pool, cancel=cancel)
        for position, audio_hash in enumerate(hashes):
            if isinstance(audio_hash, AudioError):
                refuse(position, audio_hash)
                continue
            try:
                entry = disk.read(entry_path(audio_hash), features=chosen, n_features=n_features)
            except disk.CorruptEntry:
                damaged.add(position)
            else:
                if entry is not None:
                    entries[position] = _cut(entry, n_kept=n_kept, seconds=seconds)
        from_cache = len(entries)
        report(len(entries) + len(bad), n, f"{chosen.name}: {from_cache} from the cache")

        missing = [position for position in range(n) if position not in entries and position not in bad]
        if missing:
            disk.remove_abandoned(folder)
            chosen.load_library()  # here, not in all threads at once
        futures = {
            position: pool.submit(
                _compute, *cuts[position], hashes[position], entry_path(hashes[position]),
                features=chosen, change=change, folder=folder, cancel=cancel,
            )
            for position in missing
        }  # fmt: skip
        for position in missing:
            _check(cancel)
            try:  # pop: a future holds the whole utterance
                entries[position] = _cut(futures.pop(position).result(), n_kept=n_kept, seconds=seconds)
            except AudioError as error:
                refuse(position, error)
            report(len(entries) + len(bad), n, f"{chosen.name}: {Path(cuts[position][0]).name}")

    if bad and not entries:
        raise AudioError(f"none of the {n} files can be used; the first: {bad[0]}")
    rebuilt = len(damaged & entries.keys())
    if rebuilt:
        warnings.warn(f"{rebuilt} damaged entries of the cache {folder} were made again", stacklevel=2)
    kept = sorted(entries)
    notes = [(names[p], cuts[p][0], note) for p in kept for note in entries[p].notes]
    values = [entries.pop(position).values for position in kept]
    return Extraction(
        X=_assemble(values, index=names[kept], columns=feature_names, features=chosen),
        audio_hash=pd.Series([hashes[p] for p in kept], index=names[kept], name="audio_hash", dtype=object),
        skipped=pd.DataFrame(
            [(names[p], cuts[p][0], str(bad[p])) for p in sorted(bad)],
            columns=["utterance", "path", "reason"],
        ),
        notes=pd.DataFrame(notes, columns=["utterance", "path", "note"]),
        from_cache=from_cache,
        rebuilt=rebuilt,
        seconds=time.perf_counter() - began,
    )


def progress_bar(text: str = "features") -> Progress:
    """Make a progress callback that draws a bar on standard error."""
    from tqdm import tqdm

    bar = tqdm(total=0, desc=text, unit="file")

    def show(done: int, total: int, doing: str) -> None:
        bar.total = total
        bar.set_postfix_str(doing, refresh=False)
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return show


def _n_threads(jobs: int | None) -> int:
    if jobs is None or jobs == -1:
        return joblib.cpu_count()
    if jobs < 1:
        raise ParameterError(f"jobs is {jobs}; choose 1 or more, or -1 for one a processor")
    return jobs


@contextmanager
def _threads(n: int) -> Iterator[ThreadPoolExecutor]:
    """A pool that drops what has not begun as soon as its block is left, by an error above all."""
    pool = ThreadPoolExecutor(n)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _hashes(
    cuts: list[tuple[str, float, float]],
    *,
    folder: Path,
    pool: ThreadPoolExecutor,
    cancel: threading.Event | None,
) -> list[str | AudioError]:
    """Hash of each cut, or why there is none; every file is read at most once."""
    paths = {path for path, _, _ in cuts if path}
    known = disk.known_hashes(folder, paths)
    new: dict[str, str] = {}
    failed: dict[str | None, AudioError] = {None: AudioError("no audio file is given for this utterance")}

    def file_hash(path: str) -> str:
        _check(cancel)
        return audio.file_hash(path)

    for path, future in {path: pool.submit(file_hash, path) for path in paths - known.keys()}.items():
        try:
            new[path] = future.result()
        except AudioError as error:
            failed[path] = error
    disk.remember_hashes(folder, new)
    whole = {**known, **new}
    return [
        failed[path] if path in failed else audio.cut_hash(whole[path], start=start, end=end)
        for path, start, end in cuts
    ]


@dataclass(frozen=True)
class _Change:
    """A change of the waveform, and what it makes of the hash of the audio."""

    name: str
    seed: int

    def __post_init__(self) -> None:
        if not augmentation.parse(self.name).on_audio:
            raise ParameterError(f"{self.name} changes no audio; hand it to the training of a network")

    def hash(self, audio_hash: str) -> str:
        identity = f"{audio_hash} {self.name} {self.seed} {augmentation.VERSION}"
        return hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()

    def __call__(self, samples: np.ndarray, audio_hash: str) -> np.ndarray:
        rng = np.random.default_rng([self.seed, int(audio_hash, 16)])
        return augmentation.parse(self.name).change(samples, rng=rng)


def _compute(
    path: str,
    start: float,
    end: float,
    audio_hash: str,
    entry_path: Path,
    *,
    features: FeatureSet,
    change: _Change | None,
    folder: Path,
    cancel: threading.Event | None,
) -> disk.Entry:
    """Extract the features of one utterance and keep them in the cache."""
    _check(cancel)
    sound = audio.load(path, start=start, end=end)
    values = features.extract(change(sound.samples, audio_hash) if change else sound.samples)
    infinite = np.flatnonzero(~np.isfinite(values).reshape(-1, values.shape[-1]).all(axis=0))
    if len(infinite):
        raise AudioError(
            f"{path}: {len(infinite)} features of {features.name} are not finite, the first is "
            f"{features.names[infinite[0]]}; leave the file out"
        )
    entry = disk.Entry(values=values, notes=sound.notes)
    disk.write(folder, entry_path, entry)
    return entry


def _n_kept(features: FeatureSet, seconds: float | None) -> int | None:
    """How many frames of an utterance are kept; None for all."""
    if features.kind == "vectors" or seconds is None:
        return None
    if not seconds >= features.frame_shift:
        raise ParameterError(f"seconds is {seconds}; choose {features.frame_shift:g} or more, or None")
    return round(seconds / features.frame_shift)


def _cut(entry: disk.Entry, *, n_kept: int | None, seconds: float | None) -> disk.Entry:
    """The first frames of an entry, noted if more than the one on the edge is lost."""
    if n_kept is None or len(entry.values) <= n_kept:
        return entry
    notes = entry.notes
    if len(entry.values) > n_kept + 1:
        notes = (*notes, f"cut: only the first {seconds:g} s are used")
    return disk.Entry(values=entry.values[:n_kept].copy(), notes=notes)


def _assemble(
    values: list[np.ndarray], *, index: pd.Index, columns: tuple[str, ...], features: FeatureSet
) -> pd.DataFrame | Frames:
    """Stack the utterances, without a second copy of all of them: ``values`` is emptied."""
    n = len(values)
    if features.kind == "vectors":
        stacked = np.empty((n, len(columns)), dtype=np.float32)
        for row in range(n):
            stacked[row] = values[row]
        return pd.DataFrame(stacked, index=index, columns=list(columns))
    stacked = np.empty((n, max(map(len, values), default=0), len(columns)), dtype=np.float32)
    for row in range(n):
        sequence, values[row] = values[row], None
        stacked[row, : len(sequence)] = sequence
        stacked[row, len(sequence) :] = np.nan
    return Frames(index=index, columns=columns, values=stacked, frame_shift=features.frame_shift)


def _check(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise Cancelled("feature extraction was cancelled; the files done are kept in the cache")
