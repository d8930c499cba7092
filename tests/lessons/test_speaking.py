"""Lesson 2: a phrase among a corpus, and what models say of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import data, lessons
from serlab.lessons import speaking
from serlab.lessons.rooms import open_room
from serlab.widgets.recordings import Recordings


@pytest.fixture(scope="module")
def known(small_corpora: Path) -> pd.DataFrame:
    return speaking.corpus(open_room(["near", "far"], data=str(small_corpora)))


def test_models_answer_what_has_no_label_and_quieter_is_only_quieter(known, tmp_path: Path) -> None:
    phrases = speaking.phrases(Recordings(tmp_path).utterances())
    assert set(phrases["corpus"]) == {speaking.STAND_IN} and phrases["native_label"].isna().all()
    assert not phrases.index.str.contains("anger|joy|neutral|sadness").any()
    said = speaking.said(known, phrases, models=["ridge-softmax-source"])
    shares = said.filter(like="p_").to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    expected = [-(p[p > 0] * np.log2(p[p > 0])).sum() for p in shares]
    np.testing.assert_allclose(said["entropy"], expected, atol=1e-5)
    assert list(said["phrase"]) == list(phrases.index)
    further = speaking.quieter(phrases, tmp_path / "quieter")
    near, far = speaking.measured(phrases), speaking.measured(further)
    np.testing.assert_allclose(near["level_db_mean"] - 12, far["level_db_mean"], atol=0.1)
    np.testing.assert_allclose(near["f0_semitones_p50"], far["f0_semitones_p50"], atol=0.05)


def test_distances_and_shares_by_brute_force() -> None:
    rng = np.random.default_rng(0)
    names = [f"c/{i}" for i in range(12)]
    X = pd.DataFrame(rng.normal(size=(12, 3)), index=names, columns=["a", "b", "c"]).assign(same=1.0)
    table = pd.DataFrame({"speaker": [f"s{i % 3}" for i in range(12)]}, index=names)
    own = pd.DataFrame(rng.normal(size=(2, 3)), index=["own/1", "own/2"], columns=["a", "b", "c"]).assign(
        same=1.0
    )
    within, distance = speaking.nearest(table, X, own)
    Z, z = ((one[["a", "b", "c"]] - X[["a", "b", "c"]].mean()) / X[["a", "b", "c"]].std() for one in (X, own))
    for name in names:
        others = [n for n in names if table.loc[n, "speaker"] != table.loc[name, "speaker"]]
        assert within[name] == pytest.approx(min(np.linalg.norm(Z.loc[name] - Z.loc[n]) for n in others))
    assert distance["own/1"] == pytest.approx(min(np.linalg.norm(z.loc["own/1"] - Z.loc[n]) for n in names))
    columns = dict.fromkeys(speaking.SHOWN, 0.0)
    everybody = pd.DataFrame([columns | {"level_db_mean": float(i)} for i in range(10)])
    among = speaking.among_table(pd.DataFrame([columns | {"level_db_mean": 4.5}], index=["own/1"]), everybody)
    assert among.set_index("feature").loc["level (dB)", "value"] == 50


def test_hints(tmp_path: Path) -> None:
    lesson = lessons.open("2", answers=str(tmp_path))
    everybody = np.arange(10.0)
    for answer, hint in ((0.3, "percent are asked for"), (70, "are higher"), (50, "too high")):
        with pytest.raises(lessons.Wrong, match=hint):
            lesson.check("lower", answer, everybody, 2.5)
    lesson.check("lower", 30, everybody, 2.5)
    with pytest.raises(lessons.Wrong, match="in nats"):
        lesson.check("entropy", np.log(4), np.full(4, 0.25))
    lesson.check("entropy", 2, np.array([0.25] * 4 + [0]))
    table = pd.DataFrame({"model": ["RF", "SVM"], "probability": [0.4, 0.9]})
    with pytest.raises(lessons.Wrong, match="Not RF"):
        lesson.check("surest", "RF", table)
    lesson.check("stranger", 40, everybody, np.array([1.0, 3.5]))


def test_own_recordings_are_used_where_there_are_some(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "voice")
    recordings.keep((0.1 * np.sin(np.arange(48000) / 20)).astype(np.float32), 48000)
    (tmp_path / "voice" / "broken.wav").write_bytes(b"RIFF")
    phrases = speaking.phrases(recordings.utterances())
    assert list(phrases.index) == ["own/phrase-1.wav"] and phrases["duration"].iloc[0] == pytest.approx(1)
    assert list(phrases.columns) == list(data.COLUMNS)
    assert soundfile.info(tmp_path / "voice" / "phrase-1.wav").samplerate == 48000
