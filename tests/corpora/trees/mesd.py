"""MESD as its archive unpacks."""

from __future__ import annotations

import itertools
from pathlib import Path

from serlab.corpora import mesd
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """Mexican Emotional Speech Database (MESD)/Anger_F_A_waa.wav"""
    letters = itertools.product("abcdefghijklmnop", repeat=2)
    words = ["w" + "".join(pair) for pair in itertools.islice(letters, 205)]
    shared, own = words[:24], iter(words[24:])
    names = []
    for emotion, n in mesd.EXPECTED.items():
        names += [f"{emotion}_{voice}_A_{word}" for voice in mesd.VOICES for word in shared][: n - 72]
        left = list(itertools.islice(own, 30)) + words[24:96]
        names += [f"{emotion}_{voice}_B_{word}" for voice, word in itertools.product(mesd.VOICES, left[:24])]
    # The list that was seen has 181 words B in all; some are said in one state, some in several.
    rest = [word for word in words if not any(name.endswith(f"_{word}") for name in names)]
    for place, word in zip(
        (place for place, name in enumerate(names) if "_C_B_" in name), rest, strict=False
    ):
        names[place] = names[place].rpartition("_")[0] + f"_{word}"
    top = folder / "Mexican Emotional Speech Database (MESD)"
    write((top / name for name in names), suffix, every, distinct=distinct)
