"""What a large corpus costs: time and peak memory of each step, of 1,000, 10,000 and 100,000 files.

    python benchmarks/bench_large.py [--sizes 1000 10000 100000] [--folder DIR] [--seconds 0.25] [--report]

Two corpora of noise and tones are made (half of the files each, 100 speakers a corpus, four emotions).
Each step runs in a process of its own, after those it needs, which find their work in the cache: so
the peak is that of a user who comes to this step. "a file" should not depend on the size. The corpora,
the cache and the reports are deleted at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

EMOTIONS = ("anger", "joy", "neutral", "sadness")
SPEAKERS = 100
METHODS = ("majority", "ridge-source", "ridge-source-z", "ridge-target")
FEATURES = "logmel26"


def make(folder: Path, n: int, seconds: float) -> None:
    """Two corpora of n / 2 files each."""
    import soundfile

    rng = np.random.default_rng(0)
    time_axis = np.arange(int(16_000 * seconds)) / 16_000
    noise = 0.05 * rng.standard_normal(2 * len(time_axis))
    for name, shift in (("here", 1.0), ("there", 1.1)):
        audio = folder / name / "audio"
        rows = []
        for number in range(n // 2):
            speaker, emotion = number % SPEAKERS, (number // SPEAKERS) % len(EMOTIONS)
            pitch = shift * (90 + speaker) * (1 + 0.2 * emotion) * (1 + 0.05 * rng.random())
            start = int(rng.integers(len(time_axis)))
            sound = 0.2 * np.sin(2 * np.pi * pitch * time_axis) + noise[start : start + len(time_axis)]
            path = audio / f"{number // 1000:03d}" / f"{number:06d}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, sound, 16_000, subtype="PCM_16")
            rows.append((path.relative_to(folder / name), f"s{speaker}", EMOTIONS[emotion]))
        pd.DataFrame(rows, columns=["path", "speaker", "label"]).to_csv(
            folder / name / "corpus.csv", index=False
        )


class Steps:
    """The steps of an experiment, each with what those before it give."""

    def __init__(self, data: str) -> None:
        from serlab import Parameters

        self.chosen = Parameters(
            target="here", sources=("there",), features=FEATURES, methods=METHODS, baseline="ridge-target",
            data=data,
        )  # fmt: skip

    def listing(self) -> pd.DataFrame:
        from serlab import corpora

        return corpora.read_many(("here", "there"), self.chosen.data)

    def fingerprint(self) -> str:
        from serlab import data

        return data.fingerprint(self.of("listing"))

    def validate(self) -> object:
        from serlab import corpora
        from serlab.corpora import validation

        return [
            validation.validate(corpora.get(name, self.chosen.data), self.chosen.data)
            for name in ("here", "there")
        ]

    def features(self) -> Any:
        from serlab import features, labels

        table = labels.scheme("four").apply(self.of("listing"))
        return table, features.extract(table, features=FEATURES)

    def copies(self) -> pd.DataFrame:
        from serlab.evaluation import recordings

        return recordings.copies(self.of("features")[0])

    def giveaways(self) -> pd.DataFrame:
        from serlab.evaluation import giveaways

        return giveaways.findings(self.of("features")[0])

    def split(self) -> Any:
        return self.chosen.split_protocol().plan(self.of("features")[0])

    def audit(self) -> pd.DataFrame:
        from serlab.evaluation import leakage

        table, extracted = self.of("features")
        splits, skipped = self.of("split")
        return leakage.audit(
            table, splits, skipped=skipped, scopes={"corpus"}, audio_hash=extracted.audio_hash,
            copies=self.of("copies"), n_compared=3,
        )  # fmt: skip

    def methods(self) -> Any:
        from serlab import evaluation, methods
        from serlab.evaluation.fitting import Setting
        from serlab.evaluation.material import Material

        table, extracted = self.of("features")
        return evaluation.run(
            [methods.get(name) for name in METHODS],
            self.of("split")[0],
            material=Material(utterances=table, features={"": (extracted.X,)}),
            setting=Setting(seeds=(0,), preset="demo"),
        )

    def scoring(self) -> Any:
        from serlab import evaluation

        done, table = self.of("methods"), self.of("features")[0]
        results = evaluation.score(done.predictions, done.fits)
        return (
            evaluation.summarise(done.predictions, results, table["speaker"]),
            evaluation.compare(done.predictions, table["speaker"]),
        )

    def of(self, name: str) -> Any:
        """What a step gives, once."""
        if name not in vars(self):
            vars(self)[name] = getattr(type(self), name)(self)
        return vars(self)[name]


#: Step -> steps that it is not charged for. "again": as it is once the cache is filled.
STEPS: dict[str, tuple[str, ...]] = {
    "listing": (),
    "fingerprint": ("listing",),
    "fingerprint again": ("listing",),
    "validate": (),
    "features": ("listing",),
    "features again": ("listing",),
    "copies": ("features",),
    "giveaways": ("features",),
    "split": ("features",),
    "audit": ("features", "split", "copies"),
    "methods": ("features", "split"),
    "scoring": ("features", "split", "methods"),
}


def step(name: str, data: str) -> None:
    """Carry out a step in this process, and print what it cost."""
    steps = Steps(data)
    for before in STEPS[name]:
        steps.of(before)
    wall, processor = time.perf_counter(), time.process_time()
    steps.of(name.removesuffix(" again"))
    cost = {
        "wall": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(cost))


def report(data: str, out: Path) -> dict[str, float]:
    """Notebook 01 as `serlab run` runs it, and the size of its page."""
    wall = time.perf_counter()
    command = ["run", "01", "-p", "target=here", "-p", "sources=there", "-p", f"features={FEATURES}"]
    command += ["-p", f"methods={','.join(METHODS)}", "-p", "baseline=ridge-target", "--data", data]
    subprocess.run(
        [sys.executable, "-m", "serlab.cli", *command, "--out", str(out)], check=True, capture_output=True
    )
    # The kernel is a child of a child: the largest of all that have ended.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    (page,) = out.rglob("report.html")
    return {"wall": time.perf_counter() - wall, "peak": peak, "megabytes": page.stat().st_size / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--folder", type=Path, default=Path("large-corpora"))
    parser.add_argument("--seconds", type=float, default=0.25, help="length of a file")
    parser.add_argument("--steps", nargs="+", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--report", action="store_true", help="notebook 01, too")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step(options.step, str(options.folder))
        return
    for n in options.sizes:
        folder = options.folder / str(n)
        try:
            if not folder.is_dir():
                make(folder / "data", n, options.seconds)
            environment = os.environ | {"SERLAB_CACHE": str(folder / "cache")}
            for name in options.steps:
                command = [sys.executable, __file__, "--step", name, "--folder", str(folder / "data")]
                done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
                cost = json.loads(done.stdout.splitlines()[-1])
                print(
                    f"{n:7d} {name:18s} {cost['wall']:8.2f} s {1e3 * cost['wall'] / n:8.3f} ms a file "
                    f"({1e3 * cost['processor'] / n:7.3f} of processor) {cost['peak']:7.0f} MB",
                    flush=True,
                )
            if options.report:
                os.environ.update(environment)
                cost = report(str(folder / "data"), folder / "reports")
                print(
                    f"{n:7d} {'report':18s} {cost['wall']:8.2f} s {1e3 * cost['wall'] / n:8.3f} ms a file "
                    f"{cost['peak']:7.0f} MB, page of {cost['megabytes']:.2f} MB",
                    flush=True,
                )
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
