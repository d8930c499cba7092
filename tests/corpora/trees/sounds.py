"""What every tree is filled with: short noise, under the names of a publisher."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000


@cache
def noise(suffix: str, *, seed: int = 0, seconds: float = 0.1) -> bytes:
    """Bytes of an audio file with quiet noise."""
    samples = 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE)).clip(-3, 3)
    file = io.BytesIO()
    soundfile.write(file, samples - samples.mean(), RATE, format=suffix.lstrip(".").upper(), subtype="PCM_16")
    return file.getvalue()


#: From so many files on a whole tree is made of links to one file, which is many times faster.
#: Nothing may be written to a file of such a tree: all others would change, too.
LINKED = 1000


def write(paths: Iterable[Path], suffix: str, every: int, *, distinct: bool = False) -> None:
    """An audio file at each ``every``-th path; all with the same noise, or each with its own."""
    chosen = list(itertools.islice(paths, 0, None, every))
    linked = every == 1 and not distinct and len(chosen) >= LINKED
    made: set[Path] = set()
    first = ""
    for number, path in enumerate(chosen):
        if path.parent not in made:  # asked once a folder: corpora have thousands of files
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        name = f"{path}{suffix}"
        if linked and first:
            os.link(first, name)
            continue
        with Path(name).open("wb") as file:
            file.write(noise(suffix, seed=number if distinct else 0))
        first = name


def cells(n: int, *values: Iterable) -> list[tuple]:
    """The first ``n`` combinations of values, so that each value of the last, and of all others, comes early.

    A full product would use up the last value before the second value of the first: here the
    combinations are walked along their diagonal, as recordings of a corpus with gaps are.
    """
    sides = [list(side) for side in values]
    order = sorted(
        itertools.product(*(range(len(side)) for side in sides)),
        key=lambda at: (max((i + 1) / len(side) for i, side in zip(at, sides, strict=True)), at),
    )
    return [tuple(side[i] for i, side in zip(at, sides, strict=True)) for at in order[:n]]
