"""Extraction, and its cache against what happens to a disk."""

from __future__ import annotations

import multiprocessing
import os
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import audio, data, features
from serlab.audio import CHANNELS
from serlab.errors import AudioError, Cancelled, ParameterError, SerlabError
from serlab.features import FEATURE_SETS, Frames, cache, gathering, making
from tests.features.made import RATE, corpus, entry_files, voice


@pytest.fixture
def tiny(monkeypatch) -> list[int]:
    """A feature set that costs nothing; the list grows by one with each extraction."""
    calls: list[int] = []

    def extract(samples: np.ndarray) -> np.ndarray:
        calls.append(len(samples))
        return np.array([samples.mean(), samples.std(), np.abs(samples).max()], dtype=np.float32)

    made = replace(
        features.get("librosa"), name="tiny", settings={}, load=lambda: (("mean", "sd", "peak"), extract)
    )
    monkeypatch.setitem(FEATURE_SETS, "tiny", made)
    return calls


@pytest.fixture
def ask(tmp_path, tiny):
    """``features.extract`` with the tiny set and a cache of its own."""
    return partial(features.extract, features="tiny", cache=tmp_path / "cache", jobs=2)


def test_second_run_is_the_same_and_from_the_cache(tmp_path, ask, tiny):
    utterances = corpus(tmp_path / "corpus").iloc[::-1]
    fresh, again = ask(utterances), ask(utterances)
    assert (fresh.from_cache, again.from_cache, len(tiny)) == (0, 3, 3)
    pd.testing.assert_frame_equal(fresh.X, again.X, check_exact=True)
    assert list(fresh.X.index) == ["made/2", "made/1", "made/0"]
    assert fresh.X.index.name == "utterance"
    assert (fresh.X.dtypes == np.float32).all()
    sound = audio.load(utterances["path"].iloc[0]).samples
    assert fresh.X.loc["made/2", "sd"] == np.float32(sound.std())
    expected = [audio.content_hash(path) for path in utterances["path"]]
    assert fresh.audio_hash.tolist() == again.audio_hash.tolist() == expected


def test_full_cache_needs_no_library(tmp_path, ask, monkeypatch):
    utterances = corpus(tmp_path / "corpus")
    fresh, loaded = ask(utterances), features.get("tiny").load()
    monkeypatch.setitem(
        FEATURE_SETS, "tiny", replace(features.get("tiny"), load=lambda: pytest.fail("loaded"))
    )
    assert list(ask(utterances).X) == list(fresh.X) == ["mean", "sd", "peak"]
    for names in (tmp_path / "cache/features").glob("tiny-*/names"):
        names.write_bytes(b"damaged")
    monkeypatch.setitem(FEATURE_SETS, "tiny", replace(features.get("tiny"), load=lambda: loaded))
    assert list(ask(utterances).X) == list(fresh.X)


def test_moved_file_is_found_changed_file_is_not(tmp_path, ask):
    utterances = corpus(tmp_path / "corpus")
    ask(utterances)
    (tmp_path / "corpus").rename(tmp_path / "moved")
    moved = utterances.assign(path=utterances["path"].str.replace("corpus", "moved"))
    assert ask(moved).from_cache == 3
    soundfile.write(moved["path"].iloc[0], voice(300), RATE)  # same name, same size
    changed = ask(moved)
    assert changed.from_cache == 2
    assert changed.X["sd"].iloc[0] == np.float32(audio.load(moved["path"].iloc[0]).samples.std())


def test_cuts_of_one_file_are_entries_of_their_own(tmp_path, ask):
    utterances = corpus(tmp_path / "corpus", n=1)
    cuts = pd.concat([utterances] * 3).assign(start=[0.0, 0.3, 0.3], end=[0.2, 0.5, 0.6])
    cuts.index = pd.Index(["a", "b", "c"], name="utterance")
    assert ask(cuts).from_cache == 0
    again = ask(cuts)
    assert again.from_cache == 3
    assert again.X["sd"].nunique() == again.audio_hash.nunique() == 3


@pytest.mark.parametrize("change", [{"version": "2"}, {"settings": {"hop": 80}}])
def test_other_version_or_settings_never_use_old_entries(tmp_path, ask, tiny, monkeypatch, change):
    utterances = corpus(tmp_path / "corpus")
    ask(utterances)
    monkeypatch.setitem(FEATURE_SETS, "tiny", replace(features.get("tiny"), **change))
    assert ask(utterances).from_cache == 0
    assert len(tiny) == 6


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-5],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: b"\0" * len(content),
    ],
    ids=["empty", "truncated", "one bit", "zeros"],
)
def test_corrupt_entry_is_made_again_and_said(tmp_path, ask, damage):
    utterances = corpus(tmp_path / "corpus")
    fresh = ask(utterances)
    entry = entry_files(tmp_path)[1]
    entry.write_bytes(damage(entry.read_bytes()))
    with pytest.warns(UserWarning, match="1 damaged entries"):
        repaired = ask(utterances)
    assert (repaired.rebuilt, repaired.from_cache) == (1, 2)
    pd.testing.assert_frame_equal(repaired.X, fresh.X, check_exact=True)
    again = ask(utterances)
    assert (again.rebuilt, again.from_cache) == (0, 3)


