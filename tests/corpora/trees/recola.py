"""RECOLA as its archives unpack, and turns.csv of a user."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import recola
from tests.corpora.trees.sounds import noise


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """RECOLA-Annotation/emotional_behaviour/arousal/P16.csv, and the user's own turns.csv."""
    # Turns last three ratings of 40 ms; the annotators differ, but not in the mean.
    speakers = recola.SPEAKERS
    offsets = (-0.3, -0.2, -0.1, 0.1, 0.2, 0.3)
    each, more = divmod(recola.N_UTTERANCES, len(speakers))
    turns = [(s, n) for number, s in enumerate(speakers) for n in range(each + (number < more))]
    for dimension, (low, _) in recola.EXPECTED_RATINGS.items():
        # The first turns get the low ratings; a mean of zero is low.
        for speaker in speakers:
            lines = ["time;FM1 ;FM2 ;FM3 ;FF1 ;FF2 ;FF3"]
            for number, (_, n) in ((k, turn) for k, turn in enumerate(turns) if turn[0] == speaker):
                mean = (0.0, -0.4)[number % 2] if number < low else (0.02, 0.5)[number % 2]
                ratings = ";".join(f"{mean + offset:.2f}" for offset in offsets)
                lines += [f"{0.12 * n + 0.04 * k:.2f};{ratings}" for k in range(3)]
            path = folder / "RECOLA-Annotation/emotional_behaviour" / dimension / f"{speaker}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n\n")
    recordings = folder / "RECOLA-Audio-recordings"
    recordings.mkdir(exist_ok=True)
    for number, speaker in enumerate(speakers):
        seed = number if distinct else 0
        (recordings / f"{speaker}{suffix}").write_bytes(noise(suffix, seed=seed, seconds=0.12 * (each + 1)))
    lines = [
        f"{speaker},{0.12 * n:.2f},{0.12 * n + 0.1:.2f},{('female', 'male')[speakers.index(speaker) % 2]}"
        for speaker, n in turns[::every]
    ]
    (folder / "turns.csv").write_text("\n".join(["speaker,start,end,sex", *lines]) + "\n")
