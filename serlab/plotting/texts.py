"""Numbers and names as figures and tables write them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from serlab.evaluation import intervals

DAGGER = "†"
MISSING = "\N{EN DASH}"


def number(value: float, missing: str = MISSING) -> str:
    """Two places."""
    return missing if pd.isna(value) else intervals.number(value)


def signed(value: float, missing: str = "not run") -> str:
    """A difference: with its sign, which what rounds to nothing has not."""
    return missing if pd.isna(value) else intervals.number(value, sign=True)


def interval(row: Mapping, name: str, *, sign: bool = False) -> str:
    """The value ``name`` of a row, with its interval where that is known: "0.67 [0.61, 0.70]"."""
    value, low, high = (row.get(column) for column in (name, f"{name}_low", f"{name}_high"))
    if pd.isna(value):
        return "not run"
    bounds = [np.nan if bound is None else bound for bound in (low, high)]
    return intervals.text(value, *bounds, sign=sign)


def p_value(p: float) -> str:
    """Three places, without the zero before the point."""
    if pd.isna(p):
        return MISSING
    return "< .001" if p < 0.001 else f"{p:.3f}".replace("0.", ".", 1)


def p_equals(p: float) -> str:
    """To stand behind a "p": "= .040", "< .001"."""
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


def listing(items: Iterable[str], most: int = 3) -> str:
    """The first items, and how many more there are; names have commas in them."""
    items = list(items)
    more = [f"and {len(items) - most} more"] if len(items) > most else []
    return "; ".join([*items[:most], *more])


def sentences(*parts: str) -> str:
    """Those parts that say something, a full stop behind each."""
    return " ".join(f"{part}." for part in parts if part)


def span(values: Iterable[int]) -> str:
    """ "3", or "2 to 5"."""
    low, *_, high = sorted(values) * 2
    return f"{low}" if low == high else f"{low} to {high}"


#: What moves a cursor, ends a line, turns the direction, or is half a character.
_NOT_PRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def printable(text: str) -> str:
    """A text on one line, without what is no letter: a name of a file may hold anything.

    Examples
    --------
    >>> printable("ann\\tof\\x1b[2J bonn")
    'ann of [2J bonn'
    """
    return _NOT_PRINTED.sub(" ", text)


def whole_characters(text: str) -> str:
    """A text that can be written: halves of characters, of names that are not UTF-8, as what stands for them.

    Examples
    --------
    >>> whole_characters("ann\\udcff")
    'ann\\\\udcff'
    """
    return text.encode(errors="backslashreplace").decode()


def letter(position: int) -> str:
    """Mark of a footnote."""
    return "abcdefghijklmnopqrstuvwxyz"[position] if position < 26 else str(position + 1)


def speaker_name(name: str) -> str:
    """Speaker without the corpus: "emodb/03" becomes "03"."""
    return str(name).rpartition("/")[2]


def natural(name: str) -> str:
    """Key that sorts "M2" before "M11"."""
    return re.sub(r"\d+", lambda digits: digits.group().zfill(9), str(name))


def names(column: pd.Series) -> list[str]:
    """Values of a column, in the order of its categories where it has them."""
    return [
        str(name) for name in (column.cat.categories if hasattr(column, "cat") else sorted(column.unique()))
    ]


def titled(titles: Mapping[str, str] | None, methods: Sequence[str]) -> list[str]:
    """Titles of methods; a method without one is called by its name."""
    return [str((titles or {}).get(method, method)) for method in methods]


def wrapped(text: str, width: int = 34) -> str:
    """Lines of about equal length, none longer than ``width`` where that can be."""
    n_lines = len(textwrap.wrap(text, width))
    while width > 1 and len(textwrap.wrap(text, width - 1)) == n_lines:
        width -= 1
    return textwrap.fill(text, width)
