"""Where a run departs from a paper's protocol: of a method, everything but the pair of corpora."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from serlab.normalization import SCOPES
from serlab.papers.records import Departure, Features, Protocol, Split
from serlab.protocols import FOLDED

if TYPE_CHECKING:
    from serlab.experiment import Outcome, Parameters
    from serlab.methods import MethodSpec

_Value = TypeVar("_Value")


def of_run(
    printed: Protocol,
    outcome: Outcome,
    spec: MethodSpec,
    row: str,
    *,
    weighed: Collection[str],
    normalized: Collection[str],
) -> Iterable[Departure]:
    """Departures of a method that do not hang on which paper it is.

    Parameters
    ----------
    printed : Protocol
    outcome : Outcome
    spec : MethodSpec
    row : str
        Of the paper's tables, that the method stands beside.
    weighed, normalized : collection of str
        See :class:`serlab.papers.base.Paper`.
    """
    parameters = outcome.parameters
    yield from _of_labels(printed, outcome)
    yield from _of_utterances(printed, outcome, spec)
    yield from _of_features(printed, outcome, spec, _of(printed.features, row))
    yield from _of_split(_of(printed.splits, row), outcome)
    yield from _of_settings(printed, parameters, spec)
    if spec.normalization != "none" and spec.name not in normalized:
        here = SCOPES[spec.normalization]
        yield Departure(what="normalisation", printed="none mentioned", here=here)
    if spec.name in weighed and parameters.preset != "paper":
        yield Departure(what="class weights", printed="none mentioned", here="every class weighs the same")


def _of(by_name: Mapping[str, _Value], name: str) -> _Value | None:
    return by_name.get(name, by_name.get(""))


def _of_labels(printed: Protocol, outcome: Outcome) -> Iterable[Departure]:
    scheme = outcome.parameters.scheme
    if printed.schemes and scheme not in printed.schemes:
        yield Departure(what="label scheme", printed=" or ".join(printed.schemes), here=scheme)
    there = _of(printed.classes, outcome.parameters.target)
    own = outcome.utterances["corpus"] == outcome.parameters.target
    here = outcome.utterances.loc[own, "emotion"].nunique()
    if there is not None and there != here:
        yield Departure(
            what="classes",
            printed=f"{there} (chance {1 / there:.2f})",
            here=f"{here} (chance {1 / here:.2f})",
        )


def _of_utterances(printed: Protocol, outcome: Outcome, spec: MethodSpec) -> Iterable[Departure]:
    """Of the corpora that the method learns from or is tested on."""
    sources = outcome.parameters.sources if spec.uses_source else ()
    found = outcome.utterances["corpus"].value_counts()
    for corpus in (outcome.parameters.target, *sources):
        there = printed.utterances.get(corpus)
        if there is not None and there != found[corpus]:
            yield Departure(what=f"utterances of {corpus}", printed=f"{there}", here=f"{found[corpus]}")


def _of_features(
    printed: Protocol, outcome: Outcome, spec: MethodSpec, fed: Features | None
) -> Iterable[Departure]:
    from serlab import features

    parameters = outcome.parameters
    name = parameters.features_of(spec)
    if fed is not None and name not in fed.sets:
        yield Departure(what="features", printed=fed.words, here=name)
    if printed.seconds is not None and features.get(name).kind == "frames":
        yield from _of_length(printed.seconds, parameters.seconds or math.inf, outcome, spec)
    if parameters.augment:
        yield Departure(what="augmentation", printed="none mentioned", here=", ".join(parameters.augment))


def _of_length(there: float, here: float, outcome: Outcome, spec: MethodSpec) -> Iterable[Departure]:
    used = [outcome.parameters.target]
    if spec.uses_source:
        used += outcome.parameters.sources
    length = outcome.utterances.loc[outcome.utterances["corpus"].isin(used), "duration"]
    # Where lengths are not known, any cut may have cut something.
    known = length.notna().all()
    cut = (length > here).mean() if known else math.nan
    if math.isfinite(there):
        if here != there and not (known and length.max() <= min(there, here)):
            cut_at = f"{here:g} s" if math.isfinite(here) else "nothing is cut"
            yield Departure(what="cut at", printed=f"{there:g} s", here=cut_at)
    elif math.isfinite(here) and (not known or cut > 0):
        share = f", {cut:.0%} of the utterances are longer" if known else ""
        yield Departure(what="length", printed="no cut mentioned", here=f"cut at {here:g} s{share}")


def _of_split(split: Split | None, outcome: Outcome) -> Iterable[Departure]:
    if split is None:
        return
    parameters = outcome.parameters
    not_run = (outcome.skipped_folds["method"] == "all").sum()
    if not_run:
        yield Departure(what="folds that could not be run", printed="none mentioned", here=f"{not_run}")
    if parameters.protocol not in split.protocols:
        yield Departure(what="split", printed=split.words, here=parameters.protocol)
    elif split.folds not in (None, parameters.folds) and parameters.protocol in (*FOLDED, "joint"):
        yield Departure(what="folds", printed=f"{split.folds}", here=f"{parameters.folds}")


def _of_settings(printed: Protocol, parameters: Parameters, spec: MethodSpec) -> Iterable[Departure]:
    """A deterministic method has one repeat, and nothing to make smaller."""
    if not spec.stochastic:
        return
    if printed.repeats not in (None, len(parameters.seeds)):
        yield Departure(what="repeats", printed=f"{printed.repeats}", here=f"{len(parameters.seeds)}")
    if parameters.preset != "paper":
        yield Departure(what="settings", printed="the paper's", here=f"preset {parameters.preset}")
