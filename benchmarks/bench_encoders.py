"""Speed and memory of pretrained encoders, and what leaving out Whisper's padding changes.

    python benchmarks/bench_encoders.py --data DATA_ROOT --model MODEL [--corpus ravdess] [--files 1440]

``serlab.features.extract`` reads the files (RAVDESS: 48 kHz), resamples,
describes all layers and caches; then it finds them in the cache. Beside the
wall time stands the processor time, which other programs do not change: of
two idle cores the wall time is half of it. For Whisper some files are also
padded to 30 s, as transformers does it.

Goals (2 cores): Whisper-tiny at least 60x real time over RAVDESS; peak memory
that does not grow with the corpus beyond its features.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time

import joblib
import numpy as np
import torch

from serlab import audio, corpora, features
from serlab.pretrained import encoders, fronts


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def padded(model: encoders.Encoder, samples: np.ndarray) -> list[np.ndarray]:
    """All layers, with 30 s of input whatever there is of it."""
    silence = np.zeros(fronts.WINDOW * fronts.HOP - len(samples), np.float32)
    n_frames = model.front.n_frames(len(samples))
    return [layer[:n_frames] for layer in model.layers(np.concatenate([samples, silence]))]


def compare(folder: encoders.Folder, signals: list[np.ndarray]) -> None:
    model = encoders.load(folder)
    seconds = sum(map(len, signals)) / audio.SAMPLE_RATE
    taken = {}
    for name, work in (("as recorded", model.layers), ("padded", lambda x: padded(model, x))):
        began = time.process_time()
        layers = [work(samples) for samples in signals]
        taken[name] = seconds / (time.process_time() - began), layers
    print(f"\n{len(signals)} files as recorded and padded to 30 s, one thread of torch: ", end="")
    print(", ".join(f"{name} {speed:.0f}x" for name, (speed, _) in taken.items()))
    print(f"{'layer':>5} {'frames':>7} {'means':>7} {'deviations':>11}   relative difference")
    for layer in range(folder.n_layers + 1):
        ours, theirs = ([layers[layer] for layers in taken[name][1]] for name in ("as recorded", "padded"))
        pairs = list(zip(ours, theirs, strict=True))
        apart = [
            np.mean([np.linalg.norm(of(a) - of(b)) / np.linalg.norm(of(b)) for a, b in pairs])
            for of in (np.asarray, lambda x: x.mean(axis=0), lambda x: x.std(axis=0))
        ]
        print(f"{layer:5} {apart[0]:7.4f} {apart[1]:7.4f} {apart[2]:11.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="data root")
    parser.add_argument("--model", required=True, help="folder, or name of the Hugging Face hub")
    parser.add_argument("--corpus", default="ravdess")
    parser.add_argument("--files", type=int, default=None, help="spread over the corpus; default all")
    options = parser.parse_args()

    table = corpora.get(options.corpus).read(options.data)
    if options.files:
        table = table.iloc[np.linspace(0, len(table) - 1, options.files).round().astype(int)]
    folder, chosen = encoders.look(options.model), features.get(f"encoder:{options.model}")
    began = time.perf_counter()
    chosen.load_library()
    print(
        f"{encoders.FAMILIES[folder.family]}, {folder.n_layers} blocks of width {folder.width}: loaded in "
        f"{time.perf_counter() - began:.1f} s, {peak_mib():.0f} MiB"
    )
    seconds = table["duration"].sum()
    with tempfile.TemporaryDirectory() as cache:
        for part in (table.iloc[: len(table) // 4], table):
            began = time.process_time()
            done = features.extract(part, features=chosen, cache=cache)
            fresh = part["duration"].iloc[done.from_cache :].sum()
            processor = time.process_time() - began
            print(
                f"{len(part)} files, {fresh:.0f} s of them new: {fresh / done.seconds:.0f}x real time on "
                f"{joblib.cpu_count()} cores, {fresh / processor:.0f}x a core by processor time; "
                f"peak {peak_mib():.0f} MiB, features {done.X.to_numpy().nbytes / 2**20:.0f} MiB"
            )
        cached = features.extract(table, features=chosen, cache=cache).seconds
        print(f"from the cache: {seconds / cached:.0f}x")
    if folder.family == "whisper":
        torch.set_num_threads(1)
        compare(folder, [audio.load(path).samples for path in table["path"].iloc[:: max(1, len(table) // 8)]])


if __name__ == "__main__":
    main()
