"""Transcribed utterances: the one table that pretraining starts from.

Columns corpus, path, start, end, speaker, language and text, index utterance;
the first six as in :mod:`serlab.data`. What was left out on the way is counted
in ``table.attrs["left_out"]``, reason -> number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

import pandas as pd

from serlab import corpora, data
from serlab.asr.units import normalize
from serlab.corpora import files, texts
from serlab.corpora.base import audio_files
from serlab.errors import CorpusError

COLUMNS = ("corpus", "path", "start", "end", "speaker", "language", "text")

#: Below so many different texts a recogniser learns them by heart.
FEW_TEXTS = 50


def of_corpus(utterances: pd.DataFrame) -> pd.DataFrame:
    """Transcripts of corpora that say what is spoken, see :attr:`serlab.corpora.Corpus.sentences`.

    Parameters
    ----------
    utterances : DataFrame
        See :mod:`serlab.data`.

    Returns
    -------
    DataFrame
        Of a synthetic corpus, each syllable is a word.

    Raises
    ------
    CorpusError
        If the text of an utterance is not known.
    """
    known = {
        text_id: text for corpus in corpora.CORPORA.values() for text_id, text in corpus.sentences.items()
    }
    texts = utterances["text_id"].map(known)
    unknown = utterances.index[texts.isna()]
    if len(unknown):
        raise CorpusError(
            f"what is said is not known of {len(unknown)} utterances, the first is {unknown[0]!r} "
            f"(text_id {utterances.loc[unknown[0], 'text_id']!r}); give a folder with transcripts, see "
            "serlab.asr.transcripts.from_folder"
        )
    return as_table(utterances.assign(text=texts), left_out={})


def from_folder(root: Path | str, *, language: str | None = None) -> pd.DataFrame:
    """Transcripts of audio files in a folder.

    Either beside each audio file lies a text file of the same stem (UTF-8),
    and the speaker is the sub-folder they lie in; or ``transcripts.csv`` has
    the columns file (relative to the folder) and text, and if known speaker.
    Audio files without a transcript are left out and counted.

    Parameters
    ----------
    root : path
    language : str, optional
        ISO 639-1.

    Raises
    ------
    CorpusError
        If there is no transcript, one is empty, or ``transcripts.csv`` lacks a
        column or names a file that is not there.
    """
    root = Path(root).expanduser().absolute()
    if not root.is_dir():
        raise CorpusError(f"{root} is no folder; give one with audio files and transcripts")
    rows = _from_csv(root) if (root / "transcripts.csv").is_file() else _beside(root)
    if not rows:
        raise CorpusError(
            f"{root} has no transcripts: put a .txt of the same name beside each audio file, or a "
            "transcripts.csv with the columns file and text into the folder"
        )
    silent = [row["path"] for row in rows if not normalize(row["text"])]
    if silent:
        raise CorpusError(
            f"{len(silent)} transcripts in {root} have no word, the first is that of {silent[0]}; "
            "write what is said, or take the file out"
        )
    named = files.unique(
        [
            {
                **row,
                "utterance": f"{root.name}/{PurePath(row['name']).with_suffix('').as_posix()}",
                "path": str(row["path"]),
                "corpus": root.name,
                "speaker": f"{root.name}/{row['speaker']}",
                "language": language,
            }
            for row in rows
        ]
    )
    table = data.utterances(named)
    without = len({*audio_files(root, "**/*")} - {row["path"] for row in rows})
    return as_table(table, left_out={"audio without a transcript": without} if without else {})


def concatenate(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Stack transcripts of several corpora, and add up what was left out."""
    left_out: dict[str, int] = {}
    for table in tables:
        for reason, n in table.attrs.get("left_out", {}).items():
            left_out[reason] = left_out.get(reason, 0) + n
    return as_table(data.concatenate(list(tables)), left_out=left_out)


def n_texts(transcribed: pd.DataFrame) -> int:
    """How many different texts there are; see :data:`FEW_TEXTS`."""
    return transcribed["text"].map(normalize).nunique()


def as_table(utterances: pd.DataFrame, *, left_out: Mapping[str, int]) -> pd.DataFrame:
    """The columns of a table of transcribed utterances, and what was left out on the way to it."""
    table = utterances[list(COLUMNS)].copy()
    table.attrs = {"left_out": dict(left_out)}
    return table


def _beside(root: Path) -> list[dict]:
    rows = []
    for path in audio_files(root, "**/*"):
        transcript = path.with_suffix(".txt")
        if transcript.is_file():
            text = texts.read(transcript)
            speaker = path.parent.relative_to(root).as_posix() if path.parent != root else "unknown"
            rows.append({"path": path, "name": path.relative_to(root), "text": text, "speaker": speaker})
    return rows


def _from_csv(root: Path) -> list[dict]:
    file = root / "transcripts.csv"
    sheet = texts.sheet(file)
    texts.require(sheet, ("file", "text"))
    texts.refuse(file, sheet.problems)
    rows = []
    for number, cells in sheet.rows:
        path = root / cells["file"]
        if not files.is_file(path):
            raise CorpusError(
                f"{file}, line {number}: there is no file {path}; correct the name or drop the line"
            )
        speaker = cells.get("speaker") or "unknown"
        rows.append({"path": path, "name": cells["file"], "text": cells["text"], "speaker": speaker})
    return rows
