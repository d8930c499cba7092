"""Small JSON files of models, read as what they are: data of others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serlab.errors import ParameterError

#: A configuration is kilobytes; nothing larger is read.
MOST_BYTES = 8 * 2**20


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number that a configuration must name, and where it has to lie.

    Attributes
    ----------
    least, most : float
    whole : bool
        Whether it is an integer.
    optional : bool
        Whether it may be missing, or null.
    """

    least: float
    most: float
    whole: bool = True
    optional: bool = False


def read(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises
    ------
    ParameterError
        If it cannot be read, is too large, or holds something else.
    """
    again = "get the model again"
    try:
        if not path.is_file():  # a device or a pipe has no end
            raise ParameterError(f"{path} is no file; {again}")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ParameterError(f"{path} has {size} bytes, which is no configuration; {again}")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ParameterError(f"{path} cannot be read as JSON ({_first_line(error)}); {again}") from error
    if not isinstance(found, dict):
        raise ParameterError(f"{path} holds no names and values; {again}")
    return found


def require(values: Mapping[str, Any], numbers: Mapping[str, Number], *, path: Path) -> None:
    """Refuse numbers that are missing, no numbers, or such as no model has.

    Raises
    ------
    ParameterError
        With the name of the file and of the number.
    """
    for name, number in numbers.items():
        value = values.get(name)
        if value is None and number.optional:
            continue
        if name not in values:
            raise ParameterError(f"{path} does not name {name!r}; get the model again")
        kinds = (int,) if number.whole else (int, float)
        if (
            isinstance(value, bool)
            or not isinstance(value, kinds)
            or not number.least <= value <= number.most
        ):
            what = "a whole number" if number.whole else "a number"
            raise ParameterError(
                f"{path}: {name} is {_short(value)}, expected was {what} from {number.least:g} to "
                f"{number.most:g}; get the model again"
            )


def require_numbers(
    values: Mapping[str, Any], name: str, number: Number, *, n: int, path: Path
) -> Sequence[int]:
    """A list of ``n`` numbers at most, each as :func:`require` wants it.

    Raises
    ------
    ParameterError
    """
    found = values.get(name)
    if not isinstance(found, list) or not 0 < len(found) <= n:
        raise ParameterError(f"{path}: {name} is no list of 1 to {n} numbers; get the model again")
    for i, value in enumerate(found):
        require({f"{name}[{i}]": value}, {f"{name}[{i}]": number}, path=path)
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
