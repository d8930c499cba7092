"""Memory of what is done with answers: of four methods, in 100 folds that test half of the utterances each.

    python benchmarks/bench_answers.py [--utterances 100000]

The answers are drawn, and nothing is fitted: put together, scored, with intervals, compared, set against
confidence and by groups, written and read as a session and its report do. Peak memory of the process after
each step, and its processor time.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from serlab import evaluation
from serlab.evaluation import compact, gaps, reliability
from serlab.evaluation.finished import Run, joined
from serlab.experiment.kept import Kept

METHODS = ("majority", "ridge-source", "ridge-source-z", "ridge-target")
FOLDS = tuple(f"s{number:02d}" for number in range(100))
CLASSES = ("anger", "joy", "neutral", "sadness")

_T = TypeVar("_T")


def timed(name: str, task: Callable[[], _T]) -> _T:
    """Carry out a step and print what it cost."""
    began = time.process_time()
    found = task()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:14s} {time.process_time() - began:6.1f} s {peak:7.0f} MB", flush=True)
    return found


def fold(names: pd.Categorical, y: np.ndarray, proba: np.ndarray, method: str, name: str) -> Run:
    """Answers of a method on a fold."""
    head = {"method": compact.repeated(method, len(y)), "fold": compact.repeated(name, len(y))}
    answers = {"seed": np.zeros(len(y), dtype=int), "utterance": names, "y_true": y}
    shares = {f"p_{label}": proba[:, number] for number, label in enumerate(CLASSES)}
    table = pd.DataFrame({**head, **answers, "y_pred": proba.argmax(axis=1), **shares}, copy=False)
    return Run(predictions=compact.compact(table))


def put_together(names: pd.Categorical, y: np.ndarray) -> pd.DataFrame:
    """All of them, as :func:`serlab.evaluation.run` does it."""
    proba = np.random.default_rng(0).dirichlet(np.ones(len(CLASSES)), len(y)).astype(np.float16)
    parts = []
    for method in METHODS:
        folds = [fold(names, y, np.roll(proba, n, axis=0), method, name) for n, name in enumerate(FOLDS)]
        parts.append(joined(folds, consumed=True))
    answers = joined(parts, consumed=True).predictions
    answers.insert(0, "run", compact.repeated("run", len(answers)))
    return answers


def spoken(speakers: pd.Series) -> pd.DataFrame:
    """Who said what: ten women of a hundred speakers, and twelve sentences."""
    number = np.arange(len(speakers))
    sex = np.where(speakers.str[-1] == "0", "female", "male")
    told = {"sex": sex, "text_id": pd.Series(number % 12, speakers.index).astype(str)}
    return pd.DataFrame({"speaker": speakers, **told}, index=speakers.index)


def until_written(kept: Kept, fits: pd.DataFrame, speakers: pd.Series, y: np.ndarray) -> None:
    """All steps but the last; the answers are gone at the end."""
    answers = timed("put together", lambda: put_together(compact.column(speakers.index), y))
    print(f"{len(answers):,} rows, {answers.memory_usage(deep=True).sum() / 1e6:.0f} MB")
    results = timed("scored", lambda: evaluation.score(answers, fits))
    timed("intervals", lambda: evaluation.summarise(answers, results, speakers, fold_is="subject"))
    timed("compared", lambda: evaluation.compare(answers, speakers, fold_is="subject"))
    timed("calibration", lambda: reliability.errors(answers, speakers, fold_is="subject"))
    timed("groups", lambda: gaps.by_group(answers, spoken(speakers), fold_is="subject"))
    timed("written", lambda: kept.write_run("", Run(predictions=answers, fits=fits)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--utterances", type=int, default=100_000)
    n = parser.parse_args().utterances // 2
    index = pd.Index([f"here/audio/{number // 1000:03d}/{number:06d}" for number in range(n)])
    speakers = pd.Series([f"s{number % 100}" for number in range(n)], index=index)
    y = np.arange(n) // 100 % len(CLASSES)
    keys = [{"method": method, "fold": name, "seed": 0} for method in METHODS for name in FOLDS]
    told = {"access": "source", "target_seen": "nothing", "normalization": "none", "transductive": False}
    counts = {"n_train": 1, "n_target": 0, "n_adapt": 0, "n_test": n, "seconds": 1.0, "skipped": ""}
    fits = pd.DataFrame(keys).assign(run="run", **told, **counts)
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(Path(folder))
        until_written(kept, fits, speakers, y)
        timed("read", lambda: kept.run("", METHODS, FOLDS, (0,)))


if __name__ == "__main__":
    main()
