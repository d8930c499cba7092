"""Fit methods on splits, and keep what they answer.

Predictions are saved before anything is scored; all else derives from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab.errors import ProtocolError, TrainingError
from serlab.evaluation import compact, details
from serlab.evaluation.finished import Places, Run, in_order, joined
from serlab.evaluation.fitting import Fitted, Setting, fit, given
from serlab.evaluation.material import Material
from serlab.evaluation.shelf import Shelf
from serlab.methods.base import Method, MethodSpec
from serlab.progress import UNWATCHED, Watch
from serlab.protocols import Split
from serlab.training import Fitting
from serlab.wording import some

FIT_COLUMNS = (
    "run", "method", "fold", "seed", "access", "normalization", "transductive", "target_seen",
    "n_train", "n_target", "n_adapt", "n_test", "seconds", "skipped", "device",
)  # fmt: skip

#: Seconds of work after which finished folds are written down.
_SAVE_EVERY = 10.0


#: Where the finished fits of a method and seed are shared; None where they are not.
Shelves = Callable[[MethodSpec, int], Shelf | None]


def nowhere(spec: MethodSpec, seed: int) -> None:
    """No shelf for any method."""
    return None


def run(
    specs: Sequence[MethodSpec],
    splits: Sequence[Split],
    *,
    material: Material,
    setting: Setting,
    folder: Path | None = None,
    checkpoints: Path | None = None,
    shelves: Shelves = nowhere,
    with_details: bool = True,
    rounded: bool = True,
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
    shelves : callable(spec, seed) -> Shelf or None
        Where finished folds are found and put, whoever has fitted them, see :mod:`serlab.evaluation.shelf`.
    with_details : bool
        Whether to keep attention, embeddings and shift of the first seed, for figures.
    rounded : bool
        Whether probabilities are those that 16 bits hold, as a run folder keeps them.
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
            places=Places(
                stem=None if folder is None else Path(folder) / f"{spec.name}-seed{seed}",
                shelf=shelves(spec, seed),
                with_details=with_details and seed == seeds[0],
                looked_into=splits[0].fold,
            ),
            checkpoints=None if checkpoints is None else checkpoints / f"seed{seed}",
            rounded=rounded,
        )
        parts.append(_run_method(job, splits, report, watch))
    done = joined(parts, consumed=True)
    if done.predictions.empty:
        raise ProtocolError(f"no method could be run on any fold: {'; '.join(done.fits['skipped'].unique())}")
    done.fits.insert(0, "run", setting.run_id)
    # Names that nobody was tested on are left out, wherever folds were found: equal runs are equal tables.
    answers = compact.trimmed(done.predictions)
    answers.insert(0, "run", compact.repeated(setting.run_id, len(answers)))
    fits = done.fits[list(FIT_COLUMNS)]
    return replace(done, predictions=answers, fits=fits)


def run_folds(
    spec: MethodSpec,
    seed: int,
    splits: Sequence[Split],
    folds: Sequence[str],
    *,
    material: Material,
    setting: Setting,
    shelf: Shelf | None = None,
    checkpoints: Path | None = None,
    with_details: bool = True,
    watch: Watch = UNWATCHED,
) -> Run:
    """Some folds of one method and seed: a part of what :func:`run` does, and with the same answers.

    Parameters
    ----------
    spec, seed
    splits : sequence of Split
        All of them, since details are kept of the first.
    folds : sequence of str
        Which of them to fit.
    shelf : Shelf, optional
    material, setting, checkpoints, with_details, watch
        As for :func:`run`.

    Returns
    -------
    Run
        Without the column ``run``, rounded as a run folder keeps them. Folds that cannot be run are in
        ``fits`` alone, with the reason.

    Raises
    ------
    Cancelled
    """
    job = _Job(
        spec=spec,
        seed=seed,
        material=material,
        setting=setting,
        places=Places(
            stem=None,
            shelf=shelf,
            with_details=with_details and seed == setting.seeds[0],
            looked_into=splits[0].fold,
        ),
        checkpoints=None if checkpoints is None else checkpoints / f"seed{seed}",
        rounded=True,
    )
    chosen = [split for split in splits if split.fold in folds]
    done = _run_method(job, chosen, lambda done, text: watch.report(done, len(chosen), text), watch)
    return replace(done, predictions=compact.trimmed(done.predictions))


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One method and seed: what it is run on, and where its folds are kept."""

    spec: MethodSpec
    seed: int
    material: Material
    setting: Setting
    places: Places
    checkpoints: Path | None
    rounded: bool

    @property
    def title(self) -> str:
        return f"{self.spec.title}, seed {self.seed}"


