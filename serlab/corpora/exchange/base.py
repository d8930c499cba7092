"""What formats have in common: usual names of columns, and a corpus.csv with its corpus.toml."""

from __future__ import annotations

import csv
import io
import math
import os
import posixpath
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from serlab import data
from serlab.corpora import csv_corpus, files, settings
from serlab.corpora.settings import Settings
from serlab.errors import CorpusError, ParameterError
from serlab.files import write_text
from serlab.wording import some

#: Column of corpus.csv -> names that it usually has elsewhere, in any case; the first that is there.
NAMES: dict[str, tuple[str, ...]] = {
    "label": ("label", "emotion", "labels", "category", "emotion_label"),
    "emotion": ("emotion",),
    "speaker": ("speaker", "speaker_id", "spk", "speakerid", "actor"),
    "sex": ("sex", "gender"),
    "language": ("language", "lang"),
    "text_id": ("text_id", "text", "transcription", "transcript", "sentence"),
    "session": ("session",),
    "split": ("split",),
    "utterance": ("utterance",),
    "channel": ("channel",),
    **{name: (name,) for name in settings.RATINGS},
}
#: ISO 639-3, as audformat writes it, and BCP 47, of languages with corpora of emotional speech.
LANGUAGES: dict[str, str] = {
    "amh": "am", "ara": "ar", "ben": "bn", "cat": "ca", "ces": "cs", "cmn": "zh", "dan": "da", "deu": "de",
    "ell": "el", "eng": "en", "est": "et", "eus": "eu", "fas": "fa", "fin": "fi", "fra": "fr", "heb": "he",
    "hin": "hi", "hun": "hu", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko", "nld": "nl", "nor": "no",
    "pol": "pl", "por": "pt", "ron": "ro", "rus": "ru", "spa": "es", "swe": "sv", "tam": "ta", "tel": "te",
    "tur": "tr", "ukr": "uk", "urd": "ur", "vie": "vi", "zho": "zh",
}  # fmt: skip

#: Columns of a table of utterances that are computed when it is read, or only true on this machine.
_LEFT = ("corpus", "path", "duration", "native_label", "native_emotion", csv_corpus.NOTES)
_PREFIXED = ("speaker", "text_id", "session")
#: So many speakers and labels are counted out.
_TOLD = 12


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A corpus of another format.

    Attributes
    ----------
    rows : tuple of dict
        Of a ``corpus.csv``: column -> text or number; ``path`` is absolute.
    settings : Settings
    notes : tuple of str
        What was left out, or read in a way to be known.
    """

    rows: tuple[dict[str, Any], ...]
    settings: Settings = field(default_factory=Settings)
    notes: tuple[str, ...] = ()


def roles(there: Iterable[str], asked: Mapping[str, str]) -> dict[str, str]:
    """Column of corpus.csv -> column that is there: as asked, else by usual names.

    Raises
    ------
    ParameterError
        If what is asked for is not there.
    """
    columns = list(dict.fromkeys(there))
    for role, column in asked.items():
        if column not in columns:
            raise ParameterError(f"no column {column!r} for {role}; there are {', '.join(columns)}")
    found = dict(asked)
    for role, names in NAMES.items():
        fits = sorted((names.index(column.lower()), column) for column in columns if column.lower() in names)
        if role not in found and fits:
            found[role] = fits[0][1]
    # One column that says label and emotion is a label.
    if found.get("emotion") == found.get("label"):
        found.pop("emotion", None)
    return found


def sex(text: str) -> str:
    """A sex as corpus.csv has it; what is neither female nor male is unknown."""
    found = {"f": "female", "female": "female", "woman": "female", "m": "male", "male": "male", "man": "male"}
    return found.get(text.strip().lower(), "")


def with_sexes(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...]]:
    """Rows with ``sex`` in words, and what is said of it.

    One letter means different things in different languages (M is "mujer", too): where one value of a table
    is not understood, none is taken.
    """
    strange = sorted({cell for row in rows if (cell := row.get("sex", "").strip()) and not sex(cell)})
    if not strange:
        return tuple({**row, "sex": sex(row["sex"])} if "sex" in row else dict(row) for row in rows), ()
    note = f"sex is left out: {strange[0]!r} is neither female nor male (f, m, woman, man)"
    return tuple({name: cell for name, cell in row.items() if name != "sex"} for row in rows), (note,)


def with_settings(imported: Imported, *, labels: Mapping[str, str], language: str) -> Imported:
    """What a user says of a corpus, over what its format says.

    Raises
    ------
    LabelError
        If a label stands for no emotion.
    ParameterError
        If the language is no BCP 47 tag.
    """
    if language and not settings.is_language(language):
        raise ParameterError(f"language {language!r} is no BCP 47 tag, such as de, fr-CA or zh-Hant")
    meant = {label: csv_corpus.emotion(label, word) for label, word in labels.items()}
    said = imported.settings
    return replace(
        imported,
        settings=replace(said, labels={**said.labels, **meant}, language=language or said.language),
    )


def counted(imported: Imported) -> tuple[str, ...]:
    """How many speakers and which labels there are: a pattern that reads something else shows here."""
    said = []
    for column in ("speaker", "label"):
        count = Counter(text(row.get(column)) for row in imported.rows)
        empty = count.pop("", 0)
        listed = some([f"{name} {n}" for name, n in count.most_common()], _TOLD)
        none = f"{'; ' if count else ''}{empty} without" if empty else ""
        said.append(f"{column}: {len(count)} ({listed}{none})" if count else f"{column}: none")
    return tuple(said)


def write_corpus(imported: Imported, folder: Path, *, copy: bool = False, force: bool = False) -> Path:
    """Write corpus.csv and corpus.toml.

    Parameters
    ----------
    imported : Imported
    folder : Path
        Of the corpus: its audio is named by relative paths if it lies inside.
    copy : bool
        Copy audio from elsewhere into ``audio`` below the folder.
    force : bool
        Replace a corpus.csv that is there.

    Returns
    -------
    Path
        The CSV file.

    Raises
    ------
    ParameterError
        If there is one, and not ``force``.
    CorpusError
        If there are no rows, or a file cannot be copied.
    """
    table = folder / csv_corpus.FILE_NAME
    if table.exists() and not force:
        raise ParameterError(f"{table} is there already; choose another name, or --force to replace it")
    if not imported.rows:
        raise CorpusError("there are no utterances to import")
    paths = [str(row["path"]) for row in imported.rows]
    places = copied(paths, folder) if copy else {path: path for path in paths}
    rows = [
        {**row, "path": _relative(places[path], folder)}
        for row, path in zip(imported.rows, paths, strict=True)
    ]
    write_rows(table, rows, columns=filled(rows, always=csv_corpus.REQUIRED))
    write_text(folder / settings.FILE_NAME, settings.render(imported.settings))
    return table


def filled(rows: Sequence[Mapping[str, Any]], *, always: Sequence[str] = ()) -> list[str]:
    """Columns in which not all rows are empty, and those that are always there."""
    every = dict.fromkeys(name for row in rows for name in row)
    return [name for name in every if name in always or any(text(row.get(name)) for row in rows)]


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]], *, columns: Sequence[str]) -> None:
    """Write columns of rows as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([text(row.get(name)) for name in columns] for row in rows)
    write_text(path, out.getvalue())


