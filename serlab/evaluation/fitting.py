"""The one door to ``fit``: a method is handed what its access allows, normalised, and nothing else.

Runs, sweeps of a trade-off, few-shot curves and the weights of layers all come
through here, so what a method may see is decided in one place.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from serlab import normalization, turns
from serlab.errors import ProtocolError
from serlab.evaluation.material import Material, Samples
from serlab.methods.base import FIT_ARGUMENTS, Choice, Method, MethodSpec
from serlab.methods.learners.scenarios import Adapted, SourceOnly
from serlab.normalization import Normalized
from serlab.protocols import Split
from serlab.samples import Labelled, Unlabelled
from serlab.sequences import Sequences
from serlab.training import Fitting


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How methods are run, whichever they are.

    Attributes
    ----------
    seeds : tuple of int
        A deterministic method runs with the first one only.
    preset : {"demo", "quick", "paper"}
    n_jobs : int
        Threads a method may use.
    device : {"cpu", "cuda"}
    augment : callable, optional
        Applied by networks to their training batches, see :func:`serlab.training.train`.
    values : mapping of str to value
        What was chosen for the options of families, by name.
    provided : mapping of str to object
        What builders are given for them, see :attr:`serlab.methods.options.Option.provide`.
    run_id : str
        Written into every row.
    """

    seeds: tuple[int, ...]
    preset: str
    n_jobs: int = 1
    device: str = "cpu"
    augment: Callable[..., Tensor] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    provided: Mapping[str, Any] = field(default_factory=dict)
    run_id: str = ""

    def build(self, spec: MethodSpec, *, n_classes: int, seed: int, fitting: Fitting) -> Method:
        """A method, not fitted yet, with what it asks for."""
        options = {name: self.provided[name] for name in spec.options if name in self.provided}
        return spec.build(n_classes=n_classes, seed=seed, preset=self.preset, fitting=fitting, **options)


@dataclass(frozen=True)
class Given:
    """Rows of the utterance table that a method's access lets it see.

    Attributes
    ----------
    source, target_train : ndarray of int
        With labels.
    adapt : ndarray of int
        Of the target, without labels.
    """

    source: np.ndarray
    target_train: np.ndarray
    adapt: np.ndarray

    def target_seen(self, test: np.ndarray, speaker: np.ndarray) -> str:
        """In words: "12 labelled + unlabelled", "unlabelled, not tested", "nothing".

        Parameters
        ----------
        test : ndarray of int
            Rows that are tested.
        speaker : ndarray of str
            Of each row of the utterance table. Where the split lets speakers be shared, what is not
            tested may be of those who are.
        """
        seen = []
        if len(self.target_train):
            seen.append(f"{len(self.target_train)} labelled")
        if len(self.adapt):
            if np.isin(test, self.adapt).any():
                seen.append("unlabelled")
            elif np.isin(speaker[self.adapt], speaker[test]).any():
                seen.append("unlabelled, not tested, of tested speakers")
            else:
                seen.append("unlabelled, not tested")
        return " + ".join(seen) or "nothing"


