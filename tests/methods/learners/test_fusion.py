"""Feature sets together, by identities."""

from __future__ import annotations

import numpy as np
import pytest

from serlab import features
from serlab.errors import ParameterError
from serlab.features import composite
from serlab.methods import METHODS, OPTIONS, Asked, weighting
from serlab.methods.learners.fusion import Balance, OneASet
from serlab.methods.learners.self_training import BalancedRidge
from serlab.methods.learners.weighting import scaled, weights
from tests.methods.learners.test_many_sources import SOURCES, TARGET, corpus


def ridge() -> BalancedRidge:
    return BalancedRidge(3, penalty=3.0)


def test_each_set_has_the_same_part():
    X = np.random.default_rng(0).normal(0, 1, (4000, 12))
    found = Balance((2, 10))(X)
    parts = [(found[:, :2] ** 2).sum(axis=1).mean(), (found[:, 2:] ** 2).sum(axis=1).mean()]
    assert parts == pytest.approx([0.5, 0.5], rel=0.05)
    np.testing.assert_allclose(Balance()(X), scaled(X))
    np.testing.assert_allclose(Balance((6, 6))(X), scaled(X))


def test_a_late_fusion_is_the_mean_or_the_product_of_its_sets():
    widths = (10, 20)
    views = [slice(0, 10), slice(10, 30)]
    from dataclasses import replace

    each = [
        ridge().fit(replace(SOURCES, X=SOURCES.X[:, view])).predict_proba(TARGET.X[:, view]) for view in views
    ]
    mean = OneASet(ridge, widths).fit(SOURCES).predict_proba(TARGET.X)
    np.testing.assert_allclose(mean, np.mean(each, axis=0), atol=1e-6)
    product = OneASet(ridge, widths, "product").fit(SOURCES).predict_proba(TARGET.X)
    expected = each[0] * each[1]
    np.testing.assert_allclose(product, expected / expected.sum(axis=1, keepdims=True), atol=1e-6)
    first = OneASet(ridge, widths, sets=(0,)).fit(SOURCES).predict_proba(TARGET.X)
    np.testing.assert_allclose(first, each[0], atol=1e-6)
    lacking = OneASet(ridge, widths, "product").fit(SOURCES.take(SOURCES.y != 2)).predict_proba(TARGET.X)
    assert (lacking[:, 2] == 0).all()


def test_sets_with_a_plus_are_one_behind_the_other():
    both = features.get("librosa+voice32") if features.get("voice32").kind == "vectors" else None
    both = both or features.get("egemaps+librosa")
    first, second = both.parts
    assert both.n_features == first.n_features + second.n_features and both.kind == "vectors"
    assert both.digest != first.digest
    with pytest.raises(ParameterError, match="twice"):
        features.get("librosa+librosa")
    with pytest.raises(ParameterError, match="vector a frame"):
        features.get("librosa+logmel26")
    with pytest.raises(ParameterError, match="unknown feature set 'librosa\\+nothing'"):
        features.get("librosa+nothing")


def test_columns_of_two_sets_do_not_collide():
    librosa = features.get("librosa")
    names = composite.columns([librosa])
    assert names[0] == f"librosa: {librosa.names[0]}" and len(set(names)) == librosa.n_features


def test_together_they_are_what_each_is(small_corpora, tmp_path):
    from serlab import corpora

    table = corpora.read_many(["near"], small_corpora).iloc[:3]
    one = features.extract(table, features="librosa", cache=tmp_path, jobs=1)
    # A second set without another library: the same, by another name.
    other = features.base.FeatureSet(
        **{
            field: getattr(features.get("librosa"), field)
            for field in (
                "title", "version", "license", "reference", "settings", "n_features", "load", "libraries"
            )
        },
        name="again",
    )  # fmt: skip
    both = composite.composite("librosa+again", [features.get("librosa"), other])
    found = features.extract(table, features=both, cache=tmp_path, jobs=1)
    assert list(found.X.columns) == list(composite.columns(both.parts))
    np.testing.assert_array_equal(found.X.to_numpy()[:, : one.X.shape[1]], one.X.to_numpy())
    np.testing.assert_array_equal(found.X.to_numpy()[:, one.X.shape[1] :], one.X.to_numpy())
    assert found.audio_hash.equals(one.audio_hash) and found.skipped.empty


def test_who_fuses_says_what():
    spec = METHODS["fused-early-z"]
    assert spec.feature_set({"fused": "egemaps+librosa"}) == "egemaps+librosa"
    for value in ("", "librosa"):
        with pytest.raises(ParameterError, match="name two feature sets"):
            spec.feature_set({"fused": value})
    OPTIONS["fused"].check("")
    with pytest.raises(ParameterError, match="name two feature sets"):
        OPTIONS["fused"].check("librosa")
    assert OPTIONS["fused"].describe("egemaps+librosa", None) == "Fused: egemaps and librosa."


# --- weights ---------------------------------------------------------------------


@pytest.mark.parametrize("value", ["emodb", "emodb=0", "emodb=-1", "emodb=x", "=2", "emodb=inf", "emodb=nan"])
def test_a_weight_that_is_none_is_refused(value):
    with pytest.raises(ParameterError, match="source_weights"):
        weighting.parse(value)


def test_weights_of_sources_reach_the_classifier():
    option = OPTIONS["source_weights"]
    assert option.provide(Asked(value="")) is None and option.describe("", None) == ""
    asked = Asked(value="utterances, a=4", sources=("a", "b"), target="t")
    weigh = option.provide(asked)
    part = corpus("a", 60)
    np.testing.assert_allclose(weigh(SOURCES), weights(SOURCES, equal="utterances", corpora={"a": 4.0}))
    assert option.describe(asked.value, weigh) == (
        "In ridge regressions corpora weigh the same (a 4 times), and so do utterances in each."
    )
    with pytest.raises(ParameterError, match="names c, neither a source nor the target"):
        option.provide(Asked(value="c=2", sources=("a", "b"), target="t"))
    plain, heavy = (BalancedRidge(3, penalty=3.0, weigh=own).fit(SOURCES) for own in (None, weigh))
    assert not np.allclose(plain.scores(part.X), heavy.scores(part.X))
    for name in ("ridge-source-z", "ridge-nested", "probe-cautious-voices"):
        assert "source_weights" in METHODS[name].options
    assert "source_weights" not in METHODS["ridge-softmax-dro-z"].options
