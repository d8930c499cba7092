"""How often an interval holds the true value, by simulation with serlab's own scoring.

    .venv/bin/python benchmarks/bench_coverage.py [studies]

Studies are made up: speakers, with utterances of four classes as the corpora have them, and
classifiers whose answers lean to one class or another by who is tested, by who was learned from and by
the seed, as real ones do (leanings of the size of those in the committed reports). The truth is the mean over
very many speakers. Prints a row a design: how often the interval of UAR and that of the
difference of two classifiers hold it (aim: 93 to 97 % at a nominal 95), the mean width, and how
often p is below .05 where there is no difference (aim: at most 5 %).

A second table draws speakers with replacement from committed predictions on real corpora, where
nothing is normal: the truth is the value of all speakers of the corpus.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import evaluation
from serlab.protocols import FoldIs

CLASSES = ("neutral", "anger", "joy", "sadness")
#: How well each class is told apart (logits), of a classifier and of one that is better.
SKILL = np.array([1.2, 2.0, 0.6, 1.4])
BETTER = SKILL + np.array([0.4, 0.0, 0.8, 0.2])
#: Standard deviations of leanings (logits): by speaker, by training set, by seed.
BY_SPEAKER, BY_TRAINING, BY_SEED = 0.8, 0.9, 0.3


@dataclass(frozen=True, kw_only=True)
class Design:
    """A kind of study.

    Attributes
    ----------
    title : str
    n_speakers : int
    sizes : tuple of float
        Utterances of each class by a speaker: the mean; numbers vary unless ``even``.
    even : bool
    one_class : float
        Share of speakers who speak one class only.
    fold_is : str
        See :data:`serlab.protocols.FoldIs`.
    n_draws, n_seeds : int
    """

    title: str
    n_speakers: int
    sizes: tuple[float, ...]
    even: bool = True
    one_class: float = 0.0
    fold_is: FoldIs = "part"
    n_draws: int = 1
    n_seeds: int = 1


_SAVEE, _AESDD = (30.0, 15.0, 15.0, 15.0), (20.0, 20.0, 20.0, 20.0)
_EMODB, _RAVDESS = (7.9, 12.7, 7.1, 6.2), (4.0, 8.0, 8.0, 8.0)
_OF = {4: (_SAVEE, True), 6: (_AESDD, True), 10: (_EMODB, False), 24: (_RAVDESS, True)}

DESIGNS: tuple[Design, ...] = (
    *(
        Design(title="unseen speakers", n_speakers=n, sizes=sizes, even=even)
        for n, (sizes, even) in _OF.items()
    ),
    Design(
        title="unseen speakers, most with one class",
        n_speakers=29,
        sizes=(10.0, 14.0, 7.0, 10.0),
        even=False,
        one_class=0.7,
    ),
    *(
        Design(title="unseen speakers, 3 seeds", n_speakers=n, sizes=sizes, even=even, n_seeds=3)
        for n, (sizes, even) in _OF.items()
    ),
    *(
        Design(title="one training subject a fold", n_speakers=n, sizes=sizes, even=even, fold_is="subject")
        for n, (sizes, even) in _OF.items()
    ),
    *(
        Design(title="5 draws", n_speakers=n, sizes=sizes, even=even, fold_is="draw", n_draws=5)
        for n, (sizes, even) in _OF.items()
    ),
)


@dataclass(frozen=True)
class Leanings:
    """What a classifier's answers hang on besides the class, in logits: shapes (units, C)."""

    speaker: np.ndarray
    training: np.ndarray
    seed: np.ndarray


def leanings(rng: np.random.Generator, n_speakers: int, n_training: int, n_seeds: int) -> Leanings:
    """Leanings of one classifier."""
    sizes = ((n_speakers, BY_SPEAKER), (n_training, BY_TRAINING), (n_seeds, BY_SEED))
    return Leanings(*(sd * rng.standard_normal((n, len(CLASSES))) for n, sd in sizes))


def half_shared(one: Leanings, other: Leanings) -> Leanings:
    """Leanings like those of another classifier, in half of their variance."""
    return Leanings(*((getattr(one, name) + getattr(other, name)) / np.sqrt(2) for name in one.__dict__))