def given(spec: MethodSpec, split: Split, seed: int) -> Given:
    """What of a split a method may see.

    Where it may see fewer labelled target utterances than there are
    (``target_limit``), these are drawn anew for each fold and seed. Target
    utterances whose labels are not for the method are unlabelled like the rest;
    where the protocol is inductive they may be all there is.
    Normalisation gets no more than the method: one that reads unlabelled target
    utterances fails where the access does not give them.
    """
    nothing = np.array([], dtype=int)
    arguments = FIT_ARGUMENTS[spec.access]
    unlabelled = "adapt" in arguments
    target_train = split.target_train if "target_train" in arguments else nothing
    if spec.target_limit is not None and len(target_train) > spec.target_limit:
        rng = np.random.default_rng([seed, *split.fold.encode()])
        target_train = np.sort(rng.choice(target_train, spec.target_limit, replace=False))
    return Given(
        source=split.train if "source" in arguments else nothing,
        target_train=target_train,
        adapt=np.setdiff1d(np.union1d(split.adapt, split.target_train), target_train)
        if unlabelled
        else nothing,
    )


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A fitted method, and the door through which it is shown further utterances.

    Attributes
    ----------
    spec : MethodSpec
    method : Method
    parts : Normalized
        What it was fitted on, and the utterances it is tested on.
    """

    spec: MethodSpec
    method: Method
    parts: Normalized
    samples: Samples = field(repr=False)
    seen: Given = field(repr=False)
    neutral: int | None = None

    def proba(self) -> np.ndarray:
        """Probabilities of the tested utterances, shape (n, classes)."""
        return np.asarray(self.method.predict_proba(self.parts.test.X), dtype=float)

    def shown(self, rows: np.ndarray) -> Normalized:
        """The same parts with other utterances to be looked at, normalised as the tested ones are."""
        return _normalized(self.spec, self.samples, self.seen, rows, self.neutral)

    def proba_of(self, other: Samples, place: np.ndarray, rows: np.ndarray, *, rescaled: bool) -> np.ndarray:
        """Probabilities of tested utterances from other features of them; nothing is fitted again.

        Parameters
        ----------
        other : Samples
            Of target utterances: the same recordings, changed.
        place : ndarray of int
            Row of the utterance table -> row of ``other``, below 0 for none.
        rows : ndarray of int
            Which are asked, of the tested ones; each needs a place.
        rescaled : bool
            Whether normalisation takes the unlabelled target from ``other``, as where all of it has come
            the same way; else from what the method was fitted beside. Source and labelled target are
            as they were.

        Returns
        -------
        ndarray, shape (n, classes)

        Raises
        ------
        ProtocolError
            If another utterance than a tested one is asked, or nothing is left to normalise by.
        """
        adapt, places = self.seen.adapt, place[self.seen.adapt]
        if not np.isin(rows, self.parts.test.row).all():
            raise ProtocolError("only utterances that are tested in this fold may be heard another way")
        changed = other.unlabelled(places[places >= 0]) if rescaled else self.samples.unlabelled(adapt)
        parts = normalization.normalize(
            self.spec.normalization,
            source=self.samples.labelled(self.seen.source),
            target_train=self.samples.labelled(self.seen.target_train),
            adapt=changed,
            test=other.unlabelled(place[rows]),
            neutral=self.neutral,
        )
        return np.asarray(self.method.predict_proba(parts.test.X), dtype=float)

    @property
    def as_source(self) -> Any:
        """What stands for the method where rows of the source are looked at."""
        return self.method.as_source() if hasattr(self.method, "as_source") else self.method


def fit(
    spec: MethodSpec,
    split: Split,
    *,
    material: Material,
    setting: Setting,
    seed: int,
    fitting: Fitting,
    fitted_before: dict[bytes, Method] | None = None,
) -> Fitted:
    """Fit a method on what its access lets it see of a split.

    One at a time in a process, see :mod:`serlab.turns`: whoever comes second says that it waits.

    Parameters
    ----------
    spec : MethodSpec
    split : Split
        Its labels of ``test`` are not read.
    material : Material
    setting : Setting
    seed : int
    fitting : Fitting
    fitted_before : dict, optional
        Training data -> what was fitted on it, of the same method and seed: filled and used here, so that
        a source is learned from once for all folds.

    Raises
    ------
    ProtocolError
        If a part that the method needs is empty, or has too few classes.
    TrainingError
        If a loss is no longer finite.
    Cancelled
    """
    samples = material.of(spec, setting.values)
    seen = given(spec, split, seed)
    parts = _normalized(spec, samples, seen, split.test, material.neutral)
    arguments = {name: getattr(parts, name) for name in FIT_ARGUMENTS[spec.access]}
    for name, part in arguments.items():
        if part is None:
            raise ProtocolError(f"{spec.name} needs {name.replace('_', ' ')} data and there is none")
    before = {} if fitted_before is None else fitted_before
    with turns.one_at_a_time(progress=fitting.progress, cancel=fitting.cancel):
        # Some draw their first weights while they are built.
        method = setting.build(spec, n_classes=len(material.classes), seed=seed, fitting=fitting)
        learned = _learned(method, arguments, before)
    return Fitted(
        spec=spec,
        method=learned,
        parts=parts,
        samples=samples,
        seen=seen,
        neutral=material.neutral,
    )


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """A method that learns beside each target anew: its sources, and what it has chosen on them.

    Attributes
    ----------
    source : Labelled
        On the method's scale.
    choice : Choice
    by : DataFrame
        left_out, penalty, way, uar, chosen: what it was chosen by; empty where nothing was left out.
    """

    source: Labelled
    choice: Choice
    by: pd.DataFrame = field(repr=False)


def fit_sources(
    spec: MethodSpec,
    rows: np.ndarray,
    *,
    material: Material,
    setting: Setting,
    seed: int,
    fitting: Fitting,
) -> Any:
    """What a method learns of sources before there is a target: what a kept model holds.

    With it a target is answered as by :func:`fit`: a classifier, of methods that see no more of the target
    than its scale; or what was chosen, with the sources, of those that learn from its utterances.

    Parameters
    ----------
    spec : MethodSpec
    rows : ndarray of int
        Labelled utterances.
    material, setting, seed, fitting
        As for :func:`fit`.

    Returns
    -------
    Fresh or object
        The latter with ``predict_proba(X)``, of features on the method's scale.

    Raises
    ------
    ProtocolError
        If the method does all of its learning beside a target, or there are too few classes.
    """
    source = material.of(spec, setting.values).labelled(rows)
    method = setting.build(spec, n_classes=len(material.classes), seed=seed, fitting=fitting)
    alone = isinstance(method, SourceOnly | Adapted) and getattr(method, "align", None) is None
    chooses = spec.access == "unlabelled" and hasattr(method, "fit_beside")
    if source is None or not (alone or chooses):
        raise ProtocolError(f"{spec.name} does not learn from sources alone; choose another method")
    on_scale = normalization.of_sources(spec.normalization, source)
    with turns.one_at_a_time(progress=fitting.progress, cancel=fitting.cancel):
        if not chooses:
            return method.classifier.fit(on_scale)
        choice = method.choose(source=on_scale)
    return Fresh(source=on_scale, choice=choice, by=getattr(method, "chosen_by", pd.DataFrame()))


def _normalized(
    spec: MethodSpec, samples: Samples, seen: Given, test: np.ndarray, neutral: int | None
) -> Normalized:
    return normalization.normalize(
        spec.normalization,
        source=samples.labelled(seen.source),
        target_train=samples.labelled(seen.target_train),
        adapt=samples.unlabelled(seen.adapt),
        test=samples.unlabelled(test),
        neutral=neutral,
    )


def _learned(method: Any, arguments: Mapping[str, Unlabelled], before: dict[bytes, Any]) -> Method:
    """Fit, or find what was already fitted on the same data."""
    if hasattr(method, "fit_source"):
        key = _digest(arguments["source"])
        if key not in before:
            before[key] = method.fit_source(source=arguments["source"])
        # Shallow: fit_target leaves the source stage as it is.
        return copy.copy(before[key]).fit_target(target_train=arguments["target_train"])
    if "target_train" in arguments:
        return method.fit(**arguments)  # every fold has its own labelled part: nothing to keep
    key = _digest(*arguments.values())
    if key not in before:
        before[key] = method.fit(**arguments)
    return before[key]


def _digest(*parts: Unlabelled) -> bytes:
    digest = hashlib.blake2b()
    for part in parts:
        X = part.X
        digest.update(X.digest() if isinstance(X, Sequences) else np.ascontiguousarray(X))
        if isinstance(part, Labelled):
            digest.update(np.ascontiguousarray(part.y))
    return digest.digest()
