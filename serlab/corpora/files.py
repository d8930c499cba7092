"""Finding and measuring the files of a corpus; shared by its readers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from serlab.corpora.base import audio_files
from serlab.errors import CorpusError


def matching(folder: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """Audio files below ``folder`` at any depth whose path matches.

    The pattern is searched in the path relative to the folder, with forward
    slashes and without suffix, and must match up to its end. Any depth is
    allowed because publishers and unpackers put different folders on top.

    Yields
    ------
    (Path, Match)
        Sorted by path.
    """
    for path in audio_files(folder, "**/*"):
        found = pattern.search(path.relative_to(folder).with_suffix("").as_posix())
        if found and found.end() == len(found.string):
            yield path, found


def duration(path: Path) -> float:
    """Seconds according to the header; NaN where the header cannot be read.

    A broken file keeps its row: ``serlab validate`` names it, and feature
    extraction skips it or stops, as the user chose.
    """
    import soundfile  # late: listing corpora reads no audio

    try:
        return float(soundfile.info(path).duration)
    except (soundfile.LibsndfileError, RuntimeError, OSError):
        return float("nan")


def unique(rows: Iterable[dict], remedy: str = "keep one copy and move the other away") -> list[dict]:
    """Rows as a list, refusing two files for one utterance.

    It happens when an archive is unpacked twice, or when ``.wav`` and
    ``.flac`` of a corpus lie side by side.

    Raises
    ------
    CorpusError
        Naming both files.
    """
    seen: dict[str, dict] = {}
    for row in rows:
        earlier = seen.setdefault(row["utterance"], row)
        if earlier is not row:
            raise CorpusError(
                f"utterance {row['utterance']!r} occurs twice: {earlier['path']} and {row['path']}; {remedy}"
            )
    return list(seen.values())


def is_file(path: Path) -> bool:
    """Whether there is a regular file; False too where no file can have such a name."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than a name may be, or with a null character
        return False
