"""Feature sets against known signals and direct openSMILE; the cache against what happens to a disk."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import audio, data, features
from serlab.errors import AudioError, Cancelled, ParameterError, SerlabError
from serlab.features import FEATURE_SETS, cache
from serlab.features import librosa_functionals as descriptors

RATE = audio.SAMPLE_RATE


def voice(f0: float = 150.0, *, seconds: float = 0.6, level: float = 0.2, seed: int = 0) -> np.ndarray:
    """Harmonics of f0, falling by 1/k, with a little noise."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    harmonics = sum(np.sin(2 * np.pi * f0 * k * time_s) / k for k in range(1, 12))
    noise = np.random.default_rng(seed).standard_normal(len(time_s))
    return (level * harmonics + 0.003 * noise).astype(np.float32)


def corpus(folder: Path, n: int = 3) -> pd.DataFrame:
    """Utterances of n generated files."""
    folder.mkdir(exist_ok=True)
    rows = []
    for i in range(n):
        path = folder / f"{i}.wav"
        soundfile.write(path, voice(100 + 20 * i, seed=i), RATE)
        rows.append({"utterance": f"made/{i}", "corpus": "made", "path": str(path)})
    return data.utterances(rows)


# --- every feature set -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FEATURE_SETS)
class TestEveryFeatureSet:
    def test_says_what_it_is(self, name):
        chosen = features.get(name)
        assert chosen.name == name
        assert chosen.title and chosen.version and chosen.license and chosen.reference
        assert (chosen.frame_shift is None) == (chosen.kind == "vectors")

    def test_names_are_unique(self, name):
        names = features.get(name).names
        assert len(set(names)) == len(names)

    @pytest.mark.parametrize(
        "samples",
        [
            voice(),
            voice(seconds=audio.SHORTEST),
            np.random.default_rng(1).uniform(-0.9, 0.9, RATE // 2).astype(np.float32),
            np.concatenate([np.zeros(3000), voice(), np.zeros(3000)]).astype(np.float32),
            np.eye(1, RATE // 2, 4000, dtype=np.float32)[0] * 0.9,  # a click in digital silence
        ],
        ids=["voice", "shortest", "noise", "between silence", "click"],
    )
    def test_finite_deterministic_and_of_known_length(self, name, samples):
        chosen = features.get(name)
        before = samples.copy()
        with warnings.catch_warnings(action="error"):
            first = chosen.extract(samples)
        n_names = len(chosen.names)
        if chosen.kind == "frames":
            n_frames = 1 + len(samples) // round(chosen.frame_shift * RATE)
            # One set keeps only the frames that hold speech.
            known = range(1, n_frames + 1) if name == "speechmel40" else (n_frames,)
            assert len(first) in known and first.shape[1] == n_names
        else:
            assert first.shape == (n_names,)
        assert first.dtype == np.float32
        assert np.isfinite(first).all()
        assert np.array_equal(first, chosen.extract(samples))
        assert np.array_equal(samples, before)

    def test_result_does_not_depend_on_threads(self, name, tmp_path):
        utterances = corpus(tmp_path / "corpus", n=6)
        one = features.extract(utterances, features=name, cache=tmp_path / "one", jobs=1)
        four = features.extract(utterances, features=name, cache=tmp_path / "four", jobs=4)
        assert list(one.X.index) == list(four.X.index) == list(utterances.index)
        assert tuple(one.X.columns) == tuple(four.X.columns) == features.get(name).names
        assert np.array_equal(one.X.to_numpy(), four.X.to_numpy(), equal_nan=True)


@pytest.mark.parametrize(("name", "config", "n"), [("is10", "IS10", 1582), ("egemaps", "eGeMAPSv02", 88)])
def test_opensmile_sets_are_opensmiles_own_numbers(name, config, n):
    import opensmile

    direct = opensmile.Smile(opensmile.FeatureSet[config]).process_signal(voice(), RATE)
    chosen = features.get(name)
    assert chosen.names == tuple(direct.columns)
    assert len(chosen.names) == n
    assert np.array_equal(chosen.extract(voice()), direct.to_numpy()[0])


def test_is10_has_the_feature_of_the_papers_figure_1():
    assert "pcm_loudness_sma_amean" in features.get("is10").names


def test_table_of_feature_sets_states_the_licences():
    table = features.describe()
    assert list(table.index[table["license"].str.contains("research")]) == ["is10", "egemaps"]
    assert list(table.index[table["kind"] == "vectors"]) == ["is10", "egemaps", "librosa"]


# --- the licence-free set against known signals ----------------------------------------------------------


def librosa_features(samples: np.ndarray) -> pd.Series:
    return pd.Series(descriptors.extract(samples.astype(np.float32)), index=descriptors.NAMES)


@pytest.mark.parametrize("f0", [70, 110, 200, 333, 550])
def test_pitch_of_a_periodic_signal(f0):
    found, hnr, voiced = descriptors.pitch(voice(f0))
    assert voiced.mean() > 0.9
    assert np.median(found[voiced]) == pytest.approx(f0, rel=5e-3)
    assert np.percentile(np.abs(np.log2(found[voiced] / f0)), 95) < 0.1  # no octave jumps
    assert np.median(hnr[voiced]) > 20


def test_harmonics_to_noise_ratio_of_a_known_mixture():
    """A sine in white noise of a tenth of its power has a ratio of 10 dB."""
    time_s = np.arange(2 * RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(len(time_s)) * np.sqrt(0.05)
    _, hnr, voiced = descriptors.pitch(np.sin(2 * np.pi * 200 * time_s) + noise)
    assert voiced.mean() > 0.95
    assert hnr[voiced].mean() == pytest.approx(10, abs=1)


def test_noise_is_not_voiced():
    noise = np.random.default_rng(0).standard_normal(RATE) * 0.1
    assert descriptors.pitch(noise)[2].mean() < 0.02
    unvoiced = librosa_features(noise)
    assert unvoiced["voiced_share"] < 0.02


def test_glide_has_its_slope():
    """An octave (12 semitones) in two seconds is 6 semitones a second."""
    seconds = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(120 * 2 ** (seconds / 2)) / RATE
    found = librosa_features(0.2 * sum(np.sin(k * phase) / k for k in range(1, 8)))
    assert found["f0_semitones_slope"] == pytest.approx(6, rel=0.02)
    assert found["f0_semitones_p50"] == pytest.approx(12 * np.log2(120 * 2**0.5 / 27.5), abs=0.1)


def test_level_ramp_has_its_slope():
    noise = np.random.default_rng(0).standard_normal(2 * RATE) * 0.05
    ramp = 10 ** (np.arange(2 * RATE) / RATE * 10 / 20)  # 10 dB a second
    assert librosa_features(noise * ramp)["level_db_slope"] == pytest.approx(10, rel=0.05)


def test_spectrum_of_a_sine():
    found = librosa_features(0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE))
    assert found["spectral_centroid_hz_p50"] == pytest.approx(1000, abs=30)
    assert found["zero_crossing_rate_p50"] == pytest.approx(2 * 1000 / RATE, rel=0.02)
    assert found["level_db_p50"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1)
    noise = librosa_features(np.random.default_rng(0).standard_normal(RATE) * 0.1)
    assert noise["spectral_flatness_db_p50"] > found["spectral_flatness_db_p50"] + 20
    assert noise["spectral_centroid_hz_p50"] == pytest.approx(4000, rel=0.05)


def test_gain_shifts_the_level_and_nothing_else_but_its_cepstral_twin():
    quiet, loud = librosa_features(voice(level=0.05)), librosa_features(2 * voice(level=0.05))
    shifted = {f"level_db_{f}" for f in ("mean", "p10", "p50", "p90")}
    shifted |= {f"mfcc_0_{f}" for f in ("mean", "p10", "p50", "p90")}
    for name in descriptors.NAMES:
        if name in shifted:
            assert loud[name] > quiet[name]
        else:
            assert loud[name] == pytest.approx(quiet[name], rel=1e-3, abs=1e-3), name
    assert loud["level_db_mean"] - quiet["level_db_mean"] == pytest.approx(20 * np.log10(2), abs=1e-3)


def test_silence_around_the_utterance_changes_little():
    bursts = np.concatenate([voice(seconds=0.3), 0.05 * voice(seconds=0.1), voice(170, seconds=0.3)])
    padded = np.pad(bursts, RATE // 2)
    alone, within = librosa_features(bursts), librosa_features(padded)
    assert within["active_share"] == pytest.approx(alone["active_share"], abs=0.05)
    assert within["f0_semitones_mean"] == pytest.approx(alone["f0_semitones_mean"], abs=0.2)
    assert within["level_db_p50"] == pytest.approx(alone["level_db_p50"], abs=0.5)


def test_rhythm_counts_bursts():
    burst, pause = voice(seconds=0.2), np.zeros(RATE // 10)
    found = librosa_features(np.concatenate([burst, pause] * 5))
    assert found["voiced_segments_per_s"] == pytest.approx(5 / 1.4, rel=0.1)
    assert found["level_peaks_per_s"] == pytest.approx(5 / 1.4, rel=0.1)
    assert found["voiced_segment_mean_s"] == pytest.approx(0.2, abs=0.04)


def test_functionals_by_brute_force():
    rng = np.random.default_rng(0)
    contours, counted = rng.standard_normal((2, 40)), rng.random(40) < 0.7
    for contour, found in zip(contours, descriptors.functionals(contours, counted), strict=True):
        seconds = [i * 0.01 for i in range(40) if counted[i]]
        values = [contour[i] for i in range(40) if counted[i]]
        steps = [abs(contour[i] - contour[i - 1]) for i in range(1, 40) if counted[i] and counted[i - 1]]
        expected = [
            np.mean(values), np.std(values), *(np.percentile(values, q) for q in (10, 50, 90)),
            np.polyfit(seconds, values, 1)[0], np.mean(steps),
        ]  # fmt: skip
        assert np.allclose(found, expected)
    assert not descriptors.functionals(contours, np.zeros(40, bool)).any()


# --- extraction and its cache ----------------------------------------------------------------------------


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


def entry_files(tmp_path: Path, name: str = "tiny") -> list[Path]:
    return sorted(p for p in (tmp_path / "cache/features").glob(f"{name}-*/*/*"))


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
        assert extraction.notes["note"].tolist() == [audio.CHANNELS_DIFFER]


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


def test_hash_of_an_unchanged_file_is_remembered(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"first")
    cache.remember_hashes(tmp_path, {str(path): "hash"})
    assert cache.known_hashes(tmp_path, [str(path)]) == {}, "just written: may change again in the same tick"
    monkeypatch.setattr(cache, "_UNSETTLED", -1)
    cache.remember_hashes(tmp_path, {str(path): "hash"})
    assert cache.known_hashes(tmp_path, [str(path), "/none"]) == {str(path): "hash"}
    modified = path.stat().st_mtime_ns
    time.sleep(0.02)  # longer than a tick of the file system's clock
    path.write_bytes(b"other")
    os.utime(path, ns=(modified, modified))  # as a copying program does
    assert cache.known_hashes(tmp_path, [str(path)]) == {}
    (tmp_path / "features/hashes").write_bytes(b'{"damaged')
    assert cache.known_hashes(tmp_path, [str(path)]) == {}


def _extract_in_another_process(utterances: pd.DataFrame, folder: Path, out: Path) -> None:
    features.extract(utterances, features="egemaps", cache=folder, jobs=2).X.to_parquet(out)


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
    here = features.extract(utterances, features="egemaps", cache=tmp_path / "cache")
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


@pytest.mark.shared
def test_is10_on_real_speech_equals_opensmile_on_the_file(shared, tmp_path):
    import opensmile

    paths = sorted((shared / "corpora/emodb/wav").glob("*.wav"))[:3]
    utterances = data.utterances([{"utterance": p.stem, "corpus": "emodb", "path": str(p)} for p in paths])
    found = features.extract(utterances, features="is10", cache=tmp_path)
    smile = opensmile.Smile(opensmile.FeatureSet.IS10)
    direct = np.vstack([smile.process_signal(*soundfile.read(p, dtype="float32")) for p in paths])
    assert np.array_equal(found.X.to_numpy(), direct)
    assert found.notes.empty and found.skipped.empty
