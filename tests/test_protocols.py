"""Splits: who trains and who is tested."""

from __future__ import annotations

import numpy as np
import pytest

from serlab.errors import ProtocolError
from serlab.protocols import PROTOCOLS, SplitProtocol, few_shot_curve
from tests.toys import utterance_table


@pytest.fixture(scope="module")
def table():
    return utterance_table({"here": 5, "there": 3})


@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.parametrize("transductive", [True, False])
def test_every_protocol_keeps_the_parts_apart(table, name, transductive):
    split = table["speaker"].map({"here/s0": "test", "here/s1": "validation"}).fillna("train")
    table = table.assign(session=table["text_id"], split=split)
    protocol = SplitProtocol(
        name=name, target="here", sources=("there",), shots=2, repeats=3, transductive=transductive
    )
    badged = ("random", "joint", "text-groups")
    splits, skipped = protocol.plan(table)
    assert splits and not skipped
    corpus, speaker = table["corpus"].to_numpy(), table["speaker"].to_numpy()
    for split in splits:
        assert set(corpus[split.train]) == {"there"}
        assert set(corpus[np.concatenate([split.target_train, split.adapt, split.test])]) == {"here"}
        assert not np.intersect1d(split.target_train, split.test).size
        assert not np.intersect1d(split.target_train, split.adapt).size
        seen = np.isin(split.test, split.adapt)
        assert seen.all() if transductive else not seen.any()
        if not transductive:
            assert not set(speaker[split.adapt]) & set(speaker[split.test]), "tested voices are never heard"
        shared = set(speaker[split.target_train]) & set(speaker[split.test])
        assert bool(shared) == (name in (*badged, "session-groups")), "only these may share speakers"
    assert bool(protocol.badge) == (name in badged), "and they must wear a badge"


def test_one_subject_trains_each_subject_once(table):
    splits, _ = SplitProtocol(name="one-subject", target="here").plan(table)
    speaker = table["speaker"].to_numpy()
    trained = [set(speaker[split.target_train]) for split in splits]
    assert trained == [{f"here/s{i}"} for i in range(5)]
    assert all(len(split.target_train) + len(split.test) == 60 for split in splits)


def test_loso_tests_every_utterance_once(table):
    splits, _ = SplitProtocol(name="loso", target="here").plan(table)
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested) == sorted(np.flatnonzero(table["corpus"] == "here"))


def test_joint_training_has_three_sessions_of_the_source_and_another_fifth_each_fold(table):
    sessions = table.assign(session=table["session"].astype(object))
    there = np.flatnonzero(table["corpus"] == "there")
    sessions.iloc[there, sessions.columns.get_loc("session")] = [f"there/{i % 5}" for i in range(len(there))]
    splits, _ = SplitProtocol(name="joint", target="here", sources=("there",), repeats=3).plan(sessions)
    trained = np.concatenate([split.target_train for split in splits])
    assert len(splits) == 3 and len(np.unique(trained)) == len(trained) == 3 * 60 // 5
    for split in splits:
        assert set(sessions["session"].iloc[split.train]) == {"there/0", "there/1", "there/2"}
        assert len(split.test) == 4 * len(split.target_train)
    whole, _ = SplitProtocol(name="joint", target="here", sources=("there",), repeats=1).plan(table)
    assert len(whole[0].train) == len(there), "a source without sessions is whole"
    with pytest.raises(ProtocolError, match="5 folds at most, not 6"):
        SplitProtocol(name="joint", target="here", repeats=6)


def test_k_shot_draws_exactly_k_per_class(table):
    splits, _ = SplitProtocol(name="k-shot", target="here", shots=2, repeats=4).plan(table)
    for split in splits:
        assert table["emotion"].iloc[split.target_train].value_counts().tolist() == [2, 2, 2, 2]
    assert len({tuple(split.target_train) for split in splits}) > 1, "draws differ"


def test_k_shot_draws_do_not_hang_on_labels_of_who_is_tested(table):
    """A voice of one emotion is taken or not whatever it shows: once it was passed over, and tested."""
    here = (table["corpus"] == "here").to_numpy()
    one = np.flatnonzero(here & (table["speaker"] == "here/s1").to_numpy())
    table = table.copy()
    table.iloc[one, table.columns.get_loc("emotion")] = "anger"
    protocol = SplitProtocol(name="k-shot", target="here", shots=3, repeats=6)
    for split in protocol.split(table):
        for label in ("anger", "joy"):
            other = table.copy()
            other.iloc[split.test, other.columns.get_loc("emotion")] = label
            again = next(one for one in protocol.split(other) if one.fold == split.fold)
            np.testing.assert_array_equal(again.test, split.test)
            np.testing.assert_array_equal(again.target_train, split.target_train)


def test_groups_test_every_speaker_once_and_are_alike(table):
    splits, _ = SplitProtocol(name="speaker-groups", target="here", repeats=5).plan(table)
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested) == sorted(np.flatnonzero(table["corpus"] == "here"))
    assert all(table["emotion"].iloc[split.test].value_counts().tolist() == [3] * 4 for split in splits)


def test_one_speaker_with_most_of_a_class_does_not_break_the_groups(table):
    here = (table["corpus"] == "here") & (table["emotion"] == "anger") & (table["speaker"] != "here/s2")
    splits, skipped = SplitProtocol(name="speaker-groups", target="here", repeats=2).plan(table[~here])
    assert len(splits) + len(skipped) == 2


