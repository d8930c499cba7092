"""From corpora to utterances with classes and features."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from serlab import corpora, data, features
from serlab.errors import AudioError, SerlabError
from serlab.evaluation import Material, recordings
from serlab.evaluation.material import Features
from serlab.experiment import times
from serlab.experiment.labelling import labelled_of
from serlab.experiment.parameters import Parameters
from serlab.features import augmentation
from serlab.progress import UNWATCHED, Watch
from serlab.wording import count

#: Parameters that decide what is prepared; which feature sets methods bring along, too.
OF_DATA = (
    "target", "sources", "scheme", "features", "seconds", "augment", "data", "on_bad_file", "label_sets",
)  # fmt: skip


class NotKept(SerlabError):
    """A finished run is asked for what it does not keep; nothing is computed to answer."""


@dataclass(frozen=True)
class Prepared:
    """Utterances with labels and features, and what was left behind.

    Attributes
    ----------
    utterances : DataFrame
        With ``emotion``; only rows that have a class and usable audio.
    X : DataFrame, shape (n, d), or Frames, shape (n, t, d), or None
        Features, same index; None of a finished run that does not keep them.
    copies : tuple of the same
        Features of augmented audio.
    further : mapping of str to tuple of the same
        Feature sets that methods bring along, by name: features, and those of augmented audio.
    left_out : Series
        Utterances the scheme leaves out, by corpus and emotion.
    audio_hash : Series
        Utterance -> hash of its audio.
    skipped_files : DataFrame
        utterance, path, reason, corpus, emotion.
    notes : tuple of str
        What else a reader should know of the data.
    fingerprint : str
        Of all corpora as read, before labels and bad files.
    same_recordings : DataFrame
        Pairs of utterances that share a recording, see :func:`serlab.evaluation.recordings.copies`.
    """

    utterances: pd.DataFrame
    X: Features | None
    copies: tuple[Features, ...]
    further: Mapping[str, tuple[Features, ...]]
    left_out: pd.Series
    audio_hash: pd.Series
    skipped_files: pd.DataFrame
    notes: tuple[str, ...]
    fingerprint: str
    same_recordings: pd.DataFrame = field(default_factory=lambda: _no_copies())

    @property
    def vectors(self) -> pd.DataFrame:
        """One vector an utterance, for figures, see :func:`as_vectors`."""
        return as_vectors(self.X)

    @cached_property
    def material(self) -> Material:
        """What methods are fed from."""
        return Material(utterances=self.utterances, features={"": (self.X, *self.copies), **self.further})


def as_vectors(X: Features | None) -> pd.DataFrame:
    """One vector an utterance: frames by their mean and SD.

    Raises
    ------
    NotKept
        Without features: if they are of a finished run that does not keep them.
    """
    if X is None:
        raise NotKept("this needs the features of all utterances, which a run folder does not keep")
    return X if isinstance(X, pd.DataFrame) else X.statistics()


def prepare(
    parameters: Parameters,
    *,
    table: pd.DataFrame | None = None,
    watch: Watch = UNWATCHED,
    with_copies: bool = True,
) -> Prepared:
    """Read the corpora, map their labels, extract (or find) their features.

    Parameters
    ----------
    parameters : Parameters
    table : DataFrame, optional
        Utterances of target and sources that are at hand, of corpora that no registry knows, or of a part
        of one; read from the corpora without.
    watch : Watch
    with_copies : bool
        Whether utterances that share a recording are looked for. Who only fits needs none.

    Raises
    ------
    CorpusError, LabelError, ProtocolError, AudioError
        Of audio only with ``on_bad_file="stop"``, or if an augmentation spoils it; folds that the target
        cannot be divided into are refused before a feature is computed.
    """
    if table is None:
        table = corpora.read_many((parameters.target, *parameters.sources), parameters.data or None)
    labelled, left_out = labelled_of(table, parameters)
    _require_folds(labelled, parameters)
    extraction = _extract(labelled, parameters, parameters.features, watch=watch)
    skipped_files = _with_classes(extraction.skipped, labelled)
    labelled = labelled.loc[extraction.X.index]
    on_audio = [name for name in parameters.augment if augmentation.parse(name).on_audio]
    copies = tuple(
        _more(labelled, parameters, parameters.features, augment=augment, watch=watch) for augment in on_audio
    )
    known = {parameters.features: (extraction.X, *copies)}
    for name in dict.fromkeys(spec.feature_set(parameters.options) for spec in parameters.specs()):
        if name and name not in known:
            known[name] = tuple(
                _more(labelled, parameters, name, augment=augment, watch=watch)
                for augment in (None, *on_audio)
            )
    brought = {spec.feature_set(parameters.options) for spec in parameters.specs()} - {""}
    return Prepared(
        utterances=labelled,
        X=extraction.X,
        copies=copies,
        further={name: parts for name, parts in known.items() if name in brought},
        left_out=left_out,
        audio_hash=extraction.audio_hash,
        skipped_files=skipped_files,
        notes=_notes(table, extraction),
        fingerprint=data.fingerprint(table),
        same_recordings=_same_recordings(labelled, parameters, watch) if with_copies else _no_copies(),
    )


def _require_folds(labelled: pd.DataFrame, parameters: Parameters) -> None:
    """Refuse what no bad file could make possible; a fold that is skipped is told of by who runs them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said by who runs them
        parameters.split_protocol().plan(labelled)


