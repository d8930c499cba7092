"""What serlab raises when an input cannot be used.

Every message names the thing at fault (file, column, label, parameter) and
the remedy, because most of them end up under a notebook cell.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any


class SerlabError(Exception):
    """Base of all errors raised on purpose by serlab.

    All of them go from process to process with what they carry, whatever they are made with.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[SerlabError], said: tuple[Any, ...], carried: dict[str, Any]) -> SerlabError:
    """The same error in another process: its arguments are known to its class alone."""
    error = kind.__new__(kind, *said)
    error.__dict__.update(carried)
    return error


class CorpusError(SerlabError):
    """A corpus folder is missing, foreign, empty or malformed."""


class DownloadError(SerlabError):
    """A file cannot be fetched, has another hash than expected, or is an unsafe archive."""


class AudioError(SerlabError):
    """An audio file cannot be used (unreadable, truncated, silent, NaN).

    Attributes
    ----------
    problem : str
        The kind of trouble in a word or two ("missing", "truncated", "silent"), for tables that count it;
        empty where there is none to count.
    """

    def __init__(self, message: str, problem: str = "") -> None:
        super().__init__(message)
        self.problem = problem


class LabelError(SerlabError):
    """A native label or a label scheme is unknown."""


class ProtocolError(SerlabError):
    """A split cannot be made or trained on (too few speakers, one class...)."""


class TrainingError(SerlabError):
    """A network cannot be trained: its loss is no longer a number, or memory ran out.

    Attributes
    ----------
    rows : sequence of int or None
        Positions in the utterance table of the batch at fault, where known.
    """

    def __init__(self, message: str, rows: Sequence[int] | None = None) -> None:
        super().__init__(message)
        self.rows = rows


class ParameterError(SerlabError):
    """An experiment, notebook or command-line parameter is unknown or ill-typed."""


class Cancelled(SerlabError):
    """The user cancelled a long computation; finished parts are kept."""


def meant(name: str, known: Iterable[str]) -> str:
    """For messages about an unknown name: a question in brackets, where a known one is near; else empty.

    Examples
    --------
    >>> meant("sede", ["seeds", "shots"])
    " (did you mean 'seeds'?)"
    """
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
