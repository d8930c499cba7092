"""Lesson 7: two reports of one question that disagree."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from serlab import methods
from serlab.evaluation import intervals
from serlab.experiment import Outcome
from serlab.lessons import classroom, hints
from serlab.lessons.base import Check, Plan
from serlab.protocols import PROTOCOLS

#: What report A sets its systems against.
BASELINE = "ridge-source"
#: What report B has declared, and over what: its control.
DECLARED = "ridge-pooled"
#: A gain that somebody would care for.
WORTH_HAVING = 0.05


@dataclass(frozen=True)
class Report:
    """A report, as it is printed; and the run behind it, as few papers give it.

    Attributes
    ----------
    name : str
    title, abstract, setup : str
        Made from the numbers of the run.
    outcome : Outcome
    """

    name: str
    title: str
    abstract: str
    setup: str
    outcome: Outcome

    def _repr_html_(self) -> str:
        parts = [f"<h4>Report {self.name}: {html.escape(self.title)}</h4>"]
        parts += [f"<p>{html.escape(text)}</p>" for text in (self.abstract, self.setup)]
        return f"<article style='border-left: 3px solid #888; padding-left: 1em'>{''.join(parts)}</article>"


def systems(quick: bool) -> tuple[str, ...]:
    """Systems that learn from the source and from labels of the target."""
    return (
        ("ridge-pooled", "svm-pooled")
        if quick
        else ("ridge-pooled", "svm-pooled", "rf-pooled", "rf-multitask")
    )


def _run(source: pd.DataFrame, target: pd.DataFrame, *, protocol: str, quick: bool) -> Outcome:
    session = classroom.session(
        target, source, methods=[BASELINE, *systems(quick)], baseline="ridge-target", primary=(DECLARED,),
        protocol=protocol, folds=4, features=classroom.features(quick),
    )  # fmt: skip
    return session.run(with_details=False, with_giveaways=False)


def best(outcome: Outcome) -> str:
    """The system with the highest UAR on the tested utterances."""
    own = outcome.summary.set_index("method")["uar"]
    tried = [name for name in outcome.parameters.methods if name != BASELINE]
    return str(own[tried].idxmax())


def over(outcome: Outcome, method: str, other: str) -> float:
    """UAR of a method minus that of another."""
    return classroom.uar(outcome, method) - classroom.uar(outcome, other)


def report_a(source: pd.DataFrame, target: pd.DataFrame, *, quick: bool = False) -> Report:
    """A report as many are: a random split, the best of several systems, over a baseline of its choice."""
    outcome = _run(source, target, protocol="random", quick=quick)
    chosen, (there, here) = best(outcome), _names(outcome)
    gain, own = over(outcome, chosen, BASELINE), outcome.summary.set_index("method")["uar"]
    return Report(
        name="A",
        title=f"Transfer from {there} improves emotion recognition on {here} by {gain:.2f}",
        abstract=(
            f"Training on {there} together with {here}, our system recognises "
            f"{round(1 / outcome.chance)} emotions of {here} with a UAR of {own[chosen]:.2f}, against "
            f"{own[BASELINE]:.2f} of the cross-lingual baseline: a gain of {gain:.2f}. Data in another "
            "language help."
        ),
        setup=(
            f"Setup. The utterances of {here} were divided at random into four parts, each tested once after "
            "training on the others. We report our best system; the baseline is trained on "
            f"{there} alone."
        ),
        outcome=outcome,
    )


def report_b(source: pd.DataFrame, target: pd.DataFrame, *, quick: bool = False) -> Report:
    """A report as serlab would have it: unseen speakers, one declared comparison, over its control."""
    outcome = _run(source, target, protocol="speaker-groups", quick=quick)
    there, here = _names(outcome)
    row = declared(outcome)
    gain = intervals.text(row["gain"], row["gain_low"], row["gain_high"], sign=True)
    return Report(
        name="B",
        title=f"Does {there} help on {here}? {_sentence(row)}",
        abstract=(
            f"The same classifier learned from labels of {here}, with and without {there}. What {there} adds "
            f"to the UAR is {gain}."
        ),
        setup=(
            f"Setup. {int(row['n_speakers'])} speakers of {here} were tested, in four groups, each by a "
            "classifier that had not heard them. The comparison was declared before anything was run; the "
            "interval is of 95 %, over speakers."
        ),
        outcome=outcome,
    )


def _names(outcome: Outcome) -> tuple[str, str]:
    return " + ".join(outcome.parameters.sources), outcome.parameters.target


def _sentence(row: pd.Series) -> str:
    if row["gain_low"] > 0:
        return "It does."
    return "It hurts." if row["gain_high"] < 0 else "No difference is shown."


def declared(outcome: Outcome) -> pd.Series:
    """The declared comparison: gain, gain_low, gain_high, n_speakers and more."""
    own = outcome.comparison
    return own[(own["method"] == DECLARED) & (own["control"] == methods.get(DECLARED).control)].iloc[0]


def steps(a: Report, b: Report) -> pd.DataFrame:
    """From the gain of report A to that of report B, one change at a time: what is changed, gain, lost."""
    chosen = best(a.outcome)
    control = methods.get(chosen).control
    rows = [
        ("A, as printed", over(a.outcome, chosen, BASELINE)),
        ("over the control, not the source alone", over(a.outcome, chosen, control)),
        ("and speakers are unseen", over(b.outcome, chosen, control)),
        ("and the system was declared, not the best: B", declared(b.outcome)["gain"]),
    ]
    table = pd.DataFrame(rows, columns=["what is changed", "gain"])
    return table.assign(change=table["gain"].diff())


def apart(a: Report, b: Report) -> str:
    """How far the reports are apart, and which change takes most of that."""
    found = steps(a, b)
    most = found.loc[found["change"].abs().idxmax()]
    return (
        f"the reports are {found['gain'].iloc[0] - found['gain'].iloc[-1]:+.2f} of UAR apart; "
        f"{most['change']:+.2f} of it: {most['what is changed']}"
    )


def _over_what(answer: Any, a: Report) -> str:
    known = list(a.outcome.summary["method"])
    wrong = "Read the last sentence of its setup: what was the baseline trained on?"
    return hints.name(answer, BASELINE, known=known, wrong=wrong)


def _control(answer: Any, a: Report) -> str:
    chosen, known = best(a.outcome), list(a.outcome.summary["method"])
    truth = methods.get(chosen).control
    if answer == BASELINE:
        return "That differs in the labels of the target as well: its gain is that of source and labels."
    family = chosen.split("-")[0]
    wrong = f"The system is {chosen}: which row is {family} on the same labels, without the source?"
    return hints.name(answer, truth, known=known, wrong=wrong)


def _right_gain(answer: Any, a: Report) -> str:
    chosen = best(a.outcome)
    truth, printed = (over(a.outcome, chosen, other) for other in (methods.get(chosen).control, BASELINE))
    value = hints.as_number(answer)
    if isinstance(value, float) and abs(value - printed) < 0.005 <= abs(truth - printed):
        return "That is the gain that is printed. Take the UAR of the control instead of the baseline's."
    return hints.number(
        answer, truth, nearly="UAR of the best system minus that of its control, in report A."
    )


def _protocol(answer: Any, a: Report) -> str:
    wrong = "Which division of the utterances does its setup describe?"
    return hints.name(answer, a.outcome.parameters.protocol, known=PROTOCOLS, wrong=wrong)


def _heard(answer: Any, train: pd.DataFrame, test: pd.DataFrame) -> str:
    truth = float(test["speaker"].isin(set(train["speaker"])).mean())
    return hints.number(answer, truth, nearly="The share of tested utterances whose speaker is in train.")


def _speakers(answer: Any, b: Report) -> str:
    truth, own = int(declared(b.outcome)["n_speakers"]), classroom.tested(b.outcome)
    if hints.as_number(answer) == len(own) != truth:
        return "Those are utterances. An interval over speakers knows how many people were tested."
    return hints.number(
        answer, truth, tolerance=0.1, nearly="How many different speakers are there in tested?"
    )


def _comparisons(answer: Any, a: Report) -> str:
    truth = len(a.outcome.parameters.methods) - 1
    if hints.as_number(answer) == len(a.outcome.summary) != truth:
        return "That counts the baseline and the controls, too: of how many systems is one reported?"
    return hints.number(answer, truth, tolerance=0.1, nearly="All methods it ran, but for its baseline.")


def _luck(answer: Any, a: Report) -> str:
    own = a.outcome.summary.set_index("method")["uar"]
    tried = own[[name for name in a.outcome.parameters.methods if name != BASELINE]]
    return hints.number(
        answer, float(tried.max() - tried.mean()), nearly="The highest of the tried systems minus their mean."
    )


def _excluded(answer: Any, b: Report) -> str:
    if not isinstance(answer, bool | np.bool_):
        return "True or False is asked for."
    row = declared(b.outcome)
    if bool(answer) == (not row["gain_low"] <= WORTH_HAVING <= row["gain_high"]):
        return ""
    return (
        f"The interval goes from {row['gain_low']:+.2f} to {row['gain_high']:+.2f}: "
        f"does it hold {WORTH_HAVING:+.2f}?"
    )


LESSON = Plan(
    key="7",
    name="7_believe_it",
    title="Believe it?",
    question="Two reports of one question disagree: why, and what does each of them show?",
    checks=(
        Check(
            name="over-what",
            asks="the name of a method",
            hint=_over_what,
            right="A gain over what knows nothing of the target: labels of the target are in it.",
        ),
        Check(
            name="control",
            asks="the name of a method",
            hint=_control,
            right="Same classifier and labels; only the source is missing. Report A ran it, or could have.",
        ),
        Check(
            name="right-gain",
            asks="a difference of two UARs",
            hint=_right_gain,
            right="The same predictions, and another sentence about them.",
        ),
        Check(
            name="protocol",
            asks="the name of a protocol",
            hint=_protocol,
            right="serlab prints a badge beside each of its numbers.",
        ),
        Check(
            name="heard",
            asks="a share from 0 to 1",
            hint=_heard,
            right="So many of the tested utterances are by somebody who was heard in training.",
        ),
        Check(
            name="comparisons",
            asks="a number of systems",
            hint=_comparisons,
            right="The best of several is better than any of them by chance alone; the more, the more so.",
        ),
        Check(
            name="luck",
            asks="a difference of two UARs",
            hint=_luck,
            right="Of the printed gain this much hangs on having looked which is best.",
        ),
        Check(
            name="speakers",
            asks="a number of people",
            hint=_speakers,
            right="With so few, an interval is wide. Report B says so; report A has no interval.",
        ),
        Check(
            name="excluded",
            asks="True or False",
            hint=_excluded,
            right="What a report cannot exclude it has not shown to be absent.",
        ),
    ),
    summary=(
        "Ask of every gain: over what, by the same classifier, with the same labels and normalisation?",
        "Ask who was heard before, how many people were tested, and how many systems were tried.",
        "Both reports may be of the same predictions: what differs is what they are set against.",
        "No difference shown, on few speakers, is not no difference: a report says what it can exclude.",
    ),
)
