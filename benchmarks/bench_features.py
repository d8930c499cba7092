"""Speed of feature extraction against bare openSMILE, and of the cache.

    python benchmarks/bench_features.py --data DATA_ROOT [--features is10] [--files 339] [--chunk 30]

Bare openSMILE (``Smile.process_signal`` on samples already in memory) and
``serlab.features.extract`` (hash, read and check files, extract, write the
cache) take turns, chunk by chunk of the files and with the same number of
threads, so that both see the same machine. Then everything is asked for once
more, from the cache. On a machine that does other work besides, the multiple of
real time falls, and the ratio of processor times is the one to trust.

Goals (IS10, EmoDB, 2 cores): at least 80x real time, at most 1.15 times the
time of bare openSMILE, second run at least 100 times faster.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import joblib
import numpy as np
import opensmile
import soundfile

from serlab import audio, corpora, features

CONFIGS = {"is10": opensmile.FeatureSet.IS10, "egemaps": opensmile.FeatureSet.eGeMAPSv02}


def timed(work: Callable[[], object]) -> tuple[np.ndarray, object]:
    """Wall and processor seconds of a call, and what it returned."""
    before = time.perf_counter(), time.process_time()
    result = work()
    return np.array([time.perf_counter() - before[0], time.process_time() - before[1]]), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="data root with a folder emodb")
    parser.add_argument("--features", default="is10", choices=list(features.FEATURE_SETS))
    parser.add_argument("--files", type=int, default=339)
    parser.add_argument("--chunk", type=int, default=30, help="files in a turn")
    options = parser.parse_args()

    utterances = corpora.get("emodb").read(options.data).iloc[: options.files]
    jobs = joblib.cpu_count()
    chosen = features.get(options.features)
    chosen.load_library()  # outside of the timing, for both
    smile = opensmile.Smile(CONFIGS[chosen.name]) if chosen.name in CONFIGS else None

    def bare(signals: list[np.ndarray]) -> np.ndarray:
        with ThreadPoolExecutor(jobs) as pool:
            return np.vstack(list(pool.map(lambda x: smile.process_signal(x, audio.SAMPLE_RATE), signals)))

    theirs, ours, audio_seconds = [], [], 0.0
    with tempfile.TemporaryDirectory() as cache:
        ask = {"features": chosen.name, "cache": cache, "jobs": jobs}
        for turn, first in enumerate(range(0, len(utterances), options.chunk)):
            part = utterances.iloc[first : first + options.chunk]
            signals = [soundfile.read(path, dtype="float32")[0] for path in part["path"]]
            audio_seconds += sum(map(len, signals)) / audio.SAMPLE_RATE
            work = {"theirs": lambda signals=signals: bare(signals)} if smile else {}
            work["ours"] = lambda part=part: features.extract(part, **ask).X.to_numpy()
            done = {who: timed(work[who]) for who in sorted(work, reverse=turn % 2 == 0)}
            ours.append(done["ours"][0])
            if smile:
                theirs.append(done["theirs"][0])
                assert np.array_equal(done["ours"][1], done["theirs"][1]), "not openSMILE's own numbers"
        cached = median(features.extract(utterances, **ask).seconds for _ in range(5))

    wall, processor = np.sum(ours, axis=0)
    print(f"{chosen.name}: {len(utterances)} files, {audio_seconds:.0f} s of speech, {jobs} threads")
    if smile:
        bare_wall, bare_processor = np.sum(theirs, axis=0)
        turns = [o[0] / t[0] for o, t in zip(ours, theirs, strict=True)]
        print(f"bare openSMILE      {bare_wall:8.2f} s {audio_seconds / bare_wall:8.0f} x real time")
    print(f"serlab, first run   {wall:8.2f} s {audio_seconds / wall:8.0f} x real time")
    print(f"serlab, cached      {cached:8.3f} s {audio_seconds / cached:8.0f} x real time")
    if smile:
        print(f"serlab / bare, wall time        {wall / bare_wall:.3f} (median of turns {median(turns):.3f})")
        print(f"serlab / bare, processor time   {processor / bare_processor:.3f}")
    print(f"first / cached run              {wall / cached:.0f}")


if __name__ == "__main__":
    main()
