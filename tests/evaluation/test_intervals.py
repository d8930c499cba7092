"""How an interval is computed and written."""

from __future__ import annotations

import numpy as np
import pytest

from serlab.evaluation import intervals


def test_the_level_is_said_once():
    assert (intervals.PERCENT, intervals.HEADING, intervals.LABEL) == ("95 %", "[95 % CI]", "95 % interval")


def test_percentiles_leave_out_what_is_not_known():
    values = np.array([np.nan, *np.arange(101.0)])
    assert intervals.percentile(values) == pytest.approx((2.5, 97.5))
    assert intervals.percentile(values, level=0.5) == (25.0, 75.0)
    assert np.isnan(intervals.percentile(np.array([np.nan]))).all()


def test_every_resample_draws_as_many_units_as_there_are():
    drawn = intervals.resamples(7, n=50, seed=1)
    assert drawn.shape == (50, 7) and (drawn.sum(axis=1) == 7).all()
    assert not np.array_equal(drawn, intervals.resamples(7, n=50, seed=2))


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
