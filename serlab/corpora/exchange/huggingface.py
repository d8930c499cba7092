"""Dataset folders of Hugging Face: an audiofolder, or Parquet with the audio inside.

Formats: https://huggingface.co/docs/datasets/audio_dataset. Read are, the first that is there,

1. ``metadata.csv`` or ``metadata.jsonl`` at any depth, with a column ``file_name``;
2. Parquet files at any depth, with a column that holds audio (bytes and path);
3. folders of audio files named by their label, maybe below folders named by the part of a split.

A loading script (``.py``) is never run. The part of a split is a column ``split``, else a folder or
the beginning of a file's name (``train-00000-of-00002.parquet``). Names of numbered labels stand in
the Parquet files.

Writing makes an audiofolder, a folder for each part of a split with its ``metadata.csv``. Such a folder
has no segments: utterances that are part of a recording are cut out into files of their own, sample
by sample; what they were cut from stays in the columns ``recording``, ``recording_start`` and
``recording_end``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from serlab.audio import SUFFIXES
from serlab.corpora import files, texts, words
from serlab.corpora.base import Corpus
from serlab.corpora.exchange.base import (
    Imported,
    export_rows,
    filled,
    inside,
    roles,
    sex,
    text,
    write_rows,
)
from serlab.corpora.settings import Settings, is_language
from serlab.errors import AudioError, CorpusError
from serlab.files import whole, write_text

FILE = "file_name"
#: Rows of a Parquet file that are in memory at a time.
_BATCH = 64
#: What a file begins with -> suffix, where its name has none that is known.
_MAGIC = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg", b"ID3": ".mp3", b"\xff\xfb": ".mp3"}


def read(
    folder: Path,
    *,
    columns: Mapping[str, str] | None = None,
    tables: tuple[str, ...] = (),
    into: Path | None = None,
) -> Imported:
    """Read a dataset folder.

    Parameters
    ----------
    folder : Path
    columns : mapping of str to str, optional
        Column of corpus.csv -> column of the dataset, where its name is unusual.
    tables : tuple of str
        Names of metadata or Parquet files to read; all by default.
    into : Path, optional
        Where audio out of Parquet files is written: ``audio`` below this folder.

    Raises
    ------
    CorpusError
        If the folder holds none of the three, or a file is malformed.
    """
    if not folder.is_dir():
        raise CorpusError(f"no such folder: {folder}")
    paths = [
        path for path in sorted(folder.rglob("*")) if not any(p.startswith(".") for p in path.parts[-3:])
    ]
    if tables:
        paths = [path for path in paths if path.name in tables]
    described = [path for path in paths if path.name.lower() in ("metadata.csv", "metadata.jsonl")]
    stored = [path for path in paths if path.suffix == ".parquet"]
    if described:
        found = [row for path in described for row in _described(folder, path)]
    elif stored:
        found = [row for path in stored for row in _stored(folder, path, into or folder)]
    else:
        found = list(_by_folder(folder, [path for path in paths if path.suffix.lower() in SUFFIXES]))
    if not found:
        raise CorpusError(
            f"{folder} holds no metadata.csv or .jsonl, no Parquet and no audio in folders of labels; give "
            "the folder of a dataset as it was downloaded"
        )
    chosen = roles((c for row in found for c in row if c != "path"), columns or {})
    scripts = [path.name for path in paths if path.suffix == ".py"]
    notes = (f"not run, as code of others: {', '.join(scripts)}",) if scripts else ()
    return Imported(rows=tuple(_row(row, chosen) for row in found), settings=_card(folder), notes=notes)


def write(table: pd.DataFrame, folder: Path, *, corpus: Corpus, audio: bool = True) -> Path:
    """Write utterances of one corpus as an audiofolder; parameters as of audformat's.

    Raises
    ------
    AudioError
        If an utterance cannot be cut out of its recording.
    """
    rows = list(export_rows(table))
    parts = {row.get("split") or None for row in rows}
    # Without a whole split, all of it is one part: a table has every utterance.
    divided = None not in parts and bool(parts)
    written: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        place = row["split"] if divided else "data"
        written.setdefault(place, []).append(_written(row, folder / place, audio=audio))
    columns = filled([row for own in written.values() for row in own])
    for place, own in written.items():
        write_rows(folder / place / "metadata.csv", own, columns=columns)
    write_text(folder / "README.md", _readme(corpus, [*written], divided))
    return folder / "README.md"


def _described(folder: Path, path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a metadata file."""
    rows: list[tuple[int, dict[str, Any]]]
    if path.suffix.lower() == ".csv":
        sheet = texts.sheet(path, separator=",")
        texts.require(sheet, (FILE,))
        texts.refuse(path, sheet.problems)
        rows = list(sheet.rows)
    else:
        rows = []
        for number, line in texts.lines(path, remedy="get the dataset again"):
            if not line.strip():
                continue
            try:
                cells = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise CorpusError(f"{path}, line {number}: no JSON ({error})") from None
            if not isinstance(cells, dict) or not isinstance(cells.get(FILE), str):
                raise CorpusError(f"{path}, line {number}: no {FILE!r}; every line needs one")
            rows.append((number, {name: text(value) for name, value in cells.items()}))
    split = _part(path.relative_to(folder))
    for number, cells in rows:
        audio = inside(path.parent, cells[FILE])
        if audio is None:
            raise CorpusError(f"{path}, line {number}: {cells[FILE]!r} does not lie below {path.parent}")
        row = {name: cell for name, cell in cells.items() if name != FILE}
        yield {**row, "path": str(audio), **({"split": split} if split and not row.get("split") else {})}


