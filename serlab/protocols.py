"""Who trains, who adapts, who is tested: nothing but index arrays.

A protocol never sees features or predictions, so a split cannot depend on a
result. All index arrays are positions in the utterance table that was split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

import numpy as np
import pandas as pd

from serlab import divisions
from serlab.divisions import Division
from serlab.errors import ProtocolError
from serlab.wording import count

#: What a fold is: a "part" of a division of the target, to be tested; a "subject", the speaker of the
#: target whom it is named after and who alone is learned from; or a "draw", random utterances to learn
#: from. Subjects and draws would be others if the study were made again, and intervals say so.
FoldIs = Literal["part", "subject", "draw"]


@dataclass(frozen=True)
class Split:
    """One fold.

    Attributes
    ----------
    fold : str
        Name of the fold, for example the training subject.
    train : ndarray of int
        Labelled utterances of the source corpora.
    target_train : ndarray of int
        Labelled utterances of the target.
    adapt : ndarray of int
        Target utterances that may be seen without their labels; disjoint from
        ``target_train``. Contains ``test`` when the protocol is transductive.
    validation : ndarray of int
        Part of ``train`` or ``target_train`` kept for model choice; may be empty.
    test : ndarray of int
    """

    fold: str
    train: np.ndarray
    target_train: np.ndarray
    adapt: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class SkippedFold:
    """A fold that cannot be run, and why; shown on the report."""

    fold: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class SplitProtocol:
    """How one target corpus is divided, with whole source corpora beside it.

    Attributes
    ----------
    name : str
        One of :data:`PROTOCOLS`.
    target : str
    sources : tuple of str
        May be empty for a study within one corpus.
    shots : int
        Labelled target utterances per class ("k-shot" only).
    repeats : int
        Number of folds of the groups, "random" and "joint" (5 at most), of draws of "k-shot".
    seed : int
        Of the random divisions; the others ignore it.
    transductive : bool
        Whether ``adapt`` holds the test utterances, without labels. If False
        (inductive), it holds target utterances of speakers who are not tested:
        what is found holds for voices that were never heard.
    """

    name: str
    target: str
    sources: tuple[str, ...] = ()
    shots: int = 5
    repeats: int = 5
    seed: int = 0
    transductive: bool = True

    def __post_init__(self) -> None:
        if self.name not in PROTOCOLS:
            raise ProtocolError(f"unknown protocol {self.name!r}; known: {', '.join(PROTOCOLS)}")
        if self.target in self.sources:
            raise ProtocolError(
                f"{self.target!r} is target and source at once: its test speakers would train. "
                "Choose another source, or no source for a study within one corpus"
            )
        if self.shots < 1 or self.repeats < 1:
            raise ProtocolError(f"shots ({self.shots}) and repeats ({self.repeats}) must be at least 1")
        if self.name == "joint" and self.repeats > _FIFTHS:
            raise ProtocolError(
                f"protocol 'joint' trains on one fifth of the target after the other: {_FIFTHS} folds at "
                f"most, not {self.repeats}"
            )
        if self.repeats < 2 and self.name in FOLDED:
            raise ProtocolError(f"protocol {self.name!r} needs at least 2 folds, not {self.repeats}")

    @property
    def title(self) -> str:
        """For figures and tables."""
        return PROTOCOLS[self.name].title

    @property
    def badge(self) -> str:
        """Warning to print beside every number; empty where none is due.

        Whether the folds of given splits and of sessions share speakers is known of their corpus alone:
        :func:`serlab.evaluation.leakage.badge`.
        """
        return PROTOCOLS[self.name].badge

    @property
    def fold_is(self) -> FoldIs:
        """What a fold is, for what the answers in it hang on; see :data:`FoldIs`."""
        return PROTOCOLS[self.name].fold_is

    def split(self, utterances: pd.DataFrame) -> Iterator[Split]:
        """Yield the folds that can be run; see :meth:`plan` for the others."""
        yield from self.plan(utterances)[0]

    def plan(self, utterances: pd.DataFrame) -> tuple[list[Split], list[SkippedFold]]:
        """All folds, and those that cannot be run with the reason.

        Parameters
        ----------
        utterances : DataFrame
            With column ``emotion``, see :meth:`serlab.labels.LabelScheme.apply`.

        Raises
        ------
        ProtocolError
            If a corpus is absent, no fold is left, the target has one class,
            too few speakers, or fewer utterances of a class than ``shots``.

        Examples
        --------
        >>> table = pd.DataFrame(
        ...     {
        ...         "corpus": ["t"] * 6,
        ...         "speaker": ["ann", "ann", "ben", "ben", "cem", "cem"],
        ...         "emotion": ["joy", "anger"] * 3,
        ...     }
        ... )
        >>> splits, skipped = SplitProtocol(name="loso", target="t").plan(table)
        >>> [(split.fold, split.test.tolist()) for split in splits]
        [('ann', [0, 1]), ('ben', [2, 3]), ('cem', [4, 5])]
        """
        corpus = utterances["corpus"].to_numpy()
        for name in (self.target, *self.sources):
            if name not in corpus:
                raise ProtocolError(f"no utterances of {name!r} are left after label scheme and bad files")
        target = np.flatnonzero(corpus == self.target)
        train = np.flatnonzero(np.isin(corpus, self.sources))
        emotion = utterances["emotion"].astype(str).to_numpy(dtype=object)
        speaker = utterances["speaker"].to_numpy(dtype=object)
        if len(np.unique(emotion[target])) < 2:
            raise ProtocolError(
                f"all utterances of target {self.target!r} are {emotion[target][0]!r}: "
                "nothing to recognise; choose another label scheme or target"
            )
        splits, skipped = [], []
        train = PROTOCOLS[self.name].of_sources(train, utterances)
        divide = PROTOCOLS[self.name].divide
        for fold, target_train, test in divide(target, emotion, speaker, utterances, self):
            reason = _why_not(emotion, target_train, test)
            if reason:
                skipped.append(SkippedFold(fold, reason))
                continue
            adapt = np.setdiff1d(target, target_train)
            if not self.transductive:
                adapt = adapt[~np.isin(speaker[adapt], speaker[test])]
            splits.append(Split(fold, train, target_train, adapt, np.array([], dtype=int), test))
        if not splits:
            reasons = "; ".join(sorted({skip.reason for skip in skipped}))
            raise ProtocolError(f"protocol {self.name!r} leaves no fold of {self.target!r}: {reasons}")
        return splits, skipped


def _why_not(emotion: np.ndarray, target_train: np.ndarray, test: np.ndarray) -> str:
    """Why a fold cannot be run; empty if it can."""
    if len(test) == 0:
        return "no utterance is left to test"
    found = np.unique(emotion[target_train])
    if len(found) == 0:
        return "no labelled target utterance is left to train on"
    if len(found) < 2:
        return f"the labelled target utterances are all {found[0]!r}: one class cannot be trained on"
    return ""


def _one_subject(
    target: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    utterances: pd.DataFrame,
    protocol: SplitProtocol,
) -> Division:
    for name in divisions.speakers(speaker, target, protocol):
        own = speaker[target] == name
        yield name, target[own], target[~own]


def _leave_one_speaker_out(
    target: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    utterances: pd.DataFrame,
    protocol: SplitProtocol,
) -> Division:
    for name in divisions.speakers(speaker, target, protocol):
        own = speaker[target] == name
        yield name, target[~own], target[own]


def _random(
    target: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    utterances: pd.DataFrame,
    protocol: SplitProtocol,
) -> Division:
    from sklearn.model_selection import StratifiedKFold

    classes, counts = np.unique(emotion[target], return_counts=True)
    if counts.min() < protocol.repeats:
        raise ProtocolError(
            f"{protocol.repeats} stratified folds need as many utterances of each class; "
            f"{protocol.target!r} has {counts.min()} of {classes[counts.argmin()]!r}"
        )
    folds = StratifiedKFold(protocol.repeats, shuffle=True, random_state=protocol.seed)
    for number, (train, test) in enumerate(folds.split(target, emotion[target]), start=1):
        yield f"random-{number}", target[train], target[test]


#: Parts of the target of which each trains once, and sessions of a source that train.
_FIFTHS, _SESSIONS = 5, 3


def _joint(
    target: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    utterances: pd.DataFrame,
    protocol: SplitProtocol,
) -> Division:
    """Random fifths of the target, each trained on once: the other four are tested."""
    fifths = _random(target, emotion, speaker, utterances, replace(protocol, name="random", repeats=_FIFTHS))
    for number, (_, train, test) in enumerate(islice(fifths, protocol.repeats), start=1):
        yield f"joint-{number}", test, train


def _whole(train: np.ndarray, utterances: pd.DataFrame) -> np.ndarray:
    return train


def _first_sessions(train: np.ndarray, utterances: pd.DataFrame) -> np.ndarray:
    """Of a source that was recorded in sessions, the first three; of another, all."""
    own = utterances.iloc[train][["corpus", "session"]]
    kept = np.ones(len(own), dtype=bool)
    for corpus, sessions in own.groupby("corpus", observed=True)["session"]:
        if sessions.notna().all():
            first = sorted(sessions.unique())[:_SESSIONS]
            kept &= ((own["corpus"] != corpus) | own["session"].isin(first)).to_numpy()
    return train[kept]


def _k_shot(
    target: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    utterances: pd.DataFrame,
    protocol: SplitProtocol,
) -> Division:
    """Draw ``shots`` utterances of each class; their speakers are not tested.

    Speakers are taken one after the other, by chance, until those who are taken have enough: nothing
    hangs on a label of who is tested. Each draw is by itself, whatever the others took.
    """
    classes, counts = np.unique(emotion[target], return_counts=True)
    if counts.min() < protocol.shots:
        raise ProtocolError(
            f"{protocol.shots} labelled utterances per class were asked for, but {protocol.target!r} "
            f"has {counts.min()} of {classes[counts.argmin()]!r}; ask for fewer shots"
        )
    names = divisions.speakers(speaker, target, protocol)
    for number in range(1, protocol.repeats + 1):
        rng = np.random.default_rng([protocol.seed, number])
        pools: dict[str, list[int]] = {name: [] for name in classes}
        chosen = []
        for name in rng.permutation(names):
            if all(len(pool) >= protocol.shots for pool in pools.values()):
                break
            own = target[speaker[target] == name]
            chosen.append(name)
            for c in classes:
                pools[c].extend(own[emotion[own] == c])
        shots = np.concatenate([rng.choice(pools[c], protocol.shots, replace=False) for c in classes])
        yield f"draw-{number}", np.sort(shots), target[~np.isin(speaker[target], chosen)]


def hold_out_speakers(
    utterances: pd.DataFrame, rows: np.ndarray, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Keep a fifth of the speakers (of two or more, at least one) for model choice.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``.
    rows : ndarray of int
        Positions of the training utterances, as a rule the source.
    seed : int

    Returns
    -------
    train, held_out : ndarray of int
        No speaker is in both; classes are spread as evenly as speakers allow.

    Raises
    ------
    ProtocolError
        If there is one speaker only.
    """
    speaker = utterances["speaker"].to_numpy(dtype=str)[rows]
    n_speakers = len(np.unique(speaker))
    if n_speakers < 2:
        raise ProtocolError(f"{count(n_speakers, 'source speaker')}: none can be kept for model choice")
    emotion = utterances["emotion"].astype(str).to_numpy(dtype=str)[rows]
    train, held_out = next(divisions.whole_groups(emotion, speaker, min(5, n_speakers), seed))
    return rows[train], rows[held_out]


