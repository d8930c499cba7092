"""Lesson 3: one thing differs between two corpora, and what that does to a classifier."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from serlab import metrics, plotting
from serlab.corpora import synthetic
from serlab.corpora.synthesis import Shift
from serlab.errors import ParameterError, meant
from serlab.experiment import Outcome
from serlab.lessons import classroom, hints
from serlab.lessons.base import Check, Plan

#: One dial each, and how far it is turned.
DIALS: Mapping[str, Shift] = MappingProxyType(
    {
        "plain": Shift(),
        "softer": Shift(level=-12),
        "dull": Shift(channel=1),
        "skewed": Shift(prior=1),
        "styled": Shift(style=2),
    }
)
#: Learns from the source alone, without and with each corpus brought to its own mean and spread.
SOURCE, SOURCE_Z = "ridge-source", "ridge-source-z"


def dials(corpus: str) -> tuple[str, ...]:
    """The dials that a corpus has: nobody can turn the prosody of a recording."""
    return tuple(name for name, shift in DIALS.items() if corpus in synthetic.SETTINGS or not shift.style)


def turn(
    source: pd.DataFrame, target: str, dial: str | Shift, *, data: str = "", quick: bool = False
) -> Outcome:
    """Learn on a source, and test on a corpus with one dial turned.

    Parameters
    ----------
    source : DataFrame
        See :func:`serlab.lessons.classroom.corpus`.
    target : str
        Name of a corpus.
    dial : str or Shift
        Key of :data:`DIALS`, or dials of one's own.
    data, quick
        As in the first cell of a lesson.

    Raises
    ------
    ParameterError
        If there is no such dial, or the corpus does not have it.
    """
    if isinstance(dial, str) and dial not in DIALS:
        raise ParameterError(f"there is no dial {dial!r}{meant(dial, DIALS)}; there are {', '.join(DIALS)}")
    shift, called = (DIALS[dial], dial) if isinstance(dial, str) else (dial, "own")
    tested = classroom.turned(target, shift, called=called, data=data, most=classroom.most(quick))
    session = classroom.session(
        tested, source, methods=[SOURCE, SOURCE_Z], primary=(SOURCE_Z,), baseline="ridge-target", folds=2,
        features=classroom.features(quick),
    )  # fmt: skip
    return session.run(with_details=False, with_giveaways=False)


def table(outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """UAR and accuracy for each dial and method: dial, method, title, uar, uar_low, uar_high, accuracy."""
    columns = ["method", "title", "uar", "uar_low", "uar_high", "accuracy"]
    parts = [one.summary[columns].assign(dial=dial) for dial, one in outcomes.items()]
    return pd.concat(parts, ignore_index=True)[["dial", *columns]]


def plot(found: pd.DataFrame, *, chance: float) -> plotting.Figure:
    """Show the UAR of each dial: what the source alone is worth, and with per-corpus z."""
    return classroom.plot_beside(found, by="dial", chance=chance, heading="One dial at a time")


def _losses(found: pd.DataFrame) -> pd.DataFrame:
    """Dial -> UAR of both methods, and what the source alone has lost."""
    wide = found.pivot(index="dial", columns="method", values="uar")
    plain = wide.loc["plain", SOURCE]
    return wide.drop(index="plain").assign(lost=lambda own: plain - own[SOURCE])


def hardest(found: pd.DataFrame) -> str:
    """The dial by which the source alone loses most."""
    return str(_losses(found)["lost"].idxmax())


def won_back(found: pd.DataFrame) -> list[str]:
    """Dials by which something is lost, of which per-corpus z wins back half or more."""
    losses = _losses(found)
    back = losses[SOURCE_Z] - losses[SOURCE]
    return [str(dial) for dial in losses.index[(losses["lost"] > 0) & (back >= losses["lost"] / 2)]]


def _loss(answer: Any, plain: Outcome, softer: Outcome) -> str:
    truth = classroom.uar(plain, SOURCE) - classroom.uar(softer, SOURCE)
    value = hints.as_number(answer)
    other = classroom.uar(plain, SOURCE_Z) - classroom.uar(softer, SOURCE_Z)
    if isinstance(value, float) and abs(value - other) < 0.005 <= abs(other - truth):
        return "That is the loss with per-corpus z: take the row of the source alone."
    return hints.number(
        answer, truth, nearly='Take the column "uar", in the row of the source alone, plain minus softer.'
    )


def _z(answer: Any, X: pd.DataFrame) -> str:
    if answer is None or answer is ...:
        return "There is no answer yet: put it in the place of the dots."
    values = np.asarray(answer, dtype=float)
    if values.shape != X.shape:
        return f"It has the shape {values.shape}, the features have {X.shape}: keep rows and columns."
    varies = X.to_numpy(dtype=float).std(axis=0) > 1e-9
    centre, spread = values[:, varies].mean(axis=0), values[:, varies].std(axis=0)
    if np.abs(centre).max() > 1e-3:
        if np.abs(values.mean(axis=1)).max() < 1e-3:
            return "Each utterance now has mean 0; each feature (column) should."
        return "The means of the features are not 0: take from each column its own mean."
    if np.abs(spread - 1).max() > 0.05:
        return "The means are 0, the spreads are not 1: divide each column by its own standard deviation."
    return ""


def _accuracy(answer: Any, utterances: pd.DataFrame) -> str:
    counts = utterances["emotion"].value_counts()
    truth, chance = float(counts.max() / counts.sum()), 1 / int((counts > 0).sum())
    value = hints.as_number(answer)
    if isinstance(value, float) and abs(value - chance) < 0.005 <= abs(truth - chance):
        return "That is its UAR: one class right, all others wrong. Accuracy counts utterances."
    return hints.number(answer, truth, nearly="Which share of all utterances has the most frequent emotion?")


def _uar_of_one_class(answer: Any, utterances: pd.DataFrame) -> str:
    codes = utterances["emotion"].cat.remove_unused_categories().cat.codes.to_numpy()
    n = int(codes.max()) + 1
    always = np.full(len(codes), np.bincount(codes).argmax())
    truth = float(metrics.uar(metrics.confusion(codes, always, n)))
    value = hints.as_number(answer)
    share = float(np.bincount(codes).max() / len(codes))
    if isinstance(value, float) and abs(value - share) < 0.005 <= abs(truth - share):
        return "That is its accuracy. UAR is the mean of the recalls, and it has a recall in one class alone."
    return hints.number(answer, truth, nearly="Its recall is 1 in one class and 0 in all others.")


def _hardest(answer: Any, found: pd.DataFrame) -> str:
    known = [dial for dial in found["dial"].unique() if dial != "plain"]
    truth = hardest(found)
    lost = _losses(found)["lost"]
    wrong = f"It costs {lost[answer]:+.2f}; another costs more." if answer in lost.index else ""
    return hints.name(answer, truth, known=known, wrong=wrong)


def _won_back(answer: Any, found: pd.DataFrame) -> str:
    known = [dial for dial in found["dial"].unique() if dial != "plain"]
    return hints.names(answer, won_back(found), known=known)


LESSON = Plan(
    key="3",
    name="3_shift",
    title="Shift",
    question="One thing differs between two corpora: what does that do to a classifier?",
    checks=(
        Check(
            name="loss",
            asks="UAR plain minus UAR softer, of the source alone",
            hint=_loss,
            right="Every word, voice and emotion is the same: only the gain differs.",
        ),
        Check(
            name="z",
            asks="the features of the target, each column with mean 0 and standard deviation 1",
            hint=_z,
            right="That is per-corpus z. It needs recordings of the target, and none of their labels.",
        ),
        Check(
            name="accuracy",
            asks="a number from 0 to 1",
            hint=_accuracy,
            right="So much accuracy is had without listening to anything.",
        ),
        Check(
            name="one-class",
            asks="a number from 0 to 1",
            hint=_uar_of_one_class,
            right="UAR does not reward whoever names the frequent class.",
        ),
        Check(
            name="hardest",
            asks="the name of a dial",
            hint=_hardest,
            right="By this dial the source alone loses most, on these corpora and with these features.",
        ),
        Check(
            name="won-back",
            asks="a list of names of dials",
            hint=_won_back,
            right="What is the same for all utterances of a corpus, statistics of the corpus can undo.",
        ),
    ),
    summary=(
        "Corpora differ in gain, microphone, room, in who speaks how, and in how often each emotion occurs: "
        "a classifier meets all of it at once, and a score does not say which.",
        "What is the same for all utterances of a corpus is undone by its statistics, without labels.",
        "UAR hardly changes when one emotion becomes more frequent; accuracy may.",
        "Turned one by one, on purpose, dials explain. Between real corpora they are all turned at once.",
    ),
)