def _stored(folder: Path, path: Path, into: Path) -> Iterator[dict[str, Any]]:
    """Rows of a Parquet file; their audio is written into a folder."""
    import pyarrow
    from pyarrow import parquet

    split = _part(path.relative_to(folder))
    texts.refuse_irregular(path)
    try:
        source = parquet.ParquetFile(path)
        names = _class_names(source.schema_arrow.metadata or {})
        sound = [
            f.name
            for f in source.schema_arrow
            if pyarrow.types.is_struct(f.type) and f.type.get_field_index("bytes") >= 0
        ]
        if not sound:
            raise CorpusError(f"{path}: no column holds audio (bytes and path)")
        number = 0
        for batch in source.iter_batches(_BATCH):
            for cells in batch.to_pylist():
                number += 1
                stem = f"{split or 'data'}-{path.stem[:40]}-{number:06}"
                audio = _unpacked(folder, path, number, cells.pop(sound[0]), into / "audio", stem)
                row = {name: text(_named(value, names.get(name))) for name, value in cells.items()}
                yield {
                    **row,
                    "path": str(audio),
                    **({"split": split} if split and not row.get("split") else {}),
                }
    except (OSError, ValueError, TypeError, pyarrow.ArrowException) as error:
        raise CorpusError(f"{path} cannot be read as Parquet ({error}); get the file again") from None


def _class_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Column of numbered labels -> their names."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {
            name: [str(label) for label in about["names"]]
            for name, about in features.items()
            if isinstance(about, dict) and isinstance(about.get("names"), list)
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _named(value: Any, names: list[str] | None) -> Any:
    return names[value] if names and isinstance(value, int) and 0 <= value < len(names) else value


def _unpacked(folder: Path, table: Path, number: int, sound: Any, into: Path, stem: str) -> Path:
    """File with the audio of a row."""
    content, name = (sound or {}).get("bytes"), str((sound or {}).get("path") or "")
    if content is None:
        beside = inside(folder, name)
        if beside is None:
            raise CorpusError(f"{table}, row {number}: neither audio nor a path below {folder}")
        return beside
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        suffix = next((found for magic, found in _MAGIC.items() if content.startswith(magic)), ".wav")
    own = re.sub(r"[^\w.-]+", "_", Path(name.replace("\\", "/")).stem)[:80]
    path = into / f"{stem}{'-' if own else ''}{own}{suffix}"
    with whole(path) as unfinished:
        unfinished.write_bytes(content)
    return path


def _by_folder(folder: Path, sounds: list[Path]) -> Iterator[dict[str, Any]]:
    """Audio files whose folder is their label."""
    for path in sounds:
        inner = path.relative_to(folder).parent.parts
        if inner:
            split = _part(Path(*inner))
            yield {"path": str(path), "label": inner[-1], **({"split": split} if split else {})}


