"""What a student wrote and tried: one small JSON file a lesson, beside the notebook."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serlab import data
from serlab.errors import ParameterError
from serlab.files import set_aside, write_text
from serlab.provenance import CHECKOUT, PACKAGE

#: Where answers are kept, in the folder of the notebook.
FOLDER = "answers"


@dataclass
class Record:
    """What is kept of a lesson.

    Attributes
    ----------
    path : Path
    student : str
        What tells thirty machines apart: drawn once, or chosen.
    predictions : dict of str to dict
        key -> question, answer, and what came out ("result", None before).
    checks : dict of str to dict
        name -> tries, and whether it was right ("right").
    """

    path: Path
    student: str
    predictions: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)

    def save(self) -> None:
        """Write it; a reader sees the old or the new.

        Raises
        ------
        ParameterError
            If the folder cannot be written to.
        """
        kept = {"student": self.student, "predictions": self.predictions, "checks": self.checks}
        _writing(
            self.path, lambda: write_text(self.path, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
        )


def open_record(name: str, *, folder: str, student: str) -> Record:
    """What is kept of a lesson, or a new record.

    Parameters
    ----------
    name : str
        Of the lesson.
    folder : str
        Empty: :data:`FOLDER` in the working folder, which is that of the notebook.
    student : str
        Empty: the code of this folder, drawn the first time.

    Raises
    ------
    ParameterError
        If the name is not one, or the folder cannot be written to.
    """
    home = place(folder)
    path = home / f"{name}.json"
    kept = _read(path)
    student = student or kept.get("student", "") or _code(home)
    if not re.fullmatch(r"[\w][\w .-]{0,39}", student):
        raise ParameterError(
            f"student: {student!r} is no name or code; letters, digits, spaces, dots and hyphens, 40 at most"
        )
    record = Record(path, student, kept.get("predictions", {}), kept.get("checks", {}))
    record.save()
    return record


def place(folder: str) -> Path:
    """Where answers are kept: never inside serlab's own folders, which belong to all."""
    home = Path(folder or FOLDER).absolute()
    own = (CHECKOUT or PACKAGE) / "notebooks"
    if home.is_relative_to(own):
        return data.cache_root() / "lessons" / FOLDER
    return home


def _code(home: Path) -> str:
    """Six letters and digits for this folder, the same in all lessons."""
    path = home / "student.txt"
    if path.is_file() and (code := path.read_text(encoding="utf-8", errors="replace").strip()):
        return code
    code = secrets.token_hex(3)
    _writing(path, lambda: write_text(path, code + "\n"))
    return code


def _read(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except OSError:  # none yet; a folder that cannot be used is named when it is written to
        return {}
    except ValueError:
        kept = None
    if not (
        isinstance(kept, dict)
        and isinstance(kept.get("student", ""), str)
        and all(isinstance(kept.get(part, {}), dict) for part in ("predictions", "checks"))
    ):
        set_aside(path, "not a record of a lesson; a new one begins")
        return {}
    return kept


def _writing(path: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        raise ParameterError(
            f"answers cannot be kept in {path.parent}: {error.strerror}; give a folder you may write to "
            "(answers=... in the first cell)"
        ) from None
