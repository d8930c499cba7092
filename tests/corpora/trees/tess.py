"""TESS as its archive unpacks."""

from __future__ import annotations

import itertools
import string
from pathlib import Path

from serlab.corpora import tess
from tests.corpora.trees.sounds import cells, write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """OAF_angry/OAF_wa_angry.wav, and the name that lacks a letter"""
    words = [a + b for a, b in cells(tess.N_WORDS, string.ascii_lowercase, string.ascii_lowercase)]
    names = ["_".join(parts) for parts in itertools.product(("OAF", "YAF"), words, tess.EXPECTED)]
    names[0] = names[0].replace("OAF_", "OA_")
    write((folder / "TESS" / name for name in names), suffix, every, distinct=distinct)