def test_notes_survive_the_cache(tmp_path, ask):
    utterances = corpus(tmp_path / "corpus")
    stereo = np.stack([voice(100), voice(200)], axis=1)
    soundfile.write(utterances["path"].iloc[1], stereo, RATE)
    for extraction in (ask(utterances), ask(utterances)):
        assert extraction.notes["utterance"].tolist() == ["made/1"]
        assert extraction.notes["note"].str.startswith(audio.CHANNELS_DIFFER).tolist() == [True]


def test_bad_files_are_skipped_and_listed(tmp_path, ask):
    utterances = corpus(tmp_path / "corpus", n=5)
    Path(utterances["path"].iloc[0]).unlink()
    Path(utterances["path"].iloc[1]).write_bytes(b"")
    soundfile.write(utterances["path"].iloc[3], np.zeros(RATE), RATE)
    for from_cache in (0, 2):
        extraction = ask(utterances)
        assert list(extraction.X.index) == ["made/2", "made/4"]
        assert list(extraction.skipped["utterance"]) == ["made/0", "made/1", "made/3"]
        assert [word in reason for word, reason in zip(
            ["no such file", "zero bytes", "silent"], extraction.skipped["reason"], strict=True
        )] == [True] * 3  # fmt: skip
        assert extraction.from_cache == from_cache


def test_bad_file_stops_when_asked_to(tmp_path, ask):
    utterances = corpus(tmp_path / "corpus")
    soundfile.write(utterances["path"].iloc[1], np.zeros(RATE), RATE)
    with pytest.raises(AudioError, match=r"made/1: .*1\.wav: silent"):
        ask(utterances, on_bad="stop")


def test_features_that_are_not_finite_make_a_bad_file(tmp_path, ask, monkeypatch):
    infinite = lambda samples: np.array([0, np.nan, np.inf], np.float32)  # noqa: E731
    broken = replace(features.get("tiny"), load=lambda: (("a", "b", "c"), infinite))
    monkeypatch.setitem(FEATURE_SETS, "tiny", broken)
    with pytest.raises(AudioError, match=r"none of the 3 files.*0\.wav: 2 features of tiny.*the first is b"):
        ask(corpus(tmp_path / "corpus"))
    assert not entry_files(tmp_path)


def test_utterance_without_audio_is_skipped(tmp_path, ask):
    utterances = corpus(tmp_path / "corpus")
    utterances.loc["made/0", "path"] = None
    assert ask(utterances).skipped["reason"].tolist() == ["no audio file is given for this utterance"]


def test_progress_and_bar(tmp_path, ask, capsys):
    utterances = corpus(tmp_path / "corpus")
    said = []
    ask(utterances, progress=lambda done, total, text: said.append((done, total)))
    assert said == [(0, 3), (1, 3), (2, 3), (3, 3)]
    ask(utterances, progress=features.progress_bar("features"))
    assert "3/3" in capsys.readouterr().err


def test_cancelled_run_keeps_what_is_done(tmp_path, ask):
    utterances = corpus(tmp_path / "corpus", n=40)  # more than a thread can do before it is told
    cancel = threading.Event()

    def stop_after_two(done: int, total: int, text: str) -> None:
        if done == 2:
            cancel.set()

    with pytest.raises(Cancelled):
        ask(utterances, jobs=1, progress=stop_after_two, cancel=cancel)
    with pytest.raises(Cancelled):
        ask(utterances, cancel=cancel)
    assert 2 <= ask(utterances).from_cache < 40


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"features": "is11"}, "known: is10"),
        ({"on_bad": "ignore"}, "'skip' or 'stop'"),
        ({"jobs": 0}, "jobs is 0"),
    ],
)
def test_wrong_parameters(tmp_path, ask, wrong, message):
    with pytest.raises(ParameterError, match=message):
        ask(corpus(tmp_path / "corpus"), **wrong)


def test_cache_that_cannot_be_written(tmp_path, ask):
    (tmp_path / "file").touch()
    with pytest.raises(SerlabError, match=r"cannot be written .* set SERLAB_CACHE"):
        ask(corpus(tmp_path / "corpus"), cache=tmp_path / "file")


def test_default_cache_is_the_users(tmp_path, tiny, monkeypatch):
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "cache"))
    features.extract(corpus(tmp_path / "corpus"), features="tiny")
    assert len(entry_files(tmp_path)) == 3


def _extract_in_another_process(utterances: pd.DataFrame, folder: Path, out: Path) -> None:
    features.extract(utterances, features="librosa", cache=folder, jobs=2).X.to_parquet(out)


