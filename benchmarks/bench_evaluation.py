"""How long scoring takes: measures with intervals and a paired test of 10,000 predictions.

    .venv/bin/python benchmarks/bench_evaluation.py

Prints the time of intervals that leave out each speaker and of a randomisation test, without
that of imports, and that of a plain loop over 1,000 resamples of speakers on the same predictions.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from serlab import evaluation, metrics

CLASSES = ("neutral", "anger", "joy", "sadness")
N_PREDICTIONS, N_SPEAKERS, N_RESAMPLES = 10_000, 24, 1_000


def predictions(seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Two methods, half of the predictions each."""
    rng = np.random.default_rng(seed)
    n = N_PREDICTIONS // 2
    names = [f"u{i}" for i in range(n)]
    y = rng.integers(0, len(CLASSES), n)
    tables = []
    for method in ("a", "b"):
        proba = rng.dirichlet(np.ones(len(CLASSES)), n)
        table = pd.DataFrame(proba, columns=[f"p_{name}" for name in CLASSES])
        tables.append(
            table.assign(
                method=method, fold="all", seed=0, utterance=names, y_true=y, y_pred=proba.argmax(axis=1)
            )
        )
    speakers = pd.Series(rng.integers(0, N_SPEAKERS, n), index=names)
    return pd.concat(tables, ignore_index=True), speakers


def fits() -> pd.DataFrame:
    """The bookkeeping that a run would have left."""
    row = {**dict.fromkeys(evaluation.FIT_COLUMNS, ""), "fold": "all", "seed": 0, "transductive": False}
    row |= {"n_train": 1, "n_target": 1, "n_test": 1, "seconds": 0.0}
    return pd.DataFrame([{**row, "method": method} for method in ("a", "b")])


def plain_loop(table: pd.DataFrame, speakers: pd.Series, resamples: int) -> None:
    """The bootstrap as one would write it first: gather rows, score, repeat."""
    own = table[table["method"] == "a"]
    rows = [np.flatnonzero(speakers.to_numpy() == speaker) for speaker in range(N_SPEAKERS)]
    y_true, y_pred = own["y_true"].to_numpy(), own["y_pred"].to_numpy()
    rng = np.random.default_rng(0)
    for _ in range(resamples):
        drawn = np.concatenate([rows[s] for s in rng.integers(0, N_SPEAKERS, N_SPEAKERS)])
        counts = metrics.confusion(y_true[drawn], y_pred[drawn], len(CLASSES))
        for measure in metrics.SCALARS.values():
            measure(counts)


def main() -> None:
    """Print the figures."""
    table, speakers = predictions()
    evaluation.summarise(table, evaluation.score(table, fits()), speakers)  # imports what it needs
    started = time.perf_counter()
    results = evaluation.score(table, fits())
    evaluation.summarise(table, results, speakers)
    evaluation.paired(table, speakers, method="b", control="a")
    ours = time.perf_counter() - started
    started = time.perf_counter()
    plain_loop(table, speakers, N_RESAMPLES)
    loop = 2 * (time.perf_counter() - started)  # two methods
    print(f"score, summarise and compare {N_PREDICTIONS} predictions: {ours:.3f} s (goal: under 0.2 s)")
    print(f"plain bootstrap loop alone: {loop:.2f} s, {loop / ours:.1f} x as long")


if __name__ == "__main__":
    main()
