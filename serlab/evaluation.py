"""From splits to predictions, and from predictions to every number.

Predictions are saved before anything is scored; all else derives from them.
"""

from __future__ import annotations

import copy
import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import metrics, normalization, whole_files
from serlab.errors import Cancelled, ProtocolError
from serlab.methods.base import FIT_ARGUMENTS, MethodSpec
from serlab.progress import Progress
from serlab.protocols import Split
from serlab.samples import Labelled, Unlabelled
from serlab.training import Fitting

#: Level at which a gain is claimed, after correction.
ALPHA = 0.05

#: Up to so many speakers the randomisation test of :func:`compare` takes all 2^n swaps.
EXACT_SPEAKERS = 12

FIT_COLUMNS = (
    "run", "method", "fold", "seed", "access", "normalization", "transductive", "target_seen",
    "n_train", "n_target", "n_adapt", "n_test", "seconds", "skipped",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What :func:`run` leaves behind.

    Attributes
    ----------
    predictions : DataFrame
        One row a tested utterance x method x fold x seed: run, method, fold,
        seed, utterance, y_true, y_pred and one ``p_<class>`` a class.
    fits : DataFrame
        One row a method x fold x seed (:data:`FIT_COLUMNS`): what of the
        target was seen, sizes, seconds; ``skipped`` says why a fold of a
        method could not be run, and is empty otherwise.
    """

    predictions: pd.DataFrame
    fits: pd.DataFrame


def run(
    specs: Sequence[MethodSpec],
    splits: Sequence[Split],
    *,
    X: pd.DataFrame,
    utterances: pd.DataFrame,
    seeds: Sequence[int],
    preset: str,
    run_id: str = "",
    n_jobs: int = 1,
    folder: Path | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Run:
    """Fit every method on every split and predict its test utterances.

    A method receives what :data:`serlab.methods.base.FIT_ARGUMENTS` lists for
    its access and nothing else; test labels are only read to write ``y_true``.

    Parameters
    ----------
    specs : sequence of MethodSpec
    splits : sequence of Split
    X : DataFrame, shape (n, d)
        Features, in the row order of ``utterances``.
    utterances : DataFrame
        With ``emotion`` as an ordered categorical.
    seeds : sequence of int
        A deterministic method runs with the first one only.
    preset : {"demo", "quick", "paper"}
    run_id : str
        Written into every row.
    n_jobs : int
        Threads a method may use.
    folder : path, optional
        Finished method x seed pairs are kept here and not repeated, so that
        an interrupted run resumes.
    progress : callable(done, total, text), optional
    cancel : threading.Event, optional
        Checked between fits.

    Raises
    ------
    Cancelled
        Finished method x seed pairs stay in ``folder``.
    """
    if not X.index.equals(utterances.index):
        raise ValueError("X and utterances must have the same rows in the same order")
    jobs = [(spec, seed) for spec in specs for seed in (seeds if spec.stochastic else seeds[:1])]
    total = len(jobs) * len(splits)
    parts: list[tuple[pd.DataFrame, pd.DataFrame]] = []
    for number, (spec, seed) in enumerate(jobs):
        stem = None if folder is None else Path(folder) / f"{spec.name}-seed{seed}"
        part = _load_part(stem)
        if part is None:

            def report(done: int, text: str, offset: int = number * len(splits)) -> None:
                if cancel is not None and cancel.is_set():
                    raise Cancelled("cancelled; finished methods are kept and will not be repeated")
                if progress is not None:
                    progress(offset + done, total, text)

            part = _run_method(spec, seed, splits, X, utterances, preset, n_jobs, report)
            _save_part(stem, part)
        elif progress is not None:
            progress((number + 1) * len(splits), total, f"{spec.title}: found")
        parts.append(part)
    fits = pd.concat([part[1] for part in parts], ignore_index=True)
    # A method that no fold allowed has no predictions, and so no types.
    predicted = [part[0] for part in parts if len(part[0])]
    if not predicted:
        raise ProtocolError("no method could be run on any fold: " + "; ".join(fits["skipped"].unique()))
    predictions = pd.concat(predicted, ignore_index=True)
    predictions.insert(0, "run", run_id)
    fits.insert(0, "run", run_id)
    return Run(predictions=predictions, fits=fits[list(FIT_COLUMNS)])


def _run_method(
    spec: MethodSpec,
    seed: int,
    splits: Sequence[Split],
    X: pd.DataFrame,
    utterances: pd.DataFrame,
    preset: str,
    n_jobs: int,
    report: Callable[[int, str], None],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All folds of one method and seed."""
    classes = list(utterances["emotion"].cat.categories)
    y = utterances["emotion"].cat.codes.to_numpy()
    samples = _Samples(
        X=X.to_numpy(dtype=np.float32),
        y=y.astype(np.int64),
        corpus=utterances["corpus"].to_numpy(dtype=str),
        speaker=utterances["speaker"].to_numpy(dtype=str),
    )
    names = utterances.index.to_numpy()
    neutral = classes.index("neutral") if "neutral" in classes else None
    trained: dict[bytes, object] = {}  # training data -> what was fitted on it
    predictions, fits = [], []
    for number, split in enumerate(splits):
        report(number, f"{spec.title}, seed {seed}, fold {number + 1} of {len(splits)}")
        started = time.perf_counter()
        given = _given(spec, split)
        row = {
            "method": spec.name,
            "fold": split.fold,
            "seed": seed,
            "access": spec.access,
            "normalization": spec.normalization,
            "transductive": bool(np.isin(split.test, given["adapt"]).any()),
            "target_seen": _target_seen(given),
            "n_train": len(given["train"]),
            "n_target": len(given["target_train"]),
            "n_adapt": len(given["adapt"]),
            "n_test": len(split.test),
            "skipped": "",
        }
        try:
            normalized = normalization.normalize(
                spec.normalization,
                source=samples.labelled(given["train"]),
                target_train=samples.labelled(given["target_train"]),
                adapt=samples.unlabelled(given["adapt"]),
                test=samples.unlabelled(split.test),
                neutral=neutral,
            )
            method = _fit(spec, normalized, trained, len(classes), seed, preset, n_jobs)
            proba = np.asarray(method.predict_proba(normalized.test.X), dtype=float)
        except ProtocolError as error:
            fits.append({**row, "seconds": time.perf_counter() - started, "skipped": str(error)})
            continue
        fits.append({**row, "seconds": time.perf_counter() - started})
        frame = pd.DataFrame(proba, columns=[f"p_{name}" for name in classes])
        frame.insert(0, "y_pred", proba.argmax(axis=1))
        frame.insert(0, "y_true", samples.y[split.test])
        frame.insert(0, "utterance", names[split.test])
        frame.insert(0, "seed", seed)
        frame.insert(0, "fold", split.fold)
        frame.insert(0, "method", spec.name)
        predictions.append(frame)
    report(len(splits), f"{spec.title}, seed {seed}: done")
    columns = ["method", "fold", "seed", "utterance", "y_true", "y_pred", *(f"p_{name}" for name in classes)]
    table = pd.concat(predictions, ignore_index=True) if predictions else pd.DataFrame(columns=columns)
    return table, pd.DataFrame(fits)


@dataclass(frozen=True)
class _Samples:
    X: np.ndarray
    y: np.ndarray
    corpus: np.ndarray
    speaker: np.ndarray

    def labelled(self, rows: np.ndarray) -> Labelled | None:
        if len(rows) == 0:
            return None
        return Labelled(X=self.X[rows], corpus=self.corpus[rows], speaker=self.speaker[rows], y=self.y[rows])

    def unlabelled(self, rows: np.ndarray) -> Unlabelled | None:
        if len(rows) == 0:
            return None
        return Unlabelled(X=self.X[rows], corpus=self.corpus[rows], speaker=self.speaker[rows])


def _given(spec: MethodSpec, split: Split) -> dict[str, np.ndarray]:
    """Row numbers that a method's access lets it see."""
    nothing = np.array([], dtype=int)
    arguments = FIT_ARGUMENTS[spec.access]
    transductive = normalization.is_transductive(spec.normalization)
    adapt = split.adapt if transductive or "adapt" in arguments else nothing
    if len(adapt) and "target_train" not in arguments:
        # Its labels are not for this method; as unlabelled data it is the target like the rest.
        adapt = np.union1d(adapt, split.target_train)
    return {
        "train": split.train if "source" in arguments else nothing,
        "target_train": split.target_train if "target_train" in arguments else nothing,
        "adapt": adapt,
    }


def _target_seen(given: dict[str, np.ndarray]) -> str:
    seen = []
    if len(given["target_train"]):
        seen.append(f"{len(given['target_train'])} labelled")
    if len(given["adapt"]):
        seen.append("unlabelled")
    return " + ".join(seen) or "nothing"


def _fit(spec, normalized, trained, n_classes, seed, preset, n_jobs):
    """Fit a method, or find what was already fitted on the same data."""
    given = {
        "source": normalized.source,
        "target_train": normalized.target_train,
        "adapt": normalized.adapt,
    }
    arguments = {name: given[name] for name in FIT_ARGUMENTS[spec.access]}
    for name, part in arguments.items():
        if part is None:
            raise ProtocolError(f"{spec.name} needs {name.replace('_', ' ')} data and there is none")
    method = spec.build(n_classes=n_classes, seed=seed, preset=preset, fitting=Fitting(n_jobs=n_jobs))
    if hasattr(method, "fit_source"):
        key = _digest(arguments["source"])
        if key not in trained:
            trained[key] = method.fit_source(source=arguments["source"])
        return copy.deepcopy(trained[key]).fit_target(target_train=arguments["target_train"])
    key = _digest(*arguments.values())
    if key not in trained:
        if spec.access in ("few-shot", "target-only"):
            return method.fit(**arguments)  # every fold has its own labelled part: nothing to keep
        trained[key] = method.fit(**arguments)
    return trained[key]


def _digest(*parts: Unlabelled) -> bytes:
    digest = hashlib.blake2b()
    for part in parts:
        digest.update(np.ascontiguousarray(part.X))
        if isinstance(part, Labelled):
            digest.update(np.ascontiguousarray(part.y))
    return digest.digest()


def _save_part(stem: Path | None, part: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    if stem is None:
        return
    # The fits come last: their presence says that the predictions are whole.
    for table, kind in zip(part, ("predictions", "fits"), strict=True):
        whole_files.write_table(stem.with_name(f"{stem.name}.{kind}.parquet"), table)


def _load_part(stem: Path | None) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    if stem is None:
        return None
    paths = [stem.with_name(f"{stem.name}.{kind}.parquet") for kind in ("predictions", "fits")]
    if not all(path.is_file() for path in paths):
        return None
    return pd.read_parquet(paths[0]), pd.read_parquet(paths[1])


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
    n_resamples: int = 1000,
    confidence: float = 0.95,
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
        weights = _resamples(counts.shape[1], n_resamples, seed)
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
        for name, value, low, high in _measures(counts, weights, classes, confidence):
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


def _resamples(n_speakers: int, n_resamples: int, seed: int) -> np.ndarray:
    """How often each speaker is drawn, shape (n_resamples, n_speakers)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_speakers, np.full(n_speakers, 1 / n_speakers), size=n_resamples)


def _weighted(weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Sum over speakers, axis 1 of ``counts``: shape (n_resamples, groups, ...)."""
    groups, n_speakers, *rest = counts.shape
    flat = np.moveaxis(counts, 1, 0).reshape(n_speakers, -1)
    return (weights @ flat).reshape(len(weights), groups, *rest)


def _measures(counts, weights, classes, confidence):
    """Yield (name, value, low, high); a measure is averaged over groups (folds, seeds)."""
    once, drawn = counts.sum(axis=1), _weighted(weights, counts)
    tails = [(1 - confidence) / 2, 1 - (1 - confidence) / 2]

    def interval(values: np.ndarray) -> tuple[float, float]:
        values = values[~np.isnan(values)]
        if counts.shape[1] < 2 or len(values) == 0:
            return np.nan, np.nan
        return tuple(np.quantile(values, tails))

    for name, measure in metrics.SCALARS.items():
        yield name, float(metrics.mean_known(measure(once))), *interval(metrics.mean_known(measure(drawn)))
    recalls, drawn_recalls = metrics.recall(once), metrics.recall(drawn)
    for number, name in enumerate(classes):
        value = float(metrics.mean_known(recalls[:, number]))
        yield f"recall_{name}", value, *interval(metrics.mean_known(drawn_recalls[..., number]))


def compare(
    predictions: pd.DataFrame,
    speakers: pd.Series,
    *,
    baseline: str,
    pool_folds: bool = False,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    alpha: float = ALPHA,
    seed: int = 0,
) -> pd.DataFrame:
    """Transfer gain: UAR of each method minus that of a baseline, paired.

    Only the folds that both could run are compared, and pooled or averaged as
    in :func:`summarise`. The interval resamples test speakers, the same for
    both. The p value is that of a paired randomisation test: under the null
    hypothesis the two methods' answers can be swapped for any speaker (all
    2^n swaps up to 12 speakers, else ``n_resamples`` random ones and the
    observed one). Holm's correction covers all methods of the call.

    Returns
    -------
    DataFrame
        method, baseline, n_folds, gain, gain_low, gain_high, p, p_holm and
        verdict: "helps", "hurts" or "no difference shown".

    Raises
    ------
    ProtocolError
        If the baseline has no predictions.
    """
    if baseline not in set(predictions["method"]):
        raise ProtocolError(f"baseline {baseline!r} has no predictions; add it to the methods")
    folds = predictions.groupby("method")["fold"].agg(set)
    tails = [(1 - confidence) / 2, 1 - (1 - confidence) / 2]
    rows = []
    for method in (name for name in predictions["method"].unique() if name != baseline):
        common = folds[method] & folds[baseline]
        if not common:
            continue
        shared = predictions[predictions["fold"].isin(common)]
        own, base = (
            _fold_counts(shared[shared["method"] == name], speakers, pool_folds)
            for name in (method, baseline)
        )
        more_hits = np.diagonal(own - base, axis1=2, axis2=3)  # (folds, speakers, C)
        total = own.sum(axis=3)
        n_speakers = total.shape[1]
        every = np.ones((1, n_speakers))
        observed = float(_gain(every, more_hits, every, total)[0])
        drawn_weights = _resamples(n_speakers, n_resamples, seed)
        drawn = _gain(drawn_weights, more_hits, drawn_weights, total)
        # Swapping the two methods' answers for a speaker changes the sign of the difference.
        null = _gain(_signs(n_speakers, n_resamples, seed), more_hits, every, total)
        rows.append(
            {
                "method": method,
                "baseline": baseline,
                "n_folds": len(common),
                "gain": observed,
                "gain_low": np.nanquantile(drawn, tails[0]) if n_speakers > 1 else np.nan,
                "gain_high": np.nanquantile(drawn, tails[1]) if n_speakers > 1 else np.nan,
                "p": float(np.mean(np.abs(null) >= abs(observed) - 1e-12)),
            }
        )
    table = pd.DataFrame(
        rows, columns=["method", "baseline", "n_folds", "gain", "gain_low", "gain_high", "p"]
    )
    table["p_holm"] = holm(table["p"].to_numpy(dtype=float))
    shown = table["p_holm"] < alpha
    table["verdict"] = np.select(
        [shown & (table["gain"] > 0), shown & (table["gain"] < 0)], ["helps", "hurts"], "no difference shown"
    )
    return table


def _fold_counts(predictions: pd.DataFrame, speakers: pd.Series, pool_folds: bool) -> np.ndarray:
    """Counts averaged over seeds, shape (folds, speakers, C, C); one fold if they are pooled.

    All seeds test the same utterances, so recalls may be averaged as counts.
    """
    n_classes, n_seeds = len(class_names(predictions)), predictions["seed"].nunique()
    if pool_folds:
        predictions = predictions.assign(fold="all")
    return speaker_counts(predictions, speakers, n_classes, by=["fold"]) / n_seeds


def _gain(signs: np.ndarray, more_hits: np.ndarray, weights: np.ndarray, total: np.ndarray) -> np.ndarray:
    """UAR difference, averaged over folds, for each row of signs (or weights) of the speakers."""
    by_fold = metrics.mean_known(metrics.ratio(_weighted(signs, more_hits), _weighted(weights, total)))
    return metrics.mean_known(by_fold)


def least_p(n_speakers: int, *, n_resamples: int = 1000) -> float:
    """Smallest p value that the randomisation test of :func:`compare` can give."""
    return 2 / 2**n_speakers if n_speakers <= EXACT_SPEAKERS else 1 / (n_resamples + 1)


def _signs(n_speakers: int, n_resamples: int, seed: int) -> np.ndarray:
    """Rows of +1 and -1: all of them for few speakers, else a random sample with the observed one."""
    if n_speakers <= EXACT_SPEAKERS:
        bits = np.arange(2**n_speakers)[:, None] >> np.arange(n_speakers)
        return 1.0 - 2.0 * (bits & 1)
    random = np.random.default_rng(seed).choice([-1.0, 1.0], size=(n_resamples, n_speakers))
    return np.vstack([np.ones((1, n_speakers)), random])


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction, in the given order (Holm 1979).

    Returns
    -------
    ndarray
        Adjusted p values, at most 1.
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
