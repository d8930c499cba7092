"""Lists of who trains and who is tested, made by others: publishers, benchmarks, a colleague.

What is read, as a file or as a folder of files (their folds and parts are then
in the names of files and folders: ``fold_1/emodb_test_fold_1.jsonl``)::

    CSV               one row an utterance: its name, a column ``split`` (train, validation, test), and
                      ``fold`` where there are several; or columns ``split_1``, ``split_2``; or ``fold``
                      alone: each fold is tested once and the others train
    JSON              the same records as a list or as lines; {"train": [names], "test": [names]},
                      within folds or not; {name: part}
    text              a name a line

A name is that of an utterance, of its file, or the end of its path; endings are
passed over, so a list of ``.wav`` fits a corpus in ``.flac``.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pandas as pd

from serlab import audio
from serlab.corpora import texts, walking, words
from serlab.errors import CorpusError

#: Files and folders that are looked for beside a corpus.
BESIDE: tuple[str, ...] = ("splits.csv", "splits.json", "splits.jsonl", "splits")
#: Columns and keys that name an utterance, in the order in which they are tried.
NAMES: tuple[str, ...] = (
    "utterance", "path", "wav", "file", "file_name", "filename", "audio", "key", "id", "file_id", "name",
)  # fmt: skip
#: Columns and keys that say the part, and the fold.
SPLITS: tuple[str, ...] = ("split", "set", "subset", "partition", "part")
FOLD = "fold"

_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".txt", ".lst", ".scp")
_FOLD = re.compile(r"(?<![A-Za-z])(?:fold|session|cv)[ _-]?(\w+?)(?![A-Za-z0-9])", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")
#: Folders of a path that are compared, from its end.
_DEEPEST = 4


class Entry(NamedTuple):
    """One utterance in one part of one fold; ``names`` are what the list calls it."""

    fold: str
    part: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """A list beside a corpus.

    Attributes
    ----------
    table : DataFrame
        Utterances with the column ``split``, or ``split_<fold>`` where there are several folds. What
        the list does not name is in no part.
    folds : tuple of str
    unknown : tuple of str
        Names that are of no utterance here.
    twice : tuple of (str, str)
        Fold and utterance that are in several parts at once; ``table`` says "test" of them.
    parts : tuple of (str, str, str)
        Fold, utterance and part, as listed.
    """

    table: pd.DataFrame
    folds: tuple[str, ...]
    unknown: tuple[str, ...]
    twice: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, str, str], ...]


def read(path: Path | str) -> list[Entry]:
    """Entries of a list.

    Raises
    ------
    CorpusError
        Naming the file, and what was expected of it.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        found = sorted(p for p in walking.files(path) if p.suffix.lower() in _SUFFIXES)
        entries = [entry for file in found for entry in _entries(file, path)]
    else:
        entries = list(_entries(path, path.parent))
    parts = {entry.part for entry in entries if entry.part}
    # A list of all utterances lies beside those of parts: it says nothing.
    entries = [entry for entry in entries if entry.part]
    if not {"train", "test"} <= parts:
        missing = " or ".join(sorted({"train", "test"} - parts))
        raise CorpusError(
            f"{path} names nothing to {missing}; expected are CSV or JSON with a name "
            f"({', '.join(NAMES[:4])} ...) and a column 'split' of train, validation, test, "
            "or files whose names say the part"
        )
    return list(dict.fromkeys(entries))


def listed(utterances: pd.DataFrame, path: Path | str) -> Listed:
    """Find the utterances of a list, and say of each what the list says.

    Parameters
    ----------
    utterances : DataFrame
        Of one corpus.
    path : path
        See :func:`read`.

    Raises
    ------
    CorpusError
        If the list cannot be read, or names no utterance of the corpus.
    """
    entries = read(path)
    known = _known(utterances)
    parts, unknown = [], []
    for entry in entries:
        name = _find(entry.names, known)
        if name is None:
            unknown.append(entry.names[0])
        else:
            parts.append((entry.fold, name, entry.part))
    if not parts:
        raise CorpusError(
            f"{path} names no utterance of this corpus: {unknown[0]!r} and {len(unknown) - 1} others are "
            f"unknown, and utterances are called {utterances.index[0]!r}"
        )
    folds = tuple(dict.fromkeys(fold for fold, _, _ in parts))
    table, twice = utterances.copy(), []
    for fold in folds:
        said: dict[str, str] = {}
        for where, name, part in parts:
            if where == fold:
                if said.setdefault(name, part) != part:
                    twice.append((fold, name))
                    part = "test"
                said[name] = part
        column = "split" if len(folds) == 1 else f"split_{fold}"
        table[column] = pd.Series(said, dtype=object).reindex(table.index)
        table[column] = table[column].where(table[column].notna(), None)
    return Listed(table, folds, tuple(dict.fromkeys(unknown)), tuple(dict.fromkeys(twice)), tuple(parts))


