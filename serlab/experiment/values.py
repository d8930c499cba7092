"""Values that nobody vouches for: what code, a panel or a command line puts where a parameter belongs."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from typing import Any

from serlab.errors import ParameterError

#: Entries of a list of parameters; characters of one text, as many as a path may have.
MOST_ENTRIES, MOST_CHARACTERS = 10_000, 4_096
#: Characters of a value that a message repeats.
_SHOWN = 80


def shown(value: object) -> str:
    """A value for a message: short, on one line, whatever it is.

    Examples
    --------
    >>> shown("a" * 200)[-5:], shown(10**5000)
    ('aa...', 'a value of type int')
    """
    try:
        text = repr(value)
    except Exception:  # of the value's own class; a number of very many digits has none either
        return f"a value of type {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def several(name: str, value: object) -> tuple[Any, ...]:
    """One entry or a list of them as a tuple, each once.

    Parameters
    ----------
    name : str
        Of the parameter, for messages.
    value : object

    Raises
    ------
    ParameterError
        If it is neither, or has no order of its own, so that another process would see another one.
    """
    if isinstance(value, str | int | float):
        return (value,)
    if isinstance(value, bytes | bytearray | Mapping | set | frozenset) or not isinstance(value, Iterable):
        raise ParameterError(f"parameter {name!r}: {shown(value)} is no list; write [..., ...]")
    try:
        entries = tuple(itertools.islice(value, MOST_ENTRIES + 1))
        entries = tuple(dict.fromkeys(entries)) if len(entries) <= MOST_ENTRIES else entries
    except Exception:  # an array without dimensions, a list of lists, what a foreign class raises
        raise ParameterError(f"parameter {name!r}: {shown(value)} is no list of single values") from None
    if len(entries) > MOST_ENTRIES:
        raise ParameterError(f"parameter {name!r} has more than {MOST_ENTRIES} entries")
    return entries


def as_path(name: str, value: object) -> str:
    """A path or nothing as text.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if value is None:
        return ""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise ParameterError(f"parameter {name!r}: {shown(value)} is no path; write it as text")
    return text


def require_text(name: str, value: str) -> None:
    """Refuse text that no file and no report can hold.

    Raises
    ------
    ParameterError
    """
    if len(value) > MOST_CHARACTERS:
        raise ParameterError(f"parameter {name!r} has {len(value)} characters; {MOST_CHARACTERS} at most")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ParameterError(f"parameter {name!r}: {shown(value)} holds a character that no name has")


def require_between(name: str, value: float, low: float, high: float, what: str) -> None:
    """Refuse a number that is none of what is meant.

    Raises
    ------
    ParameterError
        ``parameter 'folds': 0 ... what``.
    """
    if not low <= value <= high:  # not a number is in no interval
        raise ParameterError(f"parameter {name!r}: {shown(value)} {what}")
