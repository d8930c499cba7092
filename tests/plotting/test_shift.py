from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from serlab.errors import ParameterError
from tests.plotting.made import features, is_within_page, scored, shift, texts, utterances


def test_shift_table_splits_variance_as_an_analysis_of_variance_does():
    table = utterances({"a": 2, "b": 2})
    X = pd.DataFrame(
        {
            "corpus": (table["corpus"] == "a") * 1.0,
            "noise": np.random.default_rng(0).normal(size=len(table)),
            "constant": 1.0,
        }
    )
    shares = plotting.shift_table(X, table)
    assert shares.loc[["PC1", "PC2"], "variance"].sum() == pytest.approx(1)  # two features vary
    noise = X["noise"]
    between = noise.groupby(table["corpus"]).transform("mean").var(ddof=0) / noise.var(ddof=0)
    assert shares.loc["all features", "corpus"] == pytest.approx((1 + between) / 2)
    points = plotting.shift_coordinates(X, table)
    assert list(points.index) == list(table.index)
    assert points["pc1"].var(ddof=0) == pytest.approx(2 * shares.loc["PC1", "variance"])
    assert is_within_page(plotting.plot_shift(X, table))


def test_shift_refuses_features_that_are_not_finite():
    table = utterances({"a": 1})
    X = features(table)
    X.iloc[3, 2] = np.nan
    with pytest.raises(ParameterError, match="'f2' is not finite"):
        plotting.plot_shift(X, table)


def test_shift_stands_beside_uar():
    table = shift(source={"hidden": 1.8, "output": 1.6}, mmd={"hidden": 0.2, "pool5": 1.0})
    found = plotting.shift_change_table(table, scored("source", "mmd", "forest"), titles={"mmd": "With MMD"})
    assert found[["method", "layer"]].to_numpy().tolist() == [
        ["source", "hidden"], ["source", "output"], ["mmd", "hidden"], ["mmd", "pool5"]
    ]  # fmt: skip
    row = found.iloc[2]
    assert (row["title"], row["n_fits"], row["differs"]) == ("With MMD", 2, 0.5)
    assert row[["a_distance", "a_distance_low", "a_distance_high", "mmd2", "uar"]].tolist() == pytest.approx(
        [0.3, 0.2, 0.4, 0.02, 0.5]
    )
    figure = plotting.plot_shift_change(table, scored("source", "mmd"), titles={"mmd": "With MMD"})
    written = texts(figure)
    assert "0.020*" in written and "1.90" in written and plotting.MISSING in written
    assert "With MMD" in written and is_within_page(figure)


def test_a_test_that_could_not_be_made_is_not_counted():
    table = shift(m={"hidden": 1.0})
    table.loc[0, "p"] = np.nan
    assert plotting.shift_change_table(table, scored("m"))["differs"].tolist() == [0]
    table["p"] = np.nan
    assert plotting.shift_change_table(table, scored("m"))["differs"].isna().all()
    assert "*\n" not in texts(plotting.plot_shift_change(table, scored("m")))


def test_least_shift_and_highest_uar_are_said():
    table = shift(source={"hidden": 1.8}, mmd={"hidden": 0.2}, coral={"hidden": 1.0})
    titles = {"source": "Source", "mmd": "MMD", "coral": "CORAL"}
    figure = plotting.plot_shift_change(table, scored("source", "mmd", "coral"), titles=titles)
    assert figure.finding == (
        "Source, mean A-distance 1.90, UAR 0.40 [0.35, 0.45]. "
        "Least shift: MMD, mean A-distance 0.30, UAR 0.50 [0.45, 0.55]. "
        "Highest UAR: CORAL, mean A-distance 1.10, UAR 0.60 [0.55, 0.65]."
    )


def test_why_there_is_no_number_is_said():
    table = shift(source={"hidden": 1.8}, mmd={"hidden": 0.2}).assign(reason="")
    table.loc[table["method"] == "mmd", ["mmd2", "p", "a_distance"]] = np.nan
    table.loc[table["method"] == "mmd", "reason"] = "4 speakers of the source: too few"
    figure = plotting.plot_shift_change(table, scored("source", "mmd"), titles={"mmd": "With MMD"})
    said = "1 of 2 methods have no number: 4 speakers of the source: too few"
    assert said in texts(figure) and said in figure.finding and is_within_page(figure)
    assert plotting.shift_change_table(table, scored("mmd"))["why"].tolist() == [
        "4 speakers of the source: too few"
    ]
    nobody = table[table["method"] == "mmd"]
    assert plotting.plot_shift_change(nobody, scored("mmd")).finding == (
        "1 of 1 methods have no number: 4 speakers of the source: too few."
    )
