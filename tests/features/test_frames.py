"""Frames against librosa and known signals; cutting, padding and caching of sequences."""

from __future__ import annotations

import warnings
from functools import partial

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import audio, data, features
from serlab.errors import ParameterError
from serlab.features import spectral
from tests.features.made import RATE, corpus, entry_files, voice

#: dB within which log-mel bands and spectral contrast are librosa's.
TOLERANCE = 0.01


def burst() -> np.ndarray:
    """Speech-like sound between digital silence."""
    return np.concatenate([np.zeros(5000), voice(seconds=1.0), np.zeros(9000)]).astype(np.float32)


SOUNDS = {
    "voice": voice(seconds=1.3),
    "shortest": voice(seconds=audio.SHORTEST),
    "one block of frames, to the sample": voice(seconds=64 * 160 / RATE),
    "noise": np.random.default_rng(1).uniform(-0.9, 0.9, RATE).astype(np.float32),
    "between silence": burst(),
    "loud sine": (0.99 * np.sin(0.3 * np.arange(RATE))).astype(np.float32),
}


def librosa_log_mel(samples: np.ndarray, *, n_mels: int, hop: int = 160) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=512, win_length=400, hop_length=hop, n_mels=n_mels
    )
    return librosa.power_to_db(mel, top_db=None)


def librosa_mfcc39(samples: np.ndarray, *, hop: int = 160) -> np.ndarray:
    mfcc = librosa.feature.mfcc(S=librosa_log_mel(samples, n_mels=40, hop=hop), n_mfcc=13)
    slopes = [librosa.feature.delta(mfcc, order=order, mode="nearest") for order in (1, 2)]
    return np.vstack([mfcc, *slopes])


