from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from serlab import plotting
from serlab.errors import ParameterError
from tests.plotting.made import FOUR, SEVEN, features, is_within_page, texts, utterances, width


def test_feature_distribution_table_and_figure():
    table = utterances({"emodb": 2, "urdu": 2, "ravdess": 1})
    table = table[(table["corpus"] != "ravdess") | (table["emotion"] != "joy")]
    X = features(table)
    chosen = {"sources": ["emodb", "ravdess"], "target": "urdu"}
    described = plotting.feature_distribution_table(X, table, "f0", **chosen).set_index(["corpus", "emotion"])
    own = X.loc[(table["corpus"] == "emodb") & (table["emotion"] == "joy"), "f0"]
    assert described.loc[("emodb", "joy"), "n"] == len(own)
    assert described.loc[("emodb", "joy"), "median"] == pytest.approx(own.median())
    assert described.loc[("emodb", "joy"), "sd"] == pytest.approx(own.std())
    assert described.loc[("ravdess", "joy"), "n"] == 0
    assert np.isnan(described.loc[("ravdess", "joy"), "mean"])
    figure = plotting.plot_feature_distribution(X, table, "f0", **chosen)
    assert "joy  (n: urdu 8, emodb 8, ravdess 0)" in texts(figure)
    assert is_within_page(figure)


def test_a_constant_feature_and_seven_emotions_can_be_drawn():
    table = utterances({"a": 1, "b": 1}, SEVEN)
    figure = plotting.plot_feature_distribution(
        features(table).assign(f0=1.0), table, "f0", sources=["a"], target="b"
    )
    assert width(figure) <= 1000


def test_feature_figures_name_what_is_missing():
    table = utterances({"emodb": 1, "urdu": 1})
    X = features(table)
    with pytest.raises(ParameterError, match="'savee' has no utterances here; there are: emodb, urdu"):
        plotting.plot_feature_distribution(X, table, "f0", sources=["savee"], target="urdu")
    with pytest.raises(ParameterError, match="unknown feature 'F'; did you mean f0, f1, f2"):
        plotting.plot_feature_distribution(X, table, "F", sources=["emodb"], target="urdu")
    with pytest.raises(ParameterError, match="no utterance in common"):
        plotting.shift_table(X.rename(index=lambda name: f"x{name}"), table)


def test_most_shifted_features_agrees_with_scipy_and_ignores_label_prior():
    table = utterances({"a": 3, "b": 3})
    # Other shares of the emotions: without conditioning on emotion f5 would look shifted.
    table = table.drop(table.index[(table["corpus"] == "a") & (table["emotion"] == "anger")][4:])
    X = features(table)
    X["f5"] = table["emotion"].cat.codes.to_numpy() * 10.0
    X["f1"] = X["f1"].round()  # ties
    X.loc[table["corpus"] == "a", "f2"] += 3
    shifted = plotting.most_shifted_features(X, table, sources=["a"], target="b", n=6)
    assert shifted["feature"].iloc[0] == "f2"
    by_name = shifted.set_index("feature")
    assert by_name.loc["f5", "ks"] == 0
    assert np.isnan(by_name.loc["f5", "smd"])
    for name in ("f0", "f1", "f2"):
        ks, smd = [], []
        for emotion in FOUR:
            a, b = (X.loc[(table["corpus"] == c) & (table["emotion"] == emotion), name] for c in "ab")
            ks.append(stats.ks_2samp(a, b).statistic)
            pooled = ((len(a) - 1) * a.var() + (len(b) - 1) * b.var()) / (len(a) + len(b) - 2)
            smd.append((a.mean() - b.mean()) / np.sqrt(pooled))
        assert by_name.loc[name, "ks"] == pytest.approx(np.mean(ks))
        assert by_name.loc[name, "smd"] == pytest.approx(np.mean(smd))
    assert len(plotting.most_shifted_features(X, table, sources=["a"], target="b", n=2)) == 2
