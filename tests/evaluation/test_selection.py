"""Scores that choose a model without target labels."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

from serlab.errors import ParameterError, ProtocolError
from serlab.evaluation import selection

N_CLASSES = 3
WEIGHTED = (selection.importance_weighted, selection.deep_embedded)


def draw(n: int, *, mean: float = 0.0, d: int = 2, seed: int = 0) -> np.ndarray:
    X = np.random.default_rng(seed).standard_normal((n, d))
    X[:, 0] += mean
    return X


def answers(n: int, *, wrong: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and labels, a share of them wrong."""
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CLASSES, size=n)
    given = np.where(rng.random(n) < wrong, (y + 1) % N_CLASSES, y)
    return 0.1 + 0.7 * np.eye(N_CLASSES)[given], y


# --- scores of given weights -----------------------------------------------------------------------------


def test_weights_of_one_are_source_validation():
    proba, y = answers(200)
    y[:100] = 0  # unequal classes
    expected = selection.source_validation(proba, y, N_CLASSES)
    for score in WEIGHTED:
        assert score(proba, y, np.ones(200), N_CLASSES) == pytest.approx(expected)


def test_source_validation_leaves_out_absent_classes():
    proba, y = np.eye(3)[[0, 0, 1, 1]], np.array([0, 0, 1, 0])
    assert selection.source_validation(proba, y, 3) == pytest.approx((2 / 3 + 1) / 2)
    assert selection.importance_weighted(proba, y, np.ones(4), 3) == pytest.approx((2 / 3 + 1) / 2)


def test_weighted_recalls_by_hand():
    proba, y = np.eye(2)[[0, 1, 0, 1]], np.array([0, 0, 1, 1])
    weight = np.array([1.0, 3.0, 0.5, 7.0])
    assert selection.importance_weighted(proba, y, weight, 2) == pytest.approx((1 / 4 + 7 / 7.5) / 2)

    def controlled(values: np.ndarray) -> float:
        eta = -np.cov(values, weight, ddof=0)[0, 1] / np.var(weight)
        return values.mean() + eta * (weight.mean() - 1)

    weight = np.array([1.0, 1.5, 0.8, 1.1])
    recalls = [
        controlled(weight * [1, 0, 0, 0]) / controlled(weight * [1, 1, 0, 0]),
        controlled(weight * [0, 0, 0, 1]) / controlled(weight * [0, 0, 1, 1]),
    ]
    assert selection.deep_embedded(proba, y, weight, 2) == pytest.approx(np.clip(recalls, 0, 1).mean())


@pytest.mark.parametrize("score", WEIGHTED)
def test_models_are_ranked_by_the_uar_of_the_target_where_the_ratio_is_known(score):
    """Classes at -1 and 1; nine of ten target utterances are of the first, so accuracy ranks the other way.

    One model answers the first class for everything (accuracy .9, UAR .5), the other is right seven times
    of ten in each class (accuracy .7, UAR .7).
    """
    rng = np.random.default_rng(0)
    n = 20000
    y = np.arange(n) % 2
    x = 2 * y - 1 + rng.standard_normal(n)
    densities = np.stack([np.exp(-((x - centre) ** 2) / 2) for centre in (-1, 1)])
    weight = ([0.9, 0.1] @ densities) / ([0.5, 0.5] @ densities)
    constant = np.eye(2)[np.zeros(n, dtype=int)]
    fair = np.eye(2)[np.where(rng.random(n) < 0.7, y, 1 - y)]
    assert weight.mean() == pytest.approx(1, abs=0.02)
    assert score(constant, y, weight, 2) == pytest.approx(0.5, abs=0.02)
    assert score(fair, y, weight, 2) == pytest.approx(0.7, abs=0.03)
    risk = [np.mean(weight * (proba.argmax(axis=1) != y)) for proba in (constant, fair)]
    assert risk[0] < risk[1], "the mean over all utterances prefers the one that answers one class"


