"""Corpora whose file names say all: from a pattern with named groups to utterances."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import files

#: What is unique only within a corpus, so that the name of the corpus goes before it.
PREFIXED: tuple[str, ...] = ("utterance", "speaker", "text_id", "session")


def table(
    folder: Path,
    pattern: re.Pattern[str],
    describe: Callable[[Path, re.Match[str]], Mapping[str, Any]],
    *,
    corpus: str,
    language: str,
) -> pd.DataFrame:
    """Utterances of all audio files below ``folder`` whose path matches.

    Parameters
    ----------
    folder : Path
    pattern : Pattern
        See :func:`serlab.corpora.files.matching`.
    describe : callable
        ``describe(path, match)`` -> columns of this utterance. Utterance (the
        stem of the path unless it is among them), speaker, sentence and
        session are as the publisher writes them; what is None stays unknown.
    corpus : str
        Put before them.
    language : str
        BCP 47 tag.

    Returns
    -------
    DataFrame
        Rows for :func:`serlab.data.utterances`; empty where nothing matches.

    Raises
    ------
    CorpusError
        If two files hold one utterance; and whatever ``describe`` raises.
    """

    def row(path: Path, match: re.Match[str]) -> dict[str, Any]:
        said = {"utterance": path.stem, **describe(path, match)}
        named = {
            column: f"{corpus}/{value}"
            for column in PREFIXED
            if (value := said.get(column)) is not None
        }  # fmt: skip
        return {
            **said,
            **named,
            "corpus": corpus,
            "path": str(path),
            "language": language,
            "duration": files.duration(path),
        }

    return pd.DataFrame(files.unique(row(path, match) for path, match in files.matching(folder, pattern)))


def pointers(table: pd.DataFrame) -> tuple[str, ...]:
    """Say if files are pointers of Git LFS, which a clone without it leaves in place of audio.

    Parameters
    ----------
    table : DataFrame
        Utterances; those whose header could not be read are looked into.

    Returns
    -------
    tuple of str
        One sentence, or none.
    """
    unread = table.loc[table["duration"].isna(), "path"].dropna()
    n = sum(_begins(Path(path), b"version https://git-lfs") for path in unread)
    if not n:
        return ()
    return (f"{n} files are pointers of Git LFS, not audio: install it and run `git lfs pull` in the clone",)


def _begins(path: Path, text: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(text)) == text
    except OSError:
        return False
