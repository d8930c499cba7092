"""What there is of a corpus: utterances, speakers, minutes, emotions; remembered until the folder changes.

Headers of all files are read for it. That takes a second for some thousand files, and
no list may take that long twice: the answer is kept in the cache, under names,
sizes and times of all files of the folder.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from serlab import data, files, labels
from serlab.corpora import walking
from serlab.corpora.base import Corpus
from serlab.errors import SerlabError

#: Another number where the same files would now be counted otherwise.
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What was found.

    Attributes
    ----------
    utterances, speakers : int
    minutes : float
        Of utterances whose header could be read.
    emotions : mapping of str to int
        Word of :data:`serlab.labels.EMOTIONS` -> utterances, most frequent first.
    languages : tuple of str
    problem : str
        Why the folder cannot be read, if so; then all else is empty.
    """

    utterances: int = 0
    speakers: int = 0
    minutes: float = 0.0
    emotions: Mapping[str, int] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    problem: str = ""


def published(corpus: Corpus) -> Inventory:
    """What the publisher says there is; minutes are not known."""
    emotions: dict[str, int] = {}
    for label, n in corpus.expected.items():
        word = corpus.labels.get(label, label)
        emotions[word] = emotions.get(word, 0) + n
    return Inventory(
        utterances=sum(corpus.expected.values()),
        speakers=corpus.expected_speakers,
        emotions=dict(sorted(emotions.items(), key=lambda item: -item[1])),
        languages=() if corpus.language == "und" else (corpus.language,),
    )


def take(corpus: Corpus, root: Path | str | None = None) -> Inventory:
    """Count what is installed of a corpus.

    Parameters
    ----------
    corpus : Corpus
    root : path, optional
        Data root, see :func:`serlab.data.data_root`.

    Returns
    -------
    Inventory
        Of an embedded corpus what it will have: it is not made for a list.
    """
    if corpus.embedded:
        return published(corpus)
    folder = corpus.folder(root)
    try:
        kept = _kept(corpus, folder)
    except SerlabError as error:
        return Inventory(problem=str(error))
    with suppress(OSError, ValueError, TypeError, KeyError):  # whatever is in that file, it is made again
        known = json.loads(kept.read_text(encoding="utf-8"))
        return Inventory(**{**known, "languages": tuple(known["languages"])})
    try:
        found, inside = _count(corpus, root)
    except SerlabError as error:
        return Inventory(problem=str(error))  # not remembered: permissions are no part of the key
    if inside:
        _keep(kept, found)
    return found


def _count(corpus: Corpus, root: Path | str | None) -> tuple[Inventory, bool]:
    """What a table says, and whether all of its audio lies in the folder of the corpus."""
    table = corpus.read(root)
    folder = str(corpus.folder(root))
    words = labels.emotions(table).dropna().value_counts()
    inside = all(path is None or os.path.normpath(path).startswith(folder + os.sep) for path in table["path"])
    return (
        Inventory(
            utterances=len(table),
            speakers=int(table["speaker"].nunique()),
            minutes=round(float(table["duration"].sum()) / 60, 1),
            emotions={str(word): int(n) for word, n in words.items()},
            languages=tuple(sorted(table["language"].dropna().unique())),
        ),
        inside,
    )


def _kept(corpus: Corpus, folder: Path) -> Path:
    """Where the answer about a folder in this state is kept."""
    digest = hashlib.sha256(repr((VERSION, corpus.name, str(folder), corpus.channel)).encode())
    for path in walking.files(folder):
        with suppress(OSError):  # gone since it was listed
            status = path.stat()
            state = (str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            digest.update(repr(state).encode("utf-8", "surrogateescape"))
    return data.cache_root() / "inventories" / f"{corpus.name}-{digest.hexdigest()[:16]}.json"


def _keep(path: Path, found: Inventory) -> None:
    """A cache that cannot be written is no reason to fail."""
    with suppress(OSError):
        files.write_text(path, json.dumps(dataclasses.asdict(found), ensure_ascii=False))
