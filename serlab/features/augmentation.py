"""Changed copies of training data: of the waveform, or of a sequence of frames.

Nothing here is on by default. Each change has a name, for parameters and reports:

- ``noise-20``: white noise, 20 dB below the speech;
- ``speed-0.9``: played at nine tenths of the speed;
- ``gain-6``: 6 dB louder (``gain--6``: quieter);
- ``babble-10``: the murmur of eight made voices, 10 dB below the speech;
- ``phone-3400``: 300 to 3400 Hz alone;
- ``codec-13``: through a telephone codec of 64, 32, 24 or 13 kbit/s;
- ``reverb-0.6``: in a room with 0.6 s of reverberation;
- ``specaugment``: stretches of time and features hidden, anew in every batch.

All but the last are made once, by :func:`serlab.features.extract`; the last is
for :func:`serlab.training.train`.
Babble, band, codecs and rooms are of :mod:`serlab.features.degradation`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serlab.audio import FULL_SCALE, SAMPLE_RATE
from serlab.errors import ParameterError
from serlab.features import degradation

if TYPE_CHECKING:  # seconds to import, and most of this module does without
    import torch

#: Raise it whenever a change gives other samples: features are cached under it.
VERSION = "1"
SLOWEST, FASTEST = 0.5, 2.0

#: Kind of change -> function of samples, the number in its name, and a source of random numbers.
WAVEFORM: dict[str, Callable[[np.ndarray, float, np.random.Generator], np.ndarray]] = {
    "noise": lambda samples, number, rng: add_noise(samples, snr_db=number, rng=rng),
    "speed": lambda samples, number, rng: change_speed(samples, factor=number),
    "gain": lambda samples, number, rng: gain(samples, db=number),
    "babble": lambda samples, number, rng: degradation.add_babble(samples, snr_db=number, rng=rng),
    "phone": lambda samples, number, rng: degradation.telephone_band(samples, high=number),
    "codec": lambda samples, number, rng: degradation.codec(samples, kbit=number),
    "reverb": lambda samples, number, rng: degradation.reverberate(samples, t60=number, rng=rng),
}
SPECAUGMENT = "specaugment"


@dataclass(frozen=True)
class Augmentation:
    """A change, as :func:`parse` reads it from its name.

    Attributes
    ----------
    kind : str
        One of :data:`WAVEFORM`, or "specaugment".
    number : float or None
        What the name says: dB, factor, Hz, kbit/s, seconds, nothing.
    """

    kind: str
    number: float | None = None

    @property
    def on_audio(self) -> bool:
        """Whether the waveform is changed, or else batches of frames."""
        return self.kind in WAVEFORM

    def change(self, samples: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Changed samples, float32 at 16 kHz; only where :attr:`on_audio`."""
        return WAVEFORM[self.kind](samples, self.number, rng)


def parse(name: str) -> Augmentation:
    """Read the name of a change.

    Raises
    ------
    ParameterError
        If there is no such change.
    """
    if name == SPECAUGMENT:
        return Augmentation(SPECAUGMENT)
    found = re.fullmatch(r"([a-z]+)-(-?\d+(?:\.\d+)?)", name)
    if found is None or found[1] not in WAVEFORM:
        raise ParameterError(
            f"unknown augmentation {name!r}; choose noise-<SNR in dB>, speed-<factor>, gain-<dB>, "
            "babble-<SNR in dB>, phone-<upper edge in Hz>, codec-<kbit/s>, reverb-<seconds> "
            f"(noise-20, speed-0.9, gain-6, babble-10, phone-3400, codec-13, reverb-0.6) or {SPECAUGMENT}"
        )
    kind, number = found[1], float(found[2])
    if kind == "speed":
        _check_speed(number)
    degradation.check(kind, number)
    return Augmentation(kind, number)


