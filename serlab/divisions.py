"""How a target is divided so that whole speakers, sessions or sentences are tested unseen.

What :mod:`serlab.protocols` does not say of itself: each function here takes the
rows of a target and yields folds as (name, rows that train, rows that are tested).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from serlab.errors import ProtocolError

if TYPE_CHECKING:
    from serlab.protocols import SplitProtocol

Division = Iterator[tuple[str, np.ndarray, np.ndarray]]

#: Parts of a given split, as the column ``split`` names them.
PARTS: tuple[str, ...] = ("train", "validation", "test")
#: Columns of several given folds: ``split_1``, ``split_2`` ...
_GIVEN = re.compile(r"split_(?P<fold>.+)")
#: Random divisions into groups that are tried; the evenest is taken.
_TRIALS = 50


def speakers(speaker: np.ndarray, target: np.ndarray, protocol: SplitProtocol) -> np.ndarray:
    """Names of the target's speakers.

    Raises
    ------
    ProtocolError
        If there are fewer than two, or some are unknown.
    """
    unknown = pd.isna(speaker[target])
    if unknown.any():
        raise ProtocolError(
            f"the speaker of {unknown.sum()} utterances of {protocol.target!r} is not known, and protocol "
            f"{protocol.name!r} keeps speakers apart: name them, or leave these utterances out"
        )
    names = np.unique(speaker[target])
    if len(names) < 2:
        raise ProtocolError(
            f"target {protocol.target!r} has {len(names)} speaker ({names[0]}): protocol "
            f"{protocol.name!r} needs two. Choose another target; a random split would be possible "
            "but tests on the speaker it was trained on"
        )
    return names


def speaker_groups(
    target: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    utterances: pd.DataFrame,
    protocol: SplitProtocol,
) -> Division:
    """Folds of whole speakers, alike in emotions and sex; no speaker is ever in two.

    Where each speaker belongs to one session (as the two of a dialogue), whole
    sessions are kept together, if there are as many as folds: whole sessions
    are whole speakers then. Where a speaker has several sessions, they say nothing.
    """
    speakers(speaker, target, protocol)
    group = speaker[target].astype(str)
    session = utterances["session"].iloc[target]
    if session.notna().all() and (session.groupby(group).nunique() == 1).all():
        names = session.to_numpy(dtype=str)
        group = names if len(np.unique(names)) >= protocol.repeats else group
    tests = _even_groups(target, emotion, utterances, group, protocol, what="speakers")
    for number, names in enumerate(tests, start=1):
        tested = np.isin(group, names)
        yield f"group-{number}", target[~tested], target[tested]


def session_groups(
    target: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    utterances: pd.DataFrame,
    protocol: SplitProtocol,
) -> Division:
    """Folds of whole sessions; a speaker who has several may be trained on and tested."""
    group = _known(utterances, target, "session", protocol, "sessions")
    tests = _even_groups(target, emotion, utterances, group, protocol, what="sessions")
    for number, names in enumerate(tests, start=1):
        tested = np.isin(group, names)
        yield f"sessions-{number}", target[~tested], target[tested]


def text_groups(
    target: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    utterances: pd.DataFrame,
    protocol: SplitProtocol,
) -> Division:
    """Folds of whole sentences, spoken by speakers who train, too; fewer folds where there are fewer."""
    target = target[utterances["text_id"].iloc[target].notna()]
    for number, (text, names) in enumerate(_texts(target, emotion, utterances, protocol), start=1):
        tested = np.isin(text, names)
        yield f"texts-{number}", target[~tested], target[tested]


def speaker_text_groups(
    target: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    utterances: pd.DataFrame,
    protocol: SplitProtocol,
) -> Division:
    """Each group of speakers with each group of sentences: who and what is tested, neither is trained on.

    What shares the one but not the other neither trains nor is tested in that
    fold. An utterance whose sentence is not known takes no part.
    """
    target = target[utterances["text_id"].iloc[target].notna()]
    if not len(target):
        _known(utterances, target, "text_id", protocol, "sentences")
    by_speaker = list(speaker_groups(target, emotion, speaker, utterances, protocol))
    for number, (text, names) in enumerate(_texts(target, emotion, utterances, protocol), start=1):
        said = np.isin(text, names)
        for fold, train, test in by_speaker:
            yield (
                f"{fold}, texts-{number}",
                np.intersect1d(train, target[~said]),
                np.intersect1d(test, target[said]),
            )


def given(
    target: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    utterances: pd.DataFrame,
    protocol: SplitProtocol,
) -> Division:
    """What the column ``split`` says, or each of ``split_1``, ``split_2`` ...; the rest is left out.

    The part "validation" trains with the others: no choice is made on the target.
    """
    folds = given_folds(utterances.iloc[target])
    if not folds:
        raise ProtocolError(
            f"{protocol.target!r} has no given split: its column 'split' is empty. Put the publisher's list "
            "beside the corpus as splits.csv or splits.json, or choose another protocol"
        )
    for fold, column in folds.items():
        part = utterances[column].iloc[target]
        wrong = sorted(set(part.dropna()) - set(PARTS))
        if wrong:
            raise ProtocolError(
                f"column {column!r} of {protocol.target!r} says {wrong[0]!r}; it may say {', '.join(PARTS)}"
            )
        train, test = part.isin(PARTS[:2]).to_numpy(), part.eq("test").to_numpy()
        if not train.any() or not test.any():
            raise ProtocolError(f"column {column!r} of {protocol.target!r} names nothing to train or to test")
        yield fold, target[train], target[test]


def given_folds(utterances: pd.DataFrame) -> dict[str, str]:
    """Fold -> the column that says it; empty where no split is given."""
    several = {
        match["fold"]: name for name in utterances if (match := _GIVEN.fullmatch(str(name))) is not None
    }
    several = {fold: name for fold, name in several.items() if utterances[name].notna().any()}
    if several:
        return several
    return {"given": "split"} if "split" in utterances and utterances["split"].notna().any() else {}


def _known(
    utterances: pd.DataFrame, target: np.ndarray, column: str, protocol: SplitProtocol, what: str
) -> np.ndarray:
    """Values of a column of the target, all of which must be known."""
    own = utterances[column].iloc[target]
    if own.isna().any() or not len(own):
        raise ProtocolError(
            f"protocol {protocol.name!r} needs to know the {what} of {protocol.target!r} "
            f"(column {column!r}), and {own.isna().sum() or 'all'} of its utterances lack it; choose "
            "another protocol"
        )
    return own.to_numpy(dtype=str)


def _texts(
    target: np.ndarray, emotion: np.ndarray, utterances: pd.DataFrame, protocol: SplitProtocol
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The sentence of each row, and the sentences of each fold."""
    text = _known(utterances, target, "text_id", protocol, "sentences")
    n_folds = min(protocol.repeats, len(np.unique(text)))
    if n_folds < 2:
        raise ProtocolError(
            f"all utterances of {protocol.target!r} say one sentence: none can be tested unseen; choose "
            "another protocol"
        )
    tests = _even_groups(target, emotion, utterances, text, protocol, what="sentences", n_folds=n_folds)
    return [(text, names) for names in tests]


