"""Speed of frame features against librosa, of the cache, and memory of the padded array.

    python benchmarks/bench_frames.py --data DATA_ROOT [--corpus emodb] [--files 120] [--turns 5]

librosa and serlab describe the same samples, already in memory and on one
thread, in turns, so that both see the same machine; what they give is compared.
Then ``serlab.features.extract`` reads, checks, describes and caches the files,
and finds them in the cache.

Goals (2 cores): log-mel at least 1000x real time a thread and 1.5 times as
fast as librosa; all sets from the cache at least 5000x real time; peak memory
at most 2.5 times the padded array.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from statistics import median

import joblib
import librosa
import numpy as np

from serlab import audio, corpora, features

SETS = ("logmel26", "logmel64", "mfcc39", "harmonic")


def librosa_log_mel(samples: np.ndarray, n_bands: int, hop: int = 160) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=samples, sr=audio.SAMPLE_RATE, n_fft=512, win_length=400, hop_length=hop, n_mels=n_bands
    )
    return librosa.power_to_db(mel, top_db=None)


def librosa_mfcc39(samples: np.ndarray, hop: int = 160) -> np.ndarray:
    mfcc = librosa.feature.mfcc(S=librosa_log_mel(samples, 40, hop), n_mfcc=13)
    slopes = [librosa.feature.delta(mfcc, order=order, mode="nearest") for order in (1, 2)]
    return np.vstack([mfcc, *slopes])


def librosa_harmonic(samples: np.ndarray) -> np.ndarray:
    # serlab's contrast has no top_db; see serlab.features.spectral
    librosa.feature.spectral.power_to_db = partial(librosa.power_to_db, top_db=None)
    magnitude = np.abs(librosa.stft(samples, n_fft=2048, hop_length=320))
    chroma = librosa.feature.chroma_stft(S=magnitude**2, sr=audio.SAMPLE_RATE, tuning=0.0)
    contrast = librosa.feature.spectral_contrast(S=magnitude, sr=audio.SAMPLE_RATE)
    return np.vstack([chroma, librosa.feature.tonnetz(chroma=chroma), contrast, librosa_mfcc39(samples, 320)])


THEIRS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "logmel26": lambda samples: librosa_log_mel(samples, 26),
    "logmel64": lambda samples: librosa_log_mel(samples, 64),
    "mfcc39": librosa_mfcc39,
    "harmonic": librosa_harmonic,
}


def processor_seconds(work: Callable[[np.ndarray], np.ndarray], signals: list[np.ndarray]) -> float:
    before = time.process_time()
    for samples in signals:
        work(samples)
    return time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="data root")
    parser.add_argument("--corpus", default="emodb")
    parser.add_argument("--files", type=int, default=120)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()

    table = corpora.get(options.corpus).read(options.data).iloc[: options.files]
    signals = [audio.load(path).samples for path in table["path"]]
    seconds = sum(map(len, signals)) / audio.SAMPLE_RATE
    print(
        f"{len(table)} files, {seconds:.0f} s of speech; multiples of real time, processor time of a thread"
    )
    print(f"{'set':10} {'serlab':>8} {'librosa':>8} {'ratio':>6} {'largest difference':>19}")
    for name in SETS:
        chosen, theirs = features.get(name), THEIRS[name]
        difference = max(np.abs(chosen.extract(x) - theirs(x).T).max() for x in signals)
        turns = np.array(
            [
                (processor_seconds(chosen.extract, signals), processor_seconds(theirs, signals))
                for _ in range(options.turns)
            ]
        )
        ours, other = np.median(turns, axis=0)
        ratio = np.median(turns[:, 1] / turns[:, 0])
        print(f"{name:10} {seconds / ours:8.0f} {seconds / other:8.0f} {ratio:6.1f} {difference:19.5f}")

    print(f"\nfeatures.extract, wall time, {joblib.cpu_count()} threads")
    print(f"{'set':10} {'first':>8} {'cached':>8}")
    with tempfile.TemporaryDirectory() as cache:
        for name in SETS:
            first = features.extract(table, features=name, cache=cache).seconds
            cached = median(features.extract(table, features=name, cache=cache).seconds for _ in range(5))
            print(f"{name:10} {seconds / first:7.0f}x {seconds / cached:7.0f}x")
        peaks = []
        tracemalloc.start()
        for folder in (f"{cache}/fresh", cache):
            tracemalloc.reset_peak()
            size = features.extract(table, features="logmel64", cache=folder).X.values.nbytes
            peaks.append(tracemalloc.get_traced_memory()[1] / size)
    print(
        f"\nlogmel64: padded array {size / 2**20:.0f} MiB, peak while it is made {peaks[0]:.2f} times that, "
        f"from the cache {peaks[1]:.2f} times"
    )


if __name__ == "__main__":
    main()
