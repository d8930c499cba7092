"""Fit methods on splits, and keep what they answer.

Predictions are saved before anything is scored; all else derives from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import files
from serlab.errors import ProtocolError, TrainingError
from serlab.evaluation import details
from serlab.evaluation.fitting import Fitted, Setting, fit, given
from serlab.evaluation.material import Material
from serlab.methods.base import Method, MethodSpec
from serlab.progress import UNWATCHED, Watch
from serlab.protocols import Split
from serlab.training import Fitting

FIT_COLUMNS = (
    "run", "method", "fold", "seed", "access", "normalization", "transductive", "target_seen",
    "n_train", "n_target", "n_adapt", "n_test", "seconds", "skipped",
)  # fmt: skip

#: Seconds of work after which finished folds are written down.
_SAVE_EVERY = 10.0


@dataclass(frozen=True, kw_only=True)
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
        that names them, on speakers of either that it has learned nothing of, see
        :func:`serlab.evaluation.details.shift_of_layers`.
    """

    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    fits: pd.DataFrame = field(default_factory=pd.DataFrame)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    attention: pd.DataFrame = field(default_factory=pd.DataFrame)
    embeddings: pd.DataFrame = field(default_factory=pd.DataFrame)
    shift: pd.DataFrame = field(default_factory=pd.DataFrame)


_TABLES = tuple(table.name for table in fields(Run))


