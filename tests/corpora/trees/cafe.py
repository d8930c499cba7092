"""CaFE as its archive unpacks."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import cafe
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """CaFE_48k/Peur/Fort/06-P-2-5.wav, with an accent that unpacking broke"""
    emotions = {
        "C": "Col\x8are", "D": "D\x82go\x96t", "J": "Joie", "N": "Neutre", "P": "Peur", "S": "Surprise",
        "T": "Tristesse",
    }  # fmt: skip
    names = sorted(name.split("/")[1] for name in cafe.expected_names(folder))
    paths = (
        folder
        / "CaFE_48k"
        / emotions[name[3]]
        / ("" if name[3] == "N" else ("Faible", "Fort")["12".index(name[5])])
        / name
        for name in names
    )
    write(paths, suffix, every, distinct=distinct)
