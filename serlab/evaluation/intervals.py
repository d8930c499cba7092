"""Intervals: their level, how they are computed and how they are written.

The only place that says 95 %. Speakers, not utterances, are the units:
utterances of one speaker are alike. Each unit is left out in turn (the
jackknife), what is measured without it says how much the measure hangs on
who happened to be recorded, and Student's t makes the interval wide enough
where units are few. No class is ever lost as in a resample, so the set of
classes is the same throughout; who answers one class only has the UAR 1 / C
with an interval of no width.

References
----------
Efron & Stein 1981, The jackknife estimate of variance; Bell & McCaffrey 2002,
Bias reduction in standard errors for linear regression with multi-stage
samples (degrees of freedom where clusters differ).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from serlab import metrics

#: Share of samples whose interval should hold the true value.
LEVEL = 0.95
#: The level as it is written, "95 %".
PERCENT = f"{100 * LEVEL:g} %"
#: In headings of columns, behind the name of a measure: "UAR [95 % CI]".
HEADING = f"[{PERCENT} CI]"
#: In titles of axes and captions.
LABEL = f"{PERCENT} interval"


@dataclass(frozen=True)
class Spread:
    """How much a measure varies by one kind of unit.

    Attributes
    ----------
    variance : float
        Squared standard error; NaN where there is one unit only.
    df : float
        Degrees of freedom that it was estimated with; infinite for a bound.
    """

    variance: float
    df: float


def jackknife(
    whole: np.ndarray, without: np.ndarray, sizes: np.ndarray, most: np.ndarray
) -> tuple[Spread, ...]:
    """How much the mean of components (recalls of classes) varies by a kind of unit.

    Parameters
    ----------
    whole : ndarray, shape (K,)
        Components from all units, all known.
    without : ndarray, shape (n, K)
        The same without each unit; NaN where that unit alone has the component.
    sizes : ndarray, shape (n, K)
        How much of a component is each unit's (utterances): where a few have most of it, the
        degrees of freedom are theirs.
    most : ndarray, shape (K,)
        Largest variance that a component can have between units. It stands in where one unit
        alone has the component, which says nothing of others.

    Returns
    -------
    tuple of Spread
        One by the units; one more, of the components of one unit each, if there are such.
    """
    n = len(without)
    if n < 2:
        return (Spread(float("nan"), 1.0),)
    alone = np.isnan(without).any(axis=0)
    shift = np.where(np.isnan(without), 0.0, without - whole).mean(axis=1)
    shares = metrics.ratio(sizes, sizes.sum(axis=0))[:, ~alone]
    weight = (shares**2).sum(axis=1)
    df = max(weight.sum() ** 2 / (weight**2).sum() - 1, 1.0) if weight.any() else float("inf")
    spreads: tuple[Spread, ...] = (Spread(float((n - 1) / n * (shift**2).sum()), float(df)),)
    if alone.any():
        spreads += (Spread(float(most[alone].sum() / len(whole) ** 2), float("inf")),)
    return spreads


def student(
    value: float,
    spreads: Iterable[Spread],
    *,
    level: float = LEVEL,
    within: tuple[float, float] = (0.0, 1.0),
) -> tuple[float, float]:
    """Student's interval around a value, from what independent kinds of units add to its variance.

    Parameters
    ----------
    value : float
    spreads : iterable of Spread
        Degrees of freedom are joined as by Satterthwaite (1946).
    level : float
    within : (float, float)
        Range of the measure: the interval does not leave it.

    Returns
    -------
    (float, float)
        NaN both, where a variance is not known.

    Examples
    --------
    >>> low, high = student(0.5, [Spread(0.01, 3.0)])
    >>> round(low, 3), round(high, 3)
    (0.182, 0.818)
    >>> student(0.25, [Spread(0.0, 3.0)])
    (0.25, 0.25)
    """
    from scipy.special import stdtrit

    variance, df = _joined(spreads)
    if np.isnan(variance) or np.isnan(value):
        return float("nan"), float("nan")
    half = float(stdtrit(df, (1 + level) / 2)) * variance**0.5
    return max(value - half, within[0]), min(value + half, within[1])


def p_of_none(value: float, spreads: Iterable[Spread]) -> float:
    """p value of the hypothesis that the true value is 0 (two-sided t test); 1 for 0 itself."""
    from scipy.special import stdtr

    variance, df = _joined(spreads)
    if value == 0 or np.isnan(variance):
        return 1.0
    return 0.0 if variance == 0 else float(2 * stdtr(df, -abs(value) / variance**0.5))


def _joined(spreads: Iterable[Spread]) -> tuple[float, float]:
    """Sum of variances, and its degrees of freedom (large, where they are without bound)."""
    spreads = tuple(spreads)
    total = sum(spread.variance for spread in spreads)
    under = sum(spread.variance**2 / spread.df for spread in spreads)
    return total, total**2 / under if under > 0 else 1e9


def of_ratios(over: np.ndarray, under: np.ndarray, *, level: float = LEVEL) -> tuple[float, float]:
    """Interval of a mean of shares (recalls) over units (speakers).

    Parameters
    ----------
    over, under : ndarray, shape (n, K)
        By unit and component: right answers, and how many were asked. Components that nobody was
        asked are left out.

    Returns
    -------
    (float, float)
        NaN both, with one unit alone.

    Examples
    --------
    >>> low, high = of_ratios(np.array([[5], [7], [6]]), np.array([[10], [10], [10]]))
    >>> round(low, 2), round(high, 2)
    (0.35, 0.85)
    """
    asked = under.sum(axis=0) > 0
    over, under = over[:, asked], under[:, asked]
    total, n = over.sum(axis=0), under.sum(axis=0)
    whole = total / n
    without = metrics.ratio(total - over, n - under)
    return student(float(whole.mean()), jackknife(whole, without, under, whole * (1 - whole)), level=level)


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
