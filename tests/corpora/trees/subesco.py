"""SUBESCO as its archive unpacks."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import subesco
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """SUBESCO/F_01_OISHI_S_1_ANGRY_1.wav, and the name with a stray bracket"""
    stray = "F_02_MONIKA_S_2_SURPRISE_3"
    names = sorted(name.split("/")[1] for name in subesco.expected_names(folder))
    paths = (folder / "SUBESCO" / (f"{name}]" if name == stray else name) for name in names)
    write(paths, suffix, every, distinct=distinct)
