"""CREMA-D as its repository has it."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import cremad
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """AudioWAV/1001_IEO_ANG_HI.wav"""
    names = sorted(name.split("/")[1] for name in cremad.expected_names(folder))
    write((folder / "AudioWAV" / name for name in names), suffix, every, distinct=distinct)