def add_noise(samples: np.ndarray, *, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """Add white Gaussian noise.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    snr_db : float
        Power of the samples, without their DC offset and over the whole
        utterance, relative to that of the noise; reached exactly.
    rng : Generator

    Returns
    -------
    ndarray of float32, shape (n,)
        Where the peak would reach full scale, the sum is attenuated.
    """
    noise = rng.standard_normal(len(samples))
    noise *= math.sqrt(samples.var(dtype=float) / noise.var()) * 10 ** (-snr_db / 20)
    return _below_full_scale(samples + noise)


def change_speed(samples: np.ndarray, *, factor: float) -> np.ndarray:
    """Play faster or slower: tempo, pitch and formants change together, as in Ko et al. (2015).

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    factor : float
        0.5 to 2; 0.9 is slower and lower.

    Returns
    -------
    ndarray of float32, shape (about n / factor,)

    Raises
    ------
    ParameterError
        If ``factor`` is out of range.
    """
    import soxr

    _check_speed(factor)
    return _below_full_scale(soxr.resample(samples, factor * SAMPLE_RATE, SAMPLE_RATE, quality="HQ"))


def gain(samples: np.ndarray, *, db: float) -> np.ndarray:
    """Make louder or quieter; at most to full scale, never clipped.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    db : float
    """
    return _below_full_scale(samples * 10 ** (db / 20))


def spec_augment(
    X: torch.Tensor,
    *,
    generator: torch.Generator,
    time_masks: int = 2,
    time_width: int = 70,
    time_share: float = 0.2,
    feature_masks: int = 2,
    feature_width: int = 8,
) -> torch.Tensor:
    """SpecAugment: hide stretches of time and of neighbouring features.

    Each mask has a width drawn from 0 to its largest, then a place. Masked
    values become the utterance's mean of that feature. Time is not warped.

    Parameters
    ----------
    X : Tensor, shape (B, t, d)
        NaN after the end of an utterance, which stays.
    generator : torch.Generator
        On the processor, so that every device sees the same masks.
    time_masks, time_width : int
        Number of masks, and the largest width of one, in frames.
    time_share : float
        A mask is never wider than this share of its utterance.
    feature_masks, feature_width : int
        Number of masks, and the largest width of one, in features: 8 of 26
        bands are as much as the authors' 27 of 80.

    Returns
    -------
    Tensor, shape (B, t, d)

    Raises
    ------
    ParameterError
        If there are no frames to mask: of vectors, shape (B, d).

    References
    ----------
    Park et al. (2019), SpecAugment, section 2; widths of their policy SM, with
    its F as a share of the bands.
    """
    import torch

    if X.dim() != 3:
        raise ParameterError(
            f"{SPECAUGMENT} masks frames, and a network was to learn from one vector an utterance; "
            "leave it out, or leave out the networks on vectors"
        )
    inside = ~torch.isnan(X)
    lengths = inside[:, :, 0].sum(dim=1).cpu()
    widest = torch.minimum(torch.tensor(float(time_width)), time_share * lengths).floor()
    in_time = _stripes(lengths, widest, n_masks=time_masks, size=X.shape[1], generator=generator)
    n_features = torch.full_like(lengths, X.shape[2])
    widest = n_features.clamp(max=feature_width)
    in_features = _stripes(n_features, widest, n_masks=feature_masks, size=X.shape[2], generator=generator)
    hidden = (in_time[:, :, None] | in_features[:, None, :]).to(X.device) & inside
    return torch.where(hidden, X.nanmean(dim=1, keepdim=True), X)


def _stripes(
    lengths: torch.Tensor, widest: torch.Tensor, *, n_masks: int, size: int, generator: torch.Generator
) -> torch.Tensor:
    """Union of random intervals within [0, length): bool, shape (B, size)."""
    import torch

    draw = torch.rand(2, n_masks, len(lengths), 1, generator=generator)
    width = (draw[0] * (widest[:, None] + 1)).floor()
    start = (draw[1] * (lengths[:, None] - width + 1)).floor()
    position = torch.arange(size)
    return ((position >= start) & (position < start + width)).any(dim=0)


def _check_speed(factor: float) -> None:
    if not SLOWEST <= factor <= FASTEST:
        raise ParameterError(f"speed factor {factor:g}: choose {SLOWEST} to {FASTEST}")


def _below_full_scale(samples: np.ndarray) -> np.ndarray:
    peak = np.abs(samples).max()
    if peak > FULL_SCALE:
        samples = samples * (FULL_SCALE / peak)
    return samples.astype(np.float32)
