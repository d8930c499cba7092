"""What many sources and an unlabelled target allow, by hand and by identities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import entr, log_softmax, softmax

from serlab.errors import ParameterError
from serlab.methods.base import Choice
from serlab.methods.learners import label_shift, left_out, nested, test_time
from serlab.methods.learners.group_robust import SoftmaxOfCorpora
from serlab.methods.learners.left_out import LeftOut
from serlab.methods.learners.nested import NestedChoice
from serlab.methods.learners.ridge_of_rows import RidgeOfRows
from serlab.methods.learners.self_training import BalancedRidge, CautiouslySelfTrained, agreeing
from serlab.methods.learners.test_time import AffineAdapted, Prototypes
from serlab.methods.learners.weighting import scaled, weights
from serlab.samples import Labelled, concatenate, without_labels


def corpus(
    name: str, n: int = 60, *, seed: int = 0, d: int = 30, signal: float = 1.5, classes: int = 3
) -> Labelled:
    """Classes along axes of their own, turned a little in each corpus."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    X = rng.normal(0, 1, (n, d))
    X[np.arange(n), y] += signal
    X[:, 5 + seed % 5] += signal * (y == 0)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    speaker = np.array([f"{name}/{i % 6}" for i in range(n)])
    return Labelled(X=X.astype(np.float32), corpus=np.full(n, name), speaker=speaker, y=y)


SOURCES = concatenate(*(corpus(name, seed=number) for number, name in enumerate("abc")))
TARGET = corpus("t", 90, seed=7)


# --- weights and rows ----------------------------------------------------------------


@pytest.mark.parametrize("equal", ["classes", "speakers", "utterances"])
def test_corpora_of_all_classes_weigh_the_same(equal):
    part = concatenate(corpus("a", 60), corpus("b", 21, seed=1))
    found = weights(part, equal=equal)
    assert found.mean() == pytest.approx(1)
    for name in "ab":
        assert found[part.corpus == name].sum() == pytest.approx(len(part) / 2)
    heavier = weights(part, equal=equal, corpora={"a": 3.0})
    assert heavier[part.corpus == "a"].sum() == pytest.approx(len(part) * 3 / 4)


def test_speakers_weigh_the_same_in_each_class():
    part = corpus("a", 60)
    part = part.take(~((part.speaker == "a/0") & (np.arange(60) % 4 > 0)))
    found = weights(part, equal="speakers")
    for label in range(3):
        own = part.y == label
        speakers = np.unique(part.speaker[own])
        sums = [found[own & (part.speaker == name)].sum() for name in speakers]
        np.testing.assert_allclose(sums, sums[0])
        assert found[own].sum() == pytest.approx(len(part) / 3)


@pytest.mark.parametrize("d", [30, 400])
def test_ridge_of_rows_is_the_ridge(d):
    part = concatenate(*(corpus(name, seed=number, d=d) for number, name in enumerate("ab")))
    rows = np.arange(0, len(part), 2)
    own = part.take(rows)
    expected = BalancedRidge(3, penalty=3.0).fit(own).scores(part.X)
    X = scaled(part.X.astype(float))
    found = RidgeOfRows(X).coefficients(rows, own.y, classes=np.arange(3), weight=weights(own), penalty=3.0)
    np.testing.assert_allclose(X @ found, expected, atol=1e-4)


# --- sources left out ------------------------------------------------------------------


def test_each_corpus_is_left_out_or_speakers_of_one():
    assert [name for name, _ in left_out.parts(SOURCES)] == ["a", "b", "c"]
    one = corpus("a")
    parts = [out for _, out in left_out.parts(one)]
    assert len(parts) == 5 and (np.sum(parts, axis=0) == 1).all()
    for out in parts:
        assert not set(one.speaker[out]) & set(one.speaker[~out])
    alone = replace(one, speaker=np.full(len(one), "a/0"))
    assert not list(left_out.parts(alone))
    assert left_out.scores(alone, lambda: BalancedRidge(3, penalty=1.0), 3).temperature() == 1.0


def test_a_temperature_makes_labels_likeliest():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1, (4000, 3))
    y = np.array([rng.choice(3, p=row) for row in softmax(logits, axis=1)])
    found = LeftOut(logits * 5, y, np.ones(len(y))).temperature()
    assert found == pytest.approx(5, rel=0.1)
    lacking = np.where(np.arange(3) == 2, -np.inf, logits * 5)
    assert np.isfinite(LeftOut(lacking, y, np.ones(len(y))).temperature())


def test_confusions_are_shares_of_each_class():
    found = left_out.scores(SOURCES, lambda: BalancedRidge(3, penalty=3.0), 3).confusion()
    np.testing.assert_allclose(found.sum(axis=0), 1)
    assert (np.diag(found) > 0.5).all()


# --- label shift -----------------------------------------------------------------------


