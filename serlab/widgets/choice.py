"""What was chosen in a panel, kept beside the notebook, so that a restarted kernel finds it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serlab.files import write_text

#: Beside the notebook: a kernel works in its folder.
FOLDER = ".serlab"


@dataclass(frozen=True)
class Store:
    """The choice of one notebook, in a small file.

    A choice is kept with what its panel started from: who edits the parameters cell gets what it says.

    Attributes
    ----------
    notebook : str
        Number or name.
    folder : Path, optional
        Where notebooks lie; the working folder without.
    """

    notebook: str
    folder: Path | None = None

    @property
    def path(self) -> Path:
        """Of the file."""
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in Path(self.notebook).stem)
        return (self.folder or Path()) / FOLDER / f"choice-{name}.json"

    def read(self, start: Mapping[str, Any]) -> dict[str, Any]:
        """The values kept, empty without any, or where the panel starts from others than it did.

        Parameters
        ----------
        start : mapping of str to JSON value
        """
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(kept, dict) or kept.get("start") != dict(start):
            return {}
        return kept["chosen"] if isinstance(kept.get("chosen"), dict) else {}

    def write(self, start: Mapping[str, Any], chosen: Mapping[str, Any]) -> None:
        """Keep a choice; nothing is kept of one that changes nothing, or where nothing can be written."""
        try:
            if dict(chosen) == dict(start):
                self.path.unlink(missing_ok=True)
                return
            self.path.parent.mkdir(exist_ok=True)
            text = json.dumps({"start": dict(start), "chosen": dict(chosen)}, indent=1, ensure_ascii=False)
            write_text(self.path, text + "\n")
        except OSError:
            return
