"""BanglaSER as its archive unpacks."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import banglaser
from tests.corpora.trees.sounds import write

#: The intensity goes with the state.
INTENSITY: dict[str, str] = {"01": "01", "02": "01", "03": "02", "04": "02", "05": "01"}


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """Actor_25/03-01-02-01-03-02-25.wav"""
    names = [
        f"Actor_{speaker:02d}/03-01-{emotion}-{INTENSITY[emotion]}-0{text}-0{again}-{speaker:02d}"
        for emotion in banglaser.EXPECTED
        for speaker in range(1, 28 if emotion == "05" else 35)
        for text in (1, 2, 3)
        for again in (1, 2, 3)
    ]
    write((folder / name for name in names), suffix, every, distinct=distinct)
