"""Reading audio, checked, beside soundfile and soxr alone; and what validation takes.

    python benchmarks/bench_audio.py ravdess emodb

CPU time in ms a file, the least of five rounds, one thread. "Alone" is soundfile.read, the mean of
channels and soxr.resample: no check of header, length, numbers or silence.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
import soundfile
import soxr

from serlab import audio, corpora
from serlab.corpora.measuring import measure

ROUNDS = 5
MOST = 300


def alone(path: str) -> np.ndarray:
    """What reading costs without any check."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1) if samples.shape[1] > 1 else samples[:, 0]
    return mono if rate == audio.SAMPLE_RATE else soxr.resample(mono, rate, audio.SAMPLE_RATE, quality="HQ")


def milliseconds(reads: Sequence[Callable[[str], object]], paths: list[str]) -> list[float]:
    """CPU time a file of each way to read, in turns, so that what else runs disturbs all alike."""
    best = [np.inf] * len(reads)
    for _ in range(ROUNDS):
        for at, read in enumerate(reads):
            began = time.process_time()
            for path in paths:
                read(path)
            best[at] = min(best[at], time.process_time() - began)
    return [1000 * seconds / len(paths) for seconds in best]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", help="installed corpora")
    names = parser.parse_args().names
    print(f"{'corpus':<12}{'alone':>8}{'load':>8}{'ratio':>8}{'header':>8}{'validate':>10}")
    for name in names:
        paths = corpora.get(name).read()["path"].to_list()[:MOST]
        bare, load, header, whole = milliseconds((alone, audio.load, audio.header, measure), paths)
        print(f"{name:<12}{bare:>8.2f}{load:>8.2f}{load / bare:>8.2f}{header:>8.3f}{whole:>10.2f}")


if __name__ == "__main__":
    main()