#: Of so many speakers of a few-shot curve one is tested, the others may be drawn from.
_ONE_IN = 3


@dataclass(frozen=True)
class ShotSplit:
    """A fold of a few-shot curve: ``shots`` labelled target utterances per class."""

    shots: int
    draw: int
    split: Split


def few_shot_curve(
    utterances: pd.DataFrame,
    *,
    target: str,
    sources: tuple[str, ...],
    shots: Sequence[int],
    draws: int,
    seed: int = 0,
    transductive: bool = True,
) -> tuple[list[ShotSplit], list[SkippedFold]]:
    """Splits for UAR against the number of labelled target utterances per class.

    Each draw divides the target's speakers anew, whatever the other draws did: one third is
    tested, the same for all numbers, and utterances of the others are drawn; more shots contain
    fewer. So a curve rises because of the utterances that are added and for no other reason.
    Speakers are divided by chance, evenly by sex, and classes are those of the speakers who are
    drawn from: nothing hangs on a label of who is tested.

    Parameters
    ----------
    shots : sequence of int
        Per class; 0 is a split without labelled target utterances.
    transductive : bool
        See :class:`SplitProtocol`.

    Returns
    -------
    list of ShotSplit, list of SkippedFold
        The second: numbers for which a class has too few utterances.
    """
    emotion = utterances["emotion"].astype(str).to_numpy(dtype=object)
    corpus = utterances["corpus"].to_numpy()
    for name in (target, *sources):
        if name not in corpus:
            raise ProtocolError(f"no utterances of {name!r} are left after label scheme and bad files")
    rows, train = np.flatnonzero(corpus == target), np.flatnonzero(np.isin(corpus, sources))
    protocol = SplitProtocol(name="k-shot", target=target, sources=sources)
    names = divisions.speakers(utterances["speaker"].to_numpy(dtype=object), rows, protocol)
    splits, skipped = [], []
    for draw in range(1, draws + 1):
        rng = np.random.default_rng([seed, draw])
        tested = _tested_third(utterances.iloc[rows], names, rng)
        test, drawable = rows[tested], rows[~tested]
        pools = {
            name: rng.permutation(drawable[emotion[drawable] == name])
            for name in np.unique(emotion[drawable])
        }
        for n in sorted(set(shots)):
            fold = f"draw-{draw}, {n} shots"
            short = {label: len(pool) for label, pool in pools.items() if len(pool) < n}
            if short:
                few = ", ".join(f"{count} of {label!r}" for label, count in short.items())
                skipped.append(SkippedFold(fold, f"its speakers have {few}"))
                continue
            chosen = np.sort(np.concatenate([pool[:n] for pool in pools.values()])).astype(int)
            reason = _why_not(emotion, chosen, test) if n else ""
            if reason:
                skipped.append(SkippedFold(fold, reason))
                continue
            rest = np.setdiff1d(rows if transductive else drawable, chosen)
            nobody = np.array([], dtype=int)
            splits.append(ShotSplit(n, draw, Split(fold, train, chosen, rest, nobody, test)))
    return splits, skipped


