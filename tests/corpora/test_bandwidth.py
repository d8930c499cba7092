"""Where a recording ends in frequency, by construction."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import soxr

from serlab.corpora.bandwidth import Spectrum, edge


def speech_like(rate: int, seconds: float = 2.0) -> np.ndarray:
    """Noise that falls by 12 dB an octave above 500 Hz, as voices do."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(round(seconds * rate)))
    frequency = np.fft.rfftfreq(round(seconds * rate), 1 / rate)
    samples = np.fft.irfft(spectrum / (1 + (frequency / 500) ** 2))
    return (0.05 * samples / samples.std()).astype(np.float32)


def bandwidth(samples: np.ndarray, rate: int, *, blocks: int = 1) -> float:
    spectrum = Spectrum(rate)
    for block in np.array_split(samples, blocks):
        spectrum.add(block)
    return spectrum.bandwidth


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("was", [8_000, 11_025])
def test_recorded_at_a_lower_rate(rate: int, was: int):
    narrow = soxr.resample(soxr.resample(speech_like(rate), rate, was), was, rate)
    stored = np.round(narrow * 32768).astype(np.float32) / 32768  # 16 bits
    assert bandwidth(stored, rate) == pytest.approx(was / 2, rel=0.08)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_a_voice_that_fades_has_no_edge(rate: int):
    assert bandwidth(speech_like(rate), rate) == rate / 2


def test_what_passed_through_mp3(tmp_path):
    path = tmp_path / "a.mp3"
    noise = 0.05 * np.random.default_rng(0).standard_normal(88_200)
    soundfile.write(path, noise, 44_100, bitrate_mode="CONSTANT", compression_level=0.9)
    samples, rate = soundfile.read(path, dtype="float32")
    assert bandwidth(samples, rate) == pytest.approx(17_000, rel=0.03)  # at 58 kbit/s


def test_blocks_make_no_difference():
    samples = speech_like(16_000)
    assert bandwidth(samples, 16_000, blocks=7) == bandwidth(samples, 16_000)


def test_nothing_to_hear_has_no_edge():
    assert edge(np.zeros(513), 16_000) == 8_000
    assert bandwidth(np.zeros(100, np.float32), 16_000) == 8_000
