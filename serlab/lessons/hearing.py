"""Lesson 1, what is computed: a quiz, what people and forests answered, how far they agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from serlab import metrics
from serlab.lessons.rooms import Room, balanced

#: Who answers where nobody has: said wherever they are shown.
MADE_UP = "made up"

#: How often a made-up listener is right.
_RIGHT = 0.55


def quiz(room: Room, n: int = 24, *, seed: int = 0) -> pd.DataFrame:
    """Utterances of the foreign corpus to be guessed, in the order in which they are heard.

    The same on all machines: as many of each class, of as many speakers as there are.
    """
    chosen = balanced(room.foreign, n, seed=seed)
    return chosen.sample(frac=1, random_state=seed)


def examples(room: Room) -> pd.DataFrame:
    """One utterance of each class, by one voice of the known corpus: the one that has most classes."""
    classes_of = room.known.groupby("speaker", observed=True)["emotion"].nunique()
    own = room.known[room.known["speaker"] == classes_of.idxmax()]
    # The same words, if they said them with every emotion.
    said = own.groupby("text_id")["emotion"].nunique()
    if len(said) and said.max() == own["emotion"].nunique():
        own = own[own["text_id"] == said.idxmax()]
    return own.sort_values("emotion").groupby("emotion", observed=True, sort=False).head(1)


def of_listeners(guesses: pd.DataFrame, tested: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Guesses as a prediction table, each listener a method; made-up ones where there are none.

    Parameters
    ----------
    guesses : DataFrame
        listener, utterance, answer, see :func:`serlab.lessons.collect`.
    tested : DataFrame
        What was to be guessed, with ``emotion``; guesses on other utterances are left out.
    classes : sequence of str

    Returns
    -------
    DataFrame
        method (the listener), fold, seed, utterance, y_true, y_pred and p_<class> (1 for the answer).
    """
    known = guesses[guesses["utterance"].isin(tested.index) & guesses["answer"].isin(list(classes))]
    if known.empty:
        known = _made_up(tested, classes)
    codes = {name: code for code, name in enumerate(classes)}
    truth = tested.loc[known["utterance"], "emotion"].astype(str)
    y_pred = known["answer"].map(codes).to_numpy(dtype=int)
    table = pd.DataFrame({"method": known["listener"].to_numpy(), "fold": "", "seed": 0})
    table["utterance"] = known["utterance"].to_numpy()
    table["y_true"], table["y_pred"] = truth.map(codes).to_numpy(dtype=int), y_pred
    shares = pd.DataFrame(np.eye(len(classes))[y_pred], columns=[f"p_{name}" for name in classes])
    return pd.concat([table, shares], axis=1)


def vote(predictions: pd.DataFrame, name: str = "all together") -> pd.DataFrame:
    """What most listeners answered to each utterance; of equal votes the first class."""
    shares = [column for column in predictions if column.startswith("p_")]
    grouped = predictions.groupby("utterance", sort=False)
    votes = grouped[shares].mean()
    table = pd.DataFrame({"method": name, "fold": "", "seed": 0, "utterance": votes.index})
    table["y_true"] = grouped["y_true"].first().to_numpy()
    table["y_pred"] = votes.to_numpy().argmax(axis=1)
    return pd.concat([table, votes.reset_index(drop=True)], axis=1)


def everybody(listeners: pd.DataFrame, *models: pd.DataFrame) -> pd.DataFrame:
    """All listeners, what they answer :func:`vote` by vote, and models, in one prediction table."""
    return pd.concat([listeners, vote(listeners), *models], ignore_index=True)


def counts(predictions: pd.DataFrame, n_classes: int) -> np.ndarray:
    """Rows: how it was meant; columns: what was answered. Shape (n_classes, n_classes)."""
    return metrics.confusion(predictions["y_true"].to_numpy(), predictions["y_pred"].to_numpy(), n_classes)


def between(one: pd.DataFrame, other: pd.DataFrame, n_classes: int) -> np.ndarray:
    """Rows: what one answered; columns: what the other answered to the same utterances."""
    both = one.merge(other, on="utterance", suffixes=("_one", "_other"))
    return metrics.confusion(both["y_pred_one"].to_numpy(), both["y_pred_other"].to_numpy(), n_classes)


def agreement_table(predictions: pd.DataFrame, n_classes: int) -> pd.DataFrame:
    """Who hears like whom.

    Returns
    -------
    DataFrame
        One row a method or listener: n, uar, kappa (with how it was meant) and others (mean kappa with
        all others, on what both answered).
    """
    parts = dict(tuple(predictions.groupby("method", sort=False)))
    rows = []
    for name, own in parts.items():
        kappas = [
            float(metrics.kappa(between(own, other, n_classes)))
            for who, other in parts.items()
            if who != name
        ]
        known = [value for value in kappas if not np.isnan(value)]
        said = counts(own, n_classes)
        rows.append(
            {
                "who": name,
                "n": len(own),
                "uar": float(metrics.uar(said)),
                "kappa": float(metrics.kappa(said)),
                "others": float(np.mean(known)) if known else np.nan,
            }
        )
    return pd.DataFrame(rows)


def most_confused(said: np.ndarray, classes: Sequence[str]) -> set[tuple[str, str]]:
    """How it was meant and what was answered instead, most often in its class; several if equally often."""
    share = metrics.ratio(said, np.asarray(said).sum(axis=1, keepdims=True))
    np.fill_diagonal(share, 0)
    share = np.nan_to_num(share)
    return {(classes[i], classes[j]) for i, j in zip(*np.where(share == share.max()), strict=True)}


def _made_up(tested: pd.DataFrame, classes: Sequence[str], n: int = 3) -> pd.DataFrame:
    """Answers of nobody, drawn: right by a coin, else any class."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(1, n + 1):
        for name, emotion in tested["emotion"].astype(str).items():
            answer = emotion if rng.random() < _RIGHT else str(rng.choice(list(classes)))
            rows.append((f"{MADE_UP} {number}", name, answer))
    return pd.DataFrame(rows, columns=["listener", "utterance", "answer"])
