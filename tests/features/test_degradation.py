"""Band, codecs, rooms and babble: length, level, spectrum, ratio."""

from __future__ import annotations

import numpy as np
import pytest

from serlab.audio import FULL_SCALE, SAMPLE_RATE
from serlab.errors import ParameterError
from serlab.features import augmentation, degradation


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _tone(hertz: float, n: int = 8000) -> np.ndarray:
    return (0.4 * np.sin(2 * np.pi * hertz * np.arange(n) / SAMPLE_RATE)).astype(np.float32)


def _power(samples: np.ndarray) -> float:
    inner = samples[1000:-1000].astype(float)
    return float((inner**2).mean())


@pytest.mark.parametrize("name", ["babble-10", "phone-3400", "codec-64", "codec-32", "codec-24", "codec-13",
                                  "reverb-0.3"])  # fmt: skip
@pytest.mark.parametrize("n", [1, 400, 16001])
def test_length_and_full_scale_are_kept_and_the_input_is_left_alone(name, n):
    samples = (2 * _rng().random(n) - 1).astype(np.float32)
    before = samples.copy()
    change = augmentation.parse(name)
    out = change.change(samples, rng=_rng(1))
    assert out.shape == (n,) and out.dtype == np.float32 and np.isfinite(out).all()
    assert np.abs(out).max() <= FULL_SCALE and np.array_equal(samples, before)
    assert np.array_equal(out, change.change(samples, rng=_rng(1))), "the same again"


def test_the_band_lets_speech_pass_and_stops_the_rest():
    for hertz, passes in ((100, False), (1000, True), (2500, True), (5000, False)):
        kept = _power(degradation.telephone_band(_tone(hertz))) / _power(_tone(hertz))
        assert kept > 0.9 if passes else kept < 0.02
    narrow = degradation.telephone_band(_tone(2500), high=1500)
    assert _power(narrow) < 0.1 * _power(_tone(2500))


def test_fewer_bits_are_farther_from_what_was_said():
    rng = _rng()
    speech = (degradation.babble(16000, rng=rng) / 10).astype(np.float32)
    band = degradation.telephone_band(speech)
    errors = [_power(degradation.codec(speech, kbit=kbit) - band) / _power(band) for kbit in (64, 32, 24, 13)]
    assert errors == sorted(errors) and errors[0] < 0.05 and errors[-1] < 1


def test_babble_has_the_ratio_asked_for_and_falls_as_speech_does():
    speech = _tone(440, 32000) / 8  # far from full scale
    for snr in (20, 5):
        noise = degradation.add_babble(speech, snr_db=snr, rng=_rng()).astype(float)
        assert np.abs(noise).max() < FULL_SCALE
        noise -= speech
        assert 10 * np.log10(speech.astype(float).var() / noise.var()) == pytest.approx(snr, abs=0.01)
    spectrum = np.abs(np.fft.rfft(degradation.babble(SAMPLE_RATE * 2, rng=_rng()))) ** 2
    low, high = (spectrum[2 * a : 2 * b].mean() for a, b in ((200, 700), (4000, 7000)))
    assert 10 * np.log10(low / high) > 10


def test_a_room_smears_and_leaves_the_level():
    click = np.zeros(16000, dtype=np.float32)
    click[4000:4010] = 0.5
    short, long = (degradation.reverberate(click, t60=t60, rng=_rng()).astype(float) for t60 in (0.2, 1.0))
    late = [float((wet[8000:] ** 2).sum() / (wet**2).sum()) for wet in (short, long)]
    assert late[0] < 0.001 < late[1] and not short[:4000].astype(np.float32).round(6).any()
    assert (short**2).sum() == pytest.approx((click.astype(float) ** 2).sum(), rel=1e-3)


@pytest.mark.parametrize(
    ("name", "said"),
    [("phone-100", "500 to 7500"), ("codec-8", "64, 32, 24, 13"), ("reverb-9", "0.05 to 5")],
)
def test_what_there_is_not_is_refused_before_anything_is_computed(name, said):
    with pytest.raises(ParameterError, match=said):
        augmentation.parse(name)


def test_silence_stays_silence():
    silence = np.zeros(4000, dtype=np.float32)
    for name in ("babble-5", "reverb-0.5", "codec-13"):
        assert np.abs(augmentation.parse(name).change(silence, rng=_rng())).max() < 0.01
