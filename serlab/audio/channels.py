"""One channel out of several, and how far apart they are.

- Channels that are identical are one channel.
- "mix": channels that differ are averaged: the mean does not depend on which
  was connected first, and no speaker on either side is lost. But channels in
  opposite phase cancel, and what is left of them is noise. So where the sum of
  n channels is weaker by 4 dB or more than the strongest of them alone (two
  microphones of one voice add up, two of unlike sounds lose nothing, a channel
  that is dead costs nothing), the left channel is used.
- "left", "right": the first, the second; a file with one channel has no other.

How far apart channels are is the power of what they differ by from their mean,
in dB re the power of the mean; powers are around the mean value.
"""

from __future__ import annotations

import math

import numpy as np

MIX = "mix"
LEFT = "left"
RIGHT = "right"
#: What is used of a recording with two channels.
CHANNELS: tuple[str, ...] = (MIX, LEFT, RIGHT)

CHANNELS_DIFFER = "channels differ"
CHANNELS_CANCEL = "channels cancel: the left one is used"

#: Power of the sum re the strongest channel below which channels cancel: -4 dB.
_CANCELLED = 10**-0.4
#: dB; distances are told in steps of this, so that notes can be counted.
_STEP = 10


class Mixer:
    """Takes one channel out of blocks, and measures how far apart channels are on the way.

    Parameters
    ----------
    channel : {"mix", "left", "right"}
    n_channels : int

    Attributes
    ----------
    differ : bool
        Whether any sample of a channel has differed from the first one's.
    """

    def __init__(self, channel: str, n_channels: int) -> None:
        self.channel, self.n_channels = channel, n_channels
        self.differ = False
        self._n = 0
        self._sums = np.zeros(n_channels)
        self._squares = np.zeros(n_channels)
        self._mix = np.zeros(2)
        self._skipped = 0  # samples before the first that differed: then all channels are alike
        self._early = np.zeros(2)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """One channel of a block of shape (n, channels); shape (n,)."""
        first = block[:, 0]
        if self.n_channels == 1:
            return first
        if not self.differ:
            self.differ = bool((block != block[:, :1]).any())
        mean = block.mean(axis=1) if self.differ else first
        if self.differ:
            self._measure(block, mean)
        else:
            self._early += first.sum(dtype=np.float64), np.square(first, dtype=np.float64).sum()
            self._skipped += len(block)
        if self.channel == MIX:
            return mean
        return first if self.channel == LEFT else block[:, 1]

    @property
    def cancel(self) -> bool:
        """Whether averaging has lost what there was to hear."""
        if not self.differ:
            return False
        powers, mix = self._powers()
        return mix * self.n_channels**2 < _CANCELLED * powers.max()

    @property
    def distance(self) -> float:
        """Power of what channels differ by, in dB re that of their mean; -inf where they are identical."""
        if not self.differ:
            return -math.inf
        powers, mix = self._powers()
        apart = powers.mean() - mix
        if apart <= 0:
            return -math.inf
        return 10 * math.log10(apart / mix) if mix > 0 else math.inf

    @property
    def note(self) -> str:
        """What was done to channels that differ; empty where they do not, or one was asked for."""
        if not self.differ or self.channel != MIX:
            return ""
        return f"{CHANNELS_DIFFER} ({interval(self.distance)}): their mean is used"

    def _measure(self, block: np.ndarray, mean: np.ndarray) -> None:
        self._n += len(block)
        self._sums += block.sum(axis=0, dtype=np.float64)
        self._squares += np.square(block, dtype=np.float64).sum(axis=0)
        self._mix += mean.sum(dtype=np.float64), np.square(mean, dtype=np.float64).sum()

    def _powers(self) -> tuple[np.ndarray, float]:
        """Variance of each channel, and of their mean, of all samples so far."""
        n = self._n + self._skipped
        each = (self._squares + self._early[1]) / n - ((self._sums + self._early[0]) / n) ** 2
        mean, square = (self._mix + self._early) / n
        return np.maximum(each, 0), max(square - mean**2, 0.0)


def interval(distance: float) -> str:
    """Distance of channels in words: an interval of 10 dB.

    Examples
    --------
    >>> interval(-34.2), interval(-90.0), interval(3.0)
    ('-40 to -30 dB re their mean', 'less than -60 dB re their mean', '0 dB or more re their mean')
    """
    if distance >= 0:
        return "0 dB or more re their mean"
    if distance < -60:
        return "less than -60 dB re their mean"
    low = math.floor(distance / _STEP) * _STEP
    return f"{low} to {low + _STEP} dB re their mean"