def beside(utterances: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Utterances with the split of the list in the corpus' folder; unchanged where there is none.

    Raises
    ------
    CorpusError
        If there are two lists, one is damaged, or it names an utterance in two parts of a fold.
    """
    found = [folder / name for name in BESIDE if (folder / name).exists()]
    if not found:
        return utterances
    if len(found) > 1:
        raise CorpusError(f"{found[0]} and {found[1]} both say how to split; keep one of them there")
    result = listed(utterances, found[0])
    if result.twice:
        fold, name = result.twice[0]
        raise CorpusError(
            f"{found[0]}: {name} and {len(result.twice) - 1} others are in several parts of fold {fold!r}; "
            "correct the list"
        )
    return result.table


def _entries(path: Path, top: Path) -> Iterator[Entry]:
    """Entries of one file; of what it does not say, its name and folders do."""
    where = path.relative_to(top).with_suffix("").as_posix()
    fold = match[1] if (match := _FOLD.search(where)) else ""
    part = next(
        (words.SPLITS[word.lower()] for word in _WORD.findall(where) if word.lower() in words.SPLITS), ""
    )
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        sheet = texts.sheet(path)
        records: Iterable[Any] = [cells for _, cells in sheet.rows]
    elif suffix in (".json", ".jsonl"):
        records = _json(path)
    else:
        records = [line.split()[0] for _, line in texts.lines(path) if line.strip()]
    yield from _of(records, fold, part, path)


def _json(path: Path) -> Any:
    text = texts.read(path)
    try:
        return json.loads(text)
    except RecursionError:
        raise CorpusError(f"{path} is nested too deeply; write names, folds and parts") from None
    except ValueError as whole:
        lines = [(number, line) for number, line in texts.lines(path) if line.strip()]
        records = []
        for number, line in lines:
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                reason = error if len(lines) > 1 and number > 1 else whole
                raise CorpusError(f"{path}, line {number}: no JSON ({reason}); get the file again") from None
        return records


def _of(content: Any, fold: str, part: str, path: Path) -> Iterator[Entry]:
    """Entries of what JSON or a table holds, whatever its shape."""
    if isinstance(content, str):
        yield Entry(fold, part, (content,))
    elif isinstance(content, dict):
        names = tuple(str(content[key]) for key in NAMES if isinstance(content.get(key), str | int))
        if names:
            yield from _of_record(content, names, fold, part)
            return
        for key, value in content.items():
            said = words.find(str(key), words.SPLITS)
            if said:
                yield from _of(value, fold, said, path)
            elif isinstance(value, str) and words.find(value, words.SPLITS):
                yield Entry(fold, words.SPLITS[words.plain(value)], (str(key),))
            elif isinstance(value, dict | list):
                yield from _of(value, match[1] if (match := _FOLD.search(str(key))) else str(key), part, path)
    elif isinstance(content, list | tuple):
        yield from _of_list(content, fold, part, path)
    else:
        raise CorpusError(f"{path}: {content!r} is no name of an utterance; write names as text")


def _of_list(content: Sequence[Any], fold: str, part: str, path: Path) -> Iterator[Entry]:
    records = [one for one in content if isinstance(one, dict)]
    only_folds = (
        records
        and not part
        and all(str(one.get(FOLD, "")) for one in records)
        and not any(_part_of(one) or _several(one) for one in records)
    )
    if only_folds:  # each fold is tested once
        folds = sorted({str(one[FOLD]) for one in records})
        for one in records:
            for tested in folds:
                said = "test" if str(one[FOLD]) == tested else "train"
                yield from _of({**one, FOLD: tested, SPLITS[0]: said}, fold, part, path)
        return
    for number, one in enumerate(content, start=1):
        is_fold = isinstance(one, dict) and not any(key in one for key in NAMES)
        yield from _of(one, str(number) if is_fold and not fold else fold, part, path)


def _of_record(record: dict, names: tuple[str, ...], fold: str, part: str) -> Iterator[Entry]:
    several = _several(record)
    for key, said in several.items():
        yield Entry(key, said, names)
    if not several:
        own = str(record.get(FOLD, "") or "")
        yield Entry(own or fold, _part_of(record) or part, names)


def _part_of(record: dict) -> str:
    said = (words.find(str(record[key]), words.SPLITS) for key in SPLITS if record.get(key))
    return next((word for word in said if word), "")


def _several(record: dict) -> dict[str, str]:
    """Fold -> part, of columns ``split_1``, ``split_2``."""
    found = {
        str(key).partition("_")[2]: words.find(str(value), words.SPLITS)
        for key, value in record.items()
        if str(key).startswith("split_")
    }
    return {fold: said for fold, said in found.items() if fold and said}


def _known(utterances: pd.DataFrame) -> dict[str, str | None]:
    """All ways to name each utterance; None where a name is that of several."""
    known: dict[str, str | None] = {}
    paths = utterances["path"].tolist() if "path" in utterances else [None] * len(utterances)
    for name, path in zip(utterances.index, paths, strict=True):
        ways = {way for text in (str(name), str(path) if path else "") for way in _ways(text)}
        for way in ways:
            known[way] = name if known.get(way, name) == name else None
    return known


def _find(names: Sequence[str], known: dict[str, str | None]) -> str | None:
    for text in names:
        for way in _ways(text):
            if (name := known.get(way)) is not None:
                return name
    return None


def _ways(text: str) -> list[str]:
    """A name with fewer and fewer of its folders, composed and without ending."""
    text = unicodedata.normalize("NFC", text.strip()).replace("\\", "/")
    if not text:
        return []
    whole = PurePosixPath(text)
    if whole.suffix.lower() in audio.SUFFIXES:
        whole = whole.with_suffix("")
    parts = [part for part in whole.parts if part != "/"][-_DEEPEST:]
    return ["/".join(parts[start:]) for start in range(len(parts))]
