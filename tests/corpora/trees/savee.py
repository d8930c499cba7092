"""SAVEE, both releases."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import savee
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """AudioData/DC/a01.wav"""
    names = sorted(name.split("/")[1] for name in savee.expected_names(folder))
    paths = (folder / "AudioData" / Path(*name.split("_")) for name in names)
    write(paths, suffix, every, distinct=distinct)


def older_release(folder: Path, *, suffix: str = ".wav", every: int = 1) -> None:
    """ALL/DC_a01.wav"""
    names = sorted(name.split("/")[1] for name in savee.expected_names(folder))
    write((folder / "ALL" / name for name in names), suffix, every)
