"""Lesson 1: what one hears in a language one does not speak."""

from __future__ import annotations

from typing import Any

import numpy as np

from serlab import metrics
from serlab.lessons import hints
from serlab.lessons.base import Check, Plan


def _chance(answer: Any, classes: Any) -> str:
    n = len(list(classes))
    return hints.number(
        answer, 1 / n, nearly="Who always says the same is right in one class and wrong in all others."
    )


def _uar(answer: Any, counts: Any) -> str:
    counts = np.asarray(counts)
    value = hints.as_number(answer)
    if isinstance(value, float) and np.isclose(value, metrics.accuracy(counts)) and not np.isclose(
        metrics.accuracy(counts), metrics.uar(counts)
    ):  # fmt: skip
        return "That is the accuracy, where frequent classes weigh more: take the mean of the recalls."
    return hints.number(
        answer,
        float(metrics.uar(counts)),
        nearly="Rows are true classes: divide the diagonal by the sums of the rows.",
    )


LESSON = Plan(
    key="1",
    name="1_listen",
    title="Listen",
    question="What can be heard of an emotion in a language that one does not speak?",
    checks=(
        Check(
            name="chance",
            asks="a number from 0 to 1",
            hint=_chance,
            right="Chance is one over the number of classes, however many utterances there are of each.",
        ),
        Check(
            name="uar",
            asks="a number from 0 to 1",
            hint=_uar,
            right="The mean of the recalls: every class weighs the same, rare or frequent.",
        ),
    ),
    summary=("UAR is the mean of the recalls of all classes; chance is one over their number.",),
)
