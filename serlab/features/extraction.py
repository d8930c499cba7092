"""From utterances to features: found in the cache, or read, changed, computed and kept there."""

from __future__ import annotations

import hashlib
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from serlab import audio, contents, data
from serlab.errors import AudioError, ParameterError
from serlab.features import augmentation, registry
from serlab.features import cache as disk
from serlab.features.base import FeatureSet
from serlab.features.frames import Frames
from serlab.progress import Progress, stop_if


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
        See :mod:`serlab.data`; ``path``, ``start`` and ``end`` are read, and
        ``channel`` where it is there.
    features : str or FeatureSet
        A name of :data:`serlab.features.FEATURE_SETS` or of :data:`serlab.features.PREFIXES`, or what
        :func:`serlab.features.log_mel` makes; ``is10`` and ``egemaps`` are for research only.
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
    if on_bad not in ("skip", "stop"):
        raise ParameterError(f"on_bad is {on_bad!r}; choose 'skip' or 'stop'")
    n_threads = _n_threads(jobs)
    chosen = registry.get(features)
    recipe = _Recipe(
        features=chosen,
        change=_Change(augment, seed=seed) if augment else None,
        seconds=seconds,
        n_kept=_n_kept(chosen, seconds),
        folder=Path(cache) if cache is not None else data.cache_root(),
    )
    columns = disk.names(recipe.folder, chosen)
    cuts = _cuts(utterances)
    found = _Found(names=utterances.index, stop=on_bad == "stop", progress=progress)
    with _threads(n_threads) as pool:
        hashes = _hashes(cuts, folder=recipe.folder, cancel=cancel)
        from_cache = _find(found, hashes, recipe, n_features=len(columns))
        _make(found, cuts, hashes, recipe, pool=pool, cancel=cancel)
    return _report(found, cuts, hashes, recipe, columns=columns, from_cache=from_cache, began=began)


class _Cut(NamedTuple):
    """Where the audio of an utterance lies."""

    path: str
    start: float
    end: float
    channel: str


def _cuts(utterances: pd.DataFrame) -> list[_Cut]:
    """Where the audio of each utterance lies; without a column ``channel`` all channels are used."""
    columns = utterances[["path", "start", "end"]].copy()
    columns["channel"] = audio.channel_of(utterances)
    return [_Cut(*cut) for cut in columns.itertuples(index=False, name=None)]


@dataclass(frozen=True, kw_only=True)
class _Recipe:
    """What is computed, how much of it is used, and where it is kept."""

    features: FeatureSet
    change: _Change | None
    seconds: float | None
    n_kept: int | None
    folder: Path

    def entry_path(self, audio_hash: str) -> Path:
        """Where the features of such audio are kept."""
        changed = self.change.hash(audio_hash) if self.change else audio_hash
        return disk.entry_path(self.folder, self.features, changed)

    def shortened(self, entry: disk.Entry) -> disk.Entry:
        """The first frames of an entry, noted if more than the one on the edge is lost."""
        if self.n_kept is None or len(entry.values) <= self.n_kept:
            return entry
        notes = entry.notes
        if len(entry.values) > self.n_kept + 1:
            notes = (*notes, f"cut: only the first {self.seconds:g} s are used")
        return disk.Entry(values=entry.values[: self.n_kept].copy(), notes=notes)


@dataclass(kw_only=True)
class _Found:
    """What has become of the utterances so far, by position in the table."""

    names: pd.Index
    stop: bool
    progress: Progress | None
    entries: dict[int, disk.Entry] = field(default_factory=dict)
    bad: dict[int, AudioError] = field(default_factory=dict)
    damaged: set[int] = field(default_factory=set)

    def refuse(self, position: int, error: AudioError) -> None:
        """List a file that cannot be used, or stop at it."""
        if self.stop:
            raise AudioError(f"{self.names[position]}: {error}") from error
        self.bad[position] = error

    def missing(self) -> list[int]:
        return [p for p in range(len(self.names)) if p not in self.entries and p not in self.bad]

    def tell(self, text: str) -> None:
        if self.progress is not None:
            self.progress(len(self.entries) + len(self.bad), len(self.names), text)


def _find(found: _Found, hashes: Sequence[str | AudioError], recipe: _Recipe, *, n_features: int) -> int:
    """Look up every utterance in the cache; how many there are."""
    for position, audio_hash in enumerate(hashes):
        if isinstance(audio_hash, AudioError):
            found.refuse(position, audio_hash)
            continue
        try:
            entry = disk.read(recipe.entry_path(audio_hash), features=recipe.features, n_features=n_features)
        except disk.CorruptEntry:
            found.damaged.add(position)
        else:
            if entry is not None:
                found.entries[position] = recipe.shortened(entry)
    found.tell(f"{recipe.features.name}: {len(found.entries)} from the cache")
    return len(found.entries)


