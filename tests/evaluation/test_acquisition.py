"""Strategies choose what they say, each utterance once."""

from __future__ import annotations

import numpy as np
import pytest

from serlab.errors import ParameterError
from serlab.evaluation import acquisition
from serlab.evaluation.acquisition import STRATEGIES, choose


@pytest.fixture(scope="module")
def unlabelled() -> tuple[np.ndarray, np.ndarray]:
    """Four clouds of unequal size, in the last of which nothing is sure."""
    rng = np.random.default_rng(0)
    cloud = np.repeat(np.arange(4), [40, 30, 20, 10])
    X = rng.normal(size=(100, 6)) * 0.1
    X[:, :4] += 3 * np.eye(4)[cloud]
    proba = np.tile([0.9, 0.1], (100, 1))
    proba[cloud == 3] = [0.51, 0.49]
    return X, proba


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("n", [1, 4, 20, 100, 500])
def test_each_is_chosen_once_and_the_same_again(unlabelled, strategy: str, n: int):
    X, proba = unlabelled
    found = choose(strategy, X, proba, n, seed=1)
    assert len(found) == len(set(found)) == min(n, 100) and set(found) <= set(range(100))
    np.testing.assert_array_equal(found, choose(strategy, X, proba, n, seed=1))


def test_uncertain_ones_come_first_and_clouds_are_covered(unlabelled):
    X, proba = unlabelled
    cloud = np.repeat(np.arange(4), [40, 30, 20, 10])
    assert set(cloud[choose("uncertain", X, proba, 10)]) == {3}
    for strategy in ("diverse", "both", "spread"):
        assert set(cloud[choose(strategy, X, proba, 4)]) == {0, 1, 2, 3}
    assert cloud[choose("diverse", X, proba, 4)[0]] == 0, "the largest cluster first"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_copies_of_one_utterance_are_no_trouble(strategy: str):
    X = np.repeat(np.array([[0.0, 1.0], [1.0, 0.0]]), 6, axis=0)
    assert len(set(choose(strategy, X, np.full((12, 2), 0.5), 5))) == 5
    assert len(set(choose(strategy, np.zeros((7, 3)), np.full((7, 2), 0.5), 5))) == 5


def test_unknown_strategies_and_numbers_are_refused():
    with pytest.raises(ParameterError, match="did you mean 'diverse'"):
        choose("divers", np.zeros((3, 2)), np.full((3, 2), 0.5), 2)
    with pytest.raises(ParameterError, match="0 utterances to label"):
        choose("random", np.zeros((3, 2)), np.full((3, 2), 0.5), 0)


def test_components_are_of_scaled_features(unlabelled):
    X, _ = unlabelled
    Z = acquisition.components(X * np.array([1e3, 1, 1, 1, 1e-3, 1]))
    np.testing.assert_allclose(np.abs(Z), np.abs(acquisition.components(X)), atol=1e-6)