def test_shares_are_found_again():
    rng = np.random.default_rng(1)
    shares, uniform = np.array([0.7, 0.2, 0.1]), np.full(3, 1 / 3)
    y = rng.choice(3, 6000, p=shares)
    means = np.eye(3) * 1.5
    X = means[y] + rng.normal(0, 1, (len(y), 3))
    proba = softmax(X @ means.T, axis=1)  # exact under equal shares: norms are the same
    np.testing.assert_allclose(label_shift.em(proba, prior=uniform), shares, atol=0.03)
    known = np.arange(6000) % 3
    answers = (means[known] + rng.normal(0, 1, (6000, 3))).argmax(axis=1)
    confusion = np.array([[np.mean(answers[known == j] == i) for j in range(3)] for i in range(3)])
    found = label_shift.bbse(confusion, np.bincount(proba.argmax(axis=1), minlength=3))
    np.testing.assert_allclose(found, shares, atol=0.04)
    better = label_shift.adjusted(proba, prior=uniform, to=shares).argmax(axis=1)
    assert np.mean(better == y) > np.mean(proba.argmax(axis=1) == y)


def test_em_raises_the_likelihood():
    rng = np.random.default_rng(2)
    proba, uniform = rng.dirichlet([0.5, 0.3, 0.8], 300), np.full(3, 1 / 3)

    def likelihood(shares):
        return np.log(proba @ (shares / uniform)).sum() + np.log(shares).sum()

    best = label_shift.em(proba, prior=uniform)
    others = rng.dirichlet(np.ones(3), 200)
    assert likelihood(best) >= max(map(likelihood, others)) - 1e-6


@pytest.mark.parametrize("how", ["em", "bbse"])
def test_priors_of_a_skewed_target(how):
    skewed = TARGET.take((TARGET.y == 0) | (np.arange(len(TARGET)) % 5 == 0))
    method = label_shift.ShiftedPriors(BalancedRidge(3), how=how)
    method.fit(source=SOURCES, adapt=without_labels(skewed))
    assert method.shares.argmax() == 0 and method.shares.sum() == pytest.approx(1)
    with pytest.raises(ParameterError, match="'em' or 'bbse'"):
        label_shift.ShiftedPriors(BalancedRidge(3), how="other")


# --- test-time adaptation ----------------------------------------------------------------


def test_prototypes_are_means_of_the_surest():
    X = np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0], [3.0, 0.0]])
    proba = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.99, 0.01]])
    found = test_time.prototypes(X, proba, np.eye(2) * 5, most=2)
    np.testing.assert_allclose(found[:, 0], [1, 0])  # the start, rows 0 and 3; row 2 is the least sure
    np.testing.assert_allclose(found[:, 1], [0, 1])


def test_slopes_are_those_of_the_losses():
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 1, (5, 3))

    def entropy(flat):
        return entr(softmax(flat.reshape(5, 3), axis=1)).sum(axis=1).mean()

    def sameness(flat):
        return -entr(softmax(flat.reshape(5, 3), axis=1).mean(axis=0)).sum()

    log_proba = log_softmax(logits, axis=1)
    for loss, slope in ((entropy, test_time.entropy_slope), (sameness, test_time.diversity_slope)):
        expected = approx_fprime(logits.ravel(), loss, 1e-7).reshape(5, 3)
        np.testing.assert_allclose(slope(log_proba), expected, atol=1e-5)


@pytest.mark.parametrize("diverse", [False, True])
def test_what_is_adapted_is_surer(diverse, monkeypatch):
    adapt = without_labels(TARGET)
    before = BalancedRidge(3).fit(SOURCES)
    method = AffineAdapted(BalancedRidge(3), diverse=diverse).fit(source=SOURCES, adapt=adapt)

    def doubt(proba):
        return entr(proba).sum(axis=1).mean()

    assert doubt(method.predict_proba(adapt.X)) < doubt(
        softmax(before.scores(adapt.X) / method.temperature, axis=1)
    )
    # A block of rows at a time is all rows at once, but for rounding.
    monkeypatch.setattr(test_time, "BLOCK", 7)
    in_blocks = AffineAdapted(BalancedRidge(3), diverse=diverse).fit(source=SOURCES, adapt=adapt)
    np.testing.assert_allclose(in_blocks.predict_proba(adapt.X), method.predict_proba(adapt.X), atol=1e-9)
    # Utterances that were not adapted on are answered one by one as all together.
    np.testing.assert_allclose(
        method.predict_proba(TARGET.X[:1]), method.predict_proba(TARGET.X)[:1], atol=1e-9
    )


def test_t3a_learns_what_is_turned():
    method = Prototypes(BalancedRidge(3)).fit(source=SOURCES, adapt=without_labels(TARGET))
    assert np.mean(method.predict_proba(TARGET.X).argmax(axis=1) == TARGET.y) > 0.6


# --- groups ------------------------------------------------------------------------------


