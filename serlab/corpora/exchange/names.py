"""Folders and files whose names say who speaks and with what emotion: a pattern instead of a table.

A pattern is the path of a recording below the folder, without suffix, with names of columns where these
stand::

    {speaker}/{label}/{text_id}                    liu/angry/201.wav
    {speaker}/{label}/{}/{speaker}_{text_id}       0001/Angry/test/0001_000351.wav
    {speaker}_{label:letters}{text_id:digits}      DC_sa01.wav
    {label}/{:1}{text_id} ({speaker})              anger/a03 (4).wav

``{}`` is anything; ``{name:3}`` has three characters, ``{name:letters}`` letters only, ``{name:digits}``
digits only. None reaches over a folder, and what is not said takes as little as it can. A name that stands
twice is the same text both times. The whole path has to match; ``**/`` at the beginning stands for any
folders. Files that do not match are named, and never read in another way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serlab import audio
from serlab.corpora import walking
from serlab.corpora.exchange.base import Imported, with_sexes
from serlab.errors import CorpusError, ParameterError
from serlab.wording import some

EXAMPLE = "{speaker}/{label}/{text_id}"

_FIELD = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
_KINDS = {"": "[^/]+?", "letters": r"[^\W\d_]+", "digits": r"\d+"}


def read(
    folder: Path,
    *,
    columns: Mapping[str, str] | None = None,
    tables: tuple[str, ...] = (),
    into: Path | None = None,
) -> Imported:
    """Read the names of all recordings below a folder.

    Parameters
    ----------
    folder : Path
    columns : mapping of str to str
        ``path`` is the pattern, see the top of this module.
    tables, into
        Of other formats: a folder of names has no tables, and nothing to unpack.

    Raises
    ------
    ParameterError
        If there is no pattern, or it is malformed.
    CorpusError
        If there are no recordings, or none matches.
    """
    asked = dict(columns or {})
    if tables or set(asked) != {"path"}:
        raise ParameterError(f"names are read by one pattern: -c path='{EXAMPLE}'")
    pattern = compiled(asked["path"])
    if not folder.is_dir():
        raise CorpusError(f"no such folder: {folder}")
    rows: list[dict[str, Any]] = []
    left, foreign = [], []
    for path in walking.files(folder):
        name = path.relative_to(folder)
        if path.suffix.lower() in audio.CONVERTIBLE:
            foreign.append(path)
        if path.suffix.lower() not in audio.SUFFIXES:
            continue
        found = pattern.fullmatch(name.with_suffix("").as_posix())
        if found is None:
            left.append(name.as_posix())
            continue
        rows.append({"path": str(path), "speaker": "", "label": "", **found.groupdict()})
    if not rows and foreign:
        raise CorpusError(
            f"{folder}: its recordings have to be converted first, each: {audio.conversion(foreign[0])}"
        )
    if not rows:
        what = f"none matches {asked['path']!r}, the first is {left[0]}" if left else "there are none"
        raise CorpusError(f"{folder}: no recording has such a name: {what}")
    notes = [f"left out, as {len(left)} have names that do not match: {some(left)}"] if left else []
    if foreign:
        notes.append(
            f"left out, as {len(foreign)} have to be converted first: {audio.conversion(foreign[0])}"
        )
    with_sex, of_sex = with_sexes(rows)
    return Imported(rows=with_sex, notes=(*notes, *of_sex))


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of names as a regular expression over a path without suffix.

    Examples
    --------
    >>> compiled("**/{speaker}_{label:letters}{text_id:digits}").fullmatch("x/DC_sa01").groupdict()
    {'speaker': 'DC', 'label': 'sa', 'text_id': '01'}
    """
    deep, rest = pattern.startswith("**/"), pattern.removeprefix("**/")
    parts, seen, end = ["(?:.*/)?"] if deep else [], set(), 0
    for field in _FIELD.finditer(rest):
        parts.append(_literal(pattern, rest[end : field.start()]))
        name, kind = field[1].strip(), field[2] or ""
        expression = f"[^/]{{{kind}}}" if re.fullmatch(r"[1-9]\d?", kind) else _KINDS.get(kind)
        if expression is None:
            raise ParameterError(
                f"{field[0]} of {pattern!r}: after the colon stands a number of characters, letters or digits"
            )
        if name and not (name.isidentifier() and name.isascii()):
            raise ParameterError(f"{field[0]} of {pattern!r}: {name!r} cannot be the name of a column")
        if name in seen:
            parts.append(f"(?P={name})")
        else:
            parts.append(f"(?P<{name}>{expression})" if name else f"(?:{expression})")
        seen.add(name) if name else None
        end = field.end()
    parts.append(_literal(pattern, rest[end:]))
    if not seen - {"path"} or "path" in seen:
        raise ParameterError(f"{pattern!r} names no column; write a pattern such as {EXAMPLE}")
    return re.compile("".join(parts))


def _literal(pattern: str, text: str) -> str:
    if "{" in text or "}" in text:
        raise ParameterError(
            f"{pattern!r} has a brace without its other one; write a pattern such as {EXAMPLE}"
        )
    return re.escape(text)
