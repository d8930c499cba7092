"""From predictions to measures, with intervals clustered by speaker.

There is one UAR: recalls over all tested utterances of all folds and seeds, averaged over the
classes, as in :func:`serlab.evaluation.paired` and on the diagonal of the confusion matrix. Folds
are not measured one by one and averaged: a fold that lacks a class would have another mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab import metrics
from serlab.evaluation import compact, intervals
from serlab.evaluation.units import Units, alike, coded, units_of, variances
from serlab.protocols import FoldIs

#: What a UAR of several folds and seeds is of, as it is written.
POOLED = "recall over all folds and seeds together, mean of classes"

#: Share of its answers from which on a fit answers one class for everything.
ONE_CLASS = 0.99


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
    for method in compact.methods_in(predictions):
        own = compact.of_method(predictions, method)[["fold", "seed", "y_true", "y_pred"]]
        for (fold, seed), part in own.groupby(["fold", "seed"], sort=False):
            counts = metrics.confusion(part["y_true"], part["y_pred"], len(classes))
            values = {name: float(measure(counts)) for name, measure in metrics.SCALARS.items()}
            recalls = {
                f"recall_{name}": value for name, value in zip(classes, metrics.recall(counts), strict=True)
            }
            rows.append({"method": method, "fold": fold, "seed": seed, **values, **recalls})
    return fits.merge(pd.DataFrame(rows), on=["method", "fold", "seed"], how="left")


def summarise(
    predictions: pd.DataFrame,
    results: pd.DataFrame,
    speakers: pd.Series,
    *,
    fold_is: FoldIs = "part",
    level: float = intervals.LEVEL,
) -> pd.DataFrame:
    """One row a method: measures with intervals clustered by speaker.

    Confusion counts of all folds and seeds are added up before anything is measured.

    The interval is Student's, from leaving out each *test speaker*
    (:func:`serlab.evaluation.intervals.jackknife`): it speaks of new speakers. Where folds are
    training subjects, a speaker leaves both roles, and it speaks of new subjects, too; where they
    are draws, and where there are several seeds, what these add is in it. It does not speak of new
    corpora; ``uar_fold_sd`` shows how much the folds differ.

    Parameters
    ----------
    predictions, results : DataFrame
        From :func:`run` and :func:`score`.
    speakers : Series
        Utterance -> speaker.
    fold_is : {"part", "subject", "draw"}
        See :attr:`serlab.protocols.SplitProtocol.fold_is`.
    level : float

    Returns
    -------
    DataFrame
        method, access, target_seen, normalization, transductive, n_folds,
        n_skipped, n_seeds, n_train, n_target, n_test, each measure with
        ``_low`` and ``_high``, uar_fold_sd, accuracy_fold_mean, one_class
        (:func:`one_class_share`), seconds.
        Intervals are NaN with a single test speaker.
    """
    classes = class_names(predictions)
    rows = []
    for method in compact.methods_in(predictions):
        part = compact.of_method(predictions, method)
        own = results[results["method"] == method]
        done = own[own["skipped"] == ""]
        kinds = units_of(part, speakers, fold_is=fold_is)
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
        for name, value, low, high in measures(part, kinds, classes, level):
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        row["uar_fold_sd"] = done.groupby("seed")["uar"].std().mean()
        row["accuracy_fold_mean"] = done["accuracy"].mean()
        row["one_class"] = one_class_share(part)
        row["seconds"] = own["seconds"].sum()
        rows.append(row)
    return pd.DataFrame(rows)


def uar(
    predictions: pd.DataFrame,
    speakers: pd.Series,
    *,
    fold_is: FoldIs = "part",
    level: float = intervals.LEVEL,
) -> tuple[float, float, float]:
    """UAR of one method's predictions with its interval, as in :func:`summarise`.

    Predictions may be counted ones, see :func:`measures`.

    Returns
    -------
    (float, float, float)
        Value, low, high.
    """
    kinds = units_of(predictions, speakers, fold_is=fold_is)
    _, value, low, high = next(measures(predictions, kinds, class_names(predictions), level))
    return value, low, high


def one_class_share(predictions: pd.DataFrame) -> float:
    """Share of the fits of a method that have collapsed: one class is (all but) all that they answer.

    Of fits that are tested on several classes; NaN if there are none.
    """
    collapsed = [
        fit["y_pred"].value_counts(normalize=True).max() >= ONE_CLASS
        for _, fit in predictions.groupby(["fold", "seed"], sort=False)
        if fit["y_true"].nunique() > 1
    ]
    return float(np.mean(collapsed)) if collapsed else np.nan


def _over_folds(seen: pd.Series) -> str:
    """Join what was seen: "12 labelled" and "30 labelled" become "12-30 labelled"."""
    texts = list(dict.fromkeys(seen))
    if len(texts) < 2:
        return "".join(texts)
    if len({text.partition(" ")[2] for text in texts}) > 1:
        return " or ".join(texts)
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
    speaker, names = coded(predictions["utterance"], speakers)
    shape = (group.max() + 1, len(names), n_classes, n_classes)
    where = (group, speaker, predictions["y_true"].to_numpy(), predictions["y_pred"].to_numpy())
    return np.bincount(np.ravel_multi_index(where, shape), minlength=np.prod(shape)).reshape(shape)


@dataclass(frozen=True)
class _Mean:
    """A measure that is the mean of components: of recalls, of F1, or of accuracy alone.

    ``of`` and ``sizes`` take confusions (n, C, C) and give components and their utterances, (n, C)
    or (n, 1); ``columns`` are the components that are averaged. ``by_class``: recalls, which are 0
    or 1 of who answers one class only, whoever is tested.
    """

    of: Callable[[np.ndarray], np.ndarray]
    sizes: Callable[[np.ndarray], np.ndarray]
    columns: np.ndarray
    by_class: bool = False

    def estimate(
        self,
        cells: np.ndarray,
        kinds: Sequence[Units],
        n_classes: int,
        level: float,
        n: np.ndarray | None,
    ) -> tuple[float, float, float]:
        """Value and interval; NaN for a class that never occurs. A cell is a field of the confusion."""
        shape = (-1, n_classes, n_classes)
        counts = np.bincount(cells, weights=n, minlength=n_classes**2).reshape(shape)
        whole = self.of(counts)[0, self.columns]
        if np.isnan(whole).any():
            return np.nan, np.nan, np.nan
        value = float(whole.mean())
        if self.by_class and np.count_nonzero(counts.sum(axis=(0, 1))) == 1 and kinds[0].n > 1:
            return value, value, value

        def spread(units: Units) -> intervals.Spread:
            own = units.sums(cells, n_classes**2, n).reshape(shape)
            without, sizes = (
                of(part)[:, self.columns] for of, part in ((self.of, counts - own), (self.sizes, own))
            )
            return intervals.jackknife(whole, without, sizes)

        chance = intervals.of_chance(whole, self.sizes(counts)[0, self.columns])
        return value, *intervals.student(value, variances(kinds, spread, chance=chance), level=level)


def measures(
    predictions: pd.DataFrame, kinds: Sequence[Units], classes: Sequence[str], level: float
) -> Iterator[tuple[str, float, float, float]]:
    """Measures of one method: yields (name, value, low, high) of uar, accuracy, macro_f1, recall_<class>.

    Parameters
    ----------
    predictions : DataFrame
        y_true and y_pred as numbers of classes; a row may stand for several, see
        :func:`serlab.evaluation.units.counted`.
    kinds : sequence of Units
        See :func:`serlab.evaluation.units.units_of`.
    classes : sequence of str
    level : float
    """
    y, n_classes = predictions["y_true"].to_numpy(dtype=np.intp), len(classes)
    cells = y * n_classes + predictions["y_pred"].to_numpy()
    occurs = np.unique(y)
    wanted = {
        "uar": _Mean(metrics.recall, _by_class, occurs, by_class=True),
        "accuracy": _Mean(_accuracy, _in_all, np.array([0])),
        "macro_f1": _Mean(metrics.f1, _by_class, occurs),
        **{
            f"recall_{name}": _Mean(metrics.recall, _by_class, np.array([number]), by_class=True)
            for number, name in enumerate(classes)
        },
    }
    for name, mean in wanted.items():
        yield name, *mean.estimate(cells, kinds, n_classes, level, alike(predictions))


def _accuracy(counts: np.ndarray) -> np.ndarray:
    return metrics.accuracy(counts)[:, None]


def _by_class(counts: np.ndarray) -> np.ndarray:
    return counts.sum(axis=2)


def _in_all(counts: np.ndarray) -> np.ndarray:
    return counts.sum(axis=(1, 2))[:, None]
