"""RAVDESS speech as its archive unpacks."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import ravdess
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """Actor_01/03-01-01-01-01-01-01.wav"""
    names = sorted(name.split("/")[1] for name in ravdess.expected_names(folder))
    write((folder / f"Actor_{name[-2:]}" / name for name in names), suffix, every, distinct=distinct)
