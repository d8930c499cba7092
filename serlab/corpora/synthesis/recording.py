"""How speech is recorded: the channel, its noise and its level, and the dials of a shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serlab.errors import ParameterError

SAMPLE_RATE = 16000
TALLEST = 0.8  # of full scale; peaks above are bent so that they stay below .99


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Dials for the shift between corpora; each is 0 for none.

    Attributes
    ----------
    channel : float
        Recording channel, -1 to 1 in ordinary use: the curve
        :data:`CHANNEL_DB` times this dial (positive: dull, negative: bright),
        and background noise in proportion to its size. Timing, prosody and
        labels stay as they are: alone it is a pure channel shift.
    level : float
        Gain of the recording, dB.
    prior : float
        Label prior, 0 to 1: from equal numbers of each emotion to
        :data:`SKEWED_PRIOR`.
    style : float
        Prosody style: from the common table :data:`serlab.corpora.synthesis.voices.PROSODY` (0) to the
        language's own way of expressing emotion (1), ``Language.style``.
    """

    channel: float = 0.0
    level: float = 0.0
    prior: float = 0.0
    style: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.prior <= 1:
            raise ParameterError(f"Shift: prior must lie between 0 and 1, not {self.prior}")
        if self.style < 0:
            raise ParameterError(f"Shift: style must not be negative, it is {self.style}")


#: Gain of the channel at ``Shift(channel=1)``: frequency in Hz, dB.
CHANNEL_DB: tuple[tuple[float, float], ...] = (
    (0, -15), (150, -9), (400, 0), (900, 3), (1800, -4), (3000, -12), (4500, -17), (8000, -27),
)  # fmt: skip
#: Background noise at ``Shift(channel=1)``, dB re full scale before ``level``.
CHANNEL_NOISE = -60.0

#: Shares of the emotions at ``Shift(prior=1)``: mostly neutral, as where people
#: just talk.
SKEWED_PRIOR: dict[str, float] = {"neutral": 0.55, "anger": 0.1, "joy": 0.15, "sadness": 0.2}


def record(speech: np.ndarray, shift: Shift, rng: np.random.Generator) -> np.ndarray:
    """Record speech through the channel and at the level of a shift; its other dials are none of a recording.

    Parameters
    ----------
    speech : ndarray, shape (n,)
        16 kHz; synthetic, or recorded before.
    shift : Shift
    rng : numpy.random.Generator
        Of the channel's noise.

    Returns
    -------
    ndarray of float32, shape (n,)
        Peak below full scale.
    """
    recorded = apply_channel(speech, shift.channel, rng) * 10 ** (shift.level / 20)
    return _limit(recorded).astype(np.float32)


def apply_channel(audio: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Record through the channel of :class:`Shift`; 0 returns the audio as it is.

    The filter has no phase, so nothing moves in time.
    """
    from scipy import fft

    if amount == 0:
        return audio
    padded = fft.next_fast_len(len(audio) + SAMPLE_RATE // 10, real=True)
    frequencies = np.arange(padded // 2 + 1) * SAMPLE_RATE / padded
    gain = amount * np.interp(frequencies, *zip(*CHANNEL_DB, strict=True))
    filtered = fft.irfft(fft.rfft(audio, padded) * 10 ** (gain / 20), padded)[: len(audio)]
    noise = rng.standard_normal(len(audio), dtype=np.float32)
    return filtered + abs(amount) * 10 ** (CHANNEL_NOISE / 20) * noise


def _limit(audio: np.ndarray) -> np.ndarray:
    """Bend peaks above :data:`TALLEST`; all else is untouched."""
    over = np.abs(audio) > TALLEST
    if not over.any():
        return audio
    room = 0.99 - TALLEST
    bent = TALLEST + room * np.tanh((np.abs(audio) - TALLEST) / room)
    return np.where(over, np.sign(audio) * bent, audio)