def _part(path: Path) -> str:
    """Part of a split that a folder or a file is named by; the deepest that is."""
    for name in reversed(path.parts):
        if found := words.find(re.split(r"[-_.]", name)[0], words.SPLITS):
            return found
    return ""


def _row(row: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, Any]:
    """Row of corpus.csv."""
    rest = dict(row)
    own = {"path": rest.pop("path")}
    own |= {role: rest.pop(column) for role, column in chosen.items() if column in rest}
    if "sex" in own:
        own["sex"] = sex(own["sex"])
    return {**own, **rest}


def _card(folder: Path) -> Settings:
    """Licence and language of README.md's YAML, where it has one."""
    path = folder / "README.md"
    if not files.is_file(path):
        return Settings()
    found = re.match(r"---\r?\n(.*?)\r?\n---", texts.read(path), re.DOTALL)
    try:
        card = yaml.safe_load(found[1]) if found else {}
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, AttributeError):
        card = {}
    card = card if isinstance(card, dict) else {}

    def one(key: str) -> str:
        value = card.get(key)
        value = value[0] if isinstance(value, list) and len(value) == 1 else value
        return value.strip() if isinstance(value, str) else ""

    language = one("language")
    return Settings(
        name=one("pretty_name"), license=one("license_name") or one("license"), citation=one("citation"),
        language=language if is_language(language) else "",
    )  # fmt: skip


def _written(row: dict[str, Any], folder: Path, *, audio: bool) -> dict[str, Any]:
    """Row of metadata.csv; its audio is copied or cut."""
    path, start, end = Path(row["path"]), row["start"], row["end"]
    cut = not (math.isnan(start) and math.isnan(end))
    name = re.sub(r"[^\w./-]+", "_", str(row["utterance"])).strip("./") or "utterance"
    suffix = path.suffix.lower() if not cut or path.suffix.lower() == ".flac" else ".wav"
    place = folder / f"{name}{suffix}"
    if audio and files.is_file(path):
        if cut:
            _cut(path, place, start=start, end=end)
        else:
            with whole(place) as unfinished:
                unfinished.write_bytes(path.read_bytes())
    rest = {column: value for column, value in row.items() if column not in ("path", "start", "end", "split")}
    times = {"recording": path.name, "recording_start": start, "recording_end": end} if cut else {}
    return {FILE: place.relative_to(folder).as_posix(), **rest, "split": row.get("split"), **times}


def _cut(path: Path, place: Path, *, start: float, end: float) -> None:
    """Write a part of a recording, its samples as they are."""
    import soundfile

    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with soundfile.SoundFile(path) as file:
            first = 0 if math.isnan(start) else round(start * file.samplerate)
            last = file.frames if math.isnan(end) else min(round(end * file.samplerate), file.frames)
            kind = {"PCM_16": "int16", "PCM_24": "int32", "PCM_32": "int32"}.get(file.subtype, "float32")
            file.seek(first)
            samples = file.read(max(last - first, 0), dtype=kind, always_2d=True)
            subtype = file.subtype if kind != "float32" else "FLOAT" if place.suffix == ".wav" else "PCM_24"
            soundfile.write(place, samples, file.samplerate, subtype=subtype)
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        raise AudioError(f"{path}: {start:g} s to {end:g} s cannot be cut out ({error})") from error


def _readme(corpus: Corpus, places: list[str], divided: bool) -> str:
    card: dict[str, Any] = {"pretty_name": corpus.title, "license": "other", "license_name": corpus.license}
    if corpus.language != "und":
        card["language"] = [corpus.language]
    card["citation"] = corpus.citation
    if divided:
        files_of = [{"split": place, "path": f"{place}/**"} for place in places]
        card["configs"] = [{"config_name": "default", "data_files": files_of}]
    front = yaml.safe_dump(card, sort_keys=False, allow_unicode=True)
    return (
        f"---\n{front}---\n\n# {corpus.title}\n\nCitation: {corpus.citation}\n\nLicence: {corpus.license}\n"
    )
