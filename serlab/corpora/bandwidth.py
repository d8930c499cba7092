"""How far up a recording reaches: less than its rate allows, where it was something else before.

A recording made at 8 kHz and stored at 16 kHz ends at 4 kHz like cut with a
knife; so does what a codec has passed through (MP3 at 128 kbit/s ends at
16 kHz). Voices and microphones fade instead. So the edge is looked for where
the mean spectrum falls most: from the band just below to the loudest of all
that is above.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import rfft

#: dB that the spectrum falls at an edge at least. Of 180 files of RAVDESS, EmoDB and nEMO none falls
#: by more than 24; stored at 8 or 11 kHz in between, none by less than 28.
EDGE = 26.0
#: Share of half the rate above which an edge is the one that every converter has.
HIGHEST = 0.9
#: Hz below which no edge is looked for: the telephone's is the lowest, and below it the voice itself falls.
LOWEST = 3_000.0
#: Hz: width of the band just below an edge, and half the width of the edge itself.
_BAND, _HALF_EDGE = 400.0, 200.0


class Spectrum:
    """Mean power spectrum of blocks of a recording, in frames of about 40 ms."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._size = 2 ** round(np.log2(0.04 * rate))
        self._window = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._power = np.zeros(self._size // 2 + 1)
        self._left = np.zeros(0, np.float32)

    def add(self, samples: np.ndarray) -> None:
        """Take in a block, of shape (n,); what does not fill a frame waits for the next."""
        samples = np.concatenate([self._left, samples]) if len(self._left) else samples
        n = len(samples) // self._size
        self._left = samples[n * self._size :].copy()
        # In parts that stay in the processor's cache.
        for at in range(0, n, 64):
            part = samples[at * self._size : min(at + 64, n) * self._size].reshape(-1, self._size)
            spectra = rfft(part * self._window).view(np.float32)
            squares = np.einsum("ij,ij->j", spectra, spectra)  # real and imaginary parts in turn
            self._power += squares.reshape(-1, 2).sum(axis=1)

    @property
    def bandwidth(self) -> float:
        """Hz up to which there is sound: the edge, or half the rate where there is none."""
        return edge(self._power, self.rate)


def edge(power: np.ndarray, rate: int) -> float:
    """Frequency in Hz at which a power spectrum of shape (n,) ends; half the rate if it does not.

    Parameters
    ----------
    power : ndarray, shape (n,)
        From 0 Hz to half the rate.
    rate : int
        Hz.
    """
    nyquist = rate / 2
    width = nyquist / (len(power) - 1)
    band, half = max(round(_BAND / width), 1), max(round(_HALF_EDGE / width), 1)
    if len(power) < 2 * (band + half) or not power.any():
        return nyquist
    sums = np.concatenate([[0.0], np.cumsum(power)])
    means = (sums[band:] - sums[:-band]) / band  # means[k]: of the bins k .. k + band - 1
    # The loudest band from k on, all above included; the last bins are the converter's own edge.
    above = np.maximum.accumulate(means[::-1])[::-1]
    at = np.arange(band + half, len(means) - half)
    floor = power.max() * 1e-14
    fall = 10 * np.log10((means[at - band - half] + floor) / (above[at + half] + floor))
    here = (at * width >= LOWEST) & (at * width < HIGHEST * nyquist)
    at, fall = at[here], fall[here]
    if not len(at) or fall.max() < EDGE:
        return nyquist
    return float(at[fall.argmax()] * width)