def test_both_estimate_the_uar_of_the_target_and_the_control_variate_does_it_with_less_variance():
    """Source N(0, 1), target N(.5, 1): the ratio is known, and so is the target's recall."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(2000):
        x = rng.standard_normal(200)
        weight = np.exp(0.5 * x - 0.125)
        y = np.tile([0, 1], 100)  # balanced, and independent of x
        wrong = rng.random(200) < 1 / (1 + np.exp(-x))  # more often where the target lies
        proba = np.eye(2)[np.where(wrong, 1 - y, y)]
        found.append([score(proba, y, weight, 2) for score in WEIGHTED])
    grid = np.linspace(-8, 8, 4001)
    density = np.exp(-((grid - 0.5) ** 2) / 2) / np.sqrt(2 * np.pi)
    truth = 1 - (density / (1 + np.exp(-grid))).sum() * (grid[1] - grid[0])
    mean, variance = np.mean(found, axis=0), np.var(found, axis=0)
    assert mean == pytest.approx([truth, truth], abs=0.005)
    assert variance[1] < variance[0]


# --- scores of the unlabelled target ----------------------------------------------------------------------


def test_soft_neighbourhoods_by_hand():
    proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8]])
    unit = proba / np.sqrt((proba**2).sum(axis=1, keepdims=True))
    expected = 0.0
    for i in range(3):
        similarity = np.array([unit[i] @ unit[j] / 0.05 for j in range(3) if j != i])
        share = np.exp(similarity) / np.exp(similarity).sum()
        expected -= (share * np.log(share)).sum() / 3
    assert selection.soft_neighbourhood(proba) == pytest.approx(expected)
    assert selection.soft_neighbourhood(proba[:1]) == 0


def test_soft_neighbourhoods_do_not_depend_on_how_many_rows_are_held_at_once(monkeypatch):
    proba = answers(50)[0]
    whole = selection.soft_neighbourhood(proba)
    monkeypatch.setattr(selection, "_ROWS", 7)
    assert selection.soft_neighbourhood(proba) == pytest.approx(whole)


def test_information_is_what_answers_say_of_utterances():
    certain = np.eye(3)[np.arange(30) % 3]
    assert selection.information(certain) == pytest.approx(np.log(3))
    assert selection.information(np.full((5, 3), 1 / 3)) == pytest.approx(0)
    assert selection.information(np.eye(3)[[1, 1, 1]]) == pytest.approx(0), "one class for everything"


def test_mano_is_a_norm_of_softmax_or_expansion():
    far = np.array([[1 - 2e-12, 1e-12, 1e-12]])  # a divergence of 18
    assert selection.mano(far) == pytest.approx((1 / 3) ** 0.25)
    near = np.array([[0.5, 0.3, 0.2]])
    z = np.log(near) - np.log(near).mean()
    expanded = (1 + z + z**2 / 2) / (1 + z + z**2 / 2).sum()
    assert selection.mano(near) == pytest.approx(np.mean(expanded**4) ** 0.25)
    assert selection.mano(np.full((4, 3), 1 / 3)) == pytest.approx(1 / 3)


def test_the_way_back_tells_right_beliefs_from_wrong_ones():
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    source, target = (4 * np.eye(3)[y] + rng.standard_normal((90, 3)) for _ in range(2))
    right, crossed, constant = np.eye(3)[y], np.eye(3)[(y + 1) % 3], np.eye(3)[0 * y]
    found = [selection.circular(target, proba, source, y, 3) for proba in (right, crossed, constant)]
    assert found[0] > 0.95 and found[1] < 0.05 and found[2] == pytest.approx(1 / 3)


def test_entropy_and_its_failure():
    uniform, certain = np.full((5, 3), 1 / 3), np.eye(3)[[0, 1, 2]]
    assert selection.entropy(uniform) == pytest.approx(-np.log(3))
    with warnings.catch_warnings(action="error"):
        assert selection.entropy(certain) == 0
    one_class_for_everything = np.eye(3)[[1, 1, 1]]
    assert selection.entropy(one_class_for_everything) == 0


# --- the density ratio -----------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [2, 200])
def test_equal_distributions_have_ratio_one(d):
    """Also with as many dimensions as rows, where a classifier could tell any two samples apart."""
    X = draw(600, d=d)
    weight = selection.density_ratio(X[:200], X[200:300], at=X[300:], seed=0)
    assert weight == pytest.approx(np.ones(300), abs=0.25)
    same = selection.density_ratio(X[:200], X[:200], at=X[300:], seed=0)
    assert same == pytest.approx(np.ones(300), abs=0.02)


def test_known_ratio_is_found():
    at = draw(300, seed=3)
    weight = selection.density_ratio(draw(4000, seed=1), draw(2000, mean=0.8, seed=2), at=at, seed=0)
    assert np.median(np.abs(np.log(weight) - (0.8 * at[:, 0] - 0.32))) < 0.1
    assert weight.mean() == pytest.approx(1, abs=0.15)


def test_units_do_not_matter():
    source, target, at = draw(100, seed=1), draw(80, mean=1, seed=2), draw(50, seed=3)
    scale, offset = np.array([1e4, 1e-3]), np.array([5.0, -7.0])
    plain = selection.density_ratio(source, target, at=at, seed=0)
    other = selection.density_ratio(
        *(X * scale + offset for X in (source, target)), at=at * scale + offset, seed=0
    )
    assert other == pytest.approx(plain, rel=1e-3)


def test_ratio_is_cut_and_finite_where_the_corpora_do_not_overlap():
    source, target = draw(50, seed=1), draw(50, mean=1000, seed=2)
    at = np.concatenate([source[:15], target[:1]])
    with warnings.catch_warnings(action="error"):
        weight = selection.density_ratio(source, target, at=at, seed=0)
    assert weight.max() == pytest.approx(4)
    assert np.isfinite(weight).all()
    assert weight[:15].max() < 0.2


def test_constant_embedding_has_ratio_one():
    with warnings.catch_warnings(action="error"):
        weight = selection.density_ratio(np.ones((10, 4)), np.ones((6, 4)), at=np.ones((3, 4)), seed=0)
    assert weight == pytest.approx(np.ones(3), abs=1e-3)


def test_inputs_stay_as_they_are():
    parts = [draw(20, seed=seed).astype(np.float32) for seed in range(3)]
    copies = [part.copy() for part in parts]
    first = selection.density_ratio(parts[0], parts[1], at=parts[2], seed=4)
    assert np.array_equal(first, selection.density_ratio(parts[0], parts[1], at=parts[2], seed=4))
    assert all(np.array_equal(part, copy) for part, copy in zip(parts, copies, strict=True))


# --- all of them -----------------------------------------------------------------------------------------


@pytest.fixture
def fitted() -> dict:
    """What a sweep knows of one model."""
    source_proba, source_y = answers(90)
    return {
        "source_embedding": draw(90, seed=3), "source_proba": source_proba, "source_y": source_y,
        "train_embedding": draw(150, seed=1), "target_embedding": draw(60, mean=0.5, seed=2),
        "target_proba": answers(60)[0], "n_classes": N_CLASSES, "seed": 0,
    }  # fmt: skip


def test_all_scores_by_name(fitted):
    found = selection.scores(**fitted)
    assert tuple(found) == tuple(selection.SELECTORS)
    assert all(isinstance(value, float) for value in found.values())
    assert found["source_validation"] == pytest.approx(0.7, abs=0.1)


def test_no_argument_could_carry_a_target_label():
    assert [name for name in inspect.signature(selection.scores).parameters if "y" in name.split("_")] == [
        "source_y"
    ]


def test_weighting_prefers_the_model_that_is_right_where_the_target_is(fitted):
    """Equal source validation; one model errs where the target lies, the other elsewhere."""
    near = fitted["source_embedding"][:, 0] > np.median(fitted["source_embedding"][:, 0])
    fitted["target_embedding"] = draw(60, mean=2, seed=2)
    y = np.tile(np.arange(N_CLASSES), 30)
    order = np.argsort(~near, kind="stable")  # classes balanced on both sides
    y = y[np.argsort(order)]
    for wrong, better in ((near, False), (~near, True)):
        proba = np.eye(N_CLASSES)[np.where(wrong, (y + 1) % N_CLASSES, y)]
        found = selection.scores(**{**fitted, "source_proba": proba, "source_y": y})
        assert found["source_validation"] == pytest.approx(0.5)
        assert (found["importance_weighted"] > 0.5) is better
        assert (found["deep_embedded"] > 0.5) is better


def test_bad_input_is_named(fitted):
    def refuse(error, match, **changed):
        with pytest.raises(error, match=match):
            selection.scores(**{**fitted, **changed})

    nothing = {name: fitted[name][:0] for name in ("source_embedding", "source_proba", "source_y")}
    refuse(ProtocolError, "no source speaker is held out", **nothing)
    refuse(ParameterError, r"target_proba of shape \(60, 2\)", target_proba=fitted["target_proba"][:, :2])
    refuse(ParameterError, r"source_proba of shape \(5, 3\)", source_proba=fitted["source_proba"][:5])
    refuse(ParameterError, r"target, shape \(60, 2\)", target_embedding=fitted["target_embedding"] * np.nan)
    refuse(ParameterError, r"held-out source, shape \(90, 1\)", source_embedding=draw(90, d=1))
    refuse(ParameterError, "40 rows of source_embedding", source_embedding=draw(40))
    one = {"target_embedding": draw(1), "target_proba": fitted["target_proba"][:1]}
    refuse(ProtocolError, "not 150 of source and 1 of target", **one)