def librosa_harmony(samples: np.ndarray) -> dict[str, np.ndarray]:
    """Contrast with ``top_db=None``: with librosa's 80 silent frames depend on the loudest one."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        local = partial(librosa.power_to_db, top_db=None)
        patch.setattr(librosa.feature.spectral, "power_to_db", local)
        warnings.filterwarnings("ignore", message="n_fft=2048 is too large")
        magnitude = np.abs(librosa.stft(samples, n_fft=2048, hop_length=320))
        chroma = librosa.feature.chroma_stft(S=magnitude**2, sr=RATE, tuning=0.0)
        contrast = librosa.feature.spectral_contrast(S=magnitude, sr=RATE)
    return {"chroma": chroma, "tonnetz": librosa.feature.tonnetz(chroma=chroma), "contrast": contrast}


# --- definitions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", SOUNDS.values(), ids=SOUNDS)
@pytest.mark.parametrize("n_bands", [1, 26, 64, 128])
def test_log_mel_is_librosas(samples, n_bands):
    found = features.log_mel(n_bands).extract(samples)
    assert found.shape == (1 + len(samples) // 160, n_bands)
    assert np.abs(found.T - librosa_log_mel(samples, n_mels=n_bands)).max() < TOLERANCE


@pytest.mark.parametrize("samples", SOUNDS.values(), ids=SOUNDS)
def test_mfcc_and_deltas_are_librosas(samples):
    found = features.get("mfcc39").extract(samples)
    assert np.abs(found.T - librosa_mfcc39(samples)).max() < TOLERANCE


@pytest.mark.parametrize("samples", SOUNDS.values(), ids=SOUNDS)
def test_forty_mfcc_are_librosas_and_a_rotation_of_the_bands(samples):
    found = features.get("mfcc40").extract(samples)
    mel = librosa_log_mel(samples, n_mels=40)
    assert np.abs(found.T - librosa.feature.mfcc(S=mel, n_mfcc=40)).max() < TOLERANCE
    assert np.allclose((found**2).sum(axis=1), (mel**2).sum(axis=0), rtol=1e-4)


@pytest.mark.parametrize("samples", SOUNDS.values(), ids=SOUNDS)
def test_harmonic_set_is_librosas(samples):
    chosen = features.get("harmonic")
    found = pd.DataFrame(chosen.extract(samples), columns=list(chosen.names))
    expected = librosa_harmony(samples)
    assert np.abs(found.filter(like="chroma").T - expected["chroma"]).max(axis=None) < 1e-4
    assert np.abs(found.filter(like="tonnetz").T - expected["tonnetz"]).max(axis=None) < 1e-4
    assert np.abs(found.filter(like="contrast").T - expected["contrast"]).max(axis=None) < TOLERANCE
    assert np.abs(found.filter(like="mfcc").T - librosa_mfcc39(samples, hop=320)).max(axis=None) < TOLERANCE


def test_sizes_and_rates():
    table = {name: features.get(name) for name in ("logmel26", "logmel40", "logmel64", "mfcc39", "harmonic")}
    assert [len(chosen.names) for chosen in table.values()] == [26, 40, 64, 39, 12 + 6 + 7 + 39]
    assert [chosen.frame_shift for chosen in table.values()] == [0.01, 0.01, 0.01, 0.01, 0.02]


@pytest.mark.parametrize("n_bands", [0, 129])
def test_number_of_bands_is_checked(n_bands):
    with pytest.raises(ParameterError, match=f"n_bands is {n_bands}; choose 1 to 128"):
        features.log_mel(n_bands)


def test_digital_silence_is_finite_and_says_nothing():
    for name in ("logmel26", "mfcc39", "harmonic"):
        chosen = features.get(name)
        with warnings.catch_warnings(action="error"):
            found = pd.DataFrame(chosen.extract(np.zeros(RATE, np.float32)), columns=list(chosen.names))
        bands = found.filter(like="logmel")
        assert (bands == spectral.FLOOR_DB).all(axis=None)
        first = ["mfcc_0"] if "mfcc_0" in found else []
        assert np.allclose(found.drop(columns=[*bands, *first]), 0, atol=1e-9)


def test_rounding_to_16_bits_lies_above_the_floor():
    rounding = np.random.default_rng(0).uniform(-0.5, 0.5, RATE) / 32768
    power = 10 ** (features.get("logmel64").extract(rounding.astype(np.float32)) / 10)
    assert 10 * np.log10(power.mean()) == pytest.approx(spectral.FLOOR_DB + 6, abs=1)


def test_frame_does_not_depend_on_what_surrounds_it():
    chosen = features.get("harmonic")
    alone, before_noise = voice(seconds=1.0), np.concatenate([voice(seconds=1.0), SOUNDS["noise"]])
    first = slice(0, 30)  # what lies 128 ms and four frames before the end of the voice
    assert np.allclose(chosen.extract(alone)[first], chosen.extract(before_noise)[first], atol=1e-4)


def test_chroma_of_a_scale_and_tonnetz_of_a_fifth():
    time_s = np.arange(RATE) / RATE
    chosen = features.get("harmonic")
    for note, hertz in {0: 261.63, 4: 329.63, 9: 440.0}.items():
        found = chosen.extract((0.3 * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32))
        assert found[25, :12].argmax() == note
    # A fifth is one step on the circle of fifths: seven semitones.
    c, g = spectral.tonnetz(np.eye(12)[[0, 7]])[:, :2]
    turn = np.degrees(np.arctan2(*g) - np.arctan2(*c)) % 360
    assert min(turn, 360 - turn) == pytest.approx(30)


def test_deltas_of_a_line_and_a_parabola():
    """As the regression formula has it, and the plain derivative of what the polynomial can fit."""
    values = np.random.default_rng(0).standard_normal((30, 2))
    weights = np.arange(-4, 5)
    by_hand = [
        (weights[:, None] * values[i - 4 : i + 5]).sum(axis=0) / (weights @ weights) for i in range(4, 26)
    ]
    assert np.allclose(spectral.deltas(values, order=1)[4:26], by_hand)
    t = np.arange(30.0)[:, None]
    assert np.allclose(spectral.deltas(3 * t, order=1)[4:26], 3)
    assert np.allclose(spectral.deltas(t**2, order=2)[4:26], 2)


@pytest.mark.parametrize("n_frames", [1, 2, 8])
def test_deltas_of_few_frames(n_frames):
    values = np.random.default_rng(0).standard_normal((n_frames, 3))
    padded = np.pad(values, ((4, 4), (0, 0)), mode="edge")
    weights = np.arange(-4, 5)[:, None]
    by_hand = [(weights * padded[i : i + 9]).sum(axis=0) / (weights**2).sum() for i in range(n_frames)]
    assert np.allclose(spectral.deltas(values, order=1), by_hand)


@pytest.mark.parametrize("name", ["logmel26", "mfcc39", "harmonic"])
@pytest.mark.parametrize("n_samples", [1, 100, 799])
def test_utterance_shorter_than_a_window(name, n_samples):
    """Frames are centred and padded, so that there is always one."""
    with warnings.catch_warnings(action="error"):
        found = features.get(name).extract(voice()[:n_samples])
    assert len(found) == 1 + n_samples // round(features.get(name).frame_shift * RATE)
    assert np.isfinite(found).all()


# --- extraction ------------------------------------------------------------------------------------------


@pytest.fixture
def utterances(tmp_path) -> pd.DataFrame:
    """Three utterances of 0.6, 0.3 and 1.2 s."""
    table = corpus(tmp_path / "corpus")
    for path, seconds in zip(table["path"], (0.6, 0.3, 1.2), strict=True):
        soundfile.write(path, voice(seconds=seconds), RATE)
    return table


@pytest.fixture
def ask(tmp_path):
    """``features.extract`` of log-mel bands with a cache of its own."""
    return partial(features.extract, features="logmel26", cache=tmp_path / "cache", jobs=2)


def test_sequences_are_padded_with_nan(utterances, ask):
    X = ask(utterances).X
    assert isinstance(X, features.Frames)
    assert (X.shape, X.values.dtype, X.frame_shift) == ((3, 121, 26), np.float32, 0.01)
    assert list(X.index) == list(utterances.index)
    for row, path in enumerate(utterances["path"]):
        expected = features.get("logmel26").extract(audio.load(path).samples)
        assert np.array_equal(X.values[row, : len(expected)], expected)
        assert np.isnan(X.values[row, len(expected) :]).all()


def test_cut_utterances_are_noted_and_the_cache_has_them_whole(utterances, ask):
    whole = ask(utterances, seconds=None)
    assert whole.notes.empty
    for seconds, n_frames, cut in [(1.0, 100, ["made/2"]), (0.3, 30, ["made/0", "made/2"]), (1.2, 120, [])]:
        short = ask(utterances, seconds=seconds)
        assert short.from_cache == 3
        assert np.array_equal(short.X.values, whole.X.values[:, :n_frames], equal_nan=True)
        assert short.notes["utterance"].tolist() == cut
        assert set(short.notes["note"]) <= {f"cut: only the first {seconds:g} s are used"}
    assert ask(utterances).X.shape == (3, 121, 26)
    with pytest.raises(ParameterError, match=r"seconds is 0; choose 0\.01 or more, or None"):
        ask(utterances, seconds=0)


def test_cut_and_uncut_are_the_same_before_and_after_caching(utterances, tmp_path):
    for seconds in (0.5, None):
        ask = partial(
            features.extract, utterances, features="harmonic", cache=tmp_path / str(seconds), seconds=seconds
        )
        fresh, again = ask(), ask()
        assert (fresh.from_cache, again.from_cache) == (0, 3)
        assert np.array_equal(fresh.X.values, again.X.values, equal_nan=True)
        pd.testing.assert_frame_equal(fresh.notes, again.notes)


@pytest.mark.parametrize("damage", [lambda c: c[:-104], lambda c: c[:-1] + bytes([c[-1] ^ 1]), lambda c: b""])
def test_corrupt_sequence_is_made_again(tmp_path, utterances, damage):
    ask = partial(features.extract, utterances, features="logmel26", cache=tmp_path / "cache")
    fresh = ask()
    entry = entry_files(tmp_path, "logmel26")[1]
    entry.write_bytes(damage(entry.read_bytes()))
    with pytest.warns(UserWarning, match="1 damaged entries"):
        repaired = ask()
    assert (repaired.rebuilt, repaired.from_cache) == (1, 2)
    assert np.array_equal(repaired.X.values, fresh.X.values, equal_nan=True)


def test_bad_files_leave_no_row(utterances, ask):
    soundfile.write(utterances["path"].iloc[2], np.zeros(RATE), RATE)
    soundfile.write(utterances["path"].iloc[1], voice(seconds=0.05), RATE)
    extraction = ask(utterances)
    assert extraction.X.shape == (1, 61, 26)
    assert [
        word in reason
        for word, reason in zip(["too short", "silent"], extraction.skipped["reason"], strict=True)
    ] == [True] * 2


def test_any_number_of_bands(utterances, ask):
    extraction = ask(utterances, features=features.log_mel(20))
    assert extraction.X.shape == (3, 121, 20)
    assert ask(utterances, features=features.log_mel(20)).from_cache == 3
    assert ask(utterances, features=features.log_mel(21)).from_cache == 0


def test_no_utterances(utterances, ask):
    assert ask(utterances.iloc[:0]).X.shape == (0, 0, 26)


def test_vectors_do_not_know_seconds(utterances, ask):
    vectors = [ask(utterances, features="librosa", seconds=seconds) for seconds in (0.2, None)]
    pd.testing.assert_frame_equal(vectors[0].X, vectors[1].X, check_exact=True)
    assert vectors[0].notes.empty


class TestAugmented:
    def test_is_the_features_of_the_changed_audio(self, utterances, ask):
        louder = ask(utterances, augment="gain-6").X.to_numpy()
        assert np.nanmean(louder - ask(utterances).X.to_numpy()) == pytest.approx(6, abs=0.01)
        assert ask(utterances, augment="speed-2").X.shape == (3, 61, 26)

    def test_has_a_place_of_its_own_in_the_cache(self, utterances, ask):
        plain, noisy = ask(utterances), ask(utterances, augment="noise-20")
        assert (plain.from_cache, noisy.from_cache) == (0, 0)
        assert ask(utterances, augment="noise-20", seed=1).from_cache == 0
        assert ask(utterances, augment="noise-10").from_cache == 0
        again = ask(utterances, augment="noise-20")
        assert again.from_cache == 3
        assert np.array_equal(again.X.values, noisy.X.values, equal_nan=True)
        assert np.array_equal(ask(utterances).X.values, plain.X.values, equal_nan=True)
        assert noisy.audio_hash.tolist() == plain.audio_hash.tolist(), "a noisy copy is the same recording"

    def test_noise_depends_on_seed_and_audio_only(self, utterances, tmp_path):
        def noisy(table: pd.DataFrame, *, seed: int, jobs: int) -> pd.DataFrame:
            folder = tmp_path / f"{seed}-{jobs}-{len(table)}"
            X = features.extract(
                table, features="librosa", augment="noise-5", seed=seed, cache=folder, jobs=jobs
            ).X
            return X.sort_index()

        all_of_them = noisy(utterances, seed=0, jobs=1)
        pd.testing.assert_frame_equal(noisy(utterances.iloc[::-1], seed=0, jobs=2), all_of_them)
        pd.testing.assert_frame_equal(noisy(utterances.iloc[1:2], seed=0, jobs=1), all_of_them.iloc[1:2])
        assert not noisy(utterances, seed=1, jobs=1).equals(all_of_them)

    @pytest.mark.parametrize(
        ("augment", "message"),
        [("noise", "unknown augmentation 'noise'"), ("specaugment", "changes no audio")],
    )
    def test_name_is_checked(self, utterances, ask, augment, message):
        with pytest.raises(ParameterError, match=message):
            ask(utterances, augment=augment)


# --- the container ---------------------------------------------------------------------------------------


def test_selection_and_statistics(utterances, ask):
    X = ask(utterances).X
    chosen = X.select(["made/2", "made/0"])
    assert (len(chosen), chosen.shape, list(chosen.index)) == (2, (2, 121, 26), ["made/2", "made/0"])
    assert chosen.index.name == "utterance"
    assert np.array_equal(chosen.values[1], X.values[0], equal_nan=True)
    statistics = chosen.statistics()
    assert statistics.shape == (2, 52)
    assert statistics.loc["made/0", "logmel_3_mean"] == pytest.approx(X.values[0, :61, 3].mean(), rel=1e-5)
    assert statistics.loc["made/0", "logmel_3_sd"] == pytest.approx(X.values[0, :61, 3].std(), rel=1e-4)
    assert np.array_equal(X.to_numpy(), X.values, equal_nan=True)
    assert X.to_numpy(np.float64).dtype == np.float64
    with pytest.raises(KeyError, match="no frames of utterance 'made/7'"):
        X.select(["made/0", "made/7"])
    with pytest.raises(ValueError, match="do not fit 2 utterances"):
        features.Frames.of_dense(X.values, index=X.index[:2], columns=X.columns, frame_shift=0.01)


@pytest.mark.shared
@pytest.mark.parametrize("corpus_name", ["emodb/wav", "urdu"])
def test_real_speech_is_librosas(shared, tmp_path, corpus_name):
    found = sorted((shared / "corpora" / corpus_name).rglob("*.*a[cv]"))[:2]
    paths = [path for path in found if path.suffix in (".wav", ".flac")]
    utterances = data.utterances([{"utterance": p.stem, "corpus": "real", "path": str(p)} for p in paths])
    for name, expected in [("logmel26", partial(librosa_log_mel, n_mels=26)), ("mfcc39", librosa_mfcc39)]:
        X = features.extract(utterances, features=name, seconds=None, cache=tmp_path).X
        for row, path in enumerate(paths):
            direct = expected(audio.load(path).samples).T
            assert np.abs(X.values[row, : len(direct)] - direct).max() < TOLERANCE
    harmonic = features.extract(utterances, features="harmonic", seconds=2.0, cache=tmp_path).X
    assert np.nanmax(np.abs(harmonic.values[:, :, :12])) <= 1
    for row, path in enumerate(paths):
        direct = librosa_harmony(audio.load(path).samples)
        n = int((~np.isnan(harmonic.values[row, :, 0])).sum())
        expected = np.vstack(list(direct.values())).T[:n]
        assert np.abs(harmonic.values[row, :n, :25] - expected).max() < TOLERANCE


def test_speech_only_drops_silence_and_level():
    rng = np.random.default_rng(0)
    speech = rng.uniform(-30, 0, (20, 40))
    silence = np.full((7, 40), -100.0)
    found = spectral.speech_only(np.vstack([silence, speech, silence]))
    np.testing.assert_allclose(found, speech - speech.max())
    np.testing.assert_allclose(spectral.speech_only(speech - 12), found)
    assert spectral.speech_only(np.vstack([speech, speech - 90])).min() >= -60
    assert spectral.speech_only(silence).shape == silence.shape, "there is always a frame"
