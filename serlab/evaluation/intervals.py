"""Intervals: their level, how they are computed and how they are written.

The only place that says 95 %. Speakers, not utterances, are resampled:
utterances of one speaker are alike.
"""

from __future__ import annotations

import numpy as np

#: Share of samples whose interval should hold the true value.
LEVEL = 0.95
#: The level as it is written, "95 %".
PERCENT = f"{100 * LEVEL:g} %"
#: In headings of columns, behind the name of a measure: "UAR [95 % CI]".
HEADING = f"[{PERCENT} CI]"
#: In titles of axes and captions.
LABEL = f"{PERCENT} interval"
#: Resamples of speakers.
N_RESAMPLES = 1000


def resamples(n_units: int, *, n: int = N_RESAMPLES, seed: int = 0) -> np.ndarray:
    """How often each unit (speaker) is drawn, shape (n, n_units); rows sum to ``n_units``."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=n)


def percentile(values: np.ndarray, *, level: float = LEVEL) -> tuple[float, float]:
    """Percentile interval of a measure over resamples; NaN among the values is left out.

    Parameters
    ----------
    values : ndarray, shape (n,)

    Returns
    -------
    (float, float)
        NaN both, if no value is known.
    """
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def number(value: float, *, decimals: int = 2, sign: bool = False) -> str:
    """A number as it is written: real minus sign; with ``sign``, none for what rounds to nothing."""
    rounded = round(float(value), decimals) + 0.0  # no minus zero
    shape = f"{'+' if sign and rounded else ''}.{decimals}f"
    return f"{rounded:{shape}}".replace("-", "\N{MINUS SIGN}")


def joined(value: str, low: str, high: str) -> str:
    """A written value and the written ends of its interval."""
    return f"{value} [{low}, {high}]"


def text(value: float, low: float, high: float, *, decimals: int = 2, sign: bool = False) -> str:
    """A value with its interval, where that is known, as it is written.

    Examples
    --------
    >>> text(0.671, 0.612, 0.703)
    '0.67 [0.61, 0.70]'
    >>> text(0.05, -0.01, 0.11, sign=True)
    '+0.05 [−0.01, +0.11]'
    >>> text(0.671, float("nan"), float("nan"))
    '0.67'
    """
    written = [number(part, decimals=decimals, sign=sign) for part in (value, low, high)]
    return written[0] if np.isnan(low) or np.isnan(high) else joined(*written)
