"""emoUERJ as its archive unpacks."""

from __future__ import annotations

import itertools
from pathlib import Path

from serlab.corpora import emouerj
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """emoUERJ/w04a11.wav"""
    names = [
        f"{speaker}{emotion}{number:02d}"
        for emotion, n in emouerj.EXPECTED.items()
        for number, speaker in itertools.islice(itertools.product(range(1, 99), emouerj.SPEAKERS), n)
    ]
    write((folder / "emoUERJ" / name for name in names), suffix, every, distinct=distinct)
