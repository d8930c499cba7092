"""Lesson 6: corpora drawn together, whether that helped, and how strongly to draw without target labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from serlab import metrics, studies
from serlab.evaluation import selection
from serlab.evaluation.shift import proxy_a_distance
from serlab.experiment import Outcome, Session, as_vectors
from serlab.lessons import classroom, hints
from serlab.lessons.base import Check, Plan
from serlab.plotting import NO_ALIGNMENT, ORACLE, chosen_table
from serlab.studies.trade_off import Sweep

#: Learns from the source; the same, given the target's batch statistics; the same, trained further; the
#: same, and aligned by MMD meanwhile.
SOURCE, STATISTICS, UNALIGNED, MMD = METHODS = (
    "light-source", "light-adabn", "light-unaligned", "light-mmd",
)  # fmt: skip
#: The layer that is aligned.
LAYER = "dense"
TRADE_OFFS: tuple[float, ...] = (0.0, 1.0, 10.0, 100.0)


def session(
    source: pd.DataFrame, target: pd.DataFrame, *, transductive: bool, quick: bool = False
) -> Session:
    """The networks of the lesson, with tested speakers among those that are aligned (transductive) or not."""
    return classroom.session(
        target, source, methods=METHODS, baseline="light-target", primary=(STATISTICS, MMD),
        features="speechmel40", folds=2, transductive=transductive,
    )  # fmt: skip


def samples(session: Session) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean and SD of the log-mel bands of each utterance, z-scored together: source, target."""
    prepared = session.prepare()
    X = as_vectors(prepared.X)
    X = (X - X.mean()) / X.std(ddof=0).replace(0, 1)
    of_target = prepared.utterances["corpus"] == session.parameters.target
    return X[~of_target], X[of_target]


def apart(source: pd.DataFrame, target: pd.DataFrame, session: Session) -> float:
    """Proxy A-distance of two samples, on speakers that the classifier has not heard."""
    speakers = session.prepare().utterances["speaker"].astype(str)
    return proxy_a_distance(
        source.to_numpy(), target.to_numpy(),
        x_speaker=speakers[source.index].to_numpy(), y_speaker=speakers[target.index].to_numpy(), seed=0,
    )  # fmt: skip


def distance(outcome: Outcome, method: str) -> float | str:
    """Proxy A-distance of the aligned layer, or why there is none."""
    own = outcome.shift[(outcome.shift["method"] == method) & (outcome.shift["layer"] == LAYER)]
    found = own["a_distance"].dropna()
    return float(found.mean()) if len(found) else "not measured: too few speakers to keep some apart"


def sweep(session: Session, *, quick: bool = False) -> Sweep:
    """The aligned network with several trade-offs; selectors score each without labels of the target."""
    return studies.trade_off.run(session, names=[MMD], trade_offs=TRADE_OFFS[::2] if quick else TRADE_OFFS)


def gain(outcome: Outcome, method: str, control: str) -> float:
    """UAR of a method minus that of another."""
    return classroom.uar(outcome, method) - classroom.uar(outcome, control)


def _linear_mmd(answer: Any, source: pd.DataFrame, target: pd.DataFrame) -> str:
    apart = source.mean().to_numpy() - target.mean().to_numpy()
    truth, value = float(apart @ apart), hints.as_number(answer)
    if isinstance(value, float) and np.isclose(value, np.sqrt(truth), rtol=1e-3):
        return "That is the distance: MMD squared is asked for."
    if isinstance(value, float) and np.isclose(value, np.mean(apart**2), rtol=1e-3):
        return "That is the mean over features: take their sum."
    if isinstance(value, float) and np.isclose(value, abs(apart.sum()), rtol=1e-3):
        return "Differences of both signs cancel in a sum: square each first."
    return hints.number(
        answer, truth, tolerance=1e-3 * truth + 1e-6, nearly="Mean of each column, difference, square, sum."
    )


def _error(answer: Any, a_distance: float) -> str:
    return hints.number(
        answer, (1 - a_distance / 2) / 2, nearly="Solve A = 2 (1 - 2 error) for the error: 0.5 is chance."
    )


