"""Whole speakers, sessions and sentences are tested unseen, whatever columns a corpus has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import corpora, divisions, labels
from serlab.errors import ProtocolError
from serlab.protocols import SplitProtocol
from tests.toys import utterance_table


@pytest.fixture(scope="module")
def table():
    return utterance_table({"here": 5, "there": 3})


def plan(table, name, **asked):
    return SplitProtocol(name=name, target="here", **asked).plan(table)[0]


def in_both(table, split, column):
    values = table[column].to_numpy()
    return set(values[split.target_train]) & set(values[split.test])


def test_speakers_never_straddle_whatever_sessions_say(table):
    """Every speaker was recorded in every session: as groups they would part speakers."""
    sessions = table.assign(session=table["text_id"])
    for split in plan(sessions, "speaker-groups", repeats=3):
        assert not in_both(sessions, split, "speaker")
    by_session = plan(sessions, "session-groups", repeats=3)
    assert all(in_both(sessions, split, "speaker") for split in by_session)
    assert not any(in_both(sessions, split, "session") for split in by_session)


def test_sessions_of_whole_speakers_are_kept_together_where_they_are_enough(table):
    sessions = table.assign(session=table["speaker"].str[-1].map(lambda digit: "AB"[int(digit) % 2]))
    for split in plan(sessions, "speaker-groups", repeats=2):
        assert not in_both(sessions, split, "session") and not in_both(sessions, split, "speaker")
    assert len(plan(sessions, "speaker-groups", repeats=5)) == 5, "else whole speakers do"
    with pytest.raises(ProtocolError, match=r"3 folds need as many sessions; 'here' has 2"):
        plan(sessions, "session-groups", repeats=3)
    with pytest.raises(ProtocolError, match=r"needs to know the sessions of 'here' \(column 'session'\)"):
        plan(table, "session-groups", repeats=2)


@pytest.mark.shared
def test_urdu_with_a_session_column_keeps_its_speakers_apart(shared):
    """A session a clip number: with groups of sessions UAR was .77 instead of .57."""
    urdu = labels.scheme("four").apply(corpora.get("urdu").read(shared / "corpora"))
    urdu = urdu.assign(session=(urdu["clip"] % 7).astype(str))
    speaker = urdu["speaker"].to_numpy()
    splits = SplitProtocol(name="speaker-groups", target="urdu", repeats=5).plan(urdu)[0]
    assert not any(set(speaker[split.target_train]) & set(speaker[split.test]) for split in splits)


def test_sentences_are_tested_unseen_each_once(table):
    splits = plan(table, "text-groups", repeats=9)
    assert len(splits) == 3, "there are three sentences"
    assert not any(in_both(table, split, "text_id") for split in splits)
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested) == sorted(np.flatnonzero(table["corpus"] == "here"))


def test_speakers_and_sentences_are_both_unseen_each_utterance_once(table):
    splits = plan(table, "speaker-text-groups", repeats=2)
    assert len(splits) == 4
    for split in splits:
        assert not in_both(table, split, "speaker") and not in_both(table, split, "text_id")
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested) == sorted(np.flatnonzero(table["corpus"] == "here"))


@pytest.mark.parametrize("name", ["text-groups", "speaker-text-groups"])
def test_an_utterance_of_unknown_sentence_takes_no_part(table, name):
    some = table.assign(text_id=table["text_id"].where(table["text_id"] != "here/t0"))
    for split in plan(some, name, repeats=2):
        assert some["text_id"].iloc[np.concatenate([split.target_train, split.test])].notna().all()
    with pytest.raises(ProtocolError, match="say one sentence"):
        plan(table.assign(text_id="here/t0"), name, repeats=2)
    with pytest.raises(ProtocolError, match="needs to know the sentences of 'here'"):
        plan(table.assign(text_id=None), name, repeats=2)


def test_a_given_split_is_taken_as_it_is(table):
    part = table["speaker"].map({"here/s0": "test", "here/s1": "validation", "here/s2": "train"})
    (split,) = plan(table.assign(split=part), "given")
    speaker = table["speaker"].to_numpy()
    assert split.fold == "given"
    assert set(speaker[split.test]) == {"here/s0"}
    assert set(speaker[split.target_train]) == {"here/s1", "here/s2"}, "no choice is made on the target"
    folds = table.assign(split_1=part, split_2=part.replace({"test": "train", "train": "test"}))
    assert [split.fold for split in plan(folds, "given")] == ["1", "2"]


def test_a_given_split_that_says_nothing_is_refused(table):
    with pytest.raises(ProtocolError, match="'here' has no given split"):
        plan(table, "given")
    with pytest.raises(ProtocolError, match="says 'dev'; it may say train, validation, test"):
        plan(table.assign(split="dev"), "given")
    with pytest.raises(ProtocolError, match="names nothing to train or to test"):
        plan(table.assign(split="train"), "given")


def test_an_unknown_speaker_is_not_kept_apart_by_guessing(table):
    some = table.assign(speaker=table["speaker"].where(table["speaker"] != "here/s0"))
    for name in ("loso", "speaker-groups", "one-subject", "k-shot"):
        with pytest.raises(ProtocolError, match="speaker of 12 utterances of 'here' is not known"):
            plan(some, name)


def test_folds_of_whole_groups_however_rare_a_class_is():
    """No class has as many utterances as there are folds: groups are parted all the same."""
    group = np.repeat(np.arange(10), 3)
    rare = np.arange(30)
    for strata in (rare, np.tile([0, 1, 2], 10)):
        folds = list(divisions.whole_groups(strata, group, 6, 0))
        assert len(folds) == 6
        assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(30))
        assert all(not set(group[train]) & set(group[test]) for train, test in folds)


def test_a_fold_without_a_labelled_utterance_is_skipped_with_its_reason():
    """Whose sentence is tested with them leaves nobody: one says t1, the other both."""
    said = [("a", "t1"), ("a", "t1"), ("b", "t1"), ("b", "t1"), ("b", "t2"), ("b", "t2")]
    rows = pd.DataFrame(said, columns=["speaker", "text_id"])
    rows = rows.assign(corpus="here", emotion=["joy", "anger"] * 3, sex=None, session=None)
    protocol = SplitProtocol(name="speaker-text-groups", target="here", repeats=2)
    try:
        reasons = [skip.reason for skip in protocol.plan(rows)[1]]
    except ProtocolError as error:
        reasons = [str(error)]
    assert any("no labelled target utterance is left to train on" in reason for reason in reasons)
