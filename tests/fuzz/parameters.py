"""Values of every type in place of parameters: experiments are refused with a sentence, or make sense."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab import corpora
from serlab.errors import CorpusError
from serlab.experiment import Parameters, checks
from tests.fuzz import Target, hostile

#: Values that make sense, from which a case starts.
SOUND: dict[str, Any] = {"target": "urdu", "sources": ("emodb",), "features": "logmel26"}

KNOWN: dict[str, tuple[Any, ...]] = {
    "methods": ("rf-source", "acnn-mmd", "andova-lustrek", "many-ridge", "svm-coral", "ridge-em-z"),
    "scheme": ("four", "arousal", "valence"),
    "protocol": ("loso", "k-shot", "speaker-groups", "random", "joint", "given"),
    "augment": ("noise-20", "specaugment", "speed-0.9", "gain-6", "speed-9", "noise-1e9"),
    "features": ("is10", "logmel26", "is10+logmel26", "encoder:whisper", "encoder:", "wavelet"),
    "studies": ("few-shot",),
    "preset": ("demo", "paper"),
    "options": ({"trade_off": 0.1}, {"source_weights": "emodb=2"}, {"trade_off": math.inf}, {"x": 1}),
}


class Refuses:
    """An object whose own methods fail."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __iter__ = __hash__ = __bool__ = __len__ = __repr__  # type: ignore[assignment]


ODD: tuple[Callable[[random.Random], Any], ...] = (
    lambda draw: None,
    lambda draw: draw.choice((True, False)),
    lambda draw: draw.choice((0, -1, 1, 2**31, 2**32, 2**63, -(2**63), 10**400, 10**5000, 1_000_000)),
    lambda draw: draw.choice((0.0, -0.0, math.nan, math.inf, -math.inf, 1e308, 5e-324, 0.5)),
    lambda draw: draw.choice((b"", b"\xff", bytearray(2), 1j, ..., NotImplemented, object(), Refuses())),
    lambda draw: draw.choice((np.int64(3), np.float32(math.nan), np.array(5), np.zeros(3), np.zeros((2, 2)))),
    lambda draw: draw.choice((np.str_("emodb"), pd.NA, pd.NaT, pd.Series([1, 2]), pd.DataFrame({"a": [1]}))),
    lambda draw: draw.choice((int, len, Path, json, range(3), range(10**12), iter(()), {1, 2})),
    lambda draw: draw.choice((Path("/nowhere"), "a" * 10**5, "/" + "x/" * 3000)),
    lambda draw: hostile.string(draw),
    lambda draw: {hostile.string(draw): odd(draw)},
    lambda draw: [odd(draw) for _ in range(draw.randrange(4))],
    lambda draw: tuple(odd(draw) for _ in range(draw.randrange(4))),
)  # fmt: skip


def odd(draw: random.Random) -> Any:
    """A value of any type."""
    return draw.choice(ODD)(draw)


def values(draw: random.Random) -> dict[str, Any]:
    """Parameters of which one to three are odd or, for once, sensible."""
    chosen = dict(SOUND)
    for _ in range(draw.randint(1, 3)):
        name = draw.choice((*Parameters.names(), "options"))
        chosen[name] = draw.choice(KNOWN[name]) if name in KNOWN and draw.random() < 0.5 else odd(draw)
    return chosen


def damage(folder: Path, draw: random.Random) -> str:
    """Nothing lies in the folder but the number from which the values are drawn: not all can be written."""
    number = draw.randrange(2**32)
    (folder / "draw").write_text(str(number))
    changed = {name for name, value in values(random.Random(number)).items() if value is not SOUND.get(name)}
    return ", ".join(sorted(changed))


def read(folder: Path) -> Parameters:
    """By all ways in: as keywords, as names of a notebook, as changes of what makes sense."""
    chosen = values(random.Random(int((folder / "draw").read_text())))
    try:
        if "options" in chosen:
            made = Parameters(**{name: value for name, value in chosen.items() if name in KEYWORDS})
        else:
            made = Parameters.from_names(chosen)
            assert Parameters(**SOUND).with_values(**chosen) == made
        checks.require_sense(made.as_dict())
        for name in (made.target, *made.sources):
            corpora.get(name, made.data or folder)
    except CorpusError as error:
        assert str(error)
        raise
    return made


KEYWORDS = {*Parameters(**SOUND).as_dict(), "options"} - set(Parameters(**SOUND).options)


def check(made: Parameters) -> None:
    """What is accepted can be written, read again and addressed."""
    written = json.dumps(made.as_dict(), allow_nan=False, ensure_ascii=False).encode()
    again = Parameters.from_names(json.loads(written))
    assert again == made and again.digest() == made.digest()
    assert made.specs() and 0 <= made.seconds < math.inf and made.threads_of_a_fit <= 1024


TARGETS: tuple[Target, ...] = (
    Target(name="parameters", write=lambda folder: None, damage=damage, read=read, check=check),
)
