"""EMOVO as its archive unpacks."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import emovo
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """EMOVO/f1/dis-f1-b1.wav"""
    names = sorted(name.split("/")[1] for name in emovo.expected_names(folder))
    write((folder / "EMOVO" / name.split("-")[1] / name for name in names), suffix, every, distinct=distinct)
