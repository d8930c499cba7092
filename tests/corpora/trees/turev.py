"""TurEV-DB as its repository has it, with a filtered copy that is not read."""

from __future__ import annotations

import string
from pathlib import Path

from serlab.corpora import turev
from tests.corpora.trees.sounds import cells, write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """Sound Source/Calm/1984_sk_waa.wav"""
    words = ["w" + a + b for a, b in cells(turev.N_WORDS, string.ascii_lowercase, string.ascii_lowercase)]
    codes = {emotion: code for code, emotion in turev.CODES.items()}
    names = [
        f"{emotion}/{speaker}_{codes[emotion]}_{word}"
        for emotion, n in turev.EXPECTED.items()
        for speaker, word in cells(n, turev.SPEAKERS, words)
    ]
    write((folder / "Sound Source" / name for name in names), suffix, every, distinct=distinct)
    filtered = folder / "Model Output for Test Data/testEmotions500HighPass/sound/1984_sk_waa"
    write(iter([filtered]), suffix, 1)
