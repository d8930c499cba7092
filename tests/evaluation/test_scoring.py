"""Measures of predictions and their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation, metrics
from serlab.evaluation import intervals, scoring
from tests.toys import fake_predictions


def test_bootstrap_equals_a_naive_loop():
    predictions, speakers = fake_predictions(np.random.default_rng(0))
    counts = evaluation.speaker_counts(predictions[predictions["method"] == "a"], speakers, 2)
    weights = intervals.resamples(10, n=20, seed=3)
    fast = metrics.uar(scoring.weighted(weights, counts))[:, 0]
    own = predictions[predictions["method"] == "a"].assign(speaker=speakers.to_numpy())
    for draw, value in zip(weights, fast, strict=True):
        rows = pd.concat([own[own["speaker"] == s] for s, times in enumerate(draw) for _ in range(times)])
        assert value == pytest.approx(
            float(metrics.uar(metrics.confusion(rows["y_true"], rows["y_pred"], 2)))
        )


def test_one_test_speaker_has_no_interval():
    predictions, speakers = fake_predictions(np.random.default_rng(2), speakers=1)
    fits = pd.DataFrame([{**dict.fromkeys(evaluation.FIT_COLUMNS, ""), "method": m, "fold": "f", "seed": 0,
                          "n_train": 1, "n_target": 1, "n_test": 40, "seconds": 0.0, "transductive": False}
                         for m in "ab"])  # fmt: skip
    summary = evaluation.summarise(predictions, evaluation.score(predictions, fits), speakers)
    assert summary["uar"].notna().all() and summary["uar_low"].isna().all()