def _run_method(job: _Job, splits: Sequence[Split], report: Callable[[int, str], None], watch: Watch) -> Run:
    """All folds of one method and seed, those found on disk first."""
    found = job.places.find(splits)
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
    parts, new, saved = [found], [], time.monotonic()
    for number, split in enumerate(splits):
        doing[:] = number, f"{job.title}, fold {number + 1} of {len(splits)}"
        report(*doing)
        if split.fold in finished:
            continue
        parts.append(_run_fold(job, split, fitting, fitted_before))
        new.append(split)
        if time.monotonic() - saved > _SAVE_EVERY:
            job.places.share(parts[-len(new) :], new)
            job.places.save(joined(parts))
            new, saved = [], time.monotonic()
    job.places.share(parts[len(parts) - len(new) :], new)
    done = in_order(joined(parts, consumed=True), splits)
    job.places.save(done)
    _forget_training(job.checkpoints)
    report(len(splits), f"{job.title}: done")
    return done


def _run_fold(job: _Job, split: Split, fitting: Fitting, fitted_before: dict[bytes, Method]) -> Run:
    spec, utterances = job.spec, job.material.utterances
    job.material.of(spec, job.setting.values)  # without frames for a method of frames there is no run at all
    started = time.perf_counter()
    key = {"method": spec.name, "fold": split.fold, "seed": job.seed}
    row = {**key, **_seen(spec, split, job), "skipped": "", "device": job.setting.device}
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
    choices = getattr(fitted.method, "chosen_by", pd.DataFrame())
    seconds = time.perf_counter() - started  # without what follows, which is for figures only
    embeddings = shift = attention = pd.DataFrame()
    if job.places.with_details:
        attention = details.attention(fitted, utterances, key)
        if split.fold == job.places.looked_into:
            embeddings = details.embeddings(fitted, split, utterances, key)
            shift = details.shift_of_layers(fitted, split, utterances, key, _again(job, fitting))
    return Run(
        predictions=_answers(fitted, split, proba, job.material, key, rounded=job.rounded),
        fits=pd.DataFrame([{**row, "seconds": seconds}]),
        history=_with_key(history, key),
        choices=_with_key(choices, key),
        attention=attention,
        embeddings=embeddings,
        shift=shift,
    )


def _with_key(table: pd.DataFrame, key: dict[str, object]) -> pd.DataFrame:
    return table.assign(**key)[[*key, *table.columns]] if len(table) else table


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
    fitted: Fitted,
    split: Split,
    proba: np.ndarray,
    material: Material,
    key: Mapping[str, Any],
    *,
    rounded: bool,
) -> pd.DataFrame:
    """A row a tested utterance, compact."""
    n, kept = len(split.test), proba.astype(np.float16) if rounded else proba
    names = {name: compact.repeated(key[name], n) for name in ("method", "fold")}
    columns = {f"p_{name}": kept[:, number] for number, name in enumerate(material.classes)}
    answers = {
        **names,
        "seed": np.full(n, key["seed"]),
        "utterance": material.names[split.test],
        "y_true": fitted.samples.y[split.test],
        "y_pred": proba.argmax(axis=1),
        **columns,
    }
    return compact.compact(pd.DataFrame(answers, copy=False))


def _naming_files(error: TrainingError, utterances: pd.DataFrame) -> str:
    """What the error says, with the files of its batch."""
    rows = [] if error.rows is None else list(error.rows)
    return str(error) + (
        f"; the batch: {some([str(name) for name in utterances.index[rows]])}" if rows else ""
    )


def _forget_training(checkpoints: Path | None) -> None:
    """Remove the state of finished trainings; other methods begin with the same network of the source."""
    for path in checkpoints.glob("*.pt") if checkpoints is not None else ():
        if not path.name.startswith("source-"):
            path.unlink(missing_ok=True)  # others may be at work in the same folder
