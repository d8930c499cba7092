"""AESDD as its archive unpacks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from serlab.corpora import aesdd
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """anger/a03 (4).wav, further takes with a letter, and a speaker written 01"""

    def names() -> Iterator[str]:
        for emotion, n in aesdd.EXPECTED.items():
            for sentence, speaker in itertools.islice(
                itertools.product(range(1, 21), range(1, 7)), min(n, 120)
            ):
                zero = "0" if (emotion, sentence, speaker) == ("fear", 10, 1) else ""
                yield f"{emotion}/{emotion[0]}{sentence:02d} ({zero}{speaker})"
            yield from (f"{emotion}/{emotion[0]}{sentence:02d} (5)b" for sentence in range(1, n - 119))

    write((folder / name for name in names()), suffix, every, distinct=distinct)
