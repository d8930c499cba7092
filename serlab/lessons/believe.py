"""Lesson 7: two reports of one question that disagree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from serlab import methods
from serlab.lessons import classroom, hints
from serlab.lessons.base import Check, Plan
from serlab.lessons.reports import BASELINE, Report, apart, best, declared, over, report_a, report_b, steps
from serlab.protocols import PROTOCOLS

__all__ = ["LESSON", "WORTH_HAVING", "apart", "best", "declared", "report_a", "report_b", "steps"]

#: A gain that somebody would care for.
WORTH_HAVING = 0.05


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
            right="The best of several looks better than it is, by chance alone; the more, the more so.",
        ),
        Check(
            name="luck",
            asks="a difference of two UARs",
            hint=_luck,
            right="How much of that is luck, the tested utterances that chose it cannot say.",
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
        "Two reports of the same recordings may differ in little but what they are set against.",
        "No difference shown, on few speakers, is not no difference: a report says what it can exclude.",
    ),
)
