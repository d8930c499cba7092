"""Whether the voice tells the emotion, and z-scores by speaker."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import contingency

from serlab import voices


def test_association_is_cramers_v_without_its_bias():
    rng = np.random.default_rng(0)
    speaker, label = rng.integers(6, size=4000), rng.integers(4, size=4000)
    tied = np.where(rng.random(4000) < 0.6, speaker % 4, label)
    table = np.zeros((6, 4), dtype=int)
    np.add.at(table, (speaker, tied), 1)
    # Of thousands, the bias is nothing.
    assert voices.association(speaker, tied) == pytest.approx(
        contingency.association(table, method="cramer"), abs=0.01
    )
    assert voices.association(speaker, label) < 0.03
    few = [voices.association(rng.integers(20, size=60), rng.integers(4, size=60)) for _ in range(200)]
    assert np.mean(few) < 0.15, "with few utterances a speaker, chance is not taken for design"


def test_one_emotion_a_speaker_is_told_and_a_design_is_not():
    speaker = np.repeat(np.arange(8), 12)
    assert voices.association(speaker, speaker % 4) == pytest.approx(1.0, abs=0.03)
    assert voices.association(speaker, np.tile(np.arange(4), 24)) == 0.0
    assert voices.are_kept(speaker, speaker % 4) and not voices.are_kept(speaker, np.tile(np.arange(4), 24))
    for one in (np.zeros(96), speaker * 0):
        assert np.isnan(voices.association(one, np.tile(np.arange(4), 24))) and voices.are_kept(one, speaker)


def test_each_speaker_is_brought_to_one_scale_and_a_single_utterance_hardly_moves():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(201, 3))
    speaker = np.array(["a"] * 100 + ["b"] * 100 + ["c"])
    X[:100] = X[:100] * 3 + 2
    before = X.copy()
    scaled = voices.scaled(X, speaker, voices.scales(X, speaker))
    assert np.array_equal(X, before)
    for name in "ab":
        own = scaled[speaker == name]
        assert np.abs(own.mean(axis=0)).max() < 0.05 and np.abs(own.std(axis=0) - 1).max() < 0.05
    assert np.all(np.abs(scaled[-1]) <= np.abs(X[-1])) and np.all(np.sign(scaled[-1]) == np.sign(X[-1]))
    assert np.array_equal(voices.scaled(X, np.full(201, "d"), voices.scales(X, speaker)), X)


@pytest.mark.parametrize("d", [5, 400])
def test_guesses_are_those_of_a_ridge_with_equal_classes_of_equal_corpora(d: int):
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(2)
    y = rng.choice(3, 120, p=[0.6, 0.3, 0.1])
    corpus = np.where(np.arange(120) < 90, "a", "b")
    X = rng.normal(size=(120, d)) + np.eye(3, d)[y]
    others = rng.normal(size=(40, d)) + np.eye(3, d)[rng.integers(3, size=40)]
    weight = np.zeros(120)
    for name in "ab":
        for label in range(3):
            rows = (corpus == name) & (y == label)
            weight[rows] = 1 / rows.sum()
    weight /= weight.sum()
    wanted = np.where(np.arange(3) == y[:, None], 1.0, -1.0)
    # No intercept of the features: they are centred by corpus.
    ridge = Ridge(alpha=voices.PENALTY, fit_intercept=False).fit(
        X / np.sqrt(d), wanted - weight @ wanted, sample_weight=weight
    )
    expected = (ridge.predict(others / np.sqrt(d)) + weight @ wanted).argmax(axis=1)
    assert voices.guesses(X, y, corpus, others).tolist() == expected.tolist()
