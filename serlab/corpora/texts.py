"""Reading text and tables of a corpus: the one way in, for all readers.

Whatever lies under the name of a label file, reading it ends: with its text, or with a
:class:`serlab.errors.CorpusError` that names file, line and remedy. Only regular files are opened
(a named pipe or a device would be waited for), of bounded size, and with lines of bounded length.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from serlab.errors import CorpusError, LabelError

#: A table of a million utterances has 200 MB; what is larger is no table.
MOST_BYTES = 512 * 1024**2
#: Characters of a line, and of a cell.
LONGEST_LINE = 100_000
MOST_COLUMNS = 1000
#: So many different problems of one table are told at once.
MOST_TOLD = 20

RESTORE = "restore the file from the publisher's archive"

_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}


@dataclass(frozen=True)
class Problem:
    """What is wrong in one line of a table; ``label`` where it is a label that is not understood."""

    line: int
    text: str
    column: str = ""
    label: bool = False


@dataclass(frozen=True)
class Sheet:
    """A CSV file.

    Attributes
    ----------
    path : Path
    columns : tuple of str
        Names in the order of the file.
    rows : tuple of (int, dict)
        Number of the line where a row begins, and its cells by column.
    notes : tuple of str
        What was passed over.
    problems : tuple of Problem
        Rows that do not fit the columns; they are not among ``rows``.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def read(path: Path, *, encoding: str = "utf-8", remedy: str = "save it as UTF-8") -> str:
    """Text of a regular file.

    Parameters
    ----------
    path : Path
    encoding : str
        A byte order mark at the beginning goes before it.
    remedy : str
        What to do where the bytes are not of that encoding.

    Raises
    ------
    CorpusError
        If it is not there, no regular file, too large, cannot be opened, or is of another encoding.
    """
    try:
        refuse_irregular(path)
        if (size := path.stat().st_size) > MOST_BYTES:
            raise CorpusError(
                f"{path} has {size / 1024**2:.0f} MB; a table or label file has at most "
                f"{MOST_BYTES // 1024**2}: check that it is one, and divide it"
            )
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{str(path)!r} cannot be opened ({error}); check its name and permissions"
        ) from None
    encoding = next((found for mark, found in _MARKS.items() if content.startswith(mark)), encoding)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CorpusError(
            f"{path}, line {line}: not {encoding.removesuffix('-sig').upper()} ({error.reason}); {remedy}"
        ) from None


def refuse_irregular(path: Path) -> None:
    """Refuse what is no regular file: reading a named pipe or a device may never end.

    Raises
    ------
    CorpusError
        Also if there is nothing, or it cannot be asked.
    """
    try:
        if path.is_file():
            return
        there = path.exists()
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{str(path)!r} cannot be opened ({error}); check its name and permissions"
        ) from None
    if not there:
        raise CorpusError(f"no such file: {path}")
    raise CorpusError(f"{path} is no regular file, so it is not read; put a file in its place")


def lines(path: Path, *, encoding: str = "utf-8", remedy: str = RESTORE) -> Iterator[tuple[int, str]]:
    """Numbers and lines of a text file, see :func:`read`.

    Raises
    ------
    CorpusError
        Also if a line is longer than :data:`LONGEST_LINE`.
    """
    text = read(path, encoding=encoding, remedy=remedy)
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            raise CorpusError(
                f"{path}, line {number}: {len(line):,} characters are more than {LONGEST_LINE:,}; {remedy}"
            )
        yield number, line


