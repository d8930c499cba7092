"""Corpora by name: what there is, what is installed, and how to read it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from serlab import data
from serlab.corpora import (
    aesdd,
    ased,
    banglaser,
    baved,
    cafe,
    cremad,
    csv_corpus,
    emodb,
    emouerj,
    emovo,
    emozionalmente,
    iemocap,
    inventory,
    jl,
    mesd,
    nemo,
    oreau,
    ravdess,
    recola,
    savee,
    shemo,
    subesco,
    synthetic,
    tess,
    turev,
    urdu,
)
from serlab.corpora.base import Corpus
from serlab.corpora.csv_corpus import from_csv
from serlab.errors import CorpusError, meant

__all__ = [
    "CORPORA",
    "Corpus",
    "from_csv",
    "get",
    "installed",
    "overview",
    "read_many",
    "remarks",
    "require_installed",
    "unread",
]

#: Corpora that serlab knows, by name. A user's own CSV corpora are found by
#: :func:`get` and :func:`installed`.
CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        emodb.CORPUS,
        emovo.CORPUS,
        savee.CORPUS,
        ravdess.CORPUS,
        urdu.CORPUS,
        iemocap.CORPUS,
        recola.CORPUS,
        nemo.CORPUS,
        cremad.CORPUS,
        subesco.CORPUS,
        cafe.CORPUS,
        emozionalmente.CORPUS,
        turev.CORPUS,
        shemo.CORPUS,
        ased.CORPUS,
        emouerj.CORPUS,
        aesdd.CORPUS,
        baved.CORPUS,
        jl.CORPUS,
        tess.CORPUS,
        mesd.CORPUS,
        oreau.CORPUS,
        banglaser.CORPUS,
        *synthetic.CORPORA,
    )
}


def get(name: str, root: Path | str | None = None) -> Corpus:
    """Corpus by name: one of :data:`CORPORA`, or a ``corpus.csv`` below the data root.

    Raises
    ------
    CorpusError
        Listing the known names.
    """
    if name in CORPORA:
        return CORPORA[name]
    own = csv_corpus.installed(root)
    if name in own:
        return own[name]
    if name in unread(root):
        raise csv_corpus.no_table(data.data_root(root) / name)
    known = [*CORPORA, *own]
    raise CorpusError(
        f"unknown corpus {name!r}{meant(name, known)}; known: {', '.join(known)}. A corpus of your own is "
        f"found as {data.data_root(root) / name / csv_corpus.FILE_NAME}"
    )


def installed(root: Path | str | None = None) -> dict[str, Corpus]:
    """Corpora that can be read now, by name: embedded, published, own CSV files."""
    own = {name: corpus for name, corpus in csv_corpus.installed(root).items() if name not in CORPORA}
    return {name: corpus for name, corpus in CORPORA.items() if corpus.is_installed(root)} | own


def unread(root: Path | str | None = None) -> tuple[str, ...]:
    """Folders of recordings below the data root without a table, and of no corpus that serlab knows."""
    return tuple(name for name in csv_corpus.without_table(root) if name not in CORPORA)


def require_installed(names: Sequence[str], root: Path | str | None = None) -> None:
    """Refuse corpora that are unknown or not there, all of them at once.

    Raises
    ------
    CorpusError
    """
    missing = [corpus for name in names if not (corpus := get(name, root)).is_installed(root)]
    if len(missing) == 1:
        missing[0].read(root)  # says where to get it
    if missing:
        listed = ", ".join(corpus.name for corpus in missing)
        raise CorpusError(
            f"not installed below {data.data_root(root)}: {listed}; `serlab validate NAME` says where each is"
        )


def read_many(names: Sequence[str], root: Path | str | None = None) -> pd.DataFrame:
    """Utterances of several corpora in one table.

    Raises
    ------
    CorpusError
        If a corpus is unknown, not installed, or named twice.
    """
    if len(set(names)) < len(names):
        raise CorpusError(f"a corpus is named twice: {', '.join(names)}; name each once")
    return data.concatenate([get(name, root).read(root) for name in names])


def overview(root: Path | str | None = None) -> pd.DataFrame:
    """What there is of each corpus, or what its publisher says there is.

    Returns
    -------
    DataFrame
        One row a corpus, all cells text: name, title, language, installed
        ("yes", "part", "no", "unreadable"), utterances ("892 of 4481"),
        speakers, minutes (of what is installed), emotions, licence, and
        publishable: whether a run may be published, see
        :attr:`serlab.corpora.terms.Terms.publishable`.
    """
    rows = []
    for name, corpus in {**CORPORA, **installed(root)}.items():
        stated, there = inventory.published(corpus), corpus.is_installed(root)
        found = inventory.take(corpus, root) if there else stated
        part = 0 < found.utterances < stated.utterances
        shown = stated if found.problem else found
        state = "unreadable" if found.problem else "part" if part else "yes"
        rows.append(
            {
                "name": name,
                "title": corpus.title,
                "language": ", ".join(shown.languages),
                "installed": state if there else "no",
                "utterances": f"{found.utterances} of {stated.utterances}"
                if part
                else _text(shown.utterances),
                "speakers": _text(shown.speakers),
                "minutes": _text(round(found.minutes)) if there else "",
                "emotions": found.problem or ", ".join(shown.emotions),
                "licence": corpus.license,
                "publishable": corpus.terms.publishable,
            }
        )
    return pd.DataFrame(rows)


def _text(number: int) -> str:
    return str(number or "")


def remarks(table: pd.DataFrame) -> tuple[str, ...]:
    """What a reader of results should know about these copies of corpora, one sentence each."""
    return tuple(
        f"{corpus.title}: {remark}"
        for name, part in table.groupby("corpus")
        if (corpus := CORPORA.get(name) or csv_corpus.corpus(name)).remarks is not None
        for remark in corpus.remarks(part)
    )