def test_a_few_shot_curve_changes_nothing_but_the_labelled_utterances(table):
    shots, skipped = few_shot_curve(table, target="here", sources=("there",), shots=(0, 1, 4, 13), draws=4)
    speaker, emotion = table["speaker"].to_numpy(), table["emotion"].to_numpy()
    assert [skip.fold for skip in skipped] == [f"draw-{draw}, 13 shots" for draw in (1, 2, 3, 4)]
    for draw in (1, 2, 3, 4):
        own = {shot.shots: shot.split for shot in shots if shot.draw == draw}
        assert set(own) == {0, 1, 4}
        assert len({tuple(split.test) for split in own.values()}) == 1, "one test set for all numbers"
        assert set(own[1].target_train) <= set(own[4].target_train), "more shots contain fewer"
        for n, split in own.items():
            assert [np.sum(emotion[split.target_train] == name) for name in set(emotion)] == [n] * 4
            assert not set(speaker[split.target_train]) & set(speaker[split.test])
            assert not np.intersect1d(split.adapt, split.target_train).size


def test_draws_of_a_few_shot_curve_divide_the_speakers_anew(table):
    shots, _ = few_shot_curve(table, target="here", sources=(), shots=(1,), draws=30)
    speaker = table["speaker"].to_numpy()
    tested = [frozenset(speaker[shot.split.test]) for shot in shots]
    assert {len(names) for names in tested} <= {1, 2}, "a third of five"
    assert len(set(tested)) > 5, "not the groups of one division"
    again, _ = few_shot_curve(table, target="here", sources=(), shots=(1,), draws=2)
    assert [shot.split.test.tolist() for shot in again] == [shot.split.test.tolist() for shot in shots[:2]]


def test_what_is_drawn_does_not_hang_on_labels_of_who_is_tested(table):
    """Neither utterances nor classes; once the classes drawn were those of the tested speakers."""
    (shot, *_), _ = few_shot_curve(table, target="here", sources=("there",), shots=(2,), draws=1)
    other = table.copy()
    column = other.columns.get_loc("emotion")
    for emotion in ("anger", "joy"):
        other.iloc[shot.split.test, column] = emotion
        (found, *_), _ = few_shot_curve(other, target="here", sources=("there",), shots=(2,), draws=1)
        for part in ("target_train", "test", "adapt", "train"):
            np.testing.assert_array_equal(getattr(found.split, part), getattr(shot.split, part))


def test_a_few_shot_curve_needs_two_speakers_and_two_classes(table):
    one = table[(table["corpus"] == "there") | (table["speaker"] == "here/s0")]
    with pytest.raises(ProtocolError, match="has 1 speaker"):
        few_shot_curve(one, target="here", sources=("there",), shots=(1,), draws=1)
    with pytest.raises(ProtocolError, match="no utterances of 'elsewhere'"):
        few_shot_curve(table, target="here", sources=("elsewhere",), shots=(1,), draws=1)
    angry = table.assign(emotion=table["emotion"].where(table["corpus"] == "there", "anger"))
    planned, skipped = few_shot_curve(angry, target="here", sources=("there",), shots=(0, 1), draws=1)
    assert [shot.shots for shot in planned] == [0] and "one class cannot be trained on" in skipped[0].reason


def test_same_seed_same_split_and_other_seed_other_split(table):
    def tested(seed):
        protocol = SplitProtocol(name="random", target="here", repeats=3, seed=seed)
        return [tuple(split.test) for split in protocol.split(table)]

    assert tested(1) == tested(1)
    assert tested(1) != tested(2)


def test_a_subject_with_one_emotion_is_skipped_and_said(table):
    here = table["speaker"] == "here/s0"
    confounded = table[~(here & (table["emotion"] != "anger"))]
    splits, skipped = SplitProtocol(name="one-subject", target="here").plan(confounded)
    assert [skip.fold for skip in skipped] == ["here/s0"]
    assert "anger" in skipped[0].reason
    assert len(splits) == 4


def test_errors_name_the_cause(table):
    with pytest.raises(ProtocolError, match="target and source at once"):
        SplitProtocol(name="loso", target="here", sources=("here",))
    with pytest.raises(ProtocolError, match="unknown protocol 'lopo'; known: one-subject"):
        SplitProtocol(name="lopo", target="here")
    with pytest.raises(ProtocolError, match="no utterances of 'nowhere'"):
        SplitProtocol(name="loso", target="nowhere").plan(table)
    with pytest.raises(ProtocolError, match="has 1 speaker"):
        SplitProtocol(name="loso", target="here").plan(table[table["speaker"].isin(["here/s1"])])
    with pytest.raises(ProtocolError, match="has 15 of"):
        SplitProtocol(name="k-shot", target="here", shots=16).plan(table)
    with pytest.raises(ProtocolError, match="all utterances of target 'here' are 'joy'"):
        SplitProtocol(name="loso", target="here").plan(table[table["emotion"] == "joy"])
    for name in ("random", "speaker-groups"):
        with pytest.raises(ProtocolError, match="at least 2 folds"):
            SplitProtocol(name=name, target="here", repeats=1)
    with pytest.raises(ProtocolError, match="stratified folds need as many"):
        few = table.groupby(["corpus", "emotion"], observed=True).head(2)
        SplitProtocol(name="random", target="here", repeats=5).plan(few)