def _make(
    found: _Found,
    cuts: Sequence[_Cut],
    hashes: Sequence[str],
    recipe: _Recipe,
    *,
    pool: ThreadPoolExecutor,
    cancel: threading.Event | None,
) -> None:
    """Compute what was not in the cache, and keep it there."""
    missing = found.missing()
    if not missing:
        return
    disk.remove_abandoned(recipe.folder)
    recipe.features.load_library()  # here, not in all threads at once
    futures = {
        position: pool.submit(_make_one, cuts[position], hashes[position], recipe, cancel)
        for position in missing
    }
    for position in missing:
        _check(cancel)
        try:  # pop: a future holds the whole utterance
            found.entries[position] = recipe.shortened(futures.pop(position).result())
        except AudioError as error:
            found.refuse(position, error)
        found.tell(f"{recipe.features.name}: {Path(cuts[position].path).name}")


def _make_one(cut: _Cut, audio_hash: str, recipe: _Recipe, cancel: threading.Event | None) -> disk.Entry:
    """Read the audio of one utterance, change it if asked to, compute its features and keep them."""
    _check(cancel)
    sound = audio.load(cut.path, start=cut.start, end=cut.end, channel=cut.channel)
    samples = recipe.change(sound.samples, audio_hash) if recipe.change else sound.samples
    values = recipe.features.extract(samples)
    infinite = np.flatnonzero(~np.isfinite(values).reshape(-1, values.shape[-1]).all(axis=0))
    if len(infinite):
        raise AudioError(
            f"{cut.path}: {len(infinite)} features of {recipe.features.name} are not finite, the first is "
            f"{recipe.features.names[infinite[0]]}; leave the file out"
        )
    entry = disk.Entry(values=values, notes=sound.notes)
    disk.write(recipe.folder, recipe.entry_path(audio_hash), entry)
    return entry


def _report(
    found: _Found,
    cuts: Sequence[_Cut],
    hashes: Sequence[str],
    recipe: _Recipe,
    *,
    columns: tuple[str, ...],
    from_cache: int,
    began: float,
) -> Extraction:
    """Put all utterances together; ``found`` is emptied on the way."""
    names, bad = found.names, found.bad
    if bad and not found.entries:
        raise AudioError(f"none of the {len(names)} files can be used; the first: {bad[min(bad)]}")
    rebuilt = len(found.damaged & found.entries.keys())
    if rebuilt:
        # Level 3: the caller of extract.
        warnings.warn(f"{rebuilt} damaged entries of the cache {recipe.folder} were made again", stacklevel=3)
    kept = sorted(found.entries)
    notes = [(names[p], cuts[p].path, note) for p in kept for note in found.entries[p].notes]
    values = [found.entries.pop(position).values for position in kept]
    return Extraction(
        X=_assemble(values, index=names[kept], columns=columns, features=recipe.features),
        audio_hash=pd.Series([hashes[p] for p in kept], index=names[kept], name="audio_hash", dtype=object),
        skipped=pd.DataFrame(
            [(names[p], cuts[p].path, str(bad[p])) for p in sorted(bad)],
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
        import joblib  # late: a tenth of a second, and listing feature sets needs none

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
    cuts: Sequence[_Cut],
    *,
    folder: Path,
    cancel: threading.Event | None,
) -> list[str | AudioError]:
    """Hash of each cut, or why there is none; every file is read at most once."""
    found = contents.digests(
        {cut.path for cut in cuts if cut.path}, cache=folder, read=audio.file_hash, cancel=cancel
    )
    failed: dict[str | None, AudioError] = {None: AudioError("no audio file is given for this utterance")}
    for path, error in found.failed.items():
        if not isinstance(error, AudioError):
            raise error
        failed[path] = error
    return [
        failed[cut.path]
        if cut.path in failed
        else audio.cut_hash(found.digests[cut.path], start=cut.start, end=cut.end, channel=cut.channel)
        for cut in cuts
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


def _n_kept(features: FeatureSet, seconds: float | None) -> int | None:
    """How many frames of an utterance are kept; None for all."""
    if features.kind == "vectors" or seconds is None:
        return None
    if not seconds >= features.frame_shift:
        raise ParameterError(f"seconds is {seconds}; choose {features.frame_shift:g} or more, or None")
    return round(seconds / features.frame_shift)


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
    stop_if(cancel, "feature extraction was cancelled; the files done are kept in the cache")