def _no_copies() -> pd.DataFrame:
    return pd.DataFrame(columns=list(recordings.COLUMNS))


def _same_recordings(labelled: pd.DataFrame, parameters: Parameters, watch: Watch) -> pd.DataFrame:
    return recordings.copies(
        labelled, jobs=parameters.threads_of_features, progress=watch.progress, cancel=watch.cancel
    )


def _with_classes(skipped: pd.DataFrame, labelled: pd.DataFrame) -> pd.DataFrame:
    """Files that could not be used, with what was lost: a class that vanishes is to be seen."""
    own = labelled.reindex(skipped["utterance"])
    return skipped.assign(
        corpus=own["corpus"].to_numpy(dtype=object), emotion=own["emotion"].astype(object).to_numpy()
    )


def _extract(
    labelled: pd.DataFrame, parameters: Parameters, name: str, *, watch: Watch, augment: str | None = None
) -> features.Extraction:
    found = features.extract(
        labelled,
        features=name,
        seconds=parameters.seconds or None,
        augment=augment,
        seed=parameters.seeds[0],
        on_bad=parameters.on_bad_file,
        jobs=parameters.threads_of_features,
        progress=watch.progress,
        cancel=watch.cancel,
    )
    if augment is None:
        made = len(labelled) - found.from_cache
        times.note(times.of_features(name, labelled["corpus"].unique(), made=made, seconds=found.seconds))
    return found


def _more(
    labelled: pd.DataFrame, parameters: Parameters, name: str, *, augment: str | None, watch: Watch
) -> Features:
    """Further features of the same utterances, none of which may be lost."""
    found = _extract(labelled, parameters, name, augment=augment, watch=watch)
    if len(found.skipped):
        utterance, reason = found.skipped.iloc[0][["utterance", "reason"]]
        remedy = "the changed audio cannot be used: choose another augmentation"
        if augment is None:
            remedy = f"feature set {name!r} cannot be computed: leave out the methods that need it"
        raise AudioError(f"{utterance}: {reason}; {remedy}")
    return found.X


def _notes(table: pd.DataFrame, extraction: features.Extraction) -> tuple[str, ...]:
    notes = [
        *corpora.remarks(table),
        *(f"{count(n, 'file')}: {note}" for note, n in extraction.notes["note"].value_counts().items()),
    ]
    if extraction.rebuilt:
        notes.append(f"damaged cache entries that were computed again: {extraction.rebuilt}")
    return tuple(notes)
