"""Features computed by several threads, or processes where a feature set keeps threads waiting.

Whoever computes the features of a file writes them into the cache at once, so
that work which is ended at any file goes on from there.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from serlab import audio
from serlab.errors import AudioError, ParameterError, SerlabError
from serlab.features import augmentation
from serlab.features import cache as disk
from serlab.features.base import FeatureSet
from serlab.progress import stop_if

#: Files that a process is given at once, and the fewest for which it pays to start processes.
CHUNK, FEWEST = 16, 200
CANCELLED = "feature extraction was cancelled; the files done are kept in the cache"

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class Cut(NamedTuple):
    """Where the audio of an utterance lies, and its hash."""

    path: str
    start: float
    end: float
    channel: str
    audio_hash: str = ""


@dataclass(frozen=True)
class Change:
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


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is computed, how much of it is used, and where it is kept."""

    features: FeatureSet
    change: Change | None
    seconds: float | None
    n_kept: int | None
    folder: Path

    def entry_path(self, audio_hash: str) -> Path:
        """Where the features of such audio are kept."""
        changed = self.change.hash(audio_hash) if self.change else audio_hash
        return disk.entry_path(self.folder, self.features, changed)

    def read(self, audio_hash: str, *, n_features: int) -> disk.Entry | None:
        """What is kept of such audio, see :func:`serlab.features.cache.read`."""
        return disk.read(self.entry_path(audio_hash), features=self.features, n_features=n_features)

    def shortened(self, entry: disk.Entry) -> disk.Entry:
        """The first frames of an entry, noted if more than the one on the edge is lost."""
        if self.n_kept is None or len(entry.values) <= self.n_kept:
            return entry
        notes = entry.notes
        if len(entry.values) > self.n_kept + 1:
            notes = (*notes, f"cut: only the first {self.seconds:g} s are used")
        return disk.Entry(values=entry.values[: self.n_kept].copy(), notes=notes)


def make(
    cuts: Sequence[Cut], recipe: Recipe, *, n_features: int, n_workers: int, cancel: threading.Event | None
) -> Iterator[disk.Entry | AudioError]:
    """Features of some utterances, in their order, or why there are none.

    Raises
    ------
    SerlabError
        If the cache cannot be written, or a process was ended from outside.
    Cancelled
    """
    if _in_processes(len(cuts), recipe, n_workers):
        yield from _by_processes(cuts, recipe, n_features=n_features, n_workers=n_workers, cancel=cancel)
        return
    recipe.features.load_library()  # here, not in all threads at once
    yield from _by_threads(lambda cut: _one(cut, recipe, cancel), cuts, n_workers)


def _one(cut: Cut, recipe: Recipe, cancel: threading.Event | None) -> disk.Entry | AudioError:
    """Read the audio of one utterance, change it if asked to, compute its features and keep them."""
    stop_if(cancel, CANCELLED)
    try:
        sound = audio.load(cut.path, start=cut.start, end=cut.end, channel=cut.channel)
        samples = recipe.change(sound.samples, cut.audio_hash) if recipe.change else sound.samples
        values = recipe.features.extract(samples)
        infinite = np.flatnonzero(~np.isfinite(values).reshape(-1, values.shape[-1]).all(axis=0))
        if len(infinite):
            raise AudioError(
                f"{cut.path}: {len(infinite)} features of {recipe.features.name} are not finite, the first "
                f"is {recipe.features.names[infinite[0]]}; leave the file out"
            )
    except AudioError as error:
        return error
    entry = disk.Entry(values=values, notes=sound.notes)
    disk.write(recipe.folder, recipe.entry_path(cut.audio_hash), entry)
    return entry


def _by_threads(
    function: Callable[[_Item], _Answer], items: Iterable[_Item], n_threads: int
) -> Iterator[_Answer]:
    """Answers in the order of items; few are ahead of who asks, since each holds a whole utterance."""
    waiting: deque[Future[_Answer]] = deque()
    pool = ThreadPoolExecutor(n_threads)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 4 * n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _in_processes(n_files: int, recipe: Recipe, n_workers: int) -> bool:
    """Whether it pays, and whether this process may start others."""
    return (
        recipe.features.in_processes
        and n_workers > 1
        and n_files >= FEWEST
        and not multiprocessing.current_process().daemon
    )


def _by_processes(
    cuts: Sequence[Cut], recipe: Recipe, *, n_features: int, n_workers: int, cancel: threading.Event | None
) -> Iterator[disk.Entry | AudioError]:
    """The same by processes: they hand over what went wrong, and features are read from the cache."""
    from joblib import Parallel, delayed  # late: a tenth of a second
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    chunks = [cuts[first : first + CHUNK] for first in range(0, len(cuts), CHUNK)]
    answers = Parallel(n_jobs=n_workers, backend="loky", return_as="generator", batch_size=1)(
        delayed(_chunk)(chunk, recipe) for chunk in chunks
    )
    try:
        for chunk, errors in zip(chunks, answers, strict=True):
            stop_if(cancel, CANCELLED)
            for cut, error in zip(chunk, errors, strict=True):
                yield error or _kept(cut, recipe, n_features)
    except TerminatedWorkerError:
        raise SerlabError(
            "a process that computed features was ended by the system, for want of memory as a rule; the "
            "files done are kept in the cache: run it again, with fewer jobs"
        ) from None
    finally:
        answers.close()


def _chunk(cuts: Sequence[Cut], recipe: Recipe) -> list[AudioError | None]:
    answers = [_one(cut, recipe, None) for cut in cuts]
    return [answer if isinstance(answer, AudioError) else None for answer in answers]


def _kept(cut: Cut, recipe: Recipe, n_features: int) -> disk.Entry:
    entry = recipe.read(cut.audio_hash, n_features=n_features)
    if entry is None:
        raise SerlabError(f"features of {cut.path} vanished from the cache {recipe.folder}; run it again")
    return entry
