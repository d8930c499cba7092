"""BAVED as its repository has it."""

from __future__ import annotations

import itertools
from pathlib import Path

from serlab.corpora import baved
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """6/46-m-20-6-2-1729.wav, and a file in the folder of another word"""
    numbers = [n for n in range(104) if n < 57 and n != 52] + [100, 101, 102, 103]
    names = [
        f"{word}/{speaker}-{'fm'[speaker > 15]}-20-{word}-{level}-{level}{number:04d}"
        for level, n in baved.EXPECTED.items()
        for number, (word, speaker) in enumerate(
            itertools.islice(itertools.cycle(itertools.product(range(7), numbers)), n)
        )
    ]
    names[0] = f"6/{names[0].partition('/')[2]}"
    names[1] = names[1].replace("-f-", "-F-")
    write((folder / name for name in names), suffix, every, distinct=distinct)
