"""Finding files whose names were written on another system.

A table made on Windows separates folders by ``\\``; macOS takes an umlaut
apart in file names; neither cares for case. What the table says is tried as it
is; then folder by folder, a name is looked for with its letters composed, and
then without case where only one fits.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

from serlab.corpora import files

SEPARATORS = "written with \\ between folders: read as /"
LETTERS = "letters are encoded in another way than in the file's name: found by composing them"
CASE = "written in another case than the file's name"
MISSING = "no such file"


def finder(folder: Path) -> Callable[[str], tuple[str, str]]:
    """Finder of files whose paths start at a folder; it lists each folder once.

    Parameters
    ----------
    folder : Path
        Absolute.

    Returns
    -------
    callable
        ``find(text) -> (path, note)``: the absolute path, and how it was found;
        ``note`` is empty, or one of :data:`SEPARATORS`, :data:`LETTERS`,
        :data:`CASE` or :data:`MISSING`.
    """
    listings: dict[Path, tuple[dict[str, list[str]], dict[str, list[str]]]] = {}

    def find(text: str) -> tuple[str, str]:
        exact = folder / text
        if files.is_file(exact):
            return str(exact), ""
        slashed = text.replace("\\", "/")
        note = SEPARATORS if slashed != text else ""
        place = Path("/") if slashed.startswith("/") else folder
        for part in slashed.split("/"):
            if part in ("", "."):
                continue
            if part == "..":
                place = place / part
                continue
            if place not in listings:
                listings[place] = _names(place)
            composed, caseless = listings[place]
            whole = unicodedata.normalize("NFC", part)
            if part in composed.get(whole, []):
                name = part
            elif len(same := composed.get(whole, [])) == 1:
                name, note = same[0], note or LETTERS
            elif len(same := caseless.get(whole.casefold(), [])) == 1:
                name, note = same[0], note or CASE
            else:
                return str(exact), MISSING
            place = place / name
        return (os.path.normpath(place), note) if files.is_file(place) else (str(exact), MISSING)

    return find


def _names(folder: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Names in a folder by what they are with their letters composed, and without case."""
    composed: dict[str, list[str]] = {}
    caseless: dict[str, list[str]] = {}
    try:
        names = [path.name for path in folder.iterdir()]
    except (OSError, ValueError):
        names = []
    for name in names:
        whole = unicodedata.normalize("NFC", name)
        composed.setdefault(whole, []).append(name)
        caseless.setdefault(whole.casefold(), []).append(name)
    return composed, caseless
