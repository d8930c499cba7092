"""Lesson 2: one's own voice, among a corpus and before four models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from serlab.lessons import hints
from serlab.lessons.base import Check, Plan


def _lower(answer: Any, everybody: Any, value: Any) -> str:
    truth = 100 * float(np.mean(np.asarray(everybody, dtype=float) < float(value)))
    given = hints.as_number(answer)
    if isinstance(given, float) and truth > 2 and abs(100 * given - truth) <= 0.5:
        return "That is a share: percent are asked for."
    if isinstance(given, float) and abs(100 - given - truth) <= 0.5 < abs(given - truth):
        return "That is how many are higher."
    return hints.number(
        answer, truth, tolerance=0.5, nearly="Compare every utterance with yours, and take the mean."
    )


def _entropy(answer: Any, p: Any) -> str:
    p = np.asarray(p, dtype=float)
    p = p[p > 0]
    bits = float(-(p * np.log2(p)).sum())
    value = hints.as_number(answer)
    if isinstance(value, float) and bits > 0.02 and abs(value - bits * np.log(2)) <= 0.01:
        return "That is in nats, with the natural logarithm: bits need the logarithm to base 2."
    return hints.number(
        answer,
        bits,
        tolerance=0.01,
        nearly="Minus the sum of p times log2(p); where p is 0, nothing is added.",
    )


def _surest(answer: Any, table: pd.DataFrame) -> str:
    means = table.groupby("model")["probability"].mean()
    right = set(means.index[means >= means.max() - 1e-9])
    return hints.name(
        answer,
        right,
        known=list(means.index),
        wrong="Take the mean of the probabilities of each model.",
    )


def _stranger(answer: Any, within: Any, own: Any) -> str:
    truth = 100 * float(np.mean(np.asarray(within, dtype=float) < float(np.max(own))))
    return hints.number(
        answer,
        truth,
        tolerance=0.5,
        nearly="How many percent of the corpus have a smaller distance than your strangest phrase?",
    )


LESSON = Plan(
    key="2",
    name="2_your_voice",
    title="Your voice",
    question="What do models say of a voice that they have never heard, and how sure may they be?",
    checks=(
        Check(
            name="lower",
            asks="percent, from 0 to 100",
            hint=_lower,
            right="Level says how near the microphone was before it says how you feel.",
        ),
        Check(
            name="entropy",
            asks="bits, from 0 to log2 of the number of classes",
            hint=_entropy,
            right="0 bits: certain of one class; log2 of the number of classes: knows nothing.",
        ),
        Check(
            name="surest",
            asks="the name of a model, as in the table",
            hint=_surest,
            right="The surest need not be right most often: how sure a model is depends on its kind.",
        ),
        Check(
            name="stranger",
            asks="percent, from 0 to 100",
            hint=_stranger,
            right="Where nearly all of the corpus is less strange, no probability of a model means much.",
        ),
    ),
    summary=(
        "A model answers whatever it is given: it has no class for 'I have never heard the like'.",
        "Entropy tells how a model divides its belief; distance tells whether it could know.",
        "Level and channel move features more than many emotions do.",
        "What was recorded lies in the folder of answers on this machine; 'delete' removes it.",
    ),
)