def whole_groups(
    strata: np.ndarray, group: np.ndarray, n_folds: int, seed: int | np.random.RandomState
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Folds that part no group, with each stratum as evenly in them as groups allow, however rare it is.

    Parameters
    ----------
    strata, group : ndarray, shape (n,)
        Group of each row: its speaker, session or sentence.
    n_folds : int
        No more than there are groups.
    seed : int or RandomState

    Yields
    ------
    (train, test) : ndarrays of int
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if np.unique(strata, return_counts=True)[1].max() < n_folds:  # nothing to stratify by
        strata = np.zeros(len(strata), dtype=int)
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # a stratum rarer than the folds
        warnings.simplefilter("ignore", UserWarning)
        yield from list(folds.split(strata, strata, group))


def _even_groups(
    target: np.ndarray,
    emotion: np.ndarray,
    utterances: pd.DataFrame,
    group: np.ndarray,
    protocol: SplitProtocol,
    *,
    what: str,
    n_folds: int | None = None,
) -> Sequence[np.ndarray]:
    """Names of the groups that each fold tests: of many random divisions, the most alike in emotions and sex.

    Where one group is most of a class, no division is even: the one whose
    folds differ least from the corpus is taken.
    """
    n_folds = protocol.repeats if n_folds is None else n_folds
    if len(np.unique(group)) < n_folds:
        raise ProtocolError(
            f"{n_folds} folds need as many {what}; {protocol.target!r} has {len(np.unique(group))}. "
            "Ask for fewer folds"
        )
    sex = utterances["sex"].iloc[target].fillna("")
    strata = pd.crosstab(group, [emotion[target], sex.to_numpy(dtype=str)])
    stratum = pd.factorize(emotion[target] + sex.to_numpy(dtype=object))[0]
    divisions = []
    for trial in range(_TRIALS):
        seed = np.random.RandomState([protocol.seed, trial])
        tests = [np.unique(group[test]) for _, test in whole_groups(stratum, group, n_folds, seed)]
        shares = np.array([strata.loc[names].sum() / strata.sum() for names in tests])
        divisions.append((np.sum((shares - 1 / n_folds) ** 2), tests))
    return min(divisions, key=lambda division: division[0])[1]
