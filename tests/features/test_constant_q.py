"""The two spectra of Singh, Saha & Sahidullah (2021)."""

from __future__ import annotations

import warnings

import librosa
import numpy as np
import pytest

from serlab import features
from serlab.features import constant_q, spectral
from tests.features.made import corpus, voice

RATE = 16000


def tone(hertz: float, *, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE).astype(np.float32)


def librosa_cqt(samples: np.ndarray, *, hop: int) -> np.ndarray:
    response = librosa.cqt(
        samples, sr=RATE, hop_length=hop, fmin=constant_q.FMIN, n_bins=constant_q.N_BANDS,
        bins_per_octave=constant_q.BANDS_PER_OCTAVE, sparsity=0,
    )  # fmt: skip
    return librosa.amplitude_to_db(np.abs(response), amin=1e-5, top_db=None).T


SOUNDS = {
    "noise": np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32),
    "voice": voice(seconds=1.0),
}


@pytest.mark.parametrize("samples", SOUNDS.values(), ids=SOUNDS)
def test_constant_q_is_its_definition(samples):
    """Each value is an inner product with a windowed exponential, in double precision.

    The exponential is turned around in time, as librosa's is.
    """
    wavelets, lengths = librosa.filters.wavelet(freqs=constant_q.frequencies(), sr=RATE)
    wavelets = wavelets[:, ::-1].astype(complex) * np.sqrt(lengths)[:, None]
    half = wavelets.shape[1] // 2
    padded = np.pad(samples.astype(float), (half - 1, half + 1))
    found = 10 ** (features.get("cqt").extract(samples) / 20)
    for frame in (0, 1, 50, 100):
        window = padded[frame * 160 : frame * 160 + 2 * half]
        assert found[frame] == pytest.approx(np.abs(wavelets @ window), abs=0.003 * float(found.max()))


@pytest.mark.parametrize("samples", SOUNDS.values(), ids=SOUNDS)
def test_constant_q_is_librosas(samples):
    """At common frames: 320 samples are two of ours and five of 64, the smallest hop that librosa can do."""
    ours, theirs = features.get("cqt").extract(samples)[::2], librosa_cqt(samples, hop=64)[::5]
    inside = slice(8, -8)  # their resampling has edges of its own
    difference = np.abs(ours - theirs)[inside]
    loud = ours[inside] > ours.max() - 20
    top_octave = np.arange(constant_q.N_BANDS) >= constant_q.N_BANDS - constant_q.BANDS_PER_OCTAVE
    assert difference[loud & top_octave].max(initial=0) < 0.1  # no resampling
    assert difference[loud].mean() < 0.2


def test_pure_tone_peaks_where_the_formula_says():
    for band in range(0, constant_q.N_BANDS, 5):
        hertz = 55 * 2 ** (band / 12)
        assert constant_q.frequencies()[band] == pytest.approx(hertz)
        assert features.get("cqt").extract(tone(hertz))[50].argmax() == band


def test_low_harmonics_stay_apart():
    """Two tones a third apart at 200 Hz: two peaks here, one in the mel bands."""
    samples = 0.5 * (tone(200) + tone(252))
    cqt, mfsc = (features.get(name).extract(samples)[50] for name in ("cqt", "mfsc"))

    def n_peaks(spectrum: np.ndarray) -> int:
        near = spectrum > spectrum.max() - 10
        return int((np.diff(near.astype(int), prepend=0) == 1).sum())

    assert (n_peaks(cqt), n_peaks(mfsc)) == (2, 1)


def test_white_noise_has_one_level_in_all_bands():
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * RATE).astype(np.float32)
    power = 10 ** (features.get("cqt").extract(noise) / 10)
    level = 10 * np.log10(power[20:-20].mean(axis=0))
    assert np.ptp(level) < 2


def test_mfsc_are_log_mel_bands_as_many_as_constant_q_bands():
    mfsc = features.get("mfsc")
    assert np.array_equal(mfsc.extract(voice()), features.log_mel(84).extract(voice()))
    assert mfsc.names == tuple(f"mfsc_{i}" for i in range(84))
    assert len(mfsc.names) == len(features.get("cqt").names)
    assert mfsc.frame_shift == features.get("cqt").frame_shift == 0.01


@pytest.mark.parametrize("n_samples", [1, 159, 160, 1600, 5120, 5121])
def test_any_length_has_frames(n_samples):
    samples = voice()[:n_samples]
    with warnings.catch_warnings(action="error"):
        for name in ("cqt", "mfsc"):
            found = features.get(name).extract(samples)
            assert (found.shape, found.dtype) == ((1 + n_samples // 160, 84), np.float32)
            assert np.isfinite(found).all()


def test_digital_silence_lies_on_the_floor():
    with warnings.catch_warnings(action="error"):
        found = features.get("cqt").extract(np.zeros(RATE, np.float32))
    assert (found == spectral.FLOOR_DB).all()


@pytest.mark.parametrize("name", ["cqt", "mfsc"])
def test_without_silence_and_level_nothing_of_the_recording_is_left(name):
    """Pauses at both ends and the gain of a microphone change no frame of speech."""
    speech = voice(seconds=1.0)
    quiet = np.zeros(RATE, np.float32)
    found = [
        features.get(f"speech{name}").extract(samples)
        for samples in (speech, 0.1 * speech, np.concatenate([quiet, speech, quiet]))
    ]
    assert found[0].max() == 0 and found[0].min() >= -spectral.SPEECH_SPAN_DB
    np.testing.assert_allclose(found[1], found[0], atol=0.05)
    middle = slice(20, -20)  # frames at the ends hear the silence
    gone = len(found[2]) - len(found[0])
    np.testing.assert_allclose(found[2][gone // 2 + 20 :][: len(found[0]) - 40], found[0][middle], atol=0.1)
    plain = features.get(name).extract(np.concatenate([quiet, speech, quiet]))
    assert len(plain) > len(found[2]) + 130  # of 200; low bands hear far around them


def test_both_are_cached(tmp_path):
    utterances = corpus(tmp_path / "corpus")
    for name in ("cqt", "mfsc"):
        fresh, again = (
            features.extract(utterances, features=name, cache=tmp_path / "cache", jobs=2) for _ in range(2)
        )
        assert (fresh.from_cache, again.from_cache) == (0, len(utterances))
        assert np.array_equal(fresh.X.values, again.X.values, equal_nan=True)
