"""From utterances to features: found in the cache, or read, changed, computed and kept there."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from serlab import audio, contents, data
from serlab.errors import AudioError, ParameterError
from serlab.features import cache as disk
from serlab.features import gathering, registry
from serlab.features.base import FeatureSet
from serlab.features.frames import Frames
from serlab.features.making import CANCELLED, Change, Cut, Recipe, make
from serlab.progress import Pace, Progress, stop_if


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
        Threads, or processes where the feature set asks for them and there are
        many files; default (or -1) one a processor. The result does not depend on it.
    progress : callable, optional
        ``progress(done, total, text)``, with files a second and the time left in
        the text; :func:`progress_bar` makes one.
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
    n_workers = _n_workers(jobs)
    chosen = registry.get(features)
    if chosen.parts:
        extractions = [
            extract(
                utterances, features=part, seconds=seconds, augment=augment, seed=seed, cache=cache,
                on_bad=on_bad, jobs=jobs, progress=progress, cancel=cancel,
            )
            for part in chosen.parts
        ]  # fmt: skip
        return _together(chosen, extractions, utterances)
    recipe = Recipe(
        features=chosen,
        change=Change(augment, seed=seed) if augment else None,
        seconds=seconds,
        n_kept=_n_kept(chosen, seconds),
        folder=Path(cache) if cache is not None else data.cache_root(),
    )
    columns = disk.names(recipe.folder, chosen)
    cuts = _cuts(utterances)
    found = _Found(
        names=utterances.index,
        stop=on_bad == "stop",
        pace=Pace(progress, len(utterances)),
        values=gathering.start(chosen, n_rows=len(utterances), n_features=len(columns), folder=recipe.folder),
    )
    hashes = _hashes(cuts, folder=recipe.folder, cancel=cancel)
    from_cache = _find(found, hashes, recipe, n_features=len(columns))
    _make(found, cuts, hashes, recipe, n_features=len(columns), n_workers=n_workers, cancel=cancel)
    return _report(found, cuts, hashes, recipe, columns=columns, from_cache=from_cache, began=began)


def _together(chosen: FeatureSet, extractions: Sequence[Extraction], utterances: pd.DataFrame) -> Extraction:
    """Features of several sets beside each other, of the utterances that all of them have."""
    has = [set(own.audio_hash.index) for own in extractions]
    kept = [name for name in utterances.index if all(name in own for own in has)]
    X = pd.concat(
        [
            own.X.loc[kept].add_prefix(f"{part.name}: ")
            for part, own in zip(chosen.parts, extractions, strict=True)
        ],
        axis=1,
    )
    skipped, notes = (
        pd.concat([getattr(own, table) for own in extractions], ignore_index=True)
        for table in ("skipped", "notes")
    )
    return Extraction(
        X=X,
        audio_hash=extractions[0].audio_hash.loc[kept],
        skipped=skipped.drop_duplicates("utterance", ignore_index=True),
        notes=notes.drop_duplicates(ignore_index=True),
        from_cache=min(own.from_cache for own in extractions),
        rebuilt=sum(own.rebuilt for own in extractions),
        seconds=sum(own.seconds for own in extractions),
    )


def _cuts(utterances: pd.DataFrame) -> list[Cut]:
    """Where the audio of each utterance lies; without a column ``channel`` all channels are used."""
    columns = utterances[["path", "start", "end"]].copy()
    columns["channel"] = audio.channel_of(utterances)
    return [Cut(*cut) for cut in columns.itertuples(index=False, name=None)]


@dataclass(kw_only=True)
class _Found:
    """What has become of the utterances so far, by position in the table."""

    names: pd.Index
    stop: bool
    pace: Pace
    values: gathering.Vectors | gathering.Frames
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)
    bad: dict[int, AudioError] = field(default_factory=dict)
    damaged: set[int] = field(default_factory=set)

    def keep(self, position: int, entry: disk.Entry) -> None:
        self.values.put(position, entry.values)
        self.notes[position] = entry.notes

    def refuse(self, position: int, error: AudioError) -> None:
        """List a file that cannot be used, or stop at it."""
        if self.stop:
            raise AudioError(f"{self.names[position]}: {error}") from error
        self.bad[position] = error

    def missing(self) -> list[int]:
        return [p for p in range(len(self.names)) if p not in self.notes and p not in self.bad]

    @property
    def n_done(self) -> int:
        return len(self.notes) + len(self.bad)


def _find(found: _Found, hashes: Sequence[str | AudioError], recipe: Recipe, *, n_features: int) -> int:
    """Look up every utterance in the cache; how many there are."""
    for position, audio_hash in enumerate(hashes):
        if isinstance(audio_hash, AudioError):
            found.refuse(position, audio_hash)
            continue
        try:
            entry = recipe.read(audio_hash, n_features=n_features)
        except disk.CorruptEntry:
            found.damaged.add(position)
        else:
            if entry is not None:
                found.keep(position, recipe.shortened(entry))
    found.pace.start(found.n_done, f"{recipe.features.name}: {len(found.notes)} from the cache")
    return len(found.notes)


def _make(
    found: _Found,
    cuts: Sequence[Cut],
    hashes: Sequence[str],
    recipe: Recipe,
    *,
    n_features: int,
    n_workers: int,
    cancel: threading.Event | None,
) -> None:
    """Compute what was not in the cache, and keep it there."""
    missing = found.missing()
    if not missing:
        return
    disk.remove_abandoned(recipe.folder)
    made = make(
        [cuts[position]._replace(audio_hash=hashes[position]) for position in missing],
        recipe, n_features=n_features, n_workers=n_workers, cancel=cancel,
    )  # fmt: skip
    # Closed: whoever is at work must not go on once a bad file has ended it.
    with closing(made):
        for position, entry in zip(missing, made, strict=True):
            stop_if(cancel, CANCELLED)
            if isinstance(entry, AudioError):
                found.refuse(position, entry)
            else:
                found.keep(position, recipe.shortened(entry))
            found.pace.tell(found.n_done, f"{recipe.features.name}: {Path(cuts[position].path).name}")


def _report(
    found: _Found,
    cuts: Sequence[Cut],
    hashes: Sequence[str],
    recipe: Recipe,
    *,
    columns: tuple[str, ...],
    from_cache: int,
    began: float,
) -> Extraction:
    """Put all utterances together."""
    names, bad = found.names, found.bad
    if bad and not found.notes:
        raise AudioError(f"none of the {len(names)} files can be used; the first: {bad[min(bad)]}")
    rebuilt = len(found.damaged & found.notes.keys())
    if rebuilt:
        # Level 3: the caller of extract.
        warnings.warn(f"{rebuilt} damaged entries of the cache {recipe.folder} were made again", stacklevel=3)
    kept = np.array(sorted(found.notes), dtype=int)
    notes = [(names[p], cuts[p].path, note) for p in kept for note in found.notes[p]]
    return Extraction(
        X=_assembled(found.values, kept, index=names[kept], columns=columns, features=recipe.features),
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


def _n_workers(jobs: int | None) -> int:
    if jobs is None or jobs == -1:
        import joblib  # late: a tenth of a second, and listing feature sets needs none

        return joblib.cpu_count()
    if jobs < 1:
        raise ParameterError(f"jobs is {jobs}; choose 1 or more, or -1 for one a processor")
    return jobs


def _hashes(
    cuts: Sequence[Cut],
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


def _n_kept(features: FeatureSet, seconds: float | None) -> int | None:
    """How many frames of an utterance are kept; None for all."""
    if features.kind == "vectors" or seconds is None:
        return None
    if not seconds >= features.frame_shift:
        raise ParameterError(f"seconds is {seconds}; choose {features.frame_shift:g} or more, or None")
    return round(seconds / features.frame_shift)


def _assembled(
    values: gathering.Vectors | gathering.Frames,
    kept: np.ndarray,
    *,
    index: pd.Index,
    columns: tuple[str, ...],
    features: FeatureSet,
) -> pd.DataFrame | Frames:
    """What was gathered, under its names; numbers are not copied."""
    if isinstance(values, gathering.Vectors):
        return pd.DataFrame(values.of(kept), index=index, columns=list(columns), copy=False)
    return Frames(index=index, columns=columns, sequences=values.of(kept), frame_shift=features.frame_shift)
