"""What may be claimed of gains: questions kept apart, declared comparisons, and how they are worded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from serlab.evaluation import intervals
from serlab.wording import count

#: Level at which a gain is claimed, after correction.
ALPHA = 0.05

#: What is asked -> the question as it is written; each has its own table, figure and correction.
QUESTIONS: dict[str, str] = {
    "source": "What does the source add to the same labels?",
    "unlabelled target": "What does the unlabelled target add to the source alone?",
    "unlabelled target alone": "What do utterances of the target without labels add to labelled ones?",
    "normalisation": "What does another normalisation add?",
    "second stage": "What does a second stage with the source add, without alignment?",
    "alignment": "What does alignment, or self-training, add to normalisation?",
    "combination": "What does another way to join several sources add?",
    "pretrained weights": "What do pretrained weights add to fresh ones?",
    "tuned encoder": "What does tuning the encoder add to leaving it as it is?",
    "labels": "What do labels of the target add to the same without them?",
}

HELPS, HURTS, NO_DIFFERENCE = "helps", "hurts", "no difference shown"
#: Begins the verdict of what no number of right answers could have shown.
UNDECIDABLE = "cannot be decided"
#: Not declared beforehand: an interval, and no claim.
EXPLORATORY = "exploratory"
#: Declared, and the method or its control has no answers.
NOT_RUN = "not run"
#: Declared, both have answers, and no fold in which both have them.
APART = "no fold in common"

#: All kinds of verdicts, in the order in which they are told.
KINDS = (HELPS, HURTS, NO_DIFFERENCE, UNDECIDABLE, EXPLORATORY, NOT_RUN, APART)
#: Those of them without a number.
WITHOUT_NUMBER = (NOT_RUN, APART)


def kind(verdict: str) -> str:
    """Which of :data:`KINDS` a verdict is.

    Examples
    --------
    >>> kind("cannot be decided with 3 speakers")
    'cannot be decided'
    """
    return UNDECIDABLE if verdict.startswith(UNDECIDABLE) else verdict


def decided(table: pd.DataFrame, *, alpha: float = ALPHA) -> pd.DataFrame:
    """Add ``p_holm`` and ``verdict`` to comparisons.

    Holm's correction covers the declared comparisons of one question, run or
    not: which others are run changes nothing. One that was not run counts as
    p = 1. "Cannot be decided" is what would not be below ``alpha`` if all of
    them had the least p that their speakers can give, corrected in the same way.
    A claim needs the interval beside p: where they disagree, nothing is shown.

    Parameters
    ----------
    table : DataFrame
        question, primary, gain, gain_low, gain_high, p, least_p, n_speakers;
        n_folds 0 where both were run and have no fold in common.

    Returns
    -------
    DataFrame
        The same with p_holm (NaN where ``primary`` is false) and verdict.
    """
    p_holm = pd.Series(np.nan, index=table.index, dtype=float)
    verdict = pd.Series(EXPLORATORY, index=table.index, dtype=object)
    primary = table[table["primary"].astype(bool)]
    for _, own in primary.groupby("question", sort=False):
        corrected, least = (holm(own[name].fillna(1.0).to_numpy(dtype=float)) for name in ("p", "least_p"))
        for (place, row), p, best in zip(own.iterrows(), corrected, least, strict=True):
            if pd.notna(row["gain"]):
                p_holm[place], verdict[place] = p, _verdict(row, p, best, alpha)
            else:
                verdict[place] = APART if row.get("n_folds") == 0 else NOT_RUN
    return table.assign(p_holm=p_holm, verdict=verdict)


def _verdict(row: pd.Series, p: float, least_p: float, alpha: float) -> str:
    if least_p >= alpha:
        return f"{UNDECIDABLE} with {count(int(row['n_speakers']), 'speaker')}"
    if p >= alpha or row["gain_low"] <= 0 <= row["gain_high"]:
        return NO_DIFFERENCE
    return HELPS if row["gain"] > 0 else HURTS


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction, in the given order (Holm 1979).

    Returns
    -------
    ndarray
        Adjusted p values, at most 1.
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


# --- in words ------------------------------------------------------------------------------------


def answer(comparison: pd.DataFrame) -> str:
    """The verdicts on what was declared, question by question, in one line; empty without comparisons.

    Examples
    --------
    >>> row = {"question": "source", "title": "RF", "verdict": "helps", "primary": True}
    >>> answer(pd.DataFrame([row]))
    'Source: RF helps.'
    """
    if comparison.empty:
        return ""
    primary = comparison[comparison["primary"].astype(bool)]
    if primary.empty:
        return f"No comparison was declared beforehand: all {len(comparison)} are exploratory."
    parts = []
    for question in asked(primary):
        own = primary[primary["question"] == question]
        said = "; ".join(f"{row['title']}{_said(row['verdict'])}" for _, row in own.iterrows())
        parts.append(f"{question.capitalize()}: {said}.")
    return " ".join(parts)


def told(comparison: pd.DataFrame, *, seen: Mapping[str, str]) -> str:
    """The same in full: over what, with interval and corrected p value; and how many are exploratory.

    Parameters
    ----------
    comparison : DataFrame
    seen : mapping of str to str
        Method -> what it saw of the target, in words.
    """
    primary = comparison[comparison["primary"].astype(bool)]
    parts = []
    for question in asked(primary):
        own = primary[primary["question"] == question]
        parts.append(f"{QUESTIONS[question]} {'; '.join(_in_full(row, seen) for _, row in own.iterrows())}.")
    n = len(comparison) - len(primary)
    if n:
        parts.append(f"{count(n, 'further comparison')}: exploratory, no claim.")
    return " ".join(parts)


def asked(comparison: pd.DataFrame) -> list[str]:
    """Questions that a table has rows for, in their order."""
    found = set() if comparison.empty else set(comparison["question"])
    return [question for question in QUESTIONS if question in found]


def _said(verdict: str) -> str:
    return f" {verdict}" if verdict in (HELPS, HURTS) else f": {verdict}"


def _in_full(row: pd.Series, seen: Mapping[str, str]) -> str:
    if row["verdict"] == NOT_RUN:
        return f"{row['title']} over {row['control_title']}: declared, one of the two was not run"
    if row["verdict"] == APART:
        return f"{row['title']} over {row['control_title']}: declared, no fold in which both have answers"
    gain = intervals.text(row["gain"], row["gain_low"], row["gain_high"], sign=True)
    sees = seen.get(row["method"], "")
    beside = f" (saw {sees})" if sees else ""
    end = f": {row['verdict']}"
    if kind(row["verdict"]) != UNDECIDABLE:
        end += f", corrected p {p_text(row['p_holm'])}"
    return f"{row['title']}{beside} {gain} over {row['control_title']}{end}"


def p_text(p: float) -> str:
    """A p value as it is written; empty if it is not known."""
    return "" if pd.isna(p) else "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
