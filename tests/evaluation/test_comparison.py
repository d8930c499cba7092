"""One method against another, paired by speaker."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation
from serlab.errors import ProtocolError
from tests.toys import fake_predictions


def test_paired_comparison_of_a_real_difference_and_of_none():
    predictions, speakers = fake_predictions(np.random.default_rng(1))
    table = evaluation.compare(predictions, speakers, baseline="a")
    assert table["verdict"].tolist() == ["helps"]
    assert table["gain_low"].item() > 0
    reverse = evaluation.compare(predictions, speakers, baseline="b")
    assert reverse["gain"].item() == pytest.approx(-table["gain"].item())
    assert reverse["verdict"].tolist() == ["hurts"]
    same = predictions[predictions["method"] == "a"]
    twice = pd.concat([same, same.assign(method="copy")])
    identical = evaluation.compare(twice, speakers, baseline="a")
    assert (identical["gain"].item(), identical["p"].item()) == (0.0, 1.0)


def test_randomisation_p_value_by_hand():
    """Two speakers, always better on one, never on the other: the four swaps are countable."""
    rows = []
    for method, right in (("a", {"x": False, "y": True}), ("b", {"x": True, "y": True})):
        for speaker in "xy":
            for y in (0, 1):
                answer = y if right[speaker] else 1 - y
                rows.append({"method": method, "utterance": f"{speaker}{y}", "y_true": y, "y_pred": answer})
    speakers = pd.Series({"x0": "x", "x1": "x", "y0": "y", "y1": "y"})
    predictions = pd.DataFrame(rows).assign(fold="f", seed=0, p_0=0.5, p_1=0.5)
    table = evaluation.compare(predictions, speakers, baseline="a")
    assert table["gain"].item() == pytest.approx(0.5)
    assert table["p"].item() == 1.0, "every swap gives a difference of the same size"


def test_false_alarms_keep_to_their_level():
    """Under the null hypothesis, p < .05 in about 5 % of 200 experiments."""
    rng = np.random.default_rng(5)
    p = []
    for _ in range(200):
        predictions, speakers = fake_predictions(rng, speakers=8, per_speaker=10, accuracy=(0.6, 0.6))
        p.append(evaluation.compare(predictions, speakers, baseline="a", n_resamples=50)["p"].item())
    assert np.mean(np.array(p) < 0.05) < 0.10


def test_holm_by_hand():
    assert evaluation.holm(np.array([0.01, 0.04, 0.03, 0.5])) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert evaluation.holm(np.array([])).size == 0


def test_a_missing_baseline_is_named():
    predictions, speakers = fake_predictions(np.random.default_rng(0))
    with pytest.raises(ProtocolError, match="baseline 'c' has no predictions"):
        evaluation.compare(predictions, speakers, baseline="c")
