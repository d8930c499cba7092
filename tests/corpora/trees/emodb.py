"""EmoDB as its archive unpacks."""

from __future__ import annotations

import itertools
from pathlib import Path

from serlab.corpora import emodb
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """wav/03a01Fa.wav, and erkennung.txt in Latin-1 with no-break spaces."""
    texts = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
    names = [
        f"{speaker}{text}{emotion}{version}"
        for emotion, n in emodb.EXPECTED.items()
        for version, text, speaker in itertools.islice(itertools.product("abc", texts, sorted(emodb.SEX)), n)
    ]
    write((folder / "wav" / name for name in names), suffix, every, distinct=distinct)
    lines = ["Nr.\tSatz\terkannt\tnatuerlich"]
    for number, name in enumerate(names, start=1):
        lines.append(f"{number}\xa0\xa0\t{name}.wav\t{80 + number % 21},00\xa0\xa0\t90,48\xa0\xa0")
    (folder / "erkennung.txt").write_text("\n".join(lines) + "\n", encoding="latin-1")
