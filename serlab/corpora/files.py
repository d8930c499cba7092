"""Finding and measuring the files of a corpus; shared by its readers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from serlab.corpora.base import audio_files
from serlab.errors import CorpusError


def matching(folder: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """Audio files below ``folder`` at any depth whose path matches.

    The pattern is searched in the path relative to the folder, with forward
    slashes and without suffix, and must match up to its end. Any depth is
    allowed because publishers and unpackers put different folders on top.

    Yields
    ------
    (Path, Match)
        Sorted by path.
    """
    for path in audio_files(folder, "**/*"):
        found = pattern.search(path.relative_to(folder).with_suffix("").as_posix())
        if found and found.end() == len(found.string):
            yield path, found


def duration(path: Path) -> float:
    """Seconds according to the header; NaN where the header cannot be read.

    A broken file keeps its row: ``serlab validate`` names it, and feature
    extraction skips it or stops, as the user chose.
    """
    import soundfile  # late: listing corpora reads no audio

    try:
        return float(soundfile.info(path).duration)
    except (soundfile.LibsndfileError, RuntimeError, OSError):
        return float("nan")


def unique(rows: Iterable[dict], remedy: str = "keep one copy and move the other away") -> list[dict]:
    """Rows as a list, refusing two files for one utterance.

    It happens when an archive is unpacked twice, or when ``.wav`` and
    ``.flac`` of a corpus lie side by side.

    Raises
    ------
    CorpusError
        Naming both files.
    """
    seen: dict[str, dict] = {}
    for row in rows:
        earlier = seen.setdefault(row["utterance"], row)
        if earlier is not row:
            raise CorpusError(
                f"utterance {row['utterance']!r} occurs twice: {earlier['path']} and {row['path']}; {remedy}"
            )
    return list(seen.values())


def csv_lines(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Column names of a CSV file, and the line number and cells of each row.

    The separator is a comma, semicolon or tab: whichever occurs most in the
    first line. Spaces around names and cells are dropped.

    Raises
    ------
    CorpusError
        If the file is not UTF-8, or a row has more cells than there are columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8 ({error}); save it as CSV UTF-8") from None
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restkey="", restval="")
    columns = [column.strip() for column in reader.fieldnames or []]
    reader.fieldnames = columns
    rows = []
    for cells in reader:
        if "" in cells:
            raise CorpusError(
                f"{path}, line {reader.line_num}: more cells than the {len(columns)} columns of line 1; "
                "quote cells that contain the separator"
            )
        rows.append((reader.line_num, {column: cell.strip() for column, cell in cells.items()}))
    return columns, rows
