"""Lesson 4: what another language's labels are worth, and over what that is measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from serlab import methods
from serlab.experiment import Outcome, Session
from serlab.lessons import classroom, hints
from serlab.lessons.base import Check, Plan
from serlab.methods import FIT_ARGUMENTS
from serlab.studies import few_shot
from serlab.studies.few_shot import FewShot

#: Source only, target only and both; then the same with each corpus brought to its own mean and spread.
METHODS: tuple[str, ...] = (
    "ridge-source", "ridge-target", "ridge-pooled", "ridge-source-z", "ridge-target-z", "ridge-pooled-z",
)  # fmt: skip


def session(source: pd.DataFrame, target: pd.DataFrame, *, quick: bool = False) -> Session:
    """The experiment of the lesson; all test speakers are unseen."""
    return classroom.session(
        target, source, methods=METHODS, baseline="ridge-target", primary=("ridge-pooled",),
        features=classroom.features(quick), preset="demo" if quick else "quick",
    )  # fmt: skip


def curve(session: Session) -> FewShot:
    """UAR by the number of labelled target utterances."""
    return few_shot.run(session, curves=few_shot.RIDGE)


def worth(found: FewShot, *, chance: float) -> pd.DataFrame:
    """Labels per class that the source stands for, see :func:`serlab.studies.few_shot.worth`."""
    return few_shot.worth(found.summary, method="ridge-pooled", alone="ridge-target", chance=chance)


def in_all(found: FewShot, *, chance: float, n_classes: int) -> float | str:
    """Labelled utterances of all classes that the source alone stands for, or that it is more than tried."""
    without = worth(found, chance=chance).query("shots == 0")["needed"]
    if len(without) and not np.isnan(without.iloc[0]):
        return float(without.iloc[0]) * n_classes
    most = found.summary.loc[found.summary["method"] == "ridge-target", "shots"].max()
    return f"more than {most * n_classes}"


def _seen(answer: Any, outcome: Outcome) -> str:
    names = list(outcome.summary["method"])
    truth = [name for name in names if "target_train" in FIT_ARGUMENTS[methods.get(name).access]]
    if not isinstance(answer, str) and answer is not None and answer is not ...:
        given = list(answer)
        if "ridge-source-z" in given:
            return "ridge-source-z has heard the target, but of its labels it knows none: read what it saw."
    return hints.names(answer, truth, known=names)


def _control(answer: Any, outcome: Outcome) -> str:
    wrong = {
        "ridge-source": "That differs by the labels of the target: it asks what the labels add.",
        "ridge-pooled": "That is the method itself.",
        "ridge-target-z": "It differs in two things: the source, and the normalisation.",
        "ridge-source-z": "It differs in two things or more: the labels, and the normalisation.",
        "ridge-pooled-z": "That differs by the normalisation.",
    }
    known = list(outcome.summary["method"])
    return hints.name(answer, "ridge-target", known=known, wrong=wrong.get(str(answer), ""))


def _gain(answer: Any, outcome: Outcome) -> str:
    both, alone, source = (
        classroom.uar(outcome, name) for name in ("ridge-pooled", "ridge-target", "ridge-source")
    )
    value = hints.as_number(answer)
    if isinstance(value, float) and abs(value - (both - source)) < 0.005 <= abs(source - alone):
        return "That is what the target's labels add to the source. What does the source add to the labels?"
    return hints.number(answer, both - alone, nearly="UAR of both minus UAR of its control.")


def _decided(answer: Any, outcome: Outcome) -> str:
    if not isinstance(answer, bool | np.bool_):
        return "True or False is asked for."
    own = outcome.comparison
    row = own[(own["method"] == "ridge-pooled") & (own["control"] == "ridge-target")].iloc[0]
    truth = not row["gain_low"] <= 0 <= row["gain_high"]
    if bool(answer) == truth:
        return ""
    return f"The interval goes from {row['gain_low']:+.2f} to {row['gain_high']:+.2f}: does it hold 0?"


def _reach(answer: Any, found: FewShot) -> str:
    summary = found.summary.set_index(["method", "shots"])["uar"]
    level, own = summary["ridge-pooled", 0], summary["ridge-target"].sort_index()
    reached = own.index[own >= level]
    truth = int(reached[0]) if len(reached) else 0
    nearly = f"With {answer} the target alone reaches {own[answer]:.2f}." if answer in own.index else ""
    return hints.number(
        answer, truth, tolerance=0.1, nearly=nearly or "It is one of the numbers in the table."
    )


def _draws(answer: Any, found: FewShot) -> str:
    own = found.fits[(found.fits["method"] == "ridge-target") & (found.fits["shots"] == 1)]["uar"]
    value = hints.as_number(answer)
    if isinstance(value, float) and np.isclose(value, own.std(ddof=0), atol=0.005):
        return ""
    if isinstance(value, float) and np.isclose(value, own.var(), atol=1e-4):
        return "That is the variance: its root is in the unit of UAR."
    return hints.number(
        answer,
        float(own.std()),
        nearly='Rows of "ridge-target" with 1 shot, one a draw: how far do they spread?',
    )


LESSON = Plan(
    key="4",
    name="4_transfer",
    title="Transfer",
    question="What are labels in another language worth, and over what is that measured?",
    checks=(
        Check(
            name="seen",
            asks="a list of names of methods",
            hint=_seen,
            right="Only methods that saw the same of the target may be compared without a word.",
        ),
        Check(
            name="control",
            asks="the name of a method",
            hint=_control,
            right="Same classifier, same labels, same normalisation; only the source is missing.",
        ),
        Check(
            name="gain",
            asks="a difference of two UARs",
            hint=_gain,
            right="That is what the source adds to these labels, here.",
        ),
        Check(
            name="decided",
            asks="True or False",
            hint=_decided,
            right="An interval that holds 0 does not say that there is no gain: it cannot be told here.",
        ),
        Check(
            name="reach",
            asks="a number of labelled utterances per class, 0 if none",
            hint=_reach,
            right="From there on labels at home are worth more than the source (0: never, as far as tried).",
        ),
        Check(
            name="draws",
            asks="a standard deviation of UAR",
            hint=_draws,
            right="Which few utterances one happens to label can matter more than the method.",
        ),
    ),
    summary=(
        "A gain is over a control that is the same but for one thing; any other gain is several in one.",
        "What a source is worth depends on what one has: with many labels of the target it may be nothing.",
        "With few labels the draw of these labels is a source of spread as large as the speakers.",
        "No difference shown is not the same as no difference.",
    ),
)