def test_the_worst_corpus_weighs_more():
    noisy = corpus("noisy", 60, seed=9, signal=0.4)
    part = concatenate(SOURCES, noisy)
    plain, robust = (SoftmaxOfCorpora(3, robust=value).fit(part) for value in (False, True))
    assert plain.shares["noisy"] == pytest.approx(0.25)
    assert max(robust.shares, key=robust.shares.get) == "noisy"

    def loss(method, name):
        own = part.take(part.corpus == name)
        return -np.log(method.predict_proba(own.X)[np.arange(len(own)), own.y]).mean()

    worst = [max(loss(method, name) for name in np.unique(part.corpus)) for method in (plain, robust)]
    assert worst[1] < worst[0]
    alone = corpus("a")
    np.testing.assert_allclose(
        SoftmaxOfCorpora(3, robust=True).fit(alone).predict_proba(alone.X),
        SoftmaxOfCorpora(3).fit(alone).predict_proba(alone.X),
    )


# --- the nested choice -------------------------------------------------------------------


def test_the_choice_is_that_of_the_sources():
    method = NestedChoice(3).fit(source=SOURCES, adapt=without_labels(TARGET))
    table = method.chosen_by
    assert set(table["left_out"]) == set("abc")
    assert len(table) == 3 * len(nested.PENALTIES) * len(nested.WAYS)
    mean = table.groupby(["penalty", "way"])["uar"].mean()
    key = (method.chosen.penalty, method.chosen.way)
    assert mean[key] == mean.max()
    assert set(table[table["chosen"]][["penalty", "way"]].itertuples(index=False, name=None)) == {key}
    # The target has no say: another one, the same choice.
    other = NestedChoice(3).fit(source=SOURCES, adapt=without_labels(corpus("u", 30, seed=5)))
    assert other.chosen == method.chosen and other.chosen_by.equals(table)


def test_what_is_chosen_beforehand_is_used_as_it_is():
    adapt = without_labels(TARGET)
    at_once = NestedChoice(3).fit(source=SOURCES, adapt=adapt)
    later = NestedChoice(3).fit_beside(NestedChoice(3).choose(source=SOURCES), source=SOURCES, adapt=adapt)
    np.testing.assert_array_equal(later.predict_proba(TARGET.X), at_once.predict_proba(TARGET.X))
    assert later.chosen == at_once.chosen and later.chosen_by.empty
    with pytest.raises(ParameterError, match="'by magic' is no way"):
        NestedChoice(3).fit_beside(replace(at_once.chosen, way="by magic"), source=SOURCES, adapt=adapt)


@pytest.mark.parametrize("way", nested.WAYS)
def test_each_way_learns(way):
    method = NestedChoice(3, penalties=(3.0,), ways=(way,)).fit(source=SOURCES, adapt=without_labels(TARGET))
    proba = method.predict_proba(TARGET.X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert np.mean(proba.argmax(axis=1) == TARGET.y) > 0.6


def test_its_ways_are_the_methods_of_their_own():
    adapt = without_labels(TARGET)
    choice = NestedChoice(3, penalties=(3.0,), ways=("cautious",)).fit(source=SOURCES, adapt=adapt)
    alone = CautiouslySelfTrained(BalancedRidge(3, penalty=3.0)).fit(source=SOURCES, adapt=adapt)
    np.testing.assert_array_equal(
        choice.predict_proba(TARGET.X).argmax(axis=1), alone.predict_proba(TARGET.X).argmax(axis=1)
    )
    plain = NestedChoice(3, penalties=(3.0,), ways=("as it is",)).fit(source=SOURCES, adapt=adapt)
    np.testing.assert_array_equal(
        plain.predict_proba(TARGET.X).argmax(axis=1),
        BalancedRidge(3, penalty=3.0).fit(SOURCES).scores(TARGET.X).argmax(axis=1),
    )


def test_one_source_chooses_nothing_but_the_penalty():
    one = corpus("a")
    method = NestedChoice(3).fit(source=one, adapt=without_labels(TARGET))
    assert method.chosen.way == "as it is" and set(method.chosen_by["way"]) == {"as it is"}
    silent = replace(one, speaker=np.full(len(one), "a/0"))
    method = NestedChoice(3).fit(source=silent, adapt=without_labels(TARGET))
    assert method.chosen_by.empty and method.chosen == Choice(penalty=10.0, way="as it is")


def test_many_rows_are_thinned_evenly():
    part = concatenate(corpus("a", 600), corpus("b", 60, seed=1))
    rows = nested.thinned(part, 110)
    assert len(rows) == pytest.approx(110, abs=6) and len(np.unique(rows)) == len(rows)
    few = part.take(rows)
    for name in "ab":
        assert set(few.y[few.corpus == name]) == {0, 1, 2}


def test_agreement_is_with_the_source_alone():
    scores = np.array([[3.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 9.0]])
    alone = np.array([0, 0, 0, 1])
    assert agreeing(scores, alone, share=0.3).tolist() == [0, 3]
    assert agreeing(scores, alone, share=1.0).tolist() == [0, 1, 3]