def sheet(
    path: Path, *, separator: str = "", encoding: str = "utf-8", remedy: str = "save it as CSV UTF-8"
) -> Sheet:
    """Columns and rows of a CSV file.

    The separator, where none is given, is a comma, semicolon or tab: whichever
    occurs most in the first line; a line ``sep=;`` above it is passed over. Spaces around names
    and cells are dropped, and so are rows and nameless columns without content,
    and a nameless first column of whole numbers (pandas writes its index so, with gaps where rows
    were left out and over again where tables were joined).

    Raises
    ------
    CorpusError
        If the file cannot be read, a column occurs twice or holds values without a name.
    """
    text = read(path, encoding=encoding, remedy=remedy)
    skipped = re.match(r"sep=[,;\t]?[ \t]*\r?\n", text)
    text = text[skipped.end() :] if skipped else text
    head = re.split(r"[\r\n]", text, maxsplit=1)[0]
    offset = 2 if skipped else 1
    if len(head) > LONGEST_LINE:
        raise CorpusError(
            f"{path}, line {offset}: {len(head):,} characters are no line of column names; {remedy}"
        )
    separator = separator or max(",;\t", key=head.count)
    rows: list[tuple[int, list[str]]] = []
    problems = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        if len(columns) > MOST_COLUMNS:
            raise CorpusError(f"{path}, line {offset}: {len(columns):,} columns are too many; {remedy}")
        n, advice = len(columns), "quote cells that contain the separator"
        too_many = f"more cells than the {n} columns of line {offset}; {advice}"
        begins = reader.line_num
        for cells in reader:
            begins, line = reader.line_num, begins + offset
            stripped = [cell.strip() for cell in cells]
            if len(cells) > len(columns) and any(stripped[len(columns) :]):
                problems.append(Problem(line, too_many))
            elif any(stripped):
                rows.append((line, (stripped + [""] * len(columns))[: len(columns)]))
                last = len(cells)
    except csv.Error as error:
        raise CorpusError(
            f"{path}, line {reader.line_num + offset - 1}: {error}; write a quotation mark in a quoted cell "
            "twice, and close each"
        ) from None
    if rows and last < len(columns) and not text.endswith(("\n", "\r")):
        problems.append(
            Problem(rows[-1][0], f"breaks off after {last} of {len(columns)} cells; get the file again")
        )
    kept, notes = _named(path, columns, [cells for _, cells in rows], line=offset)
    names = tuple(columns[k] for k in kept)
    return Sheet(
        path=path,
        columns=names,
        rows=tuple((line, {columns[k]: cells[k] for k in kept}) for line, cells in rows),
        notes=tuple(notes),
        problems=tuple(problems),
    )


def _named(
    path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]], *, line: int
) -> tuple[list[int], list[str]]:
    """Positions of the columns that are kept, and what is said of the others."""
    kept, notes = [], []
    for position, name in enumerate(columns):
        if name:
            kept.append(position)
            continue
        cells = [row[position] for row in rows]
        if not any(cells):
            continue
        if position or not all(re.fullmatch(r"\d{1,18}", cell) for cell in cells):
            raise CorpusError(
                f"{path}, line {line}: column {position + 1} has no name, and holds values such as "
                f"{next(filter(None, cells))!r}; name it, or delete it"
            )
        notes.append("a nameless first column of whole numbers was passed over")
    for name in (columns[position] for position in kept):
        if (n := columns.count(name)) > 1:
            at = ", ".join(str(number) for number, found in enumerate(columns, start=1) if found == name)
            raise CorpusError(
                f"{path}, line {line}: column {name!r} occurs {n} times (columns {at}); keep one, and give "
                "the others names of their own"
            )
    return kept, notes


def require(found: Sheet, required: Sequence[str], *, remedy: str = "") -> None:
    """Refuse a table that lacks a column; ``remedy`` ends the message.

    Raises
    ------
    CorpusError
        Naming all that are missing.
    """
    missing = [name for name in required if name not in found.columns]
    if missing:
        raise CorpusError(
            f"{found.path}, line 1: no column {', '.join(map(repr, missing))}; required are "
            f"{', '.join(required)}, found are {', '.join(found.columns) or 'none'}{remedy}"
        )


def refuse(path: Path, problems: Sequence[Problem], *, of_labels: str = "") -> None:
    """Raise one error that tells all problems of a table, the same problem of several lines once.

    Parameters
    ----------
    path : Path
    problems : sequence of Problem
    of_labels : str
        The remedy for labels, said once at the end.

    Raises
    ------
    LabelError
        If all are about labels.
    CorpusError
        Else; neither if there is no problem.
    """
    if not problems:
        return
    same: dict[tuple[str, str], list[int]] = {}
    for problem in sorted(problems, key=lambda problem: problem.line):
        same.setdefault((problem.column, problem.text), []).append(problem.line)
    told = [_told(column, text, numbers) for (column, text), numbers in same.items()]
    error = LabelError if all(problem.label for problem in problems) else CorpusError
    remedy = of_labels if any(problem.label for problem in problems) else ""
    if len(told) == 1:
        raise error(f"{path}, {told[0]}{'. ' if remedy else ''}{remedy}")
    more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
    listed = "\n".join(f"- {text}" for text in [*told[:MOST_TOLD], *more])
    raise error(f"{path}: {len(told)} problems\n{listed}" + (f"\n{remedy}" if remedy else ""))


def _told(column: str, text: str, numbers: Sequence[int]) -> str:
    also = f" (and {len(numbers) - 1} more)" if len(numbers) > 1 else ""
    return f"line {numbers[0]}{also}{f', column {column!r}' if column else ''}: {text}"
