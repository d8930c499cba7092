"""How much of a score within a corpus is the voice, how much the words, and what is left.

Where all speakers say the same sentences, a method that has heard the speaker, or
the sentence, may answer by them. Four tests of the same utterances, with the same
number of training utterances of each emotion:

=====================  ====================================================
both seen              as in a random split
unseen speakers        as in most papers that are careful
unseen sentences       spoken by speakers who train
both unseen            neither who speaks nor what is said was trained on
=====================  ====================================================

What the voice adds is the third minus the last, what the words add the second
minus the last; what is left is the last minus chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab import divisions, evaluation, methods
from serlab.errors import ParameterError, ProtocolError
from serlab.evaluation import intervals
from serlab.experiment import Session
from serlab.protocols import Split, SplitProtocol

#: Conditions, by name: (the speaker is trained on, the sentence is trained on).
CONDITIONS: Mapping[str, tuple[bool, bool]] = {
    "both seen": (True, True),
    "unseen speakers": (False, True),
    "unseen sentences": (True, False),
    "both unseen": (False, False),
}
#: What is said of differences: (condition, the one it is compared with).
PARTS: Mapping[str, tuple[str, str]] = {
    "what the voice adds": ("unseen sentences", "both unseen"),
    "what the words add": ("unseen speakers", "both unseen"),
    "what a random split adds": ("both seen", "both unseen"),
}
#: Groups of speakers, and of sentences, that take turns.
SPEAKER_GROUPS, TEXT_GROUPS = 3, 2


@dataclass(frozen=True)
class VoiceAndText:
    """Scores of one method in the four conditions, and what they say.

    Attributes
    ----------
    method : str
    scores : DataFrame
        condition, uar, uar_low, uar_high, n_train (mean over folds), n_tested.
    parts : DataFrame
        part, gain, low, high, p: differences of conditions, paired by utterance and test speaker;
        last what is left: "both unseen" minus chance.
    chance : float
    """

    method: str
    scores: pd.DataFrame
    parts: pd.DataFrame
    chance: float

    def table(self) -> pd.DataFrame:
        """Both as they are printed: what, and UAR or difference with its interval."""
        rows = [
            (row.condition, intervals.text(row.uar, row.uar_low, row.uar_high))
            for row in self.scores.itertuples()
        ]
        rows += [
            (row.part, intervals.text(row.gain, row.low, row.high, sign=True))
            for row in self.parts.itertuples()
        ]
        return pd.DataFrame(rows, columns=["", f"UAR {intervals.HEADING}"])


def run(session: Session, *, method: str = "") -> VoiceAndText:
    """Test a method on the same utterances in the four conditions.

    Parameters
    ----------
    session : Session
        Its target is divided; sources are left out.
    method : str
        One that learns from the target alone; the baseline of the parameters, if empty.

    Raises
    ------
    ParameterError
        If the method needs a source.
    ProtocolError
        If sentences are not known, or there are too few speakers or sentences.
    """
    parameters = session.parameters
    name = method or parameters.baseline
    if methods.get(name).access != "target-only":
        raise ParameterError(f"{name} does not learn from labelled utterances of the target alone")
    utterances = session.prepare().utterances
    planned = plan(utterances, target=parameters.target, seed=parameters.seeds[0])
    predictions, fits = [], []
    for condition, splits in planned.items():
        done = session.evaluate([name], splits, kept_in=f"voice-and-text-{condition.replace(' ', '-')}")
        predictions.append(done.predictions.assign(method=condition))
        fits.append(done.fits.assign(method=condition))
    chance = 1 / utterances.loc[utterances["corpus"] == parameters.target, "emotion"].nunique()
    return _told(
        name, pd.concat(predictions, ignore_index=True), pd.concat(fits, ignore_index=True),
        utterances["speaker"], chance,
    )  # fmt: skip


def plan(utterances: pd.DataFrame, *, target: str, seed: int = 0) -> dict[str, list[Split]]:
    """Splits of the four conditions; folds of the same name test the same utterances.

    The target is divided into groups of speakers times groups of sentences. Of
    each such cell one half is tested, then the other, so that with both seen
    there is something of the same speakers and sentences to learn from. In all
    conditions a fold trains on as many utterances of each emotion: as many as
    the smallest of the four pools has.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``; whose sentence is not known takes no part.
    target : str
    seed : int

    Raises
    ------
    ProtocolError
        If sentences are not known, there are too few speakers or sentences, or an emotion is left
        with nothing to train on.
    """
    rows = np.flatnonzero((utterances["corpus"] == target) & utterances["text_id"].notna())
    emotion = utterances["emotion"].astype(str).to_numpy(dtype=object)
    speaker = utterances["speaker"].to_numpy(dtype=object)
    text = utterances["text_id"].to_numpy(dtype=object)

    def protocol(name: str, repeats: int) -> SplitProtocol:
        return SplitProtocol(name=name, target=target, repeats=repeats, seed=seed)

    if not len(rows):
        raise ProtocolError(f"the sentences of {target!r} are not known (column 'text_id')")
    n_groups = min(SPEAKER_GROUPS, len(divisions.speakers(speaker, rows, protocol("speaker-groups", 2))))
    asked = (rows, emotion, speaker, utterances)
    by_speaker = list(divisions.speaker_groups(*asked, protocol("speaker-groups", n_groups)))
    by_text = list(divisions.text_groups(*asked, protocol("text-groups", TEXT_GROUPS)))
    planned: dict[str, list[Split]] = {condition: [] for condition in CONDITIONS}
    for group, _, of_speakers in by_speaker:
        for texts, _, of_texts in by_text:
            cell = np.intersect1d(of_speakers, of_texts)
            same_speaker = np.isin(speaker[rows], np.unique(speaker[of_speakers].astype(str)))
            same_text = np.isin(text[rows], np.unique(text[of_texts].astype(str)))
            for half, test in enumerate(_halves(cell, emotion, speaker, seed), start=1):
                fold = f"{group}, {texts}, half-{half}"
                pools = {
                    condition: rows[(seen[0] | ~same_speaker) & (seen[1] | ~same_text) & ~np.isin(rows, test)]
                    for condition, seen in CONDITIONS.items()
                }
                for condition, train in _alike(pools, emotion, fold, seed).items():
                    nothing = np.array([], dtype=int)
                    planned[condition].append(Split(fold, nothing, train, nothing, nothing, test))
    return planned


def _halves(cell: np.ndarray, emotion: np.ndarray, speaker: np.ndarray, seed: int) -> list[np.ndarray]:
    """Two halves of a cell, each with every second utterance of a speaker and emotion."""
    shuffled = np.random.default_rng(seed).permutation(cell)
    order = shuffled[np.lexsort((emotion[shuffled].astype(str), speaker[shuffled].astype(str)))]
    return [part for part in (np.sort(order[::2]), np.sort(order[1::2])) if len(part)]


def _alike(
    pools: Mapping[str, np.ndarray], emotion: np.ndarray, fold: str, seed: int
) -> dict[str, np.ndarray]:
    """As many utterances of each emotion from each pool."""
    counts = pd.DataFrame({name: pd.Series(emotion[pool]).value_counts() for name, pool in pools.items()})
    least = counts.fillna(0).min(axis=1).astype(int)
    if (least == 0).any():
        raise ProtocolError(
            f"fold {fold!r}: no {', '.join(least.index[least == 0])} is said by other speakers in other "
            "sentences; voice and words cannot be told apart in this corpus"
        )
    chosen = {}
    for number, (name, pool) in enumerate(pools.items()):
        rng = np.random.default_rng([seed, number])
        parts = [rng.choice(pool[emotion[pool] == one], n, replace=False) for one, n in least.items()]
        chosen[name] = np.sort(np.concatenate(parts))
    return chosen


def _told(
    method: str, predictions: pd.DataFrame, fits: pd.DataFrame, speakers: pd.Series, chance: float
) -> VoiceAndText:
    results = evaluation.score(predictions, fits)
    summary = evaluation.summarise(predictions, results, speakers).set_index("method")
    tested = predictions.groupby("method")["utterance"].nunique()
    scores = pd.DataFrame(
        {
            "condition": list(CONDITIONS),
            **{name: summary[name].reindex(CONDITIONS).to_numpy() for name in ("uar", "uar_low", "uar_high")},
            "n_train": summary["n_target"].reindex(CONDITIONS).to_numpy(),
            "n_tested": tested.reindex(CONDITIONS).to_numpy(),
        }
    )
    rows = []
    for part, (one, other) in PARTS.items():
        found = evaluation.paired(predictions, speakers, method=one, control=other)
        rows.append((part, found.gain, found.low, found.high, found.p))
    left = (summary.loc["both unseen", name] - chance for name in ("uar", "uar_low", "uar_high"))
    rows.append(("what is left above chance", *left, float("nan")))
    parts = pd.DataFrame(rows, columns=["part", "gain", "low", "high", "p"])
    return VoiceAndText(method, scores, parts, chance)
