"""Ranks of methods, against Demsar's worked example, scipy and small cases worked by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from serlab.errors import ParameterError
from serlab.evaluation import ranking

#: AUC of four variants of C4.5 on 14 data sets: Demsar (2006), table 6. The last
#: digit of a near-tie ("voting") is chosen so that ranks are those printed.
DEMSAR = """
0.763 0.768 0.771 0.798
0.599 0.591 0.590 0.569
0.954 0.971 0.968 0.967
0.628 0.661 0.654 0.657
0.882 0.888 0.886 0.898
0.936 0.931 0.916 0.931
0.661 0.668 0.609 0.685
0.583 0.583 0.563 0.625
0.775 0.838 0.866 0.875
1.000 1.000 1.000 1.000
0.940 0.962 0.965 0.962
0.619 0.666 0.614 0.669
0.972 0.981 0.9751 0.975
0.957 0.978 0.946 0.970
"""
VARIANTS = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")


def long(values: np.ndarray, methods=None) -> pd.DataFrame:
    """One row a run and method."""
    methods = methods or [f"m{i}" for i in range(values.shape[1])]
    rows = [
        {"run": f"r{run}", "method": method, "uar": values[run, place]}
        for run, (place, method) in itertools.product(range(len(values)), enumerate(methods))
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def demsar() -> pd.DataFrame:
    return long(np.array([line.split() for line in DEMSAR.split("\n")[1:-1]], dtype=float), VARIANTS)


def test_mean_ranks_of_demsar(demsar):
    table = ranking.rank_table(demsar).set_index("method")
    assert list(table.index) == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    np.testing.assert_allclose(table["mean_rank"], [1.964, 2.0, 2.893, 3.143], atol=5e-4)
    assert table["n_first"].to_dict() == {"C4.5+m+cf": 7, "C4.5+m": 5, "C4.5+cf": 2, "C4.5": 3}
    assert (table["n_runs"] == 14).all()


def test_friedman_of_demsar(demsar):
    found = ranking.friedman(demsar)
    ranks = ranking.complete_blocks(demsar).ranks
    # The paper does not correct for ties: undo that to find its numbers.
    n, k = ranks.shape
    plain = found.chi2 * ((ranks - 2.5) ** 2).to_numpy().sum() / (n * k * (k**2 - 1) / 12)
    assert plain == pytest.approx(9.28, abs=0.01)
    assert (n - 1) * plain / (n * (k - 1) - plain) == pytest.approx(3.69, abs=0.01)
    assert found.p_f == pytest.approx(stats.f.sf(found.f, 3, 39))
    assert found.p_f < 0.05 and found.p == pytest.approx(found.p_f, abs=0.01)


def test_pairs_of_demsar(demsar):
    pairs = ranking.pairwise_table(demsar, control="C4.5").set_index("better")
    np.testing.assert_allclose(pairs["z"], [2.416, 2.342, 0.512], atol=2e-3)
    np.testing.assert_allclose(pairs["p"], [0.016, 0.019, 0.607], atol=2e-3)
    np.testing.assert_allclose(pairs["p_holm"], [0.047, 0.047, 0.608], atol=2e-3)
    # 3 x .0157 = .047 and 2 x .0192 = .038, raised to it: corrected values never fall.
    assert pairs["told_apart"].tolist() == [True, True, False]


def test_friedman_is_that_of_scipy_with_and_without_ties():
    rng = np.random.default_rng(0)
    for decimals in (6, 1):
        values = rng.uniform(size=(8, 5)).round(decimals)
        assert ranking.friedman(long(values)).chi2 == pytest.approx(
            stats.friedmanchisquare(*values.T).statistic
        )


def test_p_of_permutations_is_exact_for_few_runs():
    # Three methods alike in both runs: the second run agrees in one of 3! orders.
    found = ranking.friedman(long(np.array([[0.3, 0.2, 0.1], [0.6, 0.5, 0.4]])))
    assert found.f == np.inf and found.p_f == 0, "the F approximation is useless here"
    assert found.p == pytest.approx(1 / 6, abs=0.015)


def test_p_of_permutations_is_calibrated():
    rng = np.random.default_rng(1)
    p = [ranking.friedman(long(rng.uniform(size=(6, 4))), n_permutations=99).p for _ in range(150)]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.05)
    assert np.mean(np.array(p) <= 0.5) == pytest.approx(0.5, abs=0.1)


def test_two_methods_and_ties_of_all():
    two = ranking.friedman(long(np.array([[0.2, 0.1]] * 5)))
    assert two.chi2 == pytest.approx(5) and two.p == pytest.approx(2 / 32, abs=0.01)
    same = ranking.friedman(long(np.full((3, 3), 0.5)))
    assert (same.chi2, same.p, same.p_f) == (0, 1, 1)
    assert ranking.rank_table(long(np.full((3, 3), 0.5)))["mean_rank"].tolist() == [2, 2, 2]


def test_all_pairs_by_hand():
    values = np.array([[0.9, 0.5, 0.4], [0.8, 0.6, 0.5]])
    pairs = ranking.pairwise_table(long(values))
    assert pairs[["better", "worse"]].to_numpy().tolist() == [["m0", "m1"], ["m0", "m2"], ["m1", "m2"]]
    error = np.sqrt(3 * 4 / (6 * 2))
    np.testing.assert_allclose(pairs["z"], np.array([1, 2, 1]) / error)
    p = 2 * stats.norm.sf(np.array([1, 2, 1]) / error)
    np.testing.assert_allclose(pairs["p_holm"], [2 * p[0], 3 * p[1], 2 * p[0]])


def test_groups_are_the_longest_stretches_that_are_not_told_apart():
    n = 40
    values = np.tile([0.9, 0.8, 0.7, 0.1], (n, 1))
    assert ranking.not_told_apart(long(values)) == [], "ranks that never differ are all apart"
    values[::2, [0, 1]] = values[::2, [1, 0]]
    assert ranking.not_told_apart(long(values)) == [["m0", "m1"]]
    few = long(np.tile([0.9, 0.8, 0.7, 0.1], (5, 1)))
    assert ranking.not_told_apart(few) == [["m0", "m1", "m2"], ["m1", "m2", "m3"]]


def test_only_complete_runs_are_ranked_and_the_rest_is_named():
    table = long(np.random.default_rng(2).uniform(size=(5, 4)))
    table.loc[(table["method"] == "m3") & (table["run"] != "r0"), "uar"] = np.nan
    table = table[~((table["method"] == "m1") & (table["run"] == "r4"))]
    before = table.copy()
    blocks = ranking.complete_blocks(table)
    assert blocks.uar.shape == (4, 3)
    assert blocks.left_out == ("m3: in 1 of 5 runs", "run r4: without m1")
    assert ranking.friedman(table).n_runs == 4
    pd.testing.assert_frame_equal(table, before)


def test_titles_are_shown_where_there_are_any():
    table = long(np.array([[0.2, 0.1], [0.3, 0.4], [0.5, 0.2]]))
    table["title"] = table["method"].map({"m0": "First", "m1": "Second"})
    assert ranking.rank_table(table)["title"].tolist() == ["First", "Second"]
    assert ranking.pairwise_table(table).loc[0, ["better", "worse"]].tolist() == ["First", "Second"]
    assert ranking.not_told_apart(table) == [["m0", "m1"]]


def test_what_cannot_be_ranked_is_refused():
    table = long(np.random.default_rng(3).uniform(size=(3, 3)))
    with pytest.raises(ParameterError, match="run 'r0' has method 'm0' more than once"):
        ranking.friedman(pd.concat([table, table.head(1)]))
    with pytest.raises(ParameterError, match="two methods in two runs, or more; there are 3 in 1"):
        ranking.rank_table(table[table["run"] == "r0"])
    with pytest.raises(ParameterError, match="'nobody' is not among the ranked methods: m0, m1, m2"):
        ranking.pairwise_table(table, control="nobody")


def test_a_method_that_answered_one_class_is_not_ranked_and_it_is_said():
    table = long(np.array([[0.5, 0.25, 0.6], [0.4, 0.3, 0.5], [0.5, 0.25, 0.4]]))
    table["one_class"] = np.where((table["method"] == "m1") & (table["uar"] == 0.25), 0.5, 0.4)
    table.loc[0, "one_class"] = np.nan
    blocks = ranking.complete_blocks(table)
    assert list(blocks.uar) == ["m0", "m2"] and len(blocks.uar) == 3
    assert blocks.left_out == ("m1: one class for everything in 2 of 3 runs",)
    assert ranking.friedman(table).n_methods == 2
    assert list(ranking.complete_blocks(table.drop(columns="one_class")).uar) == ["m0", "m1", "m2"]
