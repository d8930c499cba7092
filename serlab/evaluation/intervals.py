"""Intervals: their level, how they are computed and how they are written.

The only place that says 95 %. Speakers, not utterances, are the units:
utterances of one speaker are alike. Each unit is left out in turn (the
jackknife), what is measured without it says how much the measure hangs on
who happened to be recorded, and Student's t makes the interval wide enough
where units are few. Few units can be alike by luck: beside them stands half
of another one, which deviates as chance alone makes utterances deviate. No
class is ever lost as in a resample, so the set of classes is the same
throughout. Where one unit alone has a class, nothing is known of how others
would be: the recall of that class may be anything.

References
----------
Efron & Stein 1981, The jackknife estimate of variance; Bell & McCaffrey 2002,
Bias reduction in standard errors for linear regression with multi-stage
samples (degrees of freedom where clusters differ).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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


#: What chance alone would make of one more unit counts half: so the interval of a difference holds the
#: truth in 92 to 97 % with speakers drawn from real ones, see ``benchmarks/bench_coverage.py``.
OF_CHANCE = 0.5


@dataclass(frozen=True)
class Spread:
    """How much a measure varies by one kind of unit.

    Attributes
    ----------
    variance : float
        Squared standard error; NaN where there is one unit only.
    df : float
        Degrees of freedom that it was estimated with.
    unknown : float
        Share of the components (classes) that one unit alone has: the variance is of the others.
    of_unknown : float
        What those components add to the measure as it was found.
    """

    variance: float
    df: float
    unknown: float = 0.0
    of_unknown: float = 0.0


def jackknife(whole: np.ndarray, without: np.ndarray, sizes: np.ndarray) -> Spread:
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
    """
    n = len(without)
    if n < 2:
        return Spread(float("nan"), 1.0)
    alone = np.isnan(without).any(axis=0)
    shift = np.where(alone, 0.0, without - whole).mean(axis=1)
    shares = metrics.ratio(sizes, sizes.sum(axis=0))[:, ~alone]
    weight = (shares**2).sum(axis=1)
    df = max(weight.sum() ** 2 / (weight**2).sum() - 1, 1.0) if weight.any() else float("inf")
    return Spread(
        variance=float((n - 1) / n * (shift**2).sum()),
        df=float(df),
        unknown=float(alone.mean()),
        of_unknown=float(whole[alone].sum() / len(whole)),
    )


def beside_chance(spread: Spread, chance: float, *, n: int) -> Spread:
    """Add half a unit that deviates as chance alone would have it (:data:`OF_CHANCE`).

    Parameters
    ----------
    spread : Spread
        By n units.
    chance : float
        Squared standard error of the measure, were all answers independent of each other.
    """
    return replace(spread, variance=spread.variance + OF_CHANCE * chance / n)


def of_chance(share: np.ndarray, n: np.ndarray) -> float:
    """Squared standard error of a mean of shares of independent answers.

    Half an answer is added to either side (Agresti & Coull 1998), so that who is always right is
    not sure to be.

    Parameters
    ----------
    share : ndarray, shape (K,)
    n : ndarray, shape (K,)
        Answers of each.
    """
    towards = (share * n + 0.5) / (n + 1)
    return float((towards * (1 - towards) / n).sum() / len(share) ** 2)


def student(
    value: float,
    spreads: Iterable[Spread],
    *,
    level: float = LEVEL,
    within: tuple[float, float] = (0.0, 1.0),
) -> tuple[float, float]:
    """Student's interval around a value, from what independent kinds of units add to its variance.

    Components that are not known may be anything in their range.

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

    Of two classes that are all right, one is of one speaker alone.

    >>> student(1.0, [Spread(0.0, 3.0, unknown=0.5, of_unknown=0.5)])
    (0.5, 1.0)
    """
    from scipy.special import stdtrit

    joined = _joined(spreads)
    if np.isnan(joined.variance) or np.isnan(value):
        return float("nan"), float("nan")
    half = float(stdtrit(joined.df, (1 + level) / 2)) * joined.variance**0.5
    known = value - joined.of_unknown
    low, high = known - half + joined.unknown * within[0], known + half + joined.unknown * within[1]
    return max(low, within[0]), min(high, within[1])


def p_of_none(value: float, spreads: Iterable[Spread]) -> float:
    """p value of the hypothesis that a true difference is 0 (two-sided t test); 1 for 0 itself.

    Components that are not known are taken to be all against it.
    """
    from scipy.special import stdtr

    joined = _joined(spreads)
    least = (value - joined.of_unknown) * np.sign(value) - joined.unknown
    if value == 0 or np.isnan(joined.variance) or least <= 0:
        return 1.0
    return 0.0 if joined.variance == 0 else float(2 * stdtr(joined.df, -least / joined.variance**0.5))


def _joined(spreads: Iterable[Spread]) -> Spread:
    """Sum of variances, and its degrees of freedom (large, where they are without bound)."""
    spreads = tuple(spreads)
    total = sum(spread.variance for spread in spreads)
    under = sum(spread.variance**2 / spread.df for spread in spreads)
    return Spread(
        variance=total,
        df=total**2 / under if under > 0 else 1e9,
        unknown=sum(spread.unknown for spread in spreads),
        of_unknown=sum(spread.of_unknown for spread in spreads),
    )


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
    (0.31, 0.89)
    """
    asked = under.sum(axis=0) > 0
    over, under = over[:, asked], under[:, asked]
    total, n = over.sum(axis=0), under.sum(axis=0)
    whole = total / n
    without = metrics.ratio(total - over, n - under)
    spread = beside_chance(jackknife(whole, without, under), of_chance(whole, n), n=len(over))
    return student(float(whole.mean()), [spread], level=level)


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
