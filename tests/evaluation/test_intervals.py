"""How an interval is computed and written."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from serlab.evaluation import intervals


def test_the_level_is_said_once():
    assert (intervals.PERCENT, intervals.HEADING, intervals.LABEL) == ("95 %", "[95 % CI]", "95 % interval")


def test_speakers_who_are_all_alike_may_be_so_by_luck_and_one_speaker_has_no_interval():
    over, under = np.array([[5, 0], [10, 0]] * 4), np.array([[10, 0], [20, 0]] * 4)
    low, high = intervals.of_ratios(over, under)
    assert 0 < low < 0.5 < high < 1, "a class that nobody was asked is no class"
    assert low + high == pytest.approx(1)
    right = intervals.of_ratios(np.array([[8], [8]]), np.array([[8], [8]]))
    assert right[0] < 1 and right[1] == 1, "who was always right need not be"
    assert np.isnan(intervals.of_ratios(over[:1], under[:1])).all()


def test_half_a_unit_that_deviates_by_chance_alone_stands_beside_the_others():
    """Of 12 right of 16, half an utterance on either side: 12.5 of 17."""
    share, n = np.array([0.75]), np.array([16])
    p = 12.5 / 17
    assert intervals.of_chance(share, n) == pytest.approx(p * (1 - p) / 16)
    spread = intervals.beside_chance(intervals.Spread(0.01, 3.0), 0.08, n=4)
    assert spread == intervals.Spread(pytest.approx(0.02), 3.0)


def test_as_it_is_written():
    assert intervals.text(0.667, 0.61, 0.7) == "0.67 [0.61, 0.70]"
    assert intervals.text(0.1, -0.02, 0.2, sign=True) == "+0.10 [\N{MINUS SIGN}0.02, +0.20]"
    assert intervals.text(0.5, np.nan, np.nan, decimals=1) == "0.5"
    assert intervals.text(0.5, np.nan, 0.7) == "0.50"


@pytest.mark.parametrize(
    ("value", "given", "written"),
    [
        (0.666, {}, "0.67"),
        (-0.2, {}, "\N{MINUS SIGN}0.20"),
        (0.1, {"sign": True}, "+0.10"),
        (-0.004, {"sign": True}, "0.00"),
        (0.004, {"sign": True, "decimals": 3}, "+0.004"),
    ],
)
def test_a_number_has_a_real_minus_and_a_sign_only_where_it_differs(value, given, written):
    assert intervals.number(value, **given) == written


def test_the_jackknife_of_means_is_the_variance_of_a_mean_with_t():
    """Equal speakers, one component: the textbook interval."""
    values = np.array([0.2, 0.5, 0.6, 0.9])
    n = len(values)
    without = (values.sum() - values)[:, None] / (n - 1)
    whole = np.array([values.mean()])
    spread = intervals.jackknife(whole, without, np.ones((n, 1)))
    assert spread == intervals.Spread(pytest.approx(values.var(ddof=1) / n), pytest.approx(n - 1))
    found = [spread]
    low, high = stats.t.interval(0.95, n - 1, values.mean(), values.std(ddof=1) / n**0.5)
    assert intervals.student(values.mean(), found, within=(-9, 9)) == pytest.approx((low, high))
    assert intervals.student(values.mean(), found)[1] == min(high, 1.0)
    p = stats.ttest_1samp(values, 0).pvalue
    assert intervals.p_of_none(values.mean(), found) == pytest.approx(p)


def test_few_speakers_with_most_of_a_class_have_few_degrees_of_freedom():
    even = intervals.jackknife(np.ones(1), np.ones((10, 1)), np.ones((10, 1)))
    sizes = np.where(np.arange(10) < 2, 100, 1)[:, None]
    uneven = intervals.jackknife(np.ones(1), np.ones((10, 1)), sizes)
    assert even.df == pytest.approx(9) and uneven.df == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("recall", [0.0, 0.9, 1.0])
def test_what_one_speaker_alone_says_may_be_anything_of_others(recall):
    """Once .9 (1 - .9) was its largest variance: none of a recall of 0 or 1, whatever others would say."""
    whole = np.array([0.5, recall])
    without = np.array([[0.5, recall], [0.5, np.nan], [0.5, recall]])
    spread = intervals.jackknife(whole, without, np.array([[1, 0], [1, 5], [1, 0]]))
    assert (spread.variance, spread.unknown, spread.of_unknown) == (0, 0.5, recall / 2)
    assert intervals.student(whole.mean(), [spread]) == pytest.approx((0.25, 0.75))
    alone = intervals.jackknife(whole[1:], without[:, 1:], np.ones((3, 1)))
    assert intervals.student(recall, [alone]) == (0.0, 1.0)
    assert np.isnan(intervals.student(0.5, [intervals.jackknife(whole, without[:1], whole[None])])).all()


def test_a_difference_of_which_half_is_unknown_is_none():
    """+.8 in three classes; the fourth, of one speaker, may be -1 of others."""
    spread = intervals.Spread(0.01, 9.0, unknown=0.25, of_unknown=0.2)
    low, high = intervals.student(0.8, [spread], within=(-1.0, 1.0))
    t = stats.t.ppf(0.975, 9)
    assert (low, high) == (pytest.approx(0.6 - 0.25 - 0.1 * t), 1.0)
    assert intervals.p_of_none(0.8, [spread]) == pytest.approx(2 * stats.t.sf(3.5, 9))
    assert intervals.p_of_none(-0.8, [intervals.Spread(0.01, 9.0, 0.25, -0.2)]) == pytest.approx(
        2 * stats.t.sf(3.5, 9)
    )
    assert intervals.p_of_none(0.8, [intervals.Spread(0.0, 9.0, 0.5, 0.4)]) == 1.0


def test_degrees_of_freedom_are_joined_as_by_satterthwaite():
    one, other = intervals.Spread(0.01, 3.0), intervals.Spread(0.03, 20.0)
    df = 0.04**2 / (0.01**2 / 3 + 0.03**2 / 20)
    half = stats.t.ppf(0.975, df) * 0.2
    assert intervals.student(0.5, (one, other)) == pytest.approx((0.5 - half, 0.5 + half))
    assert intervals.p_of_none(0.0, (one,)) == 1.0
    assert intervals.p_of_none(0.3, (intervals.Spread(0.0, 3.0),)) == 0.0
