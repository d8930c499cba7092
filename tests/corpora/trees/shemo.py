"""ShEMO as its archives unpack."""

from __future__ import annotations

import itertools
from pathlib import Path

from serlab.corpora import shemo
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """male/M36S02.wav"""
    speakers = [f"F{n:02d}" for n in range(1, shemo.N_WOMEN + 1)] + [
        f"M{n:02d}" for n in range(1, shemo.N_MEN + 1)
    ]
    names = [
        f"{speaker}{emotion}{number:02d}"
        for emotion, n in shemo.EXPECTED.items()
        for number, speaker in itertools.islice(itertools.product(range(1, 99), speakers), n)
    ]
    paths = (folder / ("female" if name.startswith("F") else "male") / name for name in names)
    write(paths, suffix, every, distinct=distinct)
