"""From splits to predictions, and from predictions to every number.

Predictions are saved before anything is scored; all else derives from them.
"""

from __future__ import annotations

import copy
import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from serlab import files as whole_files
from serlab import metrics, normalization
from serlab.errors import Cancelled, ProtocolError, TrainingError
from serlab.evaluation import shift as diagnostics
from serlab.features import Frames
from serlab.methods.base import FIT_ARGUMENTS, MethodSpec
from serlab.progress import Progress
from serlab.protocols import Split
from serlab.samples import Labelled, Unlabelled, statistics
from serlab.training import Fitting

#: What is being fitted, and the history of its epochs so far.
OnEpoch = Callable[[str, pd.DataFrame], None]

#: Level at which a gain is claimed, after correction.
ALPHA = 0.05

#: Up to so many speakers the randomisation test of :func:`compare` takes all 2^n swaps.
EXACT_SPEAKERS = 12

FIT_COLUMNS = (
    "run", "method", "fold", "seed", "access", "normalization", "transductive", "target_seen",
    "n_train", "n_target", "n_adapt", "n_test", "seconds", "skipped",
)  # fmt: skip


#: Seconds of work after which finished folds are written down.
_SAVE_EVERY = 10.0


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
    history : DataFrame
        One row an epoch of a network: method, fold, seed, stage, epoch, loss, uar ...
    attention : DataFrame
        Of networks that have it, first seed only: method, fold, seed,
        utterance, part ("train" or "test") and the weights ``a_1``, ``a_2`` ...
    embeddings : DataFrame
        Likewise, first fold only, all of source and target (part "test": not
        given with labels): what the output layer sees, ``e_1`` ...
    shift : DataFrame
        Likewise: how far apart source and target are in each layer of a network
        that names them, see :func:`serlab.evaluation.shift.shift_table`.
    """

    predictions: pd.DataFrame
    fits: pd.DataFrame
    history: pd.DataFrame
    attention: pd.DataFrame
    embeddings: pd.DataFrame
    shift: pd.DataFrame


def run(
    specs: Sequence[MethodSpec],
    splits: Sequence[Split],
    *,
    X: pd.DataFrame | Frames,
    utterances: pd.DataFrame,
    seeds: Sequence[int],
    preset: str,
    copies: Sequence[pd.DataFrame | Frames] = (),
    further: Mapping[str, Sequence[pd.DataFrame | Frames]] | None = None,
    options: Mapping[str, Any] | None = None,
    run_id: str = "",
    n_jobs: int = 1,
    device: str = "cpu",
    augment: Callable[..., Tensor] | None = None,
    folder: Path | None = None,
    checkpoints: Path | None = None,
    details: bool = True,
    progress: Progress | None = None,
    on_epoch: OnEpoch | None = None,
    cancel: threading.Event | None = None,
) -> Run:
    """Fit every method on every split and predict its test utterances.

    A method receives what :data:`serlab.methods.base.FIT_ARGUMENTS` lists for
    its access and nothing else; test labels are only read to write ``y_true``.

    Parameters
    ----------
    specs : sequence of MethodSpec
    splits : sequence of Split
    X : DataFrame, shape (n, d), or Frames, shape (n, t, d)
        Features, in the row order of ``utterances``. Methods of vectors get
        the :func:`serlab.samples.statistics` of frames.
    utterances : DataFrame
        With ``emotion`` as an ordered categorical.
    seeds : sequence of int
        A deterministic method runs with the first one only.
    preset : {"demo", "quick", "paper"}
    copies : sequence of features, optional
        Augmented copies of ``X``; labelled training parts get them too, tests never.
    further : mapping of str to sequence of features, optional
        For methods that bring their own feature set (``MethodSpec.features``): features and copies.
    options : mapping, optional
        What builders are given besides, as ``MethodSpec.options`` lists.
    run_id : str
        Written into every row.
    n_jobs : int
        Threads a method may use.
    device : {"cpu", "cuda"}
    augment : callable, optional
        Applied by networks to their training batches, see :func:`serlab.training.train`.
    folder : path, optional
        Finished folds are kept here, so that an interrupted run resumes.
    checkpoints : path, optional
        The state of networks in training is kept here, and networks trained
        on the source: the next method that begins with the same finds it.
    details : bool
        Whether to keep attention, embeddings and shift of the first seed, for figures.
    progress : callable(done, total, text), optional
    on_epoch : callable(text, history), optional
        Called after each epoch of a network with what is being fitted and its history so far.
    cancel : threading.Event, optional
        Checked between fits, and in networks before each batch.

    Raises
    ------
    Cancelled
        Finished work stays in ``folder``.
    ProtocolError
        If a method needs frames and ``X`` has none, or no fold could be run.
        A fold in which a loss is no longer finite is skipped with its reason,
        and the files of the batch.
    """
    given = {"": (X, *copies), **(further or {})}
    for features in (part for parts in given.values() for part in parts):
        if not features.index.equals(utterances.index):
            raise ValueError("features and utterances must have the same rows in the same order")
    samples = {name: Samples.of(parts, utterances) for name, parts in given.items()}
    jobs = [(spec, seed) for spec in specs for seed in (seeds if spec.stochastic else seeds[:1])]
    total = len(jobs) * len(splits)
    parts: list[_Part] = []
    for number, (spec, seed) in enumerate(jobs):

        def report(done: int, text: str, offset: int = number * len(splits)) -> None:
            if cancel is not None and cancel.is_set():
                raise Cancelled("cancelled; finished folds are kept and will not be repeated")
            if progress is not None:
                progress(offset + done, total, text)

        setting = _Setting(
            spec=spec,
            seed=seed,
            preset=preset,
            n_jobs=n_jobs,
            device=device,
            augment=augment,
            cancel=cancel,
            options={name: options[name] for name in spec.options if name in (options or {})},
            stem=None if folder is None else Path(folder) / f"{spec.name}-seed{seed}",
            checkpoints=None if checkpoints is None else checkpoints / f"seed{seed}",
            details=details and seed == seeds[0],
            embed_fold=splits[0].fold,
        )
        parts.append(_run_method(setting, splits, samples[spec.features], utterances, report, on_epoch))
    tables = {
        name: _stack([getattr(part, name) for part in parts]) for name in (f.name for f in fields(_Part))
    }
    if tables["predictions"].empty:
        reasons = "; ".join(tables["fits"]["skipped"].unique())
        raise ProtocolError(f"no method could be run on any fold: {reasons}")
    for name in ("predictions", "fits"):
        tables[name].insert(0, "run", run_id)
    return Run(**{**tables, "fits": tables["fits"][list(FIT_COLUMNS)]})


@dataclass(frozen=True, kw_only=True)
class _Setting:
    """One method and seed, and how it is run."""

    spec: MethodSpec
    seed: int
    preset: str
    n_jobs: int
    device: str
    augment: Callable[..., Tensor] | None
    cancel: threading.Event | None
    options: Mapping[str, Any]
    stem: Path | None
    checkpoints: Path | None
    details: bool
    embed_fold: str


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Tables of some folds of one method and seed; the names are those of :class:`Run`."""

    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    fits: pd.DataFrame = field(default_factory=pd.DataFrame)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    attention: pd.DataFrame = field(default_factory=pd.DataFrame)
    embeddings: pd.DataFrame = field(default_factory=pd.DataFrame)
    shift: pd.DataFrame = field(default_factory=pd.DataFrame)