def chances(skill: np.ndarray, lean: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Probability that an utterance of class y is recognised, for each row of leanings."""
    logits = lean.copy()
    logits[np.arange(len(y)), y] += skill[y]
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds[np.arange(len(y)), y] / odds.sum(axis=1)


def truth(design: Design, skill: np.ndarray, n: int = 200_000) -> float:
    """UAR over very many speakers, training sets and seeds."""
    drawn = leanings(np.random.default_rng(0), n, n, n)
    lean = drawn.speaker + (drawn.seed if design.n_seeds > 1 else 0)
    lean = lean + (drawn.training if design.fold_is != "part" else 0)
    return float(np.mean([chances(skill, lean, np.full(n, c)).mean() for c in range(len(CLASSES))]))


def cells(design: Design, rng: np.random.Generator) -> pd.DataFrame:
    """Utterances of a study in its folds and seeds: fold, training, seed, speaker, y_true, utterance."""
    shape = (design.n_speakers, len(CLASSES))
    means = np.broadcast_to(design.sizes, shape)
    # Numbers as uneven as those of EmoDB: variance about the mean.
    n = means.astype(int) if design.even else 1 + rng.poisson(np.maximum(means - 1, 0))
    if design.one_class:
        only = np.eye(len(CLASSES), dtype=int)[np.arange(design.n_speakers) % len(CLASSES)]
        n = np.where((rng.random(design.n_speakers) < design.one_class)[:, None], n * only, n)
    speaker, y = (np.repeat(index.ravel(), n.ravel()) for index in np.indices(shape))
    own = pd.DataFrame({"speaker": speaker, "y_true": y, "utterance": np.arange(len(y))})
    parts = []
    for training in range(design.n_speakers if design.fold_is == "subject" else design.n_draws):
        left_out = np.zeros(len(own), dtype=bool)
        if design.fold_is == "subject":
            left_out = speaker == training
        elif design.fold_is == "draw":
            left_out = np.isin(speaker, rng.choice(design.n_speakers, max(1, design.n_speakers // 3), False))
        parts += [
            own[~left_out].assign(fold=str(training), training=training, seed=s)
            for s in range(design.n_seeds)
        ]
    return pd.concat(parts, ignore_index=True)


def answers(
    method: str, skill: np.ndarray, lean: Leanings, table: pd.DataFrame, design: Design, luck: np.ndarray
) -> pd.DataFrame:
    """Predictions of a classifier; what is not recognised is answered by the next class."""
    y = table["y_true"].to_numpy()
    rows = lean.speaker[table["speaker"]]
    rows = rows + (lean.training[table["training"]] if design.fold_is != "part" else 0)
    rows = rows + (lean.seed[table["seed"]] if design.n_seeds > 1 else 0)
    right = luck < chances(skill, rows, y)
    found = table[["fold", "seed", "utterance", "y_true"]].assign(
        method=method, y_pred=np.where(right, y, (y + 1) % len(CLASSES))
    )
    return found.assign(**dict.fromkeys((f"p_{name}" for name in CLASSES), 0.25))


def fits(predictions: pd.DataFrame) -> pd.DataFrame:
    """The bookkeeping that a run would have left."""
    row = {**dict.fromkeys(evaluation.FIT_COLUMNS, ""), "transductive": False, "n_train": 1, "n_target": 1}
    keys = predictions[["method", "fold", "seed"]].drop_duplicates()
    return keys.assign(**{k: v for k, v in (row | {"n_test": 1, "seconds": 0.0}).items() if k not in keys})


def study(design: Design, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.Series]:
    """Predictions of a classifier, "a"; one as good, "same"; and a better one, "better"."""
    table = cells(design, rng)
    n_training = max(table["training"]) + 1
    lean, other = (leanings(rng, design.n_speakers, n_training, design.n_seeds) for _ in range(2))
    mixed = half_shared(lean, other)
    luck = rng.random(len(table))
    some_luck = np.where(rng.random(len(table)) < 0.5, luck, rng.random(len(table)))
    kinds = (
        ("a", SKILL, lean, luck),
        ("same", SKILL, mixed, some_luck),
        ("better", BETTER, mixed, some_luck),
    )
    made = [answers(name, skill, leans, table, design, by) for name, skill, leans, by in kinds]
    speakers = table.drop_duplicates("utterance").set_index("utterance")["speaker"].astype(str)
    return pd.concat(made, ignore_index=True), speakers


def measure(design: Design, n_studies: int) -> dict[str, object]:
    """Coverage of one design."""
    uar, gain = truth(design, SKILL), truth(design, BETTER) - truth(design, SKILL)
    rng = np.random.default_rng([design.n_speakers, design.n_draws, design.n_seeds])
    rows = []
    for _ in range(n_studies):
        predictions, speakers = study(design, rng)
        own = predictions[predictions["method"] == "a"]
        row = evaluation.summarise(
            own, evaluation.score(own, fits(own)), speakers, fold_is=design.fold_is
        ).iloc[0]
        same, better = (
            evaluation.paired(
                predictions, speakers, method=name, control="a", fold_is=design.fold_is, n_resamples=999
            )
            for name in ("same", "better")
        )
        rows.append(
            {
                "uar": row["uar_low"] <= uar <= row["uar_high"],
                "uar width": row["uar_high"] - row["uar_low"],
                "gain": better.low <= gain <= better.high,
                "gain width": better.high - better.low,
                "p < .05": same.p < 0.05,
                "least p": same.least_p,
            }
        )
    return {"design": design.title, "speakers": design.n_speakers, **pd.DataFrame(rows).mean().to_dict()}


#: Run -> method and what it is compared with: their answers do not hang on the fold.
_REAL = {
    "emodb-to-ravdess": ("rf-source", "rf-source-z"),
    "ravdess-to-emodb": ("rf-source", "rf-source-z"),
}
_REPORTS = Path(__file__).resolve().parents[1] / "reports" / "01_feature_transfer"


def real_answers(run: str, names: tuple[str, str]) -> tuple[pd.DataFrame, pd.Series]:
    """Committed answers of two methods to each utterance, and its speaker."""
    (path,) = (_REPORTS / run).glob("*/predictions.parquet")
    predictions = pd.read_parquet(path)
    speakers = pd.read_parquet(path.with_name("utterances.parquet"))["speaker"]
    chosen = predictions[predictions["method"].isin(names)].drop_duplicates(["method", "utterance"])
    return chosen.assign(fold="all", seed=0), speakers


def redrawn(
    predictions: pd.DataFrame, speakers: pd.Series, n: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.Series]:
    """Answers to so many speakers, drawn with replacement: who is drawn twice is two speakers."""
    by_speaker = dict(tuple(predictions.groupby(speakers.reindex(predictions["utterance"]).to_numpy())))
    names = sorted(by_speaker)
    parts = [
        by_speaker[names[number]].assign(
            who=str(place), utterance=lambda t, place=place: t["utterance"] + f" {place}"
        )
        for place, number in enumerate(rng.integers(len(names), size=n))
    ]
    table = pd.concat(parts, ignore_index=True)
    return table, table.drop_duplicates("utterance").set_index("utterance")["who"]


def measure_real(run: str, names: tuple[str, str], n: int, n_studies: int) -> dict[str, object]:
    """Coverage with n speakers drawn from real ones."""
    answers_of_all, speakers = real_answers(run, names)
    method, other = names
    own = answers_of_all["method"] == method
    uar = evaluation.uar(answers_of_all[own], speakers)[0]
    gain = evaluation.paired(answers_of_all, speakers, method=method, control=other, n_resamples=99).gain
    rng = np.random.default_rng(n)
    rows = []
    for _ in range(n_studies):
        drawn, who = redrawn(answers_of_all, speakers, n, rng)
        _, low, high = evaluation.uar(drawn[drawn["method"] == method], who)
        found = evaluation.paired(drawn, who, method=method, control=other, n_resamples=99)
        rows.append({"uar": low <= uar <= high, "gain": found.low <= gain <= found.high})
    return {"run": run, "speakers": n, **pd.DataFrame(rows).mean().to_dict()}


def main() -> None:
    """Print the tables."""
    n_studies = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("speakers drawn from real ones")
    print(f"{'run':38} {'speakers':>8} {'UAR':>6} {'gain':>6}")
    for run, names in _REAL.items():
        for n in _OF:
            row = measure_real(run, names, n, n_studies)
            print(f"{run:38} {n:8} {row['uar']:6.1%} {row['gain']:6.1%}", flush=True)
    print(f"{n_studies} studies a row, {evaluation.intervals.LABEL}s")
    print(f"{'design':38} {'speakers':>8} {'UAR':>6} {'width':>6} {'gain':>6} {'width':>6} {'p < .05':>8}")
    started = time.perf_counter()
    for design in DESIGNS:
        row = measure(design, n_studies)
        decided = f"{row['p < .05']:7.1%}" if row["least p"] < 0.05 else "cannot be"
        print(
            f"{row['design']:38} {row['speakers']:8} {row['uar']:6.1%} {row['uar width']:6.2f} "
            f"{row['gain']:6.1%} {row['gain width']:6.2f} {decided:>8}",
            flush=True,
        )
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