def run(
    specs: Sequence[MethodSpec],
    splits: Sequence[Split],
    *,
    material: Material,
    setting: Setting,
    folder: Path | None = None,
    checkpoints: Path | None = None,
    with_details: bool = True,
    watch: Watch = UNWATCHED,
) -> Run:
    """Fit every method on every split and predict its test utterances.

    A method receives what :data:`serlab.methods.base.FIT_ARGUMENTS` lists for
    its access and nothing else (:mod:`serlab.evaluation.fitting`); test labels
    are only read to write ``y_true``.

    Parameters
    ----------
    specs : sequence of MethodSpec
    splits : sequence of Split
    material : Material
        Utterances and features. Augmented copies are learned from, never tested; methods of vectors get
        the :func:`serlab.samples.statistics` of frames.
    setting : Setting
    folder : path, optional
        Finished folds are kept here, so that an interrupted run resumes.
    checkpoints : path, optional
        The state of networks in training is kept here, and networks trained
        on the source: the next method that begins with the same finds it.
    with_details : bool
        Whether to keep attention, embeddings and shift of the first seed, for figures.
    watch : Watch
        Looked at between fits; networks look before each batch whether to end.

    Raises
    ------
    Cancelled
        Finished work stays in ``folder``.
    ProtocolError
        If a method needs frames and there are none, or no fold could be run.
        A fold in which a loss is no longer finite is skipped with its reason,
        and the files of the batch.
    """
    seeds = setting.seeds
    jobs = [(spec, seed) for spec in specs for seed in (seeds if spec.stochastic else seeds[:1])]
    total = len(jobs) * len(splits)
    parts = []
    for number, (spec, seed) in enumerate(jobs):

        def report(done: int, text: str, offset: int = number * len(splits)) -> None:
            watch.report(offset + done, total, text)

        job = _Job(
            spec=spec,
            seed=seed,
            material=material,
            setting=setting,
            stem=None if folder is None else Path(folder) / f"{spec.name}-seed{seed}",
            checkpoints=None if checkpoints is None else checkpoints / f"seed{seed}",
            with_details=with_details and seed == seeds[0],
            looked_into=splits[0].fold,
        )
        parts.append(_run_method(job, splits, report, watch))
    done = _joined(parts)
    if done.predictions.empty:
        raise ProtocolError(f"no method could be run on any fold: {'; '.join(done.fits['skipped'].unique())}")
    done.predictions.insert(0, "run", setting.run_id)
    done.fits.insert(0, "run", setting.run_id)
    return Run(**{**{name: getattr(done, name) for name in _TABLES}, "fits": done.fits[list(FIT_COLUMNS)]})


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One method and seed: what it is run on, and where its folds are kept."""

    spec: MethodSpec
    seed: int
    material: Material
    setting: Setting
    stem: Path | None
    checkpoints: Path | None
    with_details: bool
    looked_into: str

    @property
    def title(self) -> str:
        return f"{self.spec.title}, seed {self.seed}"


def _run_method(job: _Job, splits: Sequence[Split], report: Callable[[int, str], None], watch: Watch) -> Run:
    """All folds of one method and seed, those found on disk first."""
    found = _load(job.stem)
    finished = set(found.fits["fold"]) if len(found.fits) else set()
    if finished >= {split.fold for split in splits}:
        report(len(splits), f"{job.title}: found")
        return found
    fitted_before: dict[bytes, Method] = {}
    doing = [0, job.title]  # fold number and text, for what is reported from inside a fit
    fitting = Fitting(
        n_jobs=job.setting.n_jobs,
        device=job.setting.device,
        augment=job.setting.augment,
        progress=lambda done, total, text: report(doing[0], f"{doing[1]}: {text}"),
        on_epoch=None if watch.on_epoch is None else lambda history: watch.on_epoch(doing[1], history),
        cancel=watch.cancel,
        checkpoints=job.checkpoints,
    )
    parts, saved = [found], time.monotonic()
    for number, split in enumerate(splits):
        doing[:] = number, f"{job.title}, fold {number + 1} of {len(splits)}"
        report(*doing)
        if split.fold in finished:
            continue
        parts.append(_run_fold(job, split, fitting, fitted_before))
        if time.monotonic() - saved > _SAVE_EVERY:
            _save(job.stem, _joined(parts))
            saved = time.monotonic()
    done = _joined(parts)
    _save(job.stem, done)
    _forget_training(job.checkpoints)
    report(len(splits), f"{job.title}: done")
    return done


def _run_fold(job: _Job, split: Split, fitting: Fitting, fitted_before: dict[bytes, Method]) -> Run:
    spec, utterances = job.spec, job.material.utterances
    job.material.of(spec, job.setting.values)  # without frames for a method of frames there is no run at all
    started = time.perf_counter()
    key = {"method": spec.name, "fold": split.fold, "seed": job.seed}
    row = {**key, **_seen(spec, split, job), "skipped": ""}
    try:
        fitted = fit(
            spec, split, material=job.material, setting=job.setting, seed=job.seed, fitting=fitting,
            fitted_before=fitted_before,
        )  # fmt: skip
        proba = fitted.proba()
    except (ProtocolError, TrainingError) as error:
        reason = _naming_files(error, utterances) if isinstance(error, TrainingError) else str(error)
        return Run(fits=pd.DataFrame([{**row, "seconds": time.perf_counter() - started, "skipped": reason}]))
    history = fitted.method.history() if hasattr(fitted.method, "history") else pd.DataFrame()
    seconds = time.perf_counter() - started  # without what follows, which is for figures only
    embeddings = shift = attention = pd.DataFrame()
    if job.with_details:
        attention = details.attention(fitted, utterances, key)
        if split.fold == job.looked_into:
            embeddings = details.embeddings(fitted, split, utterances, key)
            shift = details.shift_of_layers(fitted, split, utterances, key, _again(job, fitting))
    return Run(
        predictions=_answers(fitted, split, proba, job.material, key),
        fits=pd.DataFrame([{**row, "seconds": seconds}]),
        history=history.assign(**key)[[*key, *history.columns]] if len(history) else history,
        attention=attention,
        embeddings=embeddings,
        shift=shift,
    )


def _again(job: _Job, fitting: Fitting) -> Callable[[Split], Fitted]:
    """Fits the method of a job on another split, for figures: no curve is drawn of it."""

    def again(split: Split) -> Fitted:
        return fit(
            job.spec, split, material=job.material, setting=job.setting, seed=job.seed,
            fitting=replace(fitting, on_epoch=None),
        )  # fmt: skip

    return again


def _seen(spec: MethodSpec, split: Split, job: _Job) -> dict[str, object]:
    """What of source and target a fit sees, for its row."""
    seen = given(spec, split, job.seed)
    speaker = job.material.utterances["speaker"].astype(str).to_numpy(dtype=object)
    return {
        "access": spec.access,
        "normalization": spec.normalization,
        "transductive": bool(np.isin(split.test, seen.adapt).any()),
        "target_seen": seen.target_seen(split.test, speaker),
        "n_train": len(seen.source),
        "n_target": len(seen.target_train),
        "n_adapt": len(seen.adapt),
        "n_test": len(split.test),
    }


def _answers(
    fitted: Fitted, split: Split, proba: np.ndarray, material: Material, key: dict[str, object]
) -> pd.DataFrame:
    head = pd.DataFrame({**key, "utterance": material.utterances.index[split.test]})
    columns = {f"p_{name}": proba[:, number] for number, name in enumerate(material.classes)}
    return head.assign(y_true=fitted.samples.y[split.test], y_pred=proba.argmax(axis=1), **columns)


def _naming_files(error: TrainingError, utterances: pd.DataFrame) -> str:
    """What the error says, with the files of its batch."""
    rows = [] if error.rows is None else list(error.rows)
    names = ", ".join(str(name) for name in utterances.index[rows[:3]])
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return str(error) + (f"; the batch: {names}{more}" if rows else "")


def _joined(parts: Sequence[Run]) -> Run:
    # A method that no fold allowed has no predictions, and so no types.
    filled = {name: [t for t in (getattr(part, name) for part in parts) if len(t)] for name in _TABLES}
    return Run(**{name: pd.concat(tables, ignore_index=True) for name, tables in filled.items() if tables})


def _save(stem: Path | None, done: Run) -> None:
    """Write the folds done so far; the fits last: only folds listed there count as whole."""
    if stem is None:
        return
    for name in sorted(_TABLES, key=lambda name: name == "fits"):
        table = getattr(done, name)
        if len(table):
            files.write_table(stem.with_name(f"{stem.name}.{name}.parquet"), table)


def _load(stem: Path | None) -> Run:
    """Folds found on disk, if any. Damaged files are set aside: their folds are run again."""
    if stem is None:
        return Run()
    paths = {name: stem.with_name(f"{stem.name}.{name}.parquet") for name in _TABLES}
    try:
        tables = {name: files.read_parquet(path) for name, path in paths.items() if path.is_file()}
    except files.DamagedFile as error:
        for path in paths.values():
            if path.is_file():
                files.set_aside(path, f"of folds that are run again: {error}")
        return Run()
    if "fits" not in tables:
        return Run()
    whole = set(tables["fits"]["fold"])
    return Run(**{name: table[table["fold"].isin(whole)] for name, table in tables.items()})


def _forget_training(checkpoints: Path | None) -> None:
    """Remove the state of finished trainings; other methods begin with the same network of the source."""
    for path in checkpoints.glob("*.pt") if checkpoints is not None else ():
        if not path.name.startswith("source-"):
            path.unlink()
