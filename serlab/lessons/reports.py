"""Two reports of one question, as they might be printed, each made from a run."""

from __future__ import annotations

import html
from dataclasses import dataclass

import pandas as pd

from serlab import methods
from serlab.evaluation import intervals
from serlab.experiment import Outcome
from serlab.lessons import classroom

#: What report A sets its systems against.
BASELINE = "ridge-source"
#: What report B has declared, and over what: its control.
DECLARED = "ridge-pooled"


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
        f"the reports are {found['gain'].iloc[0] - found['gain'].iloc[-1]:.2f} of UAR apart; "
        f"the largest step is {most['change']:+.2f}: {most['what is changed']}"
    )