def test_two_processes_write_at_once(tmp_path):
    utterances = corpus(tmp_path / "corpus", n=8)
    spawn = multiprocessing.get_context("spawn")
    outs = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    others = [
        spawn.Process(target=_extract_in_another_process, args=(utterances, tmp_path / "cache", out))
        for out in outs
    ]
    for process in others:
        process.start()
    for process in others:
        process.join(120)
    assert [process.exitcode for process in others] == [0, 0]
    here = features.extract(utterances, features="librosa", cache=tmp_path / "cache")
    assert (here.from_cache, here.rebuilt) == (8, 0)
    for out in outs:
        pd.testing.assert_frame_equal(pd.read_parquet(out), here.X, check_exact=True)


def test_writer_killed_before_the_rename_leaves_nothing_that_is_read(tmp_path, ask, monkeypatch):
    utterances = corpus(tmp_path / "corpus")

    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    with monkeypatch.context() as context:
        context.setattr(cache.os, "replace", die)
        with pytest.raises(Killed):
            ask(utterances)
    left = list((tmp_path / "cache/features/partial").iterdir())
    assert left and not entry_files(tmp_path)
    for path in left:
        os.utime(path, (0, 0))  # long ago
    after = ask(utterances)
    assert (after.from_cache, after.rebuilt, len(after.X)) == (0, 0, 3)
    assert not list((tmp_path / "cache/features/partial").iterdir())


@pytest.mark.parametrize("name", [*FEATURE_SETS, "encoder:whisper", "encoder-frames:whisper@1"])
def test_parts_of_a_long_recording_in_every_feature_set(tmp_path, tiny_encoder, name):
    """As if each part were a file of its own."""
    if name.startswith("encoder"):
        pytest.importorskip("transformers")
    if name in ("is10", "egemaps"):
        pytest.importorskip("opensmile")
    parts = [voice(150, seconds=0.8), voice(220, seconds=0.7, seed=1)]
    soundfile.write(tmp_path / "long.wav", np.concatenate([*parts, parts[0]]), RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "second.wav", parts[1], RATE, subtype="FLOAT")
    rows = [
        {"utterance": "a/1", "path": str(tmp_path / "long.wav"), "start": 0.8, "end": 1.5},
        {"utterance": "a/2", "path": str(tmp_path / "second.wav")},
        {"utterance": "a/3", "path": str(tmp_path / "long.wav"), "end": 0.8},
    ]
    found = features.extract(data.utterances(rows), features=name, cache=tmp_path / "cache", jobs=1)
    values = found.X.values if isinstance(found.X, Frames) else found.X.to_numpy()
    assert np.array_equal(values[0], values[1], equal_nan=True)
    assert not np.array_equal(values[0], values[2], equal_nan=True)
    assert found.audio_hash.is_unique


def test_one_of_two_channels(tmp_path, ask):
    left, right = voice(150), voice(300, level=0.05)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), RATE)
    rows = [
        {"utterance": f"a/{i}", "path": str(tmp_path / "a.wav"), "channel": c} for i, c in enumerate(CHANNELS)
    ]
    found = ask(data.utterances(rows))
    assert found.audio_hash.is_unique
    expected = [((left + right) / 2).std(), left.std(), right.std()]
    assert found.X["sd"].to_numpy() == pytest.approx(expected, rel=1e-3)
    assert len(found.notes) == 1  # nothing is to be told where a channel was chosen


def test_processes_give_what_threads_give(tmp_path, monkeypatch):
    """Few files here, for speed; bad ones are named, and a second run finds all."""
    monkeypatch.setattr(making, "FEWEST", 3)
    monkeypatch.setattr(making, "CHUNK", 2)
    utterances = corpus(tmp_path / "corpus", n=5)
    soundfile.write(utterances["path"].iloc[3], np.zeros(RATE), RATE)
    shared_out = replace(features.get("logmel26"), in_processes=True)
    ask = partial(features.extract, utterances, features=shared_out)
    threads = ask(cache=tmp_path / "threads", jobs=1)
    processes = ask(cache=tmp_path / "processes", jobs=2)
    assert np.array_equal(processes.X.values, threads.X.values, equal_nan=True)
    pd.testing.assert_frame_equal(processes.skipped, threads.skipped)
    assert processes.skipped["utterance"].tolist() == ["made/3"]
    assert ask(cache=tmp_path / "processes", jobs=2).from_cache == 4


def test_large_features_lie_on_disk(tmp_path, ask, monkeypatch):
    """The same numbers, and no file is left."""
    utterances = corpus(tmp_path / "corpus", n=4)
    soundfile.write(utterances["path"].iloc[1], np.zeros(RATE), RATE)
    vectors = ask(utterances).X
    frames = features.extract(utterances, features="logmel26", cache=tmp_path / "cache").X.values
    monkeypatch.setattr(gathering, "IN_MEMORY", 1)
    monkeypatch.setattr(gathering, "Writer", partial(gathering.Writer, in_memory=1))
    large = ask(utterances).X
    pd.testing.assert_frame_equal(large, vectors, check_exact=True)
    assert not large.to_numpy().base.flags.owndata
    found = features.extract(utterances, features="logmel26", cache=tmp_path / "cache").X
    assert found.sequences.stores[0].on_disk
    assert np.array_equal(found.values, frames, equal_nan=True)
    assert not list((tmp_path / "cache").glob("tmp*"))
