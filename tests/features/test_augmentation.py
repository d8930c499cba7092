"""Changes of audio by what they promise; masks by counting."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from serlab.audio import FULL_SCALE, SAMPLE_RATE
from serlab.errors import ParameterError
from serlab.features import augmentation


def sine(hertz: float = 300.0, *, level: float = 0.2, seconds: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(
        np.float32
    )


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- waveform --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("snr_db", [-5, 0, 20])
def test_noise_has_the_ratio_asked_for(snr_db):
    """Whatever DC offset the recording has, and also where the sum was attenuated."""
    speech = sine() + np.float32(0.3)
    noisy = augmentation.add_noise(speech, snr_db=snr_db, rng=rng()).astype(float)
    clean = speech - speech.mean()
    scale = (noisy @ clean) / (clean @ clean)  # 1, or the attenuation
    noise = noisy - scale * speech
    assert 10 * np.log10(scale**2 * clean.var() / noise.var()) == pytest.approx(snr_db, abs=0.2)
    assert np.abs(noisy).max() <= FULL_SCALE


def test_noise_is_white():
    speech = sine()
    noise = augmentation.add_noise(speech, snr_db=0, rng=rng()) - speech
    power = (np.abs(np.fft.rfft(noise)) ** 2)[1:].reshape(4, -1).mean(axis=1)
    assert power / power.mean() == pytest.approx(np.ones(4), abs=0.1)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 2.0])
def test_speed_changes_length_and_pitch(factor):
    changed = augmentation.change_speed(sine(400), factor=factor)
    assert len(changed) == pytest.approx(SAMPLE_RATE / factor, abs=1)
    loudest = np.abs(np.fft.rfft(changed * np.hanning(len(changed)))).argmax() * SAMPLE_RATE / len(changed)
    assert loudest == pytest.approx(400 * factor, abs=1)


def test_gain():
    assert np.allclose(augmentation.gain(sine(), db=6.0), sine() * 10**0.3)
    assert np.allclose(augmentation.gain(sine(), db=-20.0), sine() * 0.1)
    louder = augmentation.gain(sine(), db=30.0)
    assert np.abs(louder).max() == pytest.approx(FULL_SCALE)
    assert np.allclose(louder, sine() * (FULL_SCALE / np.abs(sine()).max())), "scaled, not clipped"


@pytest.mark.parametrize("name", ["noise-20", "noise--5", "speed-0.9", "speed-1.1", "gain-6", "gain--6.5"])
def test_changes_by_name(name):
    change = augmentation.parse(name)
    assert change.on_audio
    speech = sine(level=0.9)
    before = speech.copy()
    changed = change.change(speech, rng=rng())
    assert changed.dtype == np.float32
    assert np.abs(changed).max() <= FULL_SCALE
    assert np.array_equal(changed, change.change(speech, rng=rng()))
    assert np.array_equal(speech, before)
    assert len(changed) != len(speech) or not np.array_equal(changed, speech)


def test_names_mean_what_they_say():
    change = augmentation.parse("gain--6.5").change(sine(), rng=rng())
    assert np.allclose(change, augmentation.gain(sine(), db=-6.5))
    change = augmentation.parse("noise-20").change(sine(), rng=rng(3))
    assert np.array_equal(change, augmentation.add_noise(sine(), snr_db=20, rng=rng(3)))
    assert not augmentation.parse("specaugment").on_audio


@pytest.mark.parametrize(
    "name", ["", "noise", "noise-", "noise-loud", "echo-3", "noise-20 ", "specaugment-2"]
)
def test_unknown_name(name):
    with pytest.raises(ParameterError, match=r"unknown augmentation .*noise-20, speed-0\.9, gain-6"):
        augmentation.parse(name)


@pytest.mark.parametrize("name", ["speed-0", "speed--1", "speed-2.1"])
def test_impossible_speed(name):
    with pytest.raises(ParameterError, match=r"choose 0\.5 to 2"):
        augmentation.parse(name)


# --- sequences -------------------------------------------------------------------------------------------


def sequences(lengths: tuple[int, ...] = (200, 120, 1), d: int = 26, seed: int = 0) -> torch.Tensor:
    """Random frames, NaN after the end of each utterance."""
    X = torch.randn(len(lengths), max(lengths), d, generator=torch.Generator().manual_seed(seed))
    for row, length in enumerate(lengths):
        X[row, length:] = torch.nan
    return X


def masked(X: torch.Tensor, seed: int = 0, **options: float) -> torch.Tensor:
    return augmentation.spec_augment(X, generator=torch.Generator().manual_seed(seed), **options)


def test_masks_are_stripes_of_the_mean_and_padding_stays():
    X = sequences()
    before = X.clone()
    for seed in range(20):
        found = masked(X, seed, time_masks=1, feature_masks=1)
        assert torch.equal(found.isnan(), X.isnan())
        for row, length in enumerate((200, 120, 1)):
            x, y = X[row, :length], found[row, :length]
            hidden = y != x
            assert torch.allclose(y[hidden], x.mean(dim=0).expand_as(x)[hidden], atol=1e-6)
            times, bands = hidden.all(dim=1), hidden.all(dim=0)
            if length == 1:
                continue
            assert torch.equal(hidden, times[:, None] | bands[None]), "whole frames and whole bands only"
            assert times.sum() <= min(70, 0.2 * length)
            assert bands.sum() <= 8
            for stripe in (times, bands):
                edges = stripe.int().diff().abs().sum() + stripe[0].int() + stripe[-1].int()
                assert edges in (0, 2), "one stripe"
    assert torch.equal(X.nan_to_num(), before.nan_to_num())


def test_every_width_and_place_occurs():
    """Widths are uniform from 0 to the largest, places from the first to the last that fits."""
    X = sequences((50,) * 4000, d=10)
    found = masked(X, time_masks=1, feature_masks=0, time_width=5, time_share=1.0)
    hidden = (found != X).all(dim=2)
    widths = torch.bincount(hidden.sum(dim=1), minlength=6) / len(X)
    assert torch.allclose(widths, torch.full((6,), 1 / 6), atol=0.03)
    widest = hidden[hidden.sum(dim=1) == 5].int().argmax(dim=1)
    assert set(widest.tolist()) == set(range(46))


def test_share_limits_the_masks_of_short_utterances():
    X = sequences((10,) * 500)
    found = masked(X, time_masks=1, feature_masks=0, time_width=70, time_share=0.2)
    assert (found != X).all(dim=2).sum(dim=1).max() == 2


def test_seed_decides_and_rows_differ():
    X = sequences((100,) * 8)
    assert torch.equal(masked(X, 1), masked(X, 1))
    assert not torch.equal(masked(X, 1), masked(X, 2))
    hidden = (masked(X, 1) != X).all(dim=2)
    assert len({tuple(row.tolist()) for row in hidden}) > 1


def test_no_masks_change_nothing():
    X = sequences()
    found = masked(X, time_masks=0, feature_masks=0)
    assert torch.equal(found.nan_to_num(), X.nan_to_num())


def test_more_features_than_there_are_is_all_of_them_at_most():
    X = sequences((30,) * 200, d=3)
    found = masked(X, time_masks=0, feature_masks=1, feature_width=8)
    assert (found != X).all(dim=1).sum(dim=1).max() == 3


def test_vectors_have_nothing_to_mask():
    with pytest.raises(ParameterError, match=r"specaugment masks frames.*leave it out"):
        augmentation.spec_augment(torch.zeros(4, 8), generator=torch.Generator())
