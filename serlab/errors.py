"""What serlab raises when an input cannot be used.

Every message names the thing at fault (file, column, label, parameter) and
the remedy, because most of them end up under a notebook cell.
"""

from __future__ import annotations

from collections.abc import Sequence


class SerlabError(Exception):
    """Base of all errors raised on purpose by serlab."""


class CorpusError(SerlabError):
    """A corpus folder is missing, foreign, empty or malformed."""


class DownloadError(SerlabError):
    """A file cannot be fetched, has another hash than expected, or is an unsafe archive."""


class AudioError(SerlabError):
    """An audio file cannot be used (unreadable, truncated, silent, NaN)."""


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
