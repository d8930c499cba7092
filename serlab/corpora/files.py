"""Finding and measuring the files of a corpus; shared by its readers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from serlab import audio
from serlab.corpora.base import audio_files
from serlab.errors import AudioError, CorpusError


def matching(folder: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """Audio files below ``folder`` at any depth whose path matches.

    The pattern is searched in the path relative to the folder, with forward
    slashes and without suffix, and must match up to its end. Any depth is
    allowed because publishers and unpackers put different folders on top.

    Yields
    ------
    (Path, Match)
        Sorted by path.

    Raises
    ------
    CorpusError
        If there are files that match but for capitals. Codes in names often differ in nothing else,
        so they are not guessed.
    """
    anyhow = re.compile(pattern.pattern, pattern.flags | re.IGNORECASE)
    misnamed = []
    for path in audio_files(folder, "**/*"):
        name = path.relative_to(folder).with_suffix("").as_posix()
        found = pattern.search(name)
        if found and found.end() == len(name):
            yield path, found
        elif (like := anyhow.search(name)) and like.end() == len(name):
            misnamed.append(path)
    if misnamed:
        raise CorpusError(
            f"{misnamed[0]}: capitals and small letters differ from the published name of this file (so in "
            f"{len(misnamed)} files); give files and folders the names they have in the publisher's archive"
        )


def duration(path: Path) -> float:
    """Seconds according to the header; NaN where the header cannot be read.

    A broken file keeps its row: ``serlab validate`` names it, and feature
    extraction skips it or stops, as the user chose.
    """
    try:
        return audio.header(path).seconds
    except AudioError:
        return float("nan")


def unique(rows: Iterable[dict], remedy: str = "keep one copy and move the other away") -> list[dict]:
    """Rows as a list, refusing two files for one utterance.

    It happens when an archive is unpacked twice, or when ``.wav`` and
    ``.flac`` of a corpus lie side by side.

    Raises
    ------
    CorpusError
        Naming both files, how many more there are, and the two folders if each holds all of them.
    """
    seen: dict[str, dict] = {}
    twice: list[tuple[str, dict, dict]] = []
    for row in rows:
        earlier = seen.setdefault(row["utterance"], row)
        if earlier is not row:
            twice.append((row["utterance"], earlier, row))
    if twice:
        name, earlier, row = twice[0]
        tops = {_tops(Path(first["path"]), Path(second["path"])) for _, first, second in twice}
        both = " and again below ".join(map(str, *tops)) if len(tops) == 1 else ""
        more = f". {len(twice)} utterances lie below {both}" if both and len(twice) > 1 else ""
        others = f" ({len(twice) - 1} more occur twice)" if len(twice) > 1 and not more else ""
        raise CorpusError(
            f"utterance {name!r} occurs twice: {earlier['path']} and {row['path']}; {remedy}{others}{more}"
        )
    return list(seen.values())


def _tops(first: Path, second: Path) -> tuple[Path, Path]:
    """What is left of two paths without the end that they share."""
    while first.name == second.name and first.name:
        first, second = first.parent, second.parent
    return first, second


def is_file(path: Path) -> bool:
    """Whether there is a regular file; False too where no file can have such a name."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than a name may be, or with a null character
        return False
