"""Lesson 5: what a score is read off: voices, sentences, recordings."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from serlab import labels, studies
from serlab.corpora import cheating
from serlab.errors import ParameterError, ProtocolError
from serlab.evaluation import giveaways
from serlab.experiment import Outcome
from serlab.lessons import classroom, hints
from serlab.lessons.base import Check, Plan
from serlab.studies.voice_and_text import VoiceAndText

#: What the boxes may hold, and what is to be looked for.
KINDS: tuple[str, ...] = ("nothing", "telephone", "rooms", "sentences")
#: Facts of a recording that are shown by label.
FACTS: tuple[str, ...] = (
    "level", "noise floor 1-2 kHz", "noise floor 3-4 kHz", "noise floor 5-6 kHz",
    "noise floor 7-8 kHz",
)  # fmt: skip


@dataclass(frozen=True)
class Box:
    """A corpus in which nobody expresses what the labels say.

    Attributes
    ----------
    name : str
    utterances : DataFrame
        With ``emotion``: the labels.
    kind, label : str
        What gives them away, and which label the telephone has. Not shown: to be found.
    """

    name: str
    utterances: pd.DataFrame
    kind: str = field(repr=False)
    label: str = field(repr=False)


def method(quick: bool) -> str:
    """The classifier of the lesson: a random forest, or in a test of the lesson a faster one."""
    return "ridge-target" if quick else "rf-target"


def cheat(target: pd.DataFrame, kind: str, *, called: str = "", label: str = "") -> pd.DataFrame:
    """The same recordings with labels that are given away, see :data:`serlab.corpora.cheating.CHEATS`."""
    name = f"{target['corpus'].iloc[0]}-{called or kind}"
    made = cheating.cheating(target, kind, name=name, folder=classroom.variants_folder(), label=label)
    return labels.scheme(classroom.SCHEME).apply(made)


def boxes(target: pd.DataFrame) -> dict[str, Box]:
    """Four boxes, A to D, one of each of :data:`KINDS`; which is which hangs on the corpus."""
    rng = np.random.default_rng(zlib.crc32(str(target["corpus"].iloc[0]).encode()))
    classes = list(target["emotion"].cat.remove_unused_categories().cat.categories)
    label = str(rng.choice(classes))
    kinds = [str(kind) for kind in rng.permutation(KINDS)]
    return {
        letter: Box(
            letter,
            cheat(target, kind, called=f"box-{letter.lower()}", label=label if kind == "telephone" else ""),
            kind,
            label if kind == "telephone" else "",
        )
        for letter, kind in zip("ABCD", kinds, strict=True)
    }


def score(table: pd.DataFrame, *, protocol: str = "speaker-groups", quick: bool = False) -> Outcome:
    """A classifier on one corpus, tested as a protocol says."""
    name = method(quick)
    session = classroom.session(
        table, methods=[name], baseline=name, primary=(), protocol=protocol, folds=4,
        features=classroom.features(quick),
    )  # fmt: skip
    return session.run(with_details=False, with_giveaways=False)


def voice_and_text(target: pd.DataFrame, *, quick: bool = False) -> VoiceAndText:
    """Speakers seen or not, sentences seen or not; see :mod:`serlab.studies.voice_and_text`.

    Raises
    ------
    ProtocolError
        If the sentences of the corpus are not known, or too few.
    """
    name = method(quick)
    session = classroom.session(
        target, methods=[name], baseline=name, features=classroom.features(quick), primary=()
    )
    try:
        return studies.voice_and_text.run(session, method=name)
    except ProtocolError as error:
        raise ProtocolError(
            f"{error}. This lesson needs a target whose speakers say the same sentences: name another one "
            "second in the first cell (corpora)"
        ) from None


def table(outcomes: Mapping[str, Outcome], *, by: str) -> pd.DataFrame:
    """UAR of each outcome, with its interval: ``by``, method, title, uar, uar_low, uar_high and recalls."""
    parts = [one.summary.assign(**{by: name}) for name, one in outcomes.items()]
    found = pd.concat(parts, ignore_index=True)
    recalls = [name for name in found if name.startswith("recall_") and not name.endswith(("_low", "_high"))]
    return found[[by, "method", "title", "uar", "uar_low", "uar_high", *recalls]]


def facts(box: Box) -> pd.DataFrame:
    """What is known of the recordings without listening to what is said: means by label."""
    measured = giveaways.technical_facts(box.utterances)
    shown = [name for name in FACTS if name in measured]
    by_label = measured[shown].groupby(box.utterances["emotion"].astype(str).loc[measured.index]).mean()
    return by_label.rename_axis("label").reset_index()


def sentences(box: Box) -> pd.DataFrame:
    """How many utterances of each sentence have each label."""
    own = box.utterances
    return pd.crosstab(own["text_id"], own["emotion"].astype(str)).rename_axis(columns=None).reset_index()


def given_away(found: Mapping[str, Box], *, quick: bool = False) -> pd.DataFrame:
    """What two classifiers tell that know no speech: facts of the recording, and the sentence.

    Returns
    -------
    DataFrame
        box, check, severity, finding; in a test of the lesson of the first box alone.
    """
    asked = list(found.values())[: 1 if quick else None]
    parts = [giveaways.findings(box.utterances).assign(box=box.name) for box in asked]
    return pd.concat(parts, ignore_index=True)[["box", "check", "severity", "finding"]]


def _adds(answer: Any, found: VoiceAndText) -> str:
    uar = found.scores.set_index("condition")["uar"]
    truth = float(uar["both seen"] - uar["both unseen"])
    value = hints.as_number(answer)
    for other, says in (
        ("unseen speakers", "That is what speakers add where sentences are seen."),
        ("unseen sentences", "That is what sentences add where speakers are seen."),
    ):
        near = float(uar["both seen"] - uar[other])
        if isinstance(value, float) and abs(value - near) < 0.005 <= abs(truth - near):
            return f"{says} Take the row in which both are unseen."
    return hints.number(answer, truth, nearly='"both seen" minus "both unseen".')


def _shown(answer: Any, found: VoiceAndText) -> str:
    if not isinstance(answer, bool | np.bool_):
        return "True or False is asked for."
    row = found.parts.set_index("part").loc["what a random split adds"]
    if bool(answer) == (not row["low"] <= 0 <= row["high"]):
        return ""
    return f"The interval goes from {row['low']:+.2f} to {row['high']:+.2f}: does it hold 0?"


def _shared(answer: Any, train: pd.DataFrame, test: pd.DataFrame) -> str:
    truth = float(test["speaker"].isin(set(train["speaker"])).mean())
    return hints.number(
        answer, truth, nearly="Of the tested utterances, how many are by somebody who is in train, too?"
    )


def box_of(kinds: Mapping[str, str], kind: str) -> str:
    """Letter of the box that a student says is of a kind.

    Raises
    ------
    ParameterError
        If none is yet.
    """
    for letter, said in kinds.items():
        if said == kind:
            return letter
    raise ParameterError(f"no box is said to be of the kind {kind!r} yet; the four boxes come first")


def _kinds(answer: Any, found: Mapping[str, Box]) -> str:
    if not isinstance(answer, Mapping):
        return 'A dictionary is asked for: {"A": "...", "B": "...", "C": "...", "D": "..."}.'
    missing = [letter for letter in found if answer.get(letter) in (None, "", "...", ...)]
    if missing:
        return f"Nothing is said of box {missing[0]} yet."
    looks = {
        "nothing": "Then no fact, and no sentence, goes with a label, and its UAR is near chance.",
        "telephone": "Then one label alone, and it completely, lacks what lies above 3.4 kHz.",
        "rooms": "Then each label has a spectrum and a noise floor of its own, and no label is mistaken.",
        "sentences": "Then most utterances of a sentence have the same label: count.",
    }
    for letter, box in found.items():
        said = str(answer[letter])
        problem = hints.name(said, box.kind, known=KINDS, wrong=looks.get(said, ""))
        if problem:
            right = sum(str(answer[name]) == one.kind for name, one in found.items())
            return f"{right} of {len(found)} are right. Box {letter}: {problem}"
    return ""


def _label(answer: Any, found: Mapping[str, Box]) -> str:
    box = next(box for box in found.values() if box.kind == "telephone")
    known = sorted(box.utterances["emotion"].astype(str).unique())
    return hints.name(
        answer, box.label, known=known, wrong="Which label has the lowest floor above 5 kHz, and recall 1?"
    )


def _after(answer: Any, before: Outcome, after: Outcome) -> str:
    one, other = (classroom.uar(found, found.parameters.methods[0]) for found in (before, after))
    return hints.number(answer, one - other, nearly="UAR on unseen speakers minus UAR with both unseen.")


LESSON = Plan(
    key="5",
    name="5_leakage",
    title="Leakage",
    question="What is a score read off: the emotion, or the voice, the sentence, the recording?",
    checks=(
        Check(
            name="random-adds",
            asks="a difference of two UARs",
            hint=_adds,
            right="So much higher it is here. Whether that could be chance is the next question.",
        ),
        Check(
            name="shown",
            asks="True or False",
            hint=_shown,
            right="A split that could leak need not have leaked: the number says, with its interval.",
        ),
        Check(
            name="shared",
            asks="a share from 0 to 1",
            hint=_shared,
            right="That is why serlab prints a badge beside every number of a random split.",
        ),
        Check(
            name="boxes",
            asks="for each box one of " + ", ".join(KINDS),
            hint=_kinds,
            right="And in none of them does a label go with what was expressed.",
        ),
        Check(
            name="telephone",
            asks="a label",
            hint=_label,
            right="Unseen speakers do not help here: all of them were recorded so.",
        ),
        Check(
            name="unseen-sentences",
            asks="a difference of two UARs",
            hint=_after,
            right="Unseen sentences find it: a protocol answers for what it holds out, and for no more.",
        ),
    ),
    summary=(
        "A classifier takes whatever goes with the label. Ask of a high score: what else goes with it?",
        "Unseen speakers answer for voices, unseen sentences for words; neither answers for the recording.",
        "Shuffled labels, facts of the recording alone, the sentence alone: baselines that cost minutes.",
        "A corpus with few emotions a speaker teaches voices, whatever its labels say.",
    ),
)