def _alignment(answer: Any, outcome: Outcome) -> str:
    truth, value = gain(outcome, MMD, UNALIGNED), hints.as_number(answer)
    slips = {
        SOURCE: "over the source alone: of it, the target's batch statistics have brought a part",
        STATISTICS: "over the batch statistics: of it, training further has brought a part",
    }
    for control, said in slips.items():
        other = gain(outcome, MMD, control)
        if isinstance(value, float) and abs(value - other) < 0.005 <= abs(truth - other):
            return f"That is {said}. Which network is the same in all but alignment?"
    return hints.number(answer, truth, nearly="UAR of the aligned network minus that of its control.")


def _chosen(answer: Any, found: Sweep) -> str:
    choices = chosen_table(found.fits).set_index("selector")["trade_off"]
    value = hints.as_number(answer)
    if isinstance(value, float) and value == choices[ORACLE] != choices["information"]:
        return "That has the highest UAR, which takes the labels to know. Choose by the column information."
    return hints.number(
        answer, float(choices["information"]), nearly="The lambda of the row with the largest information."
    )


def _cost(answer: Any, found: Sweep) -> str:
    chosen = chosen_table(found.fits).set_index("selector").loc["information"]
    truth, zero = chosen["uar_oracle"] - chosen["uar"], chosen["uar_oracle"] - chosen["uar_zero"]
    value = hints.as_number(answer)
    if isinstance(value, float) and abs(value - zero) < 0.005 <= abs(truth - zero):
        return f"That is the gap of {NO_ALIGNMENT}: take the lambda that was chosen."
    return hints.number(answer, float(truth), nearly="The highest UAR of the sweep minus that of the choice.")


def _sure_and_wrong(answer: Any, y: np.ndarray, n_classes: int) -> str:
    if answer is None or answer is ...:
        return "There is no answer yet: put it in the place of the dots."
    proba = np.asarray(answer, dtype=float)
    if proba.shape != (len(y), n_classes):
        return f"It has the shape {proba.shape}; {len(y)} rows of {n_classes} probabilities are asked for."
    if (proba < 0).any() or not np.allclose(proba.sum(axis=1), 1):
        return "Each row has to be probabilities: none below 0, and their sum 1."
    score = selection.entropy(proba)
    if score < -0.01:
        return f"Its score is {score:.2f}; the best there is is 0. Be surer."
    reached = float(metrics.uar(metrics.confusion(y, proba.argmax(axis=1), n_classes)))
    if reached > 1 / len(np.unique(y)) + 1e-9:
        return f"Its score is perfect, but its UAR is {reached:.2f}, above chance: it knows too much."
    return ""


LESSON = Plan(
    key="6",
    name="6_adaptation",
    title="Adaptation",
    question="Does drawing two corpora together help, and who says how strongly?",
    checks=(
        Check(
            name="mmd",
            asks="the squared distance of two mean vectors",
            hint=_linear_mmd,
            right="That is MMD squared with a linear kernel. With others it compares more than means.",
        ),
        Check(
            name="error",
            asks="an error rate from 0 to 0.5",
            hint=_error,
            right="So seldom does a linear classifier mistake the corpus of a speaker whom it never heard.",
        ),
        Check(
            name="alignment",
            asks="a difference of two UARs",
            hint=_alignment,
            right="Over its control: the same statistics of the target, as many steps, and lambda 0.",
        ),
        Check(
            name="chosen",
            asks="one of the trade-offs",
            hint=_chosen,
            right="Chosen with labels of the source and features of the target; none of its labels was read.",
        ),
        Check(
            name="cost",
            asks="a difference of two UARs",
            hint=_cost,
            right="Nobody has the oracle: a paper that reports the best lambda has chosen on its test set.",
        ),
        Check(
            name="sure-and-wrong",
            asks="a table of probabilities",
            hint=_sure_and_wrong,
            right="Sure of itself and at chance: what one answers to everything is not known by the entropy.",
        ),
    ),
    summary=(
        "Aligned is not recognised: as a distance falls corpora look alike, which emotions need not.",
        "Look at the distance on speakers who were not aligned; on those who were, it always falls.",
        "What alignment adds is measured over the same network, normalised and trained alike, with lambda 0.",
        "Lambda is chosen without target labels, or the gain is a gain of having looked.",
    ),
)
