"""Known figures of the methods on real speech, and what each costs.

    python benchmarks/bench_methods.py --data DATA_ROOT [--preset quick] [--seeds 3]

1. EmoDB -> URDU, four classes, IS10, forest trained on the source: UAR raw
   (trial: about .34) and with per-corpus z (about .56).
2. EmoDB, leave one speaker out, linear SVM with per-speaker z: UAR (about .85).
3. Seconds of every method for one fold: source EmoDB, target RAVDESS, one
   subject trains. Goals: FCNN 15 s, DBN 30 s, both for the source stage.
   Wall and processor seconds: on a busy machine only the latter compare.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from serlab import evaluation, experiment, metrics, protocols
from serlab.methods import METHODS


def predictions(prepared, splits, names, *, seeds, preset, jobs):
    return evaluation.run(
        [METHODS[name] for name in names],
        splits,
        material=prepared.material,
        setting=evaluation.Setting(seeds=tuple(seeds), preset=preset, n_jobs=jobs),
    ).predictions


def print_uar(table, *, title: str) -> None:
    for name, part in table.groupby("method", sort=False):
        uar = [
            metrics.SCALARS["uar"](metrics.confusion(one["y_true"], one["y_pred"], 4))
            for _, one in part.groupby("seed")
        ]
        print(f"{title:34s} {METHODS[name].title:32s} UAR {np.mean(uar):.3f}  ({len(uar)} seeds)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    settings = {"preset": options.preset, "jobs": options.jobs}

    def prepare(target: str, *sources: str) -> experiment.Prepared:
        return experiment.prepare(
            experiment.Parameters(
                target=target, sources=sources, methods=("majority",), data=options.data, jobs=options.jobs
            )
        )

    urdu = prepare("urdu", "emodb")
    of_target = np.flatnonzero(urdu.utterances["corpus"] == "urdu")
    nothing = np.array([], dtype=int)
    whole = protocols.Split(
        fold="all",
        train=np.flatnonzero(urdu.utterances["corpus"] == "emodb"),
        target_train=nothing,
        adapt=of_target,
        validation=nothing,
        test=of_target,
    )
    names = [name for name, spec in METHODS.items() if spec.access in ("none", "unlabelled")]
    table = predictions(urdu, [whole], names, seeds=range(options.seeds), **settings)
    print_uar(table, title="EmoDB -> URDU")

    emodb = prepare("emodb")
    loso = list(protocols.SplitProtocol(name="loso", target="emodb").split(emodb.utterances))
    table = predictions(emodb, loso, ["svm-target", "svm-target-speaker-z"], seeds=[0], **settings)
    print_uar(table, title="EmoDB, leave one speaker out")

    ravdess = prepare("ravdess", "emodb")
    fold = protocols.SplitProtocol(name="one-subject", target="ravdess", sources=("emodb",))
    fold = next(iter(fold.split(ravdess.utterances)))
    for name in METHODS:
        wall, processor = time.perf_counter(), time.process_time()
        predictions(ravdess, [fold], [name], seeds=[0], **settings)
        print(
            f"{METHODS[name].title:40s} {time.perf_counter() - wall:6.1f} s, "
            f"processor {time.process_time() - processor:6.1f} s"
        )


if __name__ == "__main__":
    main()
