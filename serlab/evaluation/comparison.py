"""Who is compared with whom: each method with what is the same but for one thing, paired by test speaker."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import pandas as pd

from serlab import methods, normalization
from serlab.errors import ProtocolError
from serlab.evaluation import compact, differences, intervals, verdicts
from serlab.evaluation.verdicts import QUESTIONS
from serlab.methods.base import FIT_ARGUMENTS, MethodSpec
from serlab.protocols import FoldIs

#: Columns of :func:`compare`.
COLUMNS = (
    "question", "method", "control", "primary", "gain", "gain_low", "gain_high", "n_speakers", "n_folds",
    "n_seeds", "p", "least_p",
)  # fmt: skip

#: What a method may add to a control that has seen the unlabelled target before.
_ON_TOP = ("alignment", "normalisation", "second stage")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A method and what it is compared with.

    Attributes
    ----------
    question : str
        Of :data:`serlab.evaluation.verdicts.QUESTIONS`.
    method, control : str
    own : bool
        Whether the control lacks one thing; else also the alignment that builds on that thing.
    """

    question: str
    method: str
    control: str
    own: bool = True


def pairs(names: Iterable[str]) -> tuple[Pair, ...]:
    """All comparisons that methods can be in, whether their controls are there or not.

    A method is compared with its own controls
    (:attr:`serlab.methods.base.MethodSpec.control`), and what aligns also with
    what has seen nothing of what it aligns: an adapter with the source alone.

    Raises
    ------
    ParameterError
        If a method is not known.
    """
    found: list[Pair] = []
    for name in dict.fromkeys(names):
        own = _own_pairs(methods.get(name))
        found += own
        for pair in own:
            if pair.question in _ON_TOP:
                found += _below(name, pair.control)
    return tuple(dict.fromkeys(found))


def _own_pairs(spec: MethodSpec) -> list[Pair]:
    controls = {**({spec.adds: spec.control} if spec.control else {}), **spec.further_controls}
    found: list[Pair] = []
    for adds, control in controls.items():
        question: str = adds
        if adds == "unlabelled target" and _sees_unlabelled(methods.get(control)):
            # On one scale, what is believed of target utterances is more than normalisation, too.
            on_one_scale = methods.get(control).normalization == spec.normalization
            question = "alignment" if on_one_scale else "normalisation"
        elif adds == "unlabelled target" and not spec.uses_source:
            question = "unlabelled target alone"
        found.append(Pair(question=question, method=spec.name, control=control))
    return found


def _below(name: str, control: str) -> list[Pair]:
    """Comparisons of a method that aligns with the controls of its control."""
    found: list[Pair] = []
    for pair in _own_pairs(methods.get(control)):
        if pair.question in _ON_TOP:
            found += _below(name, pair.control)
        elif pair.question in ("source", "unlabelled target"):
            found.append(Pair(question=pair.question, method=name, control=pair.control, own=False))
    return found


def _sees_unlabelled(spec: MethodSpec) -> bool:
    return "adapt" in FIT_ARGUMENTS[spec.access] or normalization.is_transductive(spec.normalization)


def with_controls(names: Sequence[str]) -> tuple[str, ...]:
    """Methods, and behind them those that they have to be compared with."""
    return tuple(dict.fromkeys([*names, *(pair.control for pair in pairs(names))]))


def compare(
    predictions: pd.DataFrame,
    speakers: pd.Series,
    *,
    primary: Collection[str] = (),
    asked: Sequence[Pair] | None = None,
    fold_is: FoldIs = "part",
    level: float = intervals.LEVEL,
    alpha: float = verdicts.ALPHA,
    seed: int = 0,
) -> pd.DataFrame:
    """Gains of methods over their controls, with verdicts on those that were declared.

    Parameters
    ----------
    predictions : DataFrame
        From :func:`serlab.evaluation.run`.
    speakers : Series
        Utterance -> speaker.
    primary : collection of str
        Methods whose gain over their own controls was declared beforehand.
    asked : sequence of Pair, optional
        Others than :func:`pairs` of the methods.
    fold_is, level, seed
        See :func:`serlab.evaluation.differences.paired`.
    alpha : float
        See :func:`serlab.evaluation.verdicts.decided`.

    Returns
    -------
    DataFrame
        One row a comparison, in the order of questions, what was declared
        first: :data:`COLUMNS`, p_holm and verdict. A declared one without
        answers is a row without numbers, one without a fold in common has none
        of them; others of these kinds are left out.

    Raises
    ------
    ProtocolError
        If a control that is asked for by name has no predictions.
    """
    ran = compact.methods_in(predictions)
    if asked is None:
        chosen = [pair for pair in pairs(ran) if pair.control in ran]
        declared = [pair for pair in pairs(primary) if pair.own]
        chosen += [pair for pair in declared if pair not in chosen]
    else:
        chosen = list(asked)
        declared = [pair for pair in chosen if pair.method in primary and pair.own]
        for pair in chosen:
            if pair.control not in ran:
                raise ProtocolError(f"control {pair.control!r} has no predictions; add it to the methods")
    rows = []
    for pair in sorted(chosen, key=lambda pair: (_rank(pair.question), pair not in declared)):
        row: dict[str, object] = {
            "question": pair.question,
            "method": pair.method,
            "control": pair.control,
            "primary": pair in declared,
        }
        if pair.method in ran and pair.control in ran:
            # Without a common utterance there is nothing to pair: the row stays without a gain.
            row |= {"n_speakers": 0, "n_folds": 0, "n_seeds": 0}
            with suppress(ProtocolError):
                found = differences.paired(
                    predictions,
                    speakers,
                    method=pair.method,
                    control=pair.control,
                    fold_is=fold_is,
                    level=level,
                    seed=seed,
                )
                ends = {"gain_low": found.low, "gain_high": found.high}
                row |= {name: value for name, value in asdict(found).items() if name in COLUMNS} | ends
        if "gain" in row or row["primary"]:
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return verdicts.decided(table, alpha=alpha)


def _rank(question: str) -> int:
    order = list(QUESTIONS)
    return order.index(question) if question in order else len(order)