def text(value: Any) -> str:
    """A cell; empty for what is missing. A null character, which no table can hold, is left out."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA or value is pd.NaT:
        return ""
    return (repr(float(value)) if isinstance(value, float) else str(value)).replace("\0", "")


def copied(paths: Iterable[str], folder: Path) -> dict[str, str]:
    """Copies of files in ``audio`` below a folder, under their paths from where all of them lie.

    Returns
    -------
    dict of str to str
        Path -> path of the copy, whether there was a file to copy or not.
    """
    every = sorted(set(paths))
    top = os.path.commonpath([str(Path(path).parent) for path in every])
    places = {}
    for path in every:
        place = folder / "audio" / os.path.relpath(path, top)
        places[path] = str(place)
        if files.is_file(Path(path)) and not (place.exists() and place.samefile(path)):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(path, place)
            except OSError as error:
                raise CorpusError(f"{path} cannot be copied to {place} ({error.strerror})") from None
    return places


def absent(table: pd.DataFrame) -> list[str]:
    """Recordings of utterances that are not there, in order."""
    return [path for path in sorted(set(table["path"])) if not files.is_file(Path(path))]


def export_rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of a corpus.csv for utterances of one corpus; ``path`` stays absolute.

    Raises
    ------
    CorpusError
        If there are several corpora.
    """
    names = table["corpus"].unique()
    if len(names) != 1:
        raise CorpusError(f"a folder holds one corpus, not {', '.join(names)}; export them one by one")
    prefix = f"{names[0]}/"
    further = [column for column in table.columns if column not in (*_LEFT, "label", "emotion")]
    for name, row in table.sort_index().iterrows():
        own = {column: row[column] for column in further}
        own |= {column: text(row[column]).removeprefix(prefix) for column in _PREFIXED}
        label = row["label"] if "label" in table and text(row["label"]) else row["native_label"]
        yield {
            "path": row["path"],
            "utterance": str(name).removeprefix(prefix),
            "label": label,
            "emotion": row["native_emotion"],
            **own,
        }


def _relative(path: str, folder: Path) -> str:
    return Path(path).relative_to(folder).as_posix() if Path(path).is_relative_to(folder) else path


def inside(folder: Path, name: str) -> Path | None:
    """Path of a name below a folder; None where it would lie elsewhere."""
    plain = posixpath.normpath(name.replace("\\", "/"))
    if not name or plain.startswith(("/", "..")) or "\0" in name:
        return None
    return folder / plain


def default_folder(name: str, root: Path | str | None = None) -> Path:
    """Folder of a corpus of one's own below the data root.

    Raises
    ------
    ParameterError
        If the name is not one of a folder.
    """
    if not name or Path(name).name != name or name.startswith("."):
        raise ParameterError(f"{name!r} cannot be the name of a corpus: it is that of its folder")
    return data.data_root(root) / name
