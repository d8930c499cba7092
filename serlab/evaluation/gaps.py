"""Whom a method recognises worse: UAR by sex, age, language and sentence, and whether the gap is shown.

Each group is set against all others of its kind. Who speaks is in one group (sex, age), or in several
(sentences); either way speakers are the units, as everywhere, see :mod:`serlab.evaluation.intervals`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from serlab import metrics
from serlab.evaluation import compact, intervals, verdicts
from serlab.evaluation.differences import least_p
from serlab.evaluation.intervals import Spread
from serlab.evaluation.scoring import measures
from serlab.evaluation.units import Units, alike, coded, counted, spreads, units_of, variances
from serlab.protocols import FoldIs

#: Column of the utterance table -> what its values are, in the order of reports.
ATTRIBUTES: dict[str, str] = {
    "sex": "sex", "age": "age", "language": "language", "text_id": "sentence",
}  # fmt: skip
#: Ages in years from which a group begins, and what it is called.
AGES: tuple[tuple[int, str], ...] = (
    (0, "under 18"), (18, "18 to 29"), (30, "30 to 44"), (45, "45 to 59"), (60, "60 and over"),
)  # fmt: skip

HIGHER, LOWER = "higher than the others", "lower than the others"

COLUMNS = (
    "method", "attribute", "group", "n_utterances", "n_speakers", "uar", "uar_low", "uar_high",
    "gap", "gap_low", "gap_high", "p", "p_holm", "verdict",
)  # fmt: skip


@dataclass(frozen=True)
class Gap:
    """UAR of a group minus that of the others of its kind, over the classes that both have.

    Attributes
    ----------
    gap, low, high : float
        NaN where they have no class in common.
    p : float
        Of the hypothesis that there is none (t test by the interval's own standard error).
    least_p : float
        Smallest p that so many speakers could give, were they dealt to the groups at random.
    n_speakers : int
        Of both.
    """

    gap: float
    low: float
    high: float
    p: float
    least_p: float
    n_speakers: int


def age_group(age: float) -> str | None:
    """Group of an age in years; None where it is not known.

    Examples
    --------
    >>> age_group(29), age_group(30), age_group(float("nan"))
    ('18 to 29', '30 to 44', None)
    """
    if pd.isna(age) or age < 0:
        return None
    return [name for least, name in AGES if age >= least][-1]


def groups(utterances: pd.DataFrame, attribute: str) -> pd.Series:
    """Group of each utterance, None where it is not known.

    Ages come in groups (:data:`AGES`). A sentence is a group where two speakers or more say it: what
    one alone says is told from that voice by nobody.

    Parameters
    ----------
    utterances : DataFrame
        ``age`` may be missing.
    attribute : str
        One of :data:`ATTRIBUTES`.
    """
    if attribute not in utterances:
        return pd.Series(None, index=utterances.index, dtype=object)
    found = utterances[attribute].astype(object)
    if attribute == "age":
        return pd.to_numeric(found, errors="coerce").map(age_group).astype(object)
    found = found.where(found.notna(), None)
    if attribute == "text_id":
        n_speakers = utterances.groupby(found)["speaker"].nunique()
        found = found.where(found.map(n_speakers).fillna(0) >= 2, None)
    return found


def not_compared(utterances: pd.DataFrame) -> dict[str, str]:
    """Attributes by which utterances cannot be divided -> why not.

    Parameters
    ----------
    utterances : DataFrame
        Those that are tested.
    """
    said = {}
    for attribute in ATTRIBUTES:
        found = groups(utterances, attribute).dropna().unique()
        if len(found) == 1:
            said[attribute] = f"{found[0]} only"
        elif not len(found):
            none = attribute in utterances and utterances[attribute].notna().any()
            said[attribute] = "none is said by two speakers" if none else "not known"
    return said


def by_group(
    predictions: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    methods: Sequence[str] | None = None,
    fold_is: FoldIs = "part",
    level: float = intervals.LEVEL,
    alpha: float = verdicts.ALPHA,
) -> pd.DataFrame:
    """UAR of each group of speakers or sentences, and its gap to all others of its kind.

    Of two groups the gaps are one and the same with two signs, and one test. Tests of one method and
    attribute are corrected together (Holm).

    Parameters
    ----------
    predictions : DataFrame
        As of :func:`serlab.evaluation.run`.
    utterances : DataFrame
        speaker, and of :data:`ATTRIBUTES` what there is.
    methods : sequence of str, optional
        Which, in order; default: all.
    fold_is : {"part", "subject", "draw"}
        See :attr:`serlab.protocols.SplitProtocol.fold_is`.
    level, alpha : float
        Of intervals, and at which a gap is claimed.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`; ``verdict`` is "higher than the others", "lower than the others", "no difference
        shown" or "cannot be decided with n speakers". No row for an attribute with fewer than two groups.
    """
    tested = utterances.loc[list(predictions["utterance"].unique())]
    divisions = {name: groups(tested, name) for name in ATTRIBUTES}
    names = compact.methods_in(predictions) if methods is None else methods
    parts = []
    for method in names:
        own = compact.of_method(predictions, method)
        for attribute, division in divisions.items():
            table = _divided(own, division, tested["speaker"], fold_is, level)
            if len(table):
                table = _decided(table, alpha)
                parts.append(table.assign(method=method, attribute=attribute)[list(COLUMNS)])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def _divided(
    answers: pd.DataFrame, division: pd.Series, speakers: pd.Series, fold_is: FoldIs, level: float
) -> pd.DataFrame:
    """A row a group of one method and attribute; empty with fewer than two groups."""
    order = [name for _, name in AGES]
    of = division.reindex(pd.Index(answers["utterance"].unique().astype(object)))
    of = of[of.notna()]
    values = sorted(set(of), key=lambda name: (order.index(name) if name in order else -1, str(name)))
    if len(values) < 2:
        return pd.DataFrame()
    number = {name: place for place, name in enumerate(values)}
    group = compact.valued(answers["utterance"], of.map(number).astype(int), missing=-1)
    known = group >= 0
    answers, group = (
        compact.where(answers[["fold", "seed", "utterance", "y_true", "y_pred"]], known),
        group[known],
    )
    by = {name: answers[name].to_numpy() for name in ("y_true", "y_pred")} | {"group": group}
    cells, named = counted(answers, speakers, by, fold_is=fold_is)
    classes = [str(place) for place in range(cells[["y_true", "y_pred"]].to_numpy().max() + 1)]
    rows: list[dict[str, Any]] = []
    for place, value in enumerate(values):
        inside = (cells["group"] == place).to_numpy()
        own = cells[inside]
        units = units_of(own, named, fold_is=fold_is)
        _, found, low, high = next(measures(own, units, classes, level))
        if len(values) == 2 and rows:
            gap = _turned(rows[0]["found"])
        else:
            gap = gap_of(cells, inside, named, fold_is=fold_is, level=level)
        rows.append(
            {
                "group": str(value),
                "n_utterances": int((of == value).sum()),
                "n_speakers": own["utterance"].nunique(),
                "uar": found, "uar_low": low, "uar_high": high,
                "gap": gap.gap, "gap_low": gap.low, "gap_high": gap.high, "p": gap.p, "found": gap,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _turned(gap: Gap) -> Gap:
    return Gap(-gap.gap, -gap.high, -gap.low, gap.p, gap.least_p, gap.n_speakers)


def gap_of(
    cells: pd.DataFrame,
    inside: np.ndarray,
    speakers: pd.Series,
    *,
    fold_is: FoldIs = "part",
    level: float = intervals.LEVEL,
) -> Gap:
    """UAR of some cells minus that of the others.

    The variance is that of leaving out each speaker from wherever there is something of them: who is on both
    sides (sentences) is paired with themself. Where nobody is on both sides, the variances of the two
    sides are added as well, each with the degrees of freedom of its own speakers, and the wider interval
    holds: two women beside eight men are two.

    Parameters
    ----------
    cells : DataFrame
        fold, seed, utterance, y_true, y_pred of one method; a row may stand for several, see
        :func:`serlab.evaluation.units.counted`.
    inside : ndarray of bool, shape (n,)
        Cells of the group.
    speakers : Series
        Utterance -> speaker.
    fold_is, level
        As in :func:`by_group`.
    """
    inside = np.asarray(inside, dtype=bool)
    y = cells["y_true"].to_numpy()
    speaker, _ = coded(cells["utterance"], speakers)
    here, there = (set(np.unique(speaker[side])) for side in (inside, ~inside))
    common = np.intersect1d(y[inside], y[~inside])
    kept = np.isin(y, common)
    if not len(common):
        return Gap(np.nan, np.nan, np.nan, 1.0, 1.0, len(here | there))
    cells, inside, y = cells[kept], inside[kept], np.searchsorted(common, y[kept])
    asked = alike(cells)
    asked = np.ones(len(cells)) if asked is None else asked
    right = np.where(cells["y_true"] == cells["y_pred"], asked, 0.0)
    n_classes = len(common)
    n, hits = (
        np.array([np.bincount(y[s], weights=w[s], minlength=n_classes) for s in (inside, ~inside)])
        for w in (asked, right)
    )
    recall = hits / n
    value = float((recall[0] - recall[1]).mean())
    chances = [intervals.of_chance(share, counts) for share, counts in zip(recall, n, strict=True)]
    kinds = units_of(cells, speakers, fold_is=fold_is)
    ways = [variances(kinds, lambda units: _both(units, y, inside, right, asked), chance=sum(chances))]
    if not here & there:
        sides = (
            spreads(
                units_of(cells[s], speakers, fold_is=fold_is), y[s], right[s], chance=chance, counts=asked[s]
            )
            for s, chance in zip((inside, ~inside), chances, strict=True)
        )
        ways.append(tuple(_either_way(spread) for side in sides for spread in side))
    unknown = max(sum(spread.unknown for spread in way) for way in ways)
    ends = [intervals.student(value, way, level=level, within=(-1.0, 1.0)) for way in ways]
    return Gap(
        gap=value,
        low=min((low for low, _ in ends), key=_nan_first),
        high=max((high for _, high in ends), key=lambda end: np.inf if np.isnan(end) else end),
        p=max(intervals.p_of_none(value, way) for way in ways),
        # Where so much hangs on one speaker's classes, no number of right answers could show anything.
        least_p=1.0 if unknown >= 0.5 else _least_p(len(here), len(there), len(here & there)),
        n_speakers=len(here | there),
    )


def _nan_first(end: float) -> float:
    return -np.inf if np.isnan(end) else end


def _both(units: Units, y: np.ndarray, inside: np.ndarray, right: np.ndarray, asked: np.ndarray) -> Spread:
    """Leave out each unit from both sides at once."""
    n_classes = int(y.max()) + 1
    cell = y + n_classes * ~inside
    hits, n = (np.bincount(cell, weights=w, minlength=2 * n_classes) for w in (right, asked))
    own, own_n = (units.sums(cell, 2 * n_classes, w) for w in (right, asked))
    whole, without = metrics.ratio(hits, n), metrics.ratio(hits - own, n - own_n)
    here, there = slice(None, n_classes), slice(n_classes, None)
    return intervals.jackknife(
        whole[here] - whole[there], without[:, here] - without[:, there], own_n[:, here] + own_n[:, there]
    )


def _either_way(spread: Spread) -> Spread:
    """A recall that may be anything from 0 to 1 moves a difference by at most 1, whichever side it is on."""
    return spread if not spread.unknown else Spread(spread.variance, spread.df, spread.unknown, 0.0)


def _least_p(n_here: int, n_there: int, n_both: int) -> float:
    """Smallest p of dealing speakers to the two sides; where they are on both, of swapping these."""
    if n_both:
        return least_p(n_both)
    return min(1.0, 2 / math.comb(n_here + n_there, n_here))


def _decided(table: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Add p_holm and verdict; of two groups there is one test."""
    n_tests = 1 if len(table) == 2 else len(table)
    asked = table.iloc[:n_tests]
    least = verdicts.holm(np.array([gap.least_p for gap in asked["found"]]))
    p = verdicts.holm(asked["p"].to_numpy(dtype=float))
    if n_tests < len(table):
        least, p = np.repeat(least, len(table)), np.repeat(p, len(table))
    said = []
    for corrected, best, gap in zip(p, least, table["found"], strict=True):
        if best >= alpha or np.isnan(gap.gap):
            said.append(f"{verdicts.UNDECIDABLE} with {gap.n_speakers} speakers")
        elif corrected >= alpha:
            said.append(verdicts.NO_DIFFERENCE)
        else:
            said.append(HIGHER if gap.gap > 0 else LOWER)
    return table.assign(p_holm=p, verdict=said)