def _stack(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    # A method that no fold allowed has no predictions, and so no types.
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def _joined(parts: Sequence[_Part]) -> _Part:
    return _Part(**{f.name: _stack([getattr(part, f.name) for part in parts]) for f in fields(_Part)})


def _run_method(
    setting: _Setting,
    splits: Sequence[Split],
    samples: Samples,
    utterances: pd.DataFrame,
    report: Callable[[int, str], None],
    on_epoch: OnEpoch | None,
) -> _Part:
    """All folds of one method and seed, those found on disk first."""
    what = f"{setting.spec.title}, seed {setting.seed}"
    part = _load_part(setting.stem)
    found = set(part.fits["fold"]) if len(part.fits) else set()
    if found >= {split.fold for split in splits}:
        report(len(splits), f"{what}: found")
        return part
    trained: dict[bytes, object] = {}  # training data -> what was fitted on it
    doing = [0, what]  # fold number and text, for what is reported from inside a fit

    def on_history(history: pd.DataFrame) -> None:
        on_epoch(doing[1], history)

    fitting = Fitting(
        n_jobs=setting.n_jobs,
        device=setting.device,
        augment=setting.augment,
        progress=lambda done, total, text: report(doing[0], f"{doing[1]}: {text}"),
        on_epoch=None if on_epoch is None else on_history,
        cancel=setting.cancel,
        checkpoints=setting.checkpoints,
    )
    parts, saved = [part], time.monotonic()
    for number, split in enumerate(splits):
        doing[:] = number, f"{what}, fold {number + 1} of {len(splits)}"
        report(*doing)
        if split.fold in found:
            continue
        parts.append(_run_fold(setting, fitting, split, samples, utterances, trained))
        if time.monotonic() - saved > _SAVE_EVERY:
            _save_part(setting.stem, _joined(parts))
            saved = time.monotonic()
    part = _joined(parts)
    _save_part(setting.stem, part)
    if setting.checkpoints is not None:
        for path in setting.checkpoints.glob("*.pt"):
            # Other methods begin with the same network trained on the source.
            if not path.name.startswith("source-"):
                path.unlink()
    report(len(splits), f"{what}: done")
    return part


def _run_fold(
    setting: _Setting,
    fitting: Fitting,
    split: Split,
    samples: Samples,
    utterances: pd.DataFrame,
    trained: dict[bytes, object],
) -> _Part:
    spec = setting.spec
    classes = list(utterances["emotion"].cat.categories)
    started = time.perf_counter()
    given = _given(spec, split, setting.seed)
    key = {"method": spec.name, "fold": split.fold, "seed": setting.seed}
    row = {
        **key,
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
    samples = samples.as_input(spec)
    neutral = classes.index("neutral") if "neutral" in classes else None
    try:
        normalized = _normalized(spec, samples, given, split.test, neutral)
        method = _fit(setting, normalized, trained, len(classes), fitting)
        proba = np.asarray(method.predict_proba(normalized.test.X), dtype=float)
    except (ProtocolError, TrainingError) as error:
        reason = _naming_files(error, utterances) if isinstance(error, TrainingError) else str(error)
        skipped = {**row, "seconds": time.perf_counter() - started, "skipped": reason}
        return _Part(fits=pd.DataFrame([skipped]))
    head = pd.DataFrame({**key, "utterance": utterances.index[split.test]})
    columns = {f"p_{name}": proba[:, number] for number, name in enumerate(classes)}
    predictions = head.assign(y_true=samples.y[split.test], y_pred=proba.argmax(axis=1), **columns)
    history = method.history() if hasattr(method, "history") else pd.DataFrame()
    seconds = time.perf_counter() - started  # without what follows, which is for figures only
    attention, embeddings, shift = [], [], pd.DataFrame()
    looked_into = setting.details and setting.embed_fold == split.fold
    if looked_into and (hasattr(method, "embed") or hasattr(method, "layers")):
        # All of the target that the method was not given with labels, not this fold's test alone.
        target = np.setdiff1d(_target(split), given["target_train"])
        pictured = _normalized(spec, samples, given, target, neutral)
        shift = _shift(method, pictured, key)
        embeddings = [
            _with_columns(
                _head(key, utterances, part, name),
                (source_view(method) if part is pictured.source else method).embed(part.X),
                "e",
            )
            for part, name in _shown(pictured)
        ]
    if setting.details and hasattr(method, "attention"):
        shown = _shown(normalized)
        # Attention is counted in the corpus that was learned from last.
        for part, name in shown[-2:]:
            weights = method.attention(part.X)
            if weights is not None:
                attention.append(_with_columns(_head(key, utterances, part, name), weights, "a"))
    return _Part(
        predictions=predictions,
        shift=shift,
        fits=pd.DataFrame([{**row, "seconds": seconds}]),
        history=history.assign(**key)[[*key, *history.columns]] if len(history) else history,
        attention=_stack(attention),
        embeddings=_stack(embeddings),
    )


def _with_columns(head: pd.DataFrame, values: np.ndarray, letter: str) -> pd.DataFrame:
    names = [f"{letter}_{number + 1}" for number in range(values.shape[1])]
    return pd.concat([head, pd.DataFrame(values.astype(np.float32), columns=names)], axis=1)


def _normalized(
    spec: MethodSpec, samples: Samples, given: dict[str, np.ndarray], test: np.ndarray, neutral: int | None
) -> normalization.Normalized:
    return normalization.normalize(
        spec.normalization,
        source=samples.labelled(given["train"]),
        target_train=samples.labelled(given["target_train"]),
        adapt=samples.unlabelled(given["adapt"]),
        test=samples.unlabelled(test),
        neutral=neutral,
    )


def _target(split: Split) -> np.ndarray:
    """All utterances of the target that a split knows."""
    return np.unique(np.concatenate([split.target_train, split.adapt, split.test]))


def _shown(normalized: normalization.Normalized) -> list[tuple[Unlabelled, str]]:
    """Parts that were learned from with their labels, and the one that was not."""
    learned = [part for part in (normalized.source, normalized.target_train) if part is not None]
    return [*((part, "train") for part in learned), (normalized.test, "test")]


def _head(key: dict, utterances: pd.DataFrame, part: Unlabelled, name: str) -> pd.DataFrame:
    return pd.DataFrame({**key, "utterance": utterances.index[part.row], "part": name})


def source_view(method: Any) -> Any:
    """What stands for a method where rows of the source are looked at."""
    return method.as_source() if hasattr(method, "as_source") else method


def _shift(method: Any, normalized: normalization.Normalized, key: dict) -> pd.DataFrame:
    """How far apart source and target are in each layer; empty for what has no layers."""
    source, target = normalized.source, normalized.test
    has_layers = source is not None and hasattr(method, "layers")
    layers = source_view(method).layers(source.X) if has_layers else {}
    if not layers:
        return pd.DataFrame()
    table = diagnostics.shift_table(
        layers,
        method.layers(target.X),
        source_speaker=source.speaker,
        target_speaker=target.speaker,
        seed=key["seed"],
    )
    return table.assign(**key)[[*key, *table.columns]]


def _naming_files(error: TrainingError, utterances: pd.DataFrame) -> str:
    """What the error says, with the files of its batch."""
    rows = [] if error.rows is None else list(error.rows)
    files = ", ".join(str(name) for name in utterances.index[rows[:3]])
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return str(error) + (f"; the batch: {files}{more}" if rows else "")


@dataclass(frozen=True)
class Samples:
    """Features and labels of all utterances, from which the parts of a split are taken.

    Attributes
    ----------
    X : ndarray of float32, shape (n, d) or (n, t, d)
    y : ndarray of int, shape (n,)
    corpus, speaker : ndarray of str, shape (n,)
    copies : tuple of ndarray
        Features of augmented audio.
    """

    X: np.ndarray
    y: np.ndarray
    corpus: np.ndarray
    speaker: np.ndarray
    copies: tuple[np.ndarray, ...] = ()

    @classmethod
    def of(cls, features: Sequence[pd.DataFrame | Frames], utterances: pd.DataFrame) -> Samples:
        """Of features, those of augmented audio behind them, and an utterance table with ``emotion``."""
        X, *copies = (values.to_numpy(dtype=np.float32) for values in features)
        return cls(
            X=X,
            y=utterances["emotion"].cat.codes.to_numpy().astype(np.int64),
            corpus=utterances["corpus"].to_numpy(dtype=str),
            speaker=utterances["speaker"].to_numpy(dtype=str),
            copies=tuple(copies),
        )

    def as_input(self, spec: MethodSpec) -> Samples:
        """Vectors for a method of vectors, frames for one of frames."""
        if spec.input == "frames" and self.X.ndim != 3:
            raise ProtocolError(
                f"{spec.name} needs frames, and the chosen feature set has one vector an utterance; "
                "choose a feature set of frames such as logmel26"
            )
        return self.statistics if spec.input == "vectors" and self.X.ndim == 3 else self

    @cached_property
    def statistics(self) -> Samples:
        """Mean and SD over frames, computed once."""
        return replace(self, X=statistics(self.X), copies=tuple(statistics(copy) for copy in self.copies))

    def labelled(self, rows: np.ndarray) -> Labelled | None:
        """Rows to learn from, with their augmented copies."""
        if len(rows) == 0:
            return None
        n = 1 + len(self.copies)
        return Labelled(
            X=np.concatenate([X[rows] for X in (self.X, *self.copies)]) if self.copies else self.X[rows],
            corpus=np.tile(self.corpus[rows], n),
            speaker=np.tile(self.speaker[rows], n),
            row=np.tile(rows, n),
            y=np.tile(self.y[rows], n),
        )

    def unlabelled(self, rows: np.ndarray) -> Unlabelled | None:
        """Rows without their labels."""
        if len(rows) == 0:
            return None
        return Unlabelled(X=self.X[rows], corpus=self.corpus[rows], speaker=self.speaker[rows], row=rows)


def _given(spec: MethodSpec, split: Split, seed: int) -> dict[str, np.ndarray]:
    """Row numbers that a method's access lets it see."""
    nothing = np.array([], dtype=int)
    arguments = FIT_ARGUMENTS[spec.access]
    transductive = normalization.is_transductive(spec.normalization)
    adapt = split.adapt if transductive or "adapt" in arguments else nothing
    target_train = split.target_train if "target_train" in arguments else nothing
    if spec.target_limit is not None and len(target_train) > spec.target_limit:
        # Drawn anew for each fold and seed; which utterances, not how many, is left to chance.
        rng = np.random.default_rng([seed, *split.fold.encode()])
        target_train = np.sort(rng.choice(target_train, spec.target_limit, replace=False))
    if len(adapt):
        # Target utterances whose labels are not for this method are the target like the rest.
        adapt = np.setdiff1d(np.union1d(adapt, split.target_train), target_train)
    return {
        "train": split.train if "source" in arguments else nothing,
        "target_train": target_train,
        "adapt": adapt,
    }


def _target_seen(given: dict[str, np.ndarray]) -> str:
    seen = []
    if len(given["target_train"]):
        seen.append(f"{len(given['target_train'])} labelled")
    if len(given["adapt"]):
        seen.append("unlabelled")
    return " + ".join(seen) or "nothing"


def _fit(setting: _Setting, normalized, trained: dict[bytes, object], n_classes: int, fitting: Fitting):
    """Fit a method, or find what was already fitted on the same data."""
    spec = setting.spec
    given = {
        "source": normalized.source,
        "target_train": normalized.target_train,
        "adapt": normalized.adapt,
    }
    arguments = {name: given[name] for name in FIT_ARGUMENTS[spec.access]}
    for name, part in arguments.items():
        if part is None:
            raise ProtocolError(f"{spec.name} needs {name.replace('_', ' ')} data and there is none")
    method = spec.build(
        n_classes=n_classes, seed=setting.seed, preset=setting.preset, fitting=fitting, **setting.options
    )
    if hasattr(method, "fit_source"):
        key = _digest(arguments["source"])
        if key not in trained:
            trained[key] = method.fit_source(source=arguments["source"])
        # Shallow: fit_target leaves the source stage as it is.
        return copy.copy(trained[key]).fit_target(target_train=arguments["target_train"])
    key = _digest(*arguments.values())
    if key not in trained:
        if "target_train" in arguments:
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


def _save_part(stem: Path | None, part: _Part) -> None:
    """Write the folds done so far; the fits last: only folds listed there count as whole."""
    if stem is None:
        return
    for name in sorted((f.name for f in fields(_Part)), key=lambda name: name == "fits"):
        table = getattr(part, name)
        if len(table):
            whole_files.write_table(stem.with_name(f"{stem.name}.{name}.parquet"), table)


def _load_part(stem: Path | None) -> _Part:
    """Folds found on disk; none, if there are none."""
    if stem is None:
        return _Part()
    paths = {f.name: stem.with_name(f"{stem.name}.{f.name}.parquet") for f in fields(_Part)}
    tables = {name: pd.read_parquet(path) for name, path in paths.items() if path.is_file()}
    if "fits" not in tables:
        return _Part()
    whole = set(tables["fits"]["fold"])
    return _Part(**{name: table[table["fold"].isin(whole)] for name, table in tables.items()})


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
    return with_verdicts(table, alpha=alpha)


def with_verdicts(comparison: pd.DataFrame, *, alpha: float = ALPHA) -> pd.DataFrame:
    """Add ``p_holm`` and ``verdict``, corrected for all rows of the table; see :func:`compare`."""
    p_holm = holm(comparison["p"].to_numpy(dtype=float))
    shown = p_holm < alpha
    verdict = np.select(
        [shown & (comparison["gain"] > 0), shown & (comparison["gain"] < 0)],
        ["helps", "hurts"],
        "no difference shown",
    )
    return comparison.assign(p_holm=p_holm, verdict=verdict)


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
