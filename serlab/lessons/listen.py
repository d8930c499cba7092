"""Lesson 1: what one hears in a language one does not speak."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from serlab import metrics
from serlab.lessons import hints
from serlab.lessons.base import Check, Plan


def _chance(answer: Any, classes: Any) -> str:
    return hints.number(
        answer,
        1 / len(list(classes)),
        nearly="Who always says the same is right in one class, and wrong in all others.",
    )


def _highest(answer: Any, table: pd.DataFrame) -> str:
    known = table.dropna(subset=["f0"])
    truth = str(known.loc[known["f0"].idxmax(), "emotion"])
    names = [str(name) for name in table["emotion"]]
    return hints.name(answer, truth, known=names, wrong="Which row has the highest number in the column f0?")


def _uar(answer: Any, counts: Any) -> str:
    counts = np.asarray(counts)
    value = hints.as_number(answer)
    accuracy, uar = float(metrics.accuracy(counts)), float(metrics.uar(counts))
    if isinstance(value, float) and abs(value - accuracy) < 0.005 < abs(accuracy - uar):
        return "That is the accuracy, where frequent classes weigh more: take the mean of the recalls."
    return hints.number(
        answer, uar, nearly="Rows are how it was meant: divide the diagonal by the sums of the rows."
    )


def _kappa(answer: Any, counts: Any) -> str:
    counts = np.asarray(counts, dtype=float)
    value = hints.as_number(answer)
    observed = counts.trace() / counts.sum()
    if isinstance(value, float) and abs(value - observed) < 0.005:
        return "That is how often you agree, by chance as well: chance is taken away above and below."
    return hints.number(
        answer,
        float(metrics.kappa(counts)),
        nearly="Chance agreement: for each class the share of one times the share of the other, added up.",
    )


def _confused(answer: Any, counts: Any, classes: Any) -> str:
    from serlab.lessons.hearing import most_confused

    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return 'Two names are asked for: ("how it was meant", "what was answered").'
    truth = most_confused(np.asarray(counts), list(classes))
    meant, said = (str(name) for name in answer)
    for name in (meant, said):
        if name not in list(classes):
            return hints.name(name, "", known=list(classes))
    if (meant, said) in truth:
        return ""
    if meant == said:
        return "That is an answer that was right; an error lies beside the diagonal."
    if (said, meant) in truth:
        return "The other way round: rows are how it was meant, columns what was answered."
    return "Look for the largest share beside the diagonal; a share is a count by the sum of its row."


LESSON = Plan(
    key="1",
    name="1_listen",
    title="Listen",
    question="What can be heard of an emotion in a language that one does not speak?",
    checks=(
        Check(
            name="highest",
            asks="the name of an emotion",
            hint=_highest,
            right="High pitch goes with an excited voice, glad or angry: pitch alone is not enough.",
        ),
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
        Check(
            name="confused",
            asks="two names, as they stand in the matrix",
            hint=_confused,
            right="What is confused says more than how much: look which cue both emotions share.",
        ),
        Check(
            name="kappa",
            asks="a number from -1 to 1",
            hint=_kappa,
            right="Agreement beyond chance: 1 always the same, 0 no more than two who do not listen.",
        ),
    ),
    summary=(
        "UAR is the mean of the recalls of all classes; chance is one over their number.",
        "People and forests may be right equally often and still not on the same utterances: kappa tells.",
        "How it was meant is itself an answer: of an actor, or of annotators.",
        "Synthetic utterances are a table made audible. What is heard in them says nothing of people.",
    ),
)
