"""JL corpus as its archive unpacks."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import jl
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/female1_angry_10a_1.wav"""
    names = sorted(name.split("/")[1] for name in jl.expected_names(folder))
    write(
        (folder / "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)" / name for name in names),
        suffix,
        every,
        distinct=distinct,
    )
