"""From predictions to measures, with intervals clustered by speaker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from serlab import metrics
from serlab.evaluation import intervals


def class_names(predictions: pd.DataFrame) -> list[str]:
    """Classes of a prediction table, in order."""
    return [column[2:] for column in predictions.columns if column.startswith("p_")]


def score(predictions: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    """Results: one row a method x fold x seed, with the measures of that fold.

    Returns
    -------
    DataFrame
        The columns of ``fits`` and uar, accuracy, macro_f1, recall_<class>;
        NaN in rows of skipped folds.
    """
    classes = class_names(predictions)
    rows = []
    for key, part in predictions.groupby(["method", "fold", "seed"], sort=False):
        counts = metrics.confusion(part["y_true"], part["y_pred"], len(classes))
        values = {name: float(measure(counts)) for name, measure in metrics.SCALARS.items()}
        recalls = {
            f"recall_{name}": value for name, value in zip(classes, metrics.recall(counts), strict=True)
        }
        rows.append({"method": key[0], "fold": key[1], "seed": key[2], **values, **recalls})
    return fits.merge(pd.DataFrame(rows), on=["method", "fold", "seed"], how="left")


def summarise(
    predictions: pd.DataFrame,
    results: pd.DataFrame,
    speakers: pd.Series,
    *,
    pool_folds: bool = False,
    n_resamples: int = intervals.N_RESAMPLES,
    level: float = intervals.LEVEL,
    seed: int = 0,
) -> pd.DataFrame:
    """One row a method: measures with intervals clustered by speaker.

    A measure is taken in each fold and averaged over folds and seeds. With
    ``pool_folds`` the confusion counts of all folds of a seed are added first:
    for folds that may lack a class, as in leave-one-speaker-out.

    The interval is the percentile bootstrap over *test speakers*: it speaks of
    new speakers, not of new training subjects or corpora; ``uar_fold_sd``
    shows how much the folds differ.

    Parameters
    ----------
    predictions, results : DataFrame
        From :func:`run` and :func:`score`.
    speakers : Series
        Utterance -> speaker.

    Returns
    -------
    DataFrame
        method, access, target_seen, normalization, transductive, n_folds,
        n_skipped, n_seeds, n_train, n_target, n_test, each measure with
        ``_low`` and ``_high``, uar_fold_sd, accuracy_fold_mean, seconds.
        Intervals are NaN with a single test speaker.
    """
    classes = class_names(predictions)
    rows = []
    for method, part in predictions.groupby("method", sort=False):
        own = results[results["method"] == method]
        done = own[own["skipped"] == ""]
        counts = speaker_counts(part, speakers, len(classes), by=["seed"] if pool_folds else ["seed", "fold"])
        weights = intervals.resamples(counts.shape[1], n=n_resamples, seed=seed)
        row = {
            "method": method,
            "access": own["access"].iloc[0],
            "target_seen": _over_folds(done["target_seen"]),
            "normalization": own["normalization"].iloc[0],
            "transductive": bool(done["transductive"].any()),
            "n_folds": done["fold"].nunique(),
            "n_skipped": own.loc[own["skipped"] != "", "fold"].nunique(),
            "n_seeds": done["seed"].nunique(),
            "n_train": done["n_train"].mean(),
            "n_target": done["n_target"].mean(),
            "n_test": done["n_test"].mean(),
        }
        for name, value, low, high in _measures(counts, weights, classes, level):
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        row["uar_fold_sd"] = done.groupby("seed")["uar"].std().mean()
        row["accuracy_fold_mean"] = done["accuracy"].mean()
        row["seconds"] = own["seconds"].sum()
        rows.append(row)
    return pd.DataFrame(rows)


def _over_folds(seen: pd.Series) -> str:
    """Join what was seen: "12 labelled" and "30 labelled" become "12-30 labelled"."""
    texts = list(dict.fromkeys(seen))
    if len(texts) < 2:
        return "".join(texts)
    numbers = sorted(int(text.split()[0]) for text in texts)
    return f"{numbers[0]}-{numbers[-1]} {texts[0].split(maxsplit=1)[1]}"


def speaker_counts(
    predictions: pd.DataFrame, speakers: pd.Series, n_classes: int, *, by: Sequence[str] = ("seed",)
) -> np.ndarray:
    """Confusion counts of one method, apart for each speaker.

    Parameters
    ----------
    by : sequence of str
        Columns whose combinations are counted apart.

    Returns
    -------
    ndarray, shape (combinations, speakers, C, C)
        Combinations and speakers in sorted order.
    """
    group = predictions.groupby(list(by), sort=True).ngroup().to_numpy()
    speaker, names = pd.factorize(speakers.reindex(predictions["utterance"]).to_numpy(), sort=True)
    shape = (group.max() + 1, len(names), n_classes, n_classes)
    where = (group, speaker, predictions["y_true"].to_numpy(), predictions["y_pred"].to_numpy())
    return np.bincount(np.ravel_multi_index(where, shape), minlength=np.prod(shape)).reshape(shape)


def weighted(weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Sum over speakers, axis 1 of ``counts``: shape (n_resamples, groups, ...)."""
    groups, n_speakers, *rest = counts.shape
    flat = np.moveaxis(counts, 1, 0).reshape(n_speakers, -1)
    return (weights @ flat).reshape(len(weights), groups, *rest)


def _measures(
    counts: np.ndarray, weights: np.ndarray, classes: Sequence[str], level: float
) -> Iterator[tuple[str, float, float, float]]:
    """Yield (name, value, low, high); a measure is averaged over groups (folds, seeds)."""
    once, drawn = counts.sum(axis=1), weighted(weights, counts)
    alone = counts.shape[1] < 2  # one speaker says nothing about others

    def measured(name: str, value: np.ndarray, resampled: np.ndarray) -> tuple[str, float, float, float]:
        low, high = (np.nan, np.nan) if alone else intervals.percentile(resampled, level=level)
        return name, float(value), low, high

    for name, measure in metrics.SCALARS.items():
        yield measured(name, metrics.mean_known(measure(once)), metrics.mean_known(measure(drawn)))
    recalls, drawn_recalls = metrics.recall(once), metrics.recall(drawn)
    for number, name in enumerate(classes):
        yield measured(
            f"recall_{name}",
            metrics.mean_known(recalls[:, number]),
            metrics.mean_known(drawn_recalls[..., number]),
        )
