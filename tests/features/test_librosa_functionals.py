"""The licence-free set against known signals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.features import librosa_functionals as descriptors
from tests.features.made import RATE, voice


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
