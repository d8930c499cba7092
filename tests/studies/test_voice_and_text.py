"""Voice and words are told apart where they are planted: same utterances tested, as many trained on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import experiment
from serlab.errors import ParameterError, ProtocolError
from serlab.studies import voice_and_text
from tests.toys import EMOTIONS, utterance_table


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Six speakers say four sentences in four emotions, twice each."""
    table = utterance_table({"here": 6}, per_emotion=8)
    take = table.index.str[-1].astype(int)
    return table.assign(text_id=[f"here/t{number % 4}" for number in take])


def session(table: pd.DataFrame, X: np.ndarray, **more) -> experiment.Session:
    features = pd.DataFrame(np.float32(X), index=table.index).rename(columns=lambda number: f"f{number}")
    prepared = experiment.Prepared(
        utterances=table, X=features, copies=(), further={}, left_out=pd.Series(dtype=int),
        audio_hash=pd.Series(dtype=object), skipped_files=pd.DataFrame(), notes=(), fingerprint="toy",
    )  # fmt: skip
    parameters = experiment.Parameters(target="here", methods=("rf-target",), preset="demo", jobs=1)
    return experiment.Session(parameters, prepared=prepared, **more)


def planted(table: pd.DataFrame, by: str, *, seed: int = 0) -> np.ndarray:
    """Features that show the emotion in another way for each speaker, or for each sentence."""
    rng = np.random.default_rng(seed)
    group, emotion = pd.factorize(table[by])[0], table["emotion"].cat.codes.to_numpy()
    shown = np.stack([rng.permutation(len(EMOTIONS)) for _ in range(group.max() + 1)])[group, emotion]
    X = np.column_stack([np.eye(len(EMOTIONS))[shown], np.eye(group.max() + 1)[group]])
    return X * 3 + rng.normal(size=X.shape) * 0.2


def test_conditions_test_the_same_and_train_on_as_many(table: pd.DataFrame) -> None:
    planned = voice_and_text.plan(table, target="here")
    speaker, text = (table[name].to_numpy() for name in ("speaker", "text_id"))
    emotion = table["emotion"].astype(str)
    for splits in zip(*planned.values(), strict=True):
        assert len({split.fold for split in splits}) == 1
        assert len({tuple(split.test) for split in splits}) == 1
        counts = [emotion.iloc[split.target_train].value_counts().sort_index().to_dict() for split in splits]
        assert counts[1:] == counts[:-1]
        for split, (speaker_seen, text_seen) in zip(splits, voice_and_text.CONDITIONS.values(), strict=True):
            train = split.target_train
            assert not np.intersect1d(train, split.test).size
            assert bool(set(speaker[train]) & set(speaker[split.test])) == speaker_seen
            assert bool(set(text[train]) & set(text[split.test])) == text_seen
    tested = np.concatenate([split.test for split in planned["both seen"]])
    assert sorted(tested) == list(range(len(table))), "each once"


@pytest.mark.parametrize(
    ("by", "adds", "nothing"),
    [("speaker", "what the voice adds", "what the words add"),
     ("text_id", "what the words add", "what the voice adds")],
)  # fmt: skip
def test_what_is_planted_is_found(table: pd.DataFrame, tmp_path, by: str, adds: str, nothing: str) -> None:
    one = session(table, planted(table, by), folder=tmp_path)
    found = voice_and_text.run(one)
    parts = found.parts.set_index("part")
    assert parts.loc[adds, "low"] > 0.1
    assert abs(parts.loc[nothing, "gain"]) < 0.2
    assert found.chance == 0.25
    scores = found.scores.set_index("condition")["uar"]
    assert parts.loc["what is left above chance", "gain"] == pytest.approx(scores["both unseen"] - 0.25)
    for part, (with_it, without) in voice_and_text.PARTS.items():
        assert parts.loc[part, "gain"] == pytest.approx(scores[with_it] - scores[without])
    assert found.table().shape == (8, 2)


def test_what_cannot_be_told_apart_is_said(table: pd.DataFrame) -> None:
    with pytest.raises(
        ParameterError, match="rf-source does not learn from labelled utterances of the target"
    ):
        voice_and_text.run(session(table, planted(table, "speaker")), method="rf-source")
    with pytest.raises(ProtocolError, match="sentences of 'here' are not known"):
        voice_and_text.plan(table.assign(text_id=None), target="here")
    tied = table.assign(text_id="here/" + table["emotion"].astype(str))
    with pytest.raises(ProtocolError, match="cannot be told apart in this corpus"):
        voice_and_text.plan(tied, target="here")
