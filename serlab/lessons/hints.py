"""Hints that many checks give: for numbers, for names, for words of one's own."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Any

from serlab.errors import meant


def number(answer: Any, truth: float, *, tolerance: float = 0.005, nearly: str = "") -> str:
    """What is wrong with a number; empty if it is ``truth`` within ``tolerance``.

    Slips that can be recognised are named: a percentage, the complement, the sign.

    Parameters
    ----------
    answer : value
    truth : float
    tolerance : float
        In the unit of ``truth``.
    nearly : str
        A sentence for an answer that is a number, but not this one.
    """
    value = as_number(answer)
    if isinstance(value, str):
        return value
    if abs(value - truth) <= tolerance:
        return ""
    if abs(value / 100 - truth) <= tolerance and truth:
        return "That is in percent: a share lies between 0 and 1."
    if abs(value + truth) <= tolerance:
        return "The size is right, the sign is not: which is taken from which?"
    if abs(1 - value - truth) <= tolerance:
        return "That is the share of all the others: 1 minus this one."
    side = "too low" if value < truth else "too high"
    return f"{value:.4g} is {side}. {nearly}".strip()


def as_number(answer: Any) -> float | str:
    """A number, or a sentence that it is none."""
    if answer is None or answer is ...:
        return "There is no answer yet: put it in the place of the dots."
    if isinstance(answer, bool | str):
        return f"A number is asked for; this is {answer!r}."
    try:
        value = float(answer)
    except (TypeError, ValueError):
        return f"One number is asked for; this is of type {type(answer).__name__}."
    return value if not math.isnan(value) else "That is not a number (NaN): something was divided by zero."


def between(answer: Any, low: float, high: float) -> str:
    """What is wrong with a number that may lie anywhere from ``low`` to ``high``."""
    value = as_number(answer)
    if isinstance(value, str):
        return value
    return "" if low <= value <= high else f"{value:.4g} does not lie between {low:g} and {high:g}."


def name(answer: Any, truth: str | Collection[str], *, known: Iterable[str], wrong: str = "") -> str:
    """What is wrong with a name that is one of ``known``; empty if it is ``truth``, or one of several."""
    right = {truth} if isinstance(truth, str) else set(truth)
    if answer is None or answer is ...:
        return "There is no answer yet: put it in the place of the dots."
    if answer in right:
        return ""
    choices = list(known)
    if answer not in choices:
        written = str(answer)
        return f"{written!r} is none of {', '.join(choices)}{meant(written, choices)}."
    return f"Not {answer}. {wrong}".strip()


def names(answer: Any, truth: Collection[str], *, known: Iterable[str]) -> str:
    """What is wrong with a set of names: one that is none, one too many, one missing."""
    if answer is None or answer is ...:
        return "There is no answer yet: put it in the place of the dots."
    if isinstance(answer, str):
        return f"Several names are asked for, as a list: [{answer!r}, ...]."
    given, choices = list(answer), list(known)
    for one in given:
        if one not in choices:
            return f"{str(one)!r} is none of {', '.join(choices)}{meant(str(one), choices)}."
    wrong, missing = set(given) - set(truth), set(truth) - set(given)
    if wrong:
        n = len(wrong)
        return f"{n} of your {len(given)} {'does' if n == 1 else 'do'} not belong there: look at each alone."
    if missing:
        return f"What is there is right; {len(missing)} more {'is' if len(missing) == 1 else 'are'} missing."
    return ""


def words(answer: Any, *, n_least: int = 8, about: Iterable[str] = ()) -> str:
    """What is wrong with a written answer: too short, or silent about what it should speak of.

    Whether it is *true* is for a person to say.

    Parameters
    ----------
    answer : value
    n_least : int
        Words.
    about : sequence of str
        Alternatives with ``|`` between them ("voice|speaker"): one of each must occur.
    """
    if not isinstance(answer, str) or not answer.strip() or answer.strip() == "...":
        return "There is no answer yet: write one or two sentences."
    if len(answer.split()) < n_least:
        return f"Say it in a whole sentence, of {n_least} words or more."
    text = answer.lower()
    for alternatives in about:
        if not any(word in text for word in alternatives.split("|")):
            return f"It does not speak of the {alternatives.split('|')[0]} yet."
    return ""
