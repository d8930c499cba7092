"""Oréau as its archive unpacks."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import oreau
from tests.corpora.trees.sounds import write

WOMEN: tuple[int, ...] = (10, 11, 13, 21, 24, 37, 42)
MEN: tuple[int, ...] = (7, 8, 9, 12, 14, 16, 18, 19, 20, 22, 23, *range(25, 34), 36, 38, 39, 40, 41)
SPEAKERS: tuple[tuple[str, str], ...] = (
    *(("f", f"{n:02d}") for n in WOMEN),
    *(("m", f"{n:02d}") for n in MEN),
)


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """OréauFR_02/f/sessj/10a02Ja.wav, and a z that should be an a"""
    texts = {"C": 12, "D": 10, "J": 14, "N": 11, "P": 13, "S": 12, "T": 11}
    names = []
    for emotion, n in oreau.EXPECTED.items():
        for k in range(n):
            sex, speaker = SPEAKERS[k % len(SPEAKERS)]
            letter = "z" if (speaker, emotion) == ("07", "S") else "a"
            text = k % texts[emotion] + 1
            names.append(f"{sex}/sess{emotion.lower()}/{speaker}{letter}{text:02d}{emotion}a")
    write((folder / "OréauFR_02" / name for name in names), suffix, every, distinct=distinct)
