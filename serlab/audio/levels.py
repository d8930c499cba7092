"""Level of a signal that comes in blocks."""

from __future__ import annotations

import math

import numpy as np


class Level:
    """Mean, RMS and extremes of a signal that comes in blocks."""

    def __init__(self, *, power: bool = True) -> None:
        self.n = 0
        self._power = power  # whether :meth:`db` will be asked for
        self._sum = self._squares = 0.0
        self._low, self._high = math.inf, -math.inf

    def add(self, samples: np.ndarray) -> None:
        """Take in a block, of shape (n,)."""
        if not len(samples):
            return
        self.n += len(samples)
        self._sum += float(samples.sum())
        if self._power:
            self._squares += float(np.dot(samples, samples))
        self._low = min(self._low, float(samples.min()))
        self._high = max(self._high, float(samples.max()))

    @property
    def mean(self) -> float:
        """Mean value."""
        return self._sum / self.n

    @property
    def around(self) -> float:
        """Largest distance from the mean."""
        return max(self._high - self.mean, self.mean - self._low)

    @property
    def peak(self) -> float:
        """Largest magnitude."""
        return max(self._high, -self._low)

    def db(self, scale: float) -> float:
        """RMS around the mean, in dB re ``scale``."""
        power = max(self._squares / self.n - self.mean**2, 1e-30)
        return 10 * math.log10(power / scale**2)
