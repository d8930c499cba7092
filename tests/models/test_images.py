"""Spectrograms as images: against torch's own resampling, and each utterance by itself."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import interpolate

from serlab.models.images import IMAGENET_MEAN, IMAGENET_SD, as_photographs, spectrogram_images


def decibels(*lengths: int, t: int, d: int = 16) -> torch.Tensor:
    """Sequences between -60 and 0 dB, NaN after their end; each reaches 0 dB."""
    X = -60 * torch.rand(len(lengths), t, d, generator=torch.Generator().manual_seed(0))
    for row, length in zip(X, lengths, strict=True):
        row[0, 0] = 0
        row[length:] = torch.nan
    return X


@pytest.mark.parametrize("size", [8, 16, 40])
@pytest.mark.parametrize("length", [1, 7, 40, 173])
def test_is_torchs_bilinear_antialiased_resampling(size, length):
    X = decibels(length, t=length)
    expected = interpolate(
        (1 + X / 80).transpose(1, 2).flip(1)[:, None], size=(size, size), mode="bilinear", antialias=True
    )
    torch.testing.assert_close(spectrogram_images(X, size=size), expected, atol=1e-5, rtol=1e-4)


def test_neighbours_and_padding_have_no_influence():
    X = decibels(50, 9, 1, 32, t=60)
    together = spectrogram_images(X, size=20)
    assert together.shape == (4, 1, 20, 20)
    for row, length, image in zip(X, (50, 9, 1, 32), together, strict=True):
        alone = spectrogram_images(row[None, :length], size=20)
        torch.testing.assert_close(image[None], alone, atol=1e-6, rtol=1e-5)


def test_low_bands_are_at_the_bottom_and_time_goes_to_the_right():
    X = torch.full((1, 30, 16), -100.0)
    X[0, -1, 0] = 0.0  # lowest band, last frame
    image = spectrogram_images(X, size=10)[0, 0]
    assert divmod(image.argmax().item(), 10) == (9, 9)


def test_white_is_the_peak_and_black_span_below():
    X = torch.tensor([[[-20.0, -100.0], [-60.0, -140.0]]])
    image = spectrogram_images(X, size=2)[0, 0]
    torch.testing.assert_close(image, torch.tensor([[0.0, 0.0], [1.0, 0.5]]))
    torch.testing.assert_close(spectrogram_images(X, size=2, span=160.0)[0, 0, 0], torch.tensor([0.5, 0.25]))


def test_level_does_not_matter_and_input_stays():
    X = decibels(12, 5, t=12)
    before = X.clone()
    torch.testing.assert_close(spectrogram_images(X - 13, size=8), spectrogram_images(X, size=8))
    torch.testing.assert_close(X, before, equal_nan=True)


def test_is_not_rounded_under_autocast():
    X = decibels(40, t=40)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        image = spectrogram_images(X, size=16)
    assert torch.equal(image, spectrogram_images(X, size=16))


def test_as_photographs():
    image = as_photographs(torch.full((2, 1, 4, 5), 0.25))
    assert image.shape == (2, 3, 4, 5)
    for channel, mean, sd in zip(image[1, :, 0, 0].tolist(), IMAGENET_MEAN, IMAGENET_SD, strict=True):
        assert channel == pytest.approx((0.25 - mean) / sd)
