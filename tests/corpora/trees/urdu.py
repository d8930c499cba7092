"""URDU as its archive unpacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.corpora.trees.sounds import write

#: Emotion -> speakers and how many clips of each, as in the published archive.
CLIPS: dict[str, dict[str, int]] = {
    "Angry": {"M1": 22, "M2": 28, "M3": 2, "M4": 48},
    "Happy": {
        "F1": 12, "F2": 2, "F3": 2, "F4": 4, "F5": 4, "F6": 14, "F7": 6, "F8": 2, "M17": 2, "M18": 2,
        "M19": 2, "M3": 2, "M5": 8, "M6": 10, "M7": 28,
    },
    "Neutral": {"F9": 4, "M20": 10, "M21": 4, "M22": 2, "M3": 8, "M5": 72},
    "Sad": {"F10": 2, "F11": 4, "M23": 6, "M24": 38, "M25": 40, "M26": 2, "M27": 4, "M6": 4},
}  # fmt: skip


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """Angry/SM1_F10_A010.wav"""

    def paths() -> Iterator[Path]:
        for emotion, speakers in CLIPS.items():
            clips = ((s, clip) for s, n in speakers.items() for clip in range(1, n + 1))
            for number, (speaker, clip) in enumerate(clips, start=1):
                yield folder / emotion / f"S{speaker}_F{clip}_{emotion[0]}0{number}"

    write(paths(), suffix, every, distinct=distinct)
