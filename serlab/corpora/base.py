"""What serlab knows about a corpus before it has seen a single file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from serlab import audio, data
from serlab.corpora import settings, split_lists, walking
from serlab.corpora.terms import UNKNOWN, Terms
from serlab.errors import CorpusError
from serlab.labels import refuse_unknown

AUDIO_SUFFIXES: tuple[str, ...] = audio.SUFFIXES


@dataclass(frozen=True, kw_only=True)
class Download:
    """An open address of a corpus' archives.

    Attributes
    ----------
    files : mapping of str to (str, str)
        File name -> (URL, hash). The hash is ``algorithm:hexdigest`` and is
        checked before anything is unpacked; empty where the publisher states
        none, then the user has to bring it.
    note : str
        Size, and what a user should know before starting.
    """

    files: Mapping[str, tuple[str, str]]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A corpus of emotional speech.

    Attributes
    ----------
    name : str
        Also the name of its folder below the data root.
    title, language, citation, license : str
        ``language`` is a BCP 47 tag: "de", "fr-CA".
    how_to_get : str
        Where a person gets it, and into which layout it unpacks.
    layout : str
        One example path relative to the corpus folder, shown in errors.
    labels : mapping of str to str
        Native label -> word of :data:`serlab.labels.EMOTIONS`. Empty where
        there are ratings only, or the labels are such words already.
    expected : mapping of str to int
        Published number of utterances by native label.
    expected_speakers : int
        Published number of speakers, 0 where it is not known.
    expected_texts : int
        Published number of different sentences (``text_id``), 0 where it is not known.
    terms : Terms
        What the licence allows.
    speech : {"acted", "elicited", "spontaneous", "synthetic", "unknown"}
        How the emotion came about.
    scripted : bool or None
        Whether speakers said given sentences; None where it is mixed or unknown.
    reader : callable
        ``reader(folder) -> DataFrame`` of utterances; called by :meth:`read`.
    thresholds : mapping of str to float
        Rating ("arousal", "valence") -> value above which its upper half starts;
        a rating at the threshold belongs to the lower one.
    sentences : mapping of str to str
        ``text_id`` -> what is said, where it is known.
    download : Download or None
        None where there is no open address.
    expected_names : callable or None
        ``expected_names(folder)`` -> names of all published utterances, where
        they are known: then validation can name what is missing.
    further_counts : callable or None
        ``further_counts(table)`` -> DataFrame of other published counts,
        columns what, published, found, source.
    caveats : tuple of str
        What a user should know about the published corpus; shown with it.
    remarks : callable or None
        ``remarks(table)`` -> what a user should know about this copy as it
        was read, one sentence each; shown by validation and in reports.
    channel : {"mix", "left", "right"}
        What is used of a recording with two channels: their mean, or one of them. Two microphones
        apart from each other are better not averaged. ``channel = "left"`` in a ``corpus.toml`` in the
        folder of any corpus wins over this, a column ``channel`` of a table over both.
    sampling_rates, channels : tuple of int
        As published, in Hz and channels of a file; empty where that is not known.
    seconds : tuple of two floats
        The shortest and the longest published recording; empty where that is not known.
    embedded : bool
        Made by serlab itself: always installed, in the cache instead of below
        the data root; the reader makes it when it is not there yet.
    """

    name: str
    title: str
    language: str
    citation: str
    license: str
    how_to_get: str
    layout: str
    expected: Mapping[str, int]
    expected_speakers: int
    reader: Callable[[Path], pd.DataFrame] = field(repr=False)
    terms: Terms = UNKNOWN
    speech: Literal["acted", "elicited", "spontaneous", "synthetic", "unknown"] = "unknown"
    scripted: bool | None = None
    expected_texts: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict, repr=False)
    download: Download | None = None
    expected_names: Callable[[Path], Set[str]] | None = field(default=None, repr=False)
    further_counts: Callable[[pd.DataFrame], pd.DataFrame] | None = field(default=None, repr=False)
    caveats: tuple[str, ...] = ()
    remarks: Callable[[pd.DataFrame], tuple[str, ...]] | None = field(default=None, repr=False)
    channel: str = audio.MIX
    sampling_rates: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    embedded: bool = False

    def __post_init__(self) -> None:
        audio.check_channel(self.channel, of=f"corpus {self.name!r}")

    def folder(self, root: Path | str | None = None) -> Path:
        """Folder of this corpus below the data root (need not exist)."""
        if self.embedded:
            return data.cache_root() / "corpora" / self.name
        return data.data_root(root) / self.name

    def is_installed(self, root: Path | str | None = None) -> bool:
        """Whether there is a folder with something in it that is no archive."""
        if self.embedded:
            return True
        return any(
            kind != "file" or path.suffix.lower() not in walking.ARCHIVES
            for path, kind in walking.entries(self.folder(root))
        )

    def read(self, root: Path | str | None = None) -> pd.DataFrame:
        """Read all utterances (labels and headers; no audio yet).

        Parameters
        ----------
        root : path, optional
            Data root, see :func:`serlab.data.data_root`.

        Returns
        -------
        DataFrame
            Utterances, see :mod:`serlab.data`; with the split of a list that lies in the folder, see
            :mod:`serlab.corpora.split_lists`.

        Raises
        ------
        CorpusError
            If the folder is missing, empty or holds another corpus.
        LabelError
            If a native label is not one of :attr:`labels`.
        """
        folder = self.folder(root)
        if not self.embedded and not folder.is_dir():
            raise CorpusError(
                f"corpus {self.name!r} is not installed: {folder} does not exist. {self.how_to_get}"
            )
        table = self.reader(folder)
        if table.empty:
            raise self.foreign(folder)
        table = data.utterances(table)
        table = self.labelled(self._with_channel(table, folder))
        return table if self.embedded else split_lists.beside(table, folder)

    def _with_channel(self, table: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """The table with its column ``channel``, where the answer is not always "mix"."""
        channel = self.channel
        if not self.embedded:
            channel = settings.beside(folder / "corpus.csv").channel or channel
        own = audio.channel_of(table, otherwise=channel)
        return table if (own == audio.MIX).all() else table.assign(channel=own)

    def labelled(self, table: pd.DataFrame) -> pd.DataFrame:
        """Say what native labels mean and where ratings are cut in two: all that a label scheme needs.

        Parameters
        ----------
        table : DataFrame
            Utterances of this corpus.

        Returns
        -------
        DataFrame
            A copy with ``native_emotion``, and ``<rating>_threshold`` for each of :attr:`thresholds`.

        Raises
        ------
        LabelError
            Naming the first utterance whose native label is not one of :attr:`labels`.
        """
        table = table.assign(**{f"{rating}_threshold": value for rating, value in self.thresholds.items()})
        if self.labels:
            words = table["native_label"].map(self.labels)
            refuse_unknown(table, words, self.labels)
            table["native_emotion"] = words.astype(object).where(words.notna(), None)
        return table

    def foreign(self, folder: Path) -> CorpusError:
        """Error for a folder in which nothing looks like this corpus."""
        return CorpusError(
            f"{folder} holds nothing that looks like {self.title}: expected files such as "
            f"{self.layout}. {_hint(folder)}{self.how_to_get}"
        )


def _hint(folder: Path) -> str:
    """A sentence on what lies in a folder instead of recordings; empty where nothing can be said."""
    archives = walking.archives_only(folder)
    if archives:
        return f"It holds {archives[0].name}, which is not unpacked: unpack it here. "
    found = [path for path in walking.files(folder) if path.suffix.lower() in audio.CONVERTIBLE]
    if found:
        return (
            f"It holds {len(found)} files such as {found[0].relative_to(folder)}, which serlab does not "
            f"read; convert each: {audio.conversion(found[0])}. "
        )
    return ""


def audio_files(folder: Path, pattern: str) -> list[Path]:
    """Audio files below ``folder`` whose path matches a glob.

    ``audio_files(root, "wav/*")`` finds ``wav/03a01Fa.wav`` and ``.flac``
    alike; ``**/`` at the beginning stands for any folders. Links are followed
    (see :mod:`serlab.corpora.walking`); one that leads nowhere counts as a file,
    so that it is missed.

    Returns
    -------
    list of Path
        Sorted.
    """
    return sorted(
        path
        for path, kind in walking.entries(folder)
        if path.suffix.lower() in AUDIO_SUFFIXES
        and kind in ("file", "broken link")
        and walking.matches(path.relative_to(folder), pattern)
    )


def binary_counts(
    table: pd.DataFrame,
    corpus: str,
    published: Mapping[str, tuple[int, int]],
    thresholds: Mapping[str, float],
) -> pd.DataFrame:
    """Ratings of a corpus at most at, and above, the threshold of each dimension.

    Parameters
    ----------
    table : DataFrame
        Utterances; other corpora in it are passed over.
    corpus : str
    published : mapping of str to (int, int)
        Dimension -> how many are published on each side.
    thresholds : mapping of str to float
        See :class:`Corpus`.

    Returns
    -------
    DataFrame
        Columns what, published, found. An utterance without a rating is on neither side.
    """
    rows = []
    for dimension, (low, high) in published.items():
        threshold = thresholds[dimension]
        ratings = table.loc[table["corpus"] == corpus, dimension]
        rows += [
            (f"{dimension} at most {threshold:g}", low, int((ratings <= threshold).sum())),
            (f"{dimension} above {threshold:g}", high, int((ratings > threshold).sum())),
        ]
    return pd.DataFrame(rows, columns=["what", "published", "found"])
