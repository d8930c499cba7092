"""What thirty machines answered, in one table."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pandas as pd

from serlab.errors import ParameterError
from serlab.widgets.headless import GUESS_COLUMNS, read_guesses

#: How files of guesses are called.
GUESSES = "*guesses*.csv"


def collect(folder: Path | str) -> pd.DataFrame:
    """Put the guesses of many machines into one table.

    Parameters
    ----------
    folder : path
        Searched with its folders: one a machine, or all files in one.

    Returns
    -------
    DataFrame
        :data:`serlab.widgets.headless.GUESS_COLUMNS`, sorted by listener and position. Of two answers of
        a listener to an utterance (a file that was handed in twice) the one of the newer file stays. A
        file that is none is left out with a warning.

    Raises
    ------
    ParameterError
        If there is no folder.
    """
    tables = []
    for path in _files(folder, GUESSES):
        try:
            tables.append(read_guesses(path).replace({"listener": {"": path.parent.name}}))
        except ParameterError as error:
            warnings.warn(f"left out: {error}", stacklevel=2)
    if not tables:
        return pd.DataFrame(columns=list(GUESS_COLUMNS))
    found = pd.concat(tables).drop_duplicates(["listener", "utterance"], keep="last")
    found["position"] = pd.to_numeric(found["position"], errors="coerce")
    found["seconds"] = pd.to_numeric(found["seconds"], errors="coerce")
    return found.sort_values(["listener", "position"], kind="stable", ignore_index=True)


def collect_predictions(folder: Path | str) -> pd.DataFrame:
    """What was predicted on many machines, and what came out.

    Parameters
    ----------
    folder : path
        Searched with its folders.

    Returns
    -------
    DataFrame
        lesson, student, key, question, answer, result; a file that is none is left out with a warning.

    Raises
    ------
    ParameterError
        If there is no folder.
    """
    rows = []
    for path in _files(folder, "[0-9]_*.json"):
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            rows += [
                (path.stem, kept["student"], key, one["question"], one["answer"], one["result"])
                for key, one in kept["predictions"].items()
            ]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            warnings.warn(f"left out: {path} is not a record of a lesson", stacklevel=2)
    return pd.DataFrame(rows, columns=["lesson", "student", "key", "question", "answer", "result"])


def _files(folder: Path | str, pattern: str) -> list[Path]:
    """Matching files, the oldest first."""
    if not Path(folder).is_dir():
        raise ParameterError(f"{folder} is not a folder; give the one that the answers were copied into")
    found = [path for path in Path(folder).rglob(pattern) if path.is_file()]
    return sorted(found, key=lambda path: (path.stat().st_mtime, str(path)))