def _tested_third(own: pd.DataFrame, names: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whether each utterance is of a tested speaker: a third of them (at least one), evenly by sex."""
    sex = own.drop_duplicates("speaker").set_index("speaker")["sex"].fillna("").astype(str)
    ordered = sorted(rng.permutation(names), key=lambda name: sex[name])  # stable: within a sex by chance
    first = rng.integers(min(_ONE_IN, len(names)))
    return own["speaker"].isin(ordered[first::_ONE_IN]).to_numpy()


@dataclass(frozen=True)
class _Kind:
    title: str
    divide: Callable[..., Division]
    badge: str = ""
    fold_is: FoldIs = "part"
    of_sources: Callable[[np.ndarray, pd.DataFrame], np.ndarray] = _whole


#: Protocols whose number of folds is asked for.
FOLDED: tuple[str, ...] = ("speaker-groups", "session-groups", "text-groups", "speaker-text-groups", "random")

#: Protocols that keep speakers apart, and those of them with as many groups of speakers as folds.
_OF_SPEAKERS = ("one-subject", "loso", "k-shot", "speaker-groups", "speaker-text-groups")
_GROUPED = ("speaker-groups", "speaker-text-groups")


def require_speakers(protocol: SplitProtocol, n_speakers: int) -> None:
    """Refuse more folds than the target has speakers, before anything of it is read.

    Raises
    ------
    ProtocolError
    """
    needed = protocol.repeats if protocol.name in _GROUPED else 2
    if protocol.name in _OF_SPEAKERS and n_speakers < needed:
        raise ProtocolError(
            f"protocol {protocol.name!r} needs {count(needed, 'speaker')}; {protocol.target!r} has "
            f"{n_speakers}. Choose fewer folds, another protocol or another target"
        )


#: Name -> how the target is divided.
PROTOCOLS: Mapping[str, _Kind] = {
    "one-subject": _Kind(
        "one target subject trains, all others test (Andova & Lustrek)", _one_subject, fold_is="subject"
    ),
    "loso": _Kind("leave one speaker out", _leave_one_speaker_out),
    "speaker-groups": _Kind("folds of whole speakers (Neumann & Vu)", divisions.speaker_groups),
    "session-groups": _Kind("folds of whole sessions", divisions.session_groups),
    "text-groups": _Kind(
        "folds of whole sentences",
        divisions.text_groups,
        badge="unseen sentences: speakers are shared",
    ),
    "speaker-text-groups": _Kind("unseen speakers with unseen sentences", divisions.speaker_text_groups),
    "given": _Kind("the split that is given with the corpus", divisions.given),
    "random": _Kind("random stratified folds", _random, badge="random split: speakers are shared"),
    "joint": _Kind(
        "three sessions of the source and a fifth of the target train (Durrani & Arshad)",
        _joint,
        badge="random split: speakers are shared",
        fold_is="draw",
        of_sources=_first_sessions,
    ),
    "k-shot": _Kind("k labelled target utterances per class, other speakers test", _k_shot, fold_is="draw"),
}
