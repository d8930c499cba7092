"""Tables whose confound is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from serlab.errors import ParameterError, ProtocolError
from serlab.features import Frames
from serlab.studies import speaker_probe
from tests.toys import EMOTIONS, utterance_table


def voices(table: pd.DataFrame, *, noise: float = 0.1, seed: int = 0) -> np.ndarray:
    """Features that say who speaks, and nothing else; shape (n, 8)."""
    rng = np.random.default_rng(seed)
    code, names = pd.factorize(table["speaker"])
    return rng.standard_normal((len(names), 8))[code] + noise * rng.standard_normal((len(table), 8))


def one_emotion_each(n_speakers: int) -> pd.DataFrame:
    table = utterance_table({"a": n_speakers}, per_emotion=6)
    number = table["speaker"].str.extract(r"(\d+)$")[0].astype(int)
    return table[table["emotion"] == number.map(lambda n: EMOTIONS[n % 4])]


def test_where_each_speaker_has_one_emotion_the_voice_is_the_answer():
    table = one_emotion_each(8)
    predictions, speaker = speaker_probe.speaker_probe(voices(table), table)
    assert speaker["value"] == speaker["high"] == 1
    assert 0.98 < speaker["low"] < 1, "of others than these 48 it is not certain"
    assert speaker["chance"] == pytest.approx(1 / 8)
    assert (speaker["n"], speaker["n_speakers"], speaker["n_left_out"]) == (48, 8, 0)
    answers, emotion = speaker_probe.emotion_through_speaker(predictions, table)
    assert emotion["value"] == 1 and emotion["chance"] == 0.25
    assert (answers["y_true"] == answers["y_pred"]).all()


def test_balanced_speakers_say_nothing_of_the_emotion():
    table = utterance_table({"a": 10}, per_emotion=10)
    predictions, speaker = speaker_probe.speaker_probe(voices(table), table)
    assert speaker["value"] > 0.99
    _, emotion = speaker_probe.emotion_through_speaker(predictions, table)
    assert emotion["value"] == pytest.approx(0.25, abs=0.06)
    assert emotion["low"] < 0.25 < emotion["high"]


def test_without_a_voice_in_the_features_speakers_are_guessed():
    table = one_emotion_each(8)
    noise = np.random.default_rng(0).standard_normal((len(table), 3))
    predictions, speaker = speaker_probe.speaker_probe(noise, table)
    assert speaker["value"] < 0.35
    assert speaker_probe.emotion_through_speaker(predictions, table)[1]["value"] < 0.55


def test_emotion_is_that_of_the_predicted_speaker_not_of_the_true_one():
    table = one_emotion_each(4)
    predictions, _ = speaker_probe.speaker_probe(voices(table), table)
    swapped = predictions.assign(predicted=predictions["predicted"].str.replace("s0", "s1"))
    answers, summary = speaker_probe.emotion_through_speaker(swapped, table)
    wrong = predictions["speaker"] == "a/s0"
    assert (answers.loc[wrong.to_numpy(), "y_pred"] == EMOTIONS.index("anger")).all()
    assert summary["value"] == 0.75


def test_the_own_fold_is_not_looked_at():
    """The only utterance of an emotion is answered by the others."""
    table = utterance_table({"a": 2}, per_emotion=4)
    first = table["speaker"] == "a/s0"
    kept = ~first | (table["emotion"] == "joy") | (table.index == "a/s0-anger-0")
    table = table[kept]
    predictions, _ = speaker_probe.speaker_probe(voices(table), table, folds=4)
    answers = speaker_probe.emotion_through_speaker(predictions, table)[0].set_index("utterance")
    assert answers.loc["a/s0-anger-0", "y_pred"] == EMOTIONS.index("joy")


def test_folds_spread_speakers_and_their_emotions_evenly():
    table = utterance_table({"a": 3}, per_emotion=7)
    fold = speaker_probe._folds(table, 5, 0)
    by_cell = pd.crosstab([table["speaker"], table["emotion"]], fold)
    assert by_cell.to_numpy().min() == 1 and by_cell.to_numpy().max() == 2
    assert np.ptp(np.bincount(fold)) <= 1
    assert not np.array_equal(fold, speaker_probe._folds(table, 5, 1))


def test_every_utterance_is_answered_once_and_the_same_again():
    table = utterance_table({"a": 3}, per_emotion=3)
    X = voices(table)
    predictions, summary = speaker_probe.speaker_probe(X, table, seed=3)
    assert sorted(predictions["utterance"]) == sorted(table.index)
    again, same = speaker_probe.speaker_probe(X, table, seed=3)
    pd.testing.assert_frame_equal(predictions, again)
    assert summary == same


def test_a_speaker_with_one_utterance_is_left_out_and_counted():
    table = utterance_table({"a": 3}, per_emotion=2)
    table = table[(table["speaker"] != "a/s2") | (table.index == "a/s2-joy-0")]
    predictions, summary = speaker_probe.speaker_probe(voices(table), table)
    assert summary["n_left_out"] == 1 and summary["n_speakers"] == 2
    assert "a/s2" not in set(predictions["speaker"])


def outcome(table: pd.DataFrame, uar: float, protocol: str) -> SimpleNamespace:
    summary = {"method": ["m"], "title": ["Network"], "uar": uar, "uar_low": uar - 0.1, "uar_high": uar + 0.1}
    columns = [f"f{i}" for i in range(8)]
    return SimpleNamespace(
        parameters=SimpleNamespace(target="a", protocol=protocol),
        classes=EMOTIONS,
        chance=1 / len(EMOTIONS),
        utterances=table,
        X=pd.DataFrame(voices(table), index=table.index, columns=columns),
        summary=pd.DataFrame(summary),
    )


def test_confounds_put_splits_and_probes_of_the_target_side_by_side():
    table = pd.concat([one_emotion_each(8), utterance_table({"source": 2})])
    unseen, random = outcome(table, 0.3, "loso"), outcome(table, 0.9, "random")
    found = speaker_probe.confounds(unseen, random, method="m").set_index("measure")
    assert found["value"].to_dict() == {
        "random split": 0.9,
        "unseen speakers": 0.3,
        "speaker recognised": 1.0,
        "emotion through the speaker alone": 1.0,
    }
    assert found["chance"].tolist() == [0.25, 0.25, 0.25, pytest.approx(1 / 8)]
    assert found["title"].tolist() == ["Network", "Network", "", ""]
    with pytest.raises(ParameterError, match="svm has no result with 'random'"):
        speaker_probe.confounds(unseen, random, method="svm")


def test_confounds_of_frames_take_their_statistics():
    table = one_emotion_each(4)
    unseen = outcome(table, 0.3, "loso")
    values = unseen.X.to_numpy(dtype=np.float32)[:, None].repeat(3, axis=1)
    frames = Frames.of_dense(values, index=table.index, columns=tuple(unseen.X), frame_shift=0.01)
    unseen.X = frames
    found = speaker_probe.confounds(unseen, outcome(table, 0.9, "random"), method="m")
    assert found["value"].tolist() == [0.9, 0.3, 1.0, 1.0]


def test_confounds_without_two_speakers_are_the_splits_alone():
    table = utterance_table({"a": 1})
    both = outcome(table, 0.3, "random")
    assert speaker_probe.confounds(both, both, method="m")["measure"].tolist() == [
        "random split",
        "unseen speakers",
    ]


def test_bad_input_is_named():
    table = utterance_table({"a": 2})
    X = voices(table)
    with pytest.raises(ParameterError, match="one vector an utterance"):
        speaker_probe.speaker_probe(X[:, None], table)
    broken = X.copy()
    broken[3, 1] = np.nan
    with pytest.raises(ParameterError, match=table.index[3]):
        speaker_probe.speaker_probe(broken, table)
    both = utterance_table({"a": 2, "b": 2})
    with pytest.raises(ParameterError, match="one corpus, not 2"):
        speaker_probe.speaker_probe(voices(both), both)
    with pytest.raises(ParameterError, match="folds"):
        speaker_probe.speaker_probe(X, table, folds=1)
    with pytest.raises(ProtocolError, match="needs two speakers"):
        alone = utterance_table({"a": 1})
        speaker_probe.speaker_probe(voices(alone), alone)
