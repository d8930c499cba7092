"""ASED as its repository has it."""

from __future__ import annotations

import itertools
from pathlib import Path

from serlab.corpora import ased
from tests.corpora.trees.sounds import write

#: Sex (01: woman) and number; five numbers are given twice.
SPEAKERS: tuple[str, ...] = (
    *(f"01-{n:02d}" for n in range(1, 26)),
    *(f"02-{n:02d}" for n in (*range(26, 66), 9, 15, 21, 23, 25)),
)


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """05Angry/a5-03-01-02-50.wav, and a capital S"""
    names = []
    for (emotion, n), word in zip(
        ased.EXPECTED.items(), ("Neutral", "Fearful", "Happy", "Sad", "Angry"), strict=True
    ):
        number = ased.FOLDERS[emotion]
        combinations = itertools.product(("01", "02"), range(1, 8), SPEAKERS)
        names += [
            f"0{number}{word}/{emotion}{number}-{sentence:02d}-{again}-{speaker}"
            for again, sentence, speaker in itertools.islice(combinations, n)
        ]
    first = next(place for place, name in enumerate(names) if name.startswith("04Sad"))
    names[first] = names[first].replace("/s", "/S")
    write((folder / name for name in names), suffix, every, distinct=distinct)
