"""What is no emotion and gives it away is found with its number; what gives nothing away is at chance."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import data
from serlab.corpora import synthetic
from serlab.corpora.synthesis import Shift
from serlab.evaluation import giveaways
from serlab.features.technical import NAMES, TECHNICAL
from tests.toys import utterance_table


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return utterance_table({"here": 8}, per_emotion=4)


def test_facts_that_say_nothing_are_at_chance(table: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    facts = pd.DataFrame(rng.normal(size=(len(table), 6)), index=table.index).rename(columns=str)
    found = giveaways.of_facts(facts, table["emotion"], table["speaker"])
    assert found.chance == 0.25 and found.n == len(table)
    assert found.low < 0.25 < found.high and not found.is_notable


def test_facts_that_follow_the_emotion_are_found_and_named(table: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    facts = pd.DataFrame(rng.normal(size=(len(table), 6)), index=table.index).rename(columns=str)
    facts["coding"] = table["emotion"].isin(["joy", "sadness"]).astype(float)
    found = giveaways.of_facts(facts, table["emotion"], table["speaker"])
    assert found.is_notable and found.low > 0.3
    assert found.by[0] == "coding 100%"


def test_of_many_utterances_some_are_asked_about(table: pd.DataFrame, monkeypatch) -> None:
    monkeypatch.setattr(giveaways, "MOST", 60)
    facts = pd.DataFrame({"coding": table["emotion"].cat.codes.astype(float)}, index=table.index)
    found = giveaways.of_facts(facts, table["emotion"], table["speaker"])
    assert (found.n, found.uar) == (60, 1.0)


def test_facts_that_know_the_speaker_only_do_not_count(table: pd.DataFrame) -> None:
    """A microphone a speaker: nobody unseen can be told by it."""
    facts = pd.DataFrame({"rate": table["speaker"].str[-1].astype(float)}, index=table.index)
    assert not giveaways.of_facts(facts, table["emotion"], table["speaker"]).is_above_chance


def test_sentences_that_belong_to_an_emotion_are_found(table: pd.DataFrame) -> None:
    fixed = giveaways.of_sentences(table)
    assert (fixed.uar, fixed.low, fixed.high) == pytest.approx((0.25, 0.25, 0.25)), "all say all"
    rng = np.random.default_rng(0)
    own = table["emotion"].astype(str).where(rng.random(len(table)) < 0.9, "any")
    found = giveaways.of_sentences(table.assign(text_id=own))
    assert found.uar > 0.85 and found.is_notable
    assert "protocol speaker-text-groups" in giveaways.findings(table.assign(text_id=own))["remedy"].item()


def test_a_sentence_that_nobody_else_says_tells_nothing(table: pd.DataFrame) -> None:
    assert giveaways.of_sentences(table.assign(text_id=table.index)).uar == pytest.approx(0.25)


def test_chance_is_that_of_the_classes_that_occur(table: pd.DataFrame) -> None:
    two = table[table["emotion"].isin(["joy", "anger"])]
    assert giveaways.of_sentences(two).chance == 0.5


def test_what_cannot_be_asked_is_not_answered(table: pd.DataFrame) -> None:
    for some in (
        table[table["speaker"] == "here/s0"],
        table[table["emotion"] == "joy"],
        table.assign(speaker=None),
        table.assign(text_id=None),
    ):
        assert giveaways.findings(some).empty


def test_a_codec_of_two_emotions_is_found(tmp_path) -> None:
    """Joy and sadness went through MP3 and back: nothing in headers says it."""
    made = synthetic.make_corpus(
        name="clean", language="x-a", n_speakers=4, n_utterances=64, seed=3, shift=Shift(),
        folder=tmp_path / "clean",
    )  # fmt: skip
    made = made.assign(
        emotion=pd.Categorical(made["native_label"]), text_id=None, corpus="clean"
    )  # labels of synthetic corpora are words
    paths = []
    for name, row in made.iterrows():
        samples, rate = soundfile.read(row["path"])
        if row["native_label"] in ("joy", "sadness"):
            through = io.BytesIO()
            soundfile.write(through, samples, rate, format="MP3")
            through.seek(0)
            samples, rate = soundfile.read(through)
        paths.append(tmp_path / f"{name.replace('/', '-')}.wav")
        soundfile.write(paths[-1], samples, rate)
    (before,) = giveaways.findings(made, jobs=1).to_dict("records")
    (after,) = giveaways.findings(made.assign(path=[str(path) for path in paths]), jobs=1).to_dict("records")
    assert before["check"] == after["check"] == "recording conditions"
    assert after["severity"] == "warning" and "read off the recording" in after["remedy"]
    facts = giveaways.technical_facts(made.assign(path=[str(path) for path in paths]), jobs=1)
    bare = facts.drop(columns=[fact for fact in facts if fact in giveaways.ACTED])
    assert giveaways.of_facts(bare, made["emotion"], made["speaker"]).is_notable


def test_an_answer_is_kept_and_a_damaged_one_made_again(table: pd.DataFrame, tmp_path, monkeypatch) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for name, row in table.iterrows():
        path = tmp_path / f"{name.replace('/', '-')}.wav"
        soundfile.write(path, 0.1 * rng.normal(size=8_000), 16_000)
        rows.append({"utterance": name, **row.to_dict(), "path": str(path)})
    heard = data.utterances(rows).assign(emotion=table["emotion"], text_id=None)
    first = giveaways.findings(heard, cache=tmp_path / "cache", jobs=1)
    for path in (tmp_path / "cache" / "giveaways").iterdir():
        path.write_text("{")
    pd.testing.assert_frame_equal(giveaways.findings(heard, cache=tmp_path / "cache", jobs=1), first)
    monkeypatch.setattr(giveaways, "of_facts", lambda *_: pytest.fail("asked again"))
    pd.testing.assert_frame_equal(giveaways.findings(heard, cache=tmp_path / "cache", jobs=1), first)


def test_technical_facts_are_what_they_say() -> None:
    t = np.arange(16_000) / 16_000
    tone = np.r_[np.zeros(4_000), 0.5 * np.sin(2 * np.pi * 1_500 * t), np.zeros(8_000)].astype(np.float32)
    facts = dict(zip(NAMES, TECHNICAL.extract(tone), strict=True))
    assert facts["peak"] == pytest.approx(-6.02, abs=0.01)
    assert facts["level"] == pytest.approx(10 * np.log10(0.125 * 16_000 / 28_000), abs=0.01)
    assert (facts["silence before"], facts["silence after"]) == pytest.approx((0.25, 0.5), abs=0.01)
    assert facts["digital silence"] == pytest.approx(12_000 / 28_000, abs=0.001)
    noise = np.random.default_rng(0).normal(size=48_000).astype(np.float32) * 0.01
    floors = dict(zip(NAMES, TECHNICAL.extract(noise), strict=True))
    assert floors["noise floor 2-3 kHz"] == pytest.approx(-37 - 10 * np.log10(8) - 1.4, abs=0.5), (
        "relative to a sine at full scale; a tenth of the frames are 1.4 dB below the mean"
    )
