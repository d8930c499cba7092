"""How long the embedded corpora take to make, and how hard they are.

    .venv/bin/python benchmarks/bench_synthesis.py
    .venv/bin/python benchmarks/bench_synthesis.py --difficulty

The first makes all three corpora in an empty folder, WAV files included, and
prints wall and processor seconds (goal: 3 x 160 utterances in under 10 s on 2
cores; on a machine that does other work besides, the processor seconds are the
ones to trust). The second adds the UAR of a random forest and a linear SVM on
functionals: new speakers of the same corpus, another corpus raw and with
z-normalisation per corpus, and a pure channel shift with other speakers. It
says whether the synthetic task is neither trivial nor impossible, and nothing
about emotion.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serlab import features
from serlab.corpora import synthetic
from serlab.corpora.synthesis import Shift

CLASSIFIERS: dict[str, ClassifierMixin] = {
    "forest": RandomForestClassifier(200, max_depth=10, random_state=0),
    "svm": make_pipeline(StandardScaler(), SVC(kernel="linear", C=1e-3)),
}


def make_all(folder: Path) -> dict[str, pd.DataFrame]:
    """Embedded corpora, made in ``folder`` with the settings they are read with."""
    return {
        name: synthetic.make_corpus(name=name, folder=folder / name, **settings)
        for name, settings in synthetic.SETTINGS.items()
    }


def report_difficulty(tables: dict[str, pd.DataFrame], folder: Path, *, feature_set: str) -> None:
    """Print the UAR within, across, and under a channel shift."""
    for channel in (0.0, 1.0, -1.0):
        name = f"x-a, channel {channel:g}"
        tables[name] = synthetic.make_corpus(
            name="x", language="x-a", seed=11, shift=Shift(channel=channel), folder=folder / f"x{channel}"
        )
    X, y = {}, {}
    for name, table in tables.items():
        X[name] = features.extract(table, features=feature_set, cache=folder / "features").X.to_numpy()
        y[name] = table["native_label"].to_numpy()
    z = {name: (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9) for name, x in X.items()}

    print(f"\nUAR with {feature_set}, leave one speaker out")
    for name in synthetic.SETTINGS:
        groups = tables[name]["speaker"]
        for title, model in CLASSIFIERS.items():
            predicted = cross_val_predict(
                clone(model), X[name], y[name], groups=groups, cv=LeaveOneGroupOut()
            )
            print(f"  {name:12} {title:7} {balanced_accuracy_score(y[name], predicted):.3f}")

    print("\nUAR from one corpus to another: raw, z-normalised per corpus")
    shifted = [("synthetic-a", name) for name in tables if name not in synthetic.SETTINGS]
    for source, target in [*permutations(synthetic.SETTINGS, 2), *shifted]:
        for title, model in CLASSIFIERS.items():
            raw, normalised = (
                balanced_accuracy_score(y[target], clone(model).fit(x[source], y[source]).predict(x[target]))
                for x in (X, z)
            )
            print(f"  {source} -> {target:15} {title:7} {raw:.3f}  {normalised:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--difficulty", action="store_true", help="print the UAR, too")
    parser.add_argument("--features", default="is10", choices=list(features.FEATURE_SETS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        before = time.perf_counter(), time.process_time()
        tables = make_all(folder)
        wall, processor = time.perf_counter() - before[0], time.process_time() - before[1]
        n = sum(map(len, tables.values()))
        seconds = np.sum([table["duration"].sum() for table in tables.values()])
        print(
            f"{n} utterances, {seconds:.0f} s of audio: {wall:.1f} s wall, {processor:.1f} s processor time"
        )
        if options.difficulty:
            report_difficulty(tables, folder, feature_set=options.features)


if __name__ == "__main__":
    main()
