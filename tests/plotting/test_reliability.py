"""Reliability diagrams, before and after a temperature."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from tests.plotting.made import is_within_page, reliability, texts
from tests.studies.made import prepared_session


@pytest.fixture(scope="module")
def outcome():
    session = prepared_session(methods=("svm-target", "svm-pooled"))
    return session.run(with_details=False, with_giveaways=False)


def test_errors_stand_above_the_panels_and_in_words():
    curves, errors = reliability("one", "two")
    figure = plotting.plot_reliability(curves, errors, title="x to y")
    assert texts(figure).count("ECE 0.10 to 0.02") == 2 and is_within_page(figure)
    assert "one, as answered: ECE 0.10 [0.01, 0.20], by luck alone 0.03" in figure.finding
    assert "No method" in texts(plotting.plot_reliability(curves.iloc[:0], errors.iloc[:0]))


def test_an_outcome_without_temperatures_shows_its_answers_as_they_are(outcome):
    errors = plotting.reliability_of(outcome)
    assert set(errors["probabilities"]) == {"as answered"}
    assert dict(zip(errors["method"], errors["learned_from"], strict=True))["svm-target"] == "the same corpus"
    summary = outcome.summary.set_index("method")["uar"]
    assert errors["right"].to_numpy() == pytest.approx(summary[errors["method"]].to_numpy())
    assert len(plotting.reliability_table(errors)) == len(errors)
    plotting.plot_reliability(plotting.reliability_curves(outcome), errors)


def test_before_and_after_are_of_the_same_fits(outcome):
    fits = outcome.results[["method", "fold", "seed"]]
    first = fits["fold"].iloc[0]
    given = fits.assign(
        temperature=np.where((fits["method"] == "svm-pooled") & (fits["fold"] == first), 2, np.nan)
    )
    errors = plotting.reliability_of(outcome, given)
    pooled = errors[errors["method"] == "svm-pooled"].set_index("probabilities")
    assert pooled.loc["as answered", "right"] == pytest.approx(pooled.loc["with temperature", "right"])
    assert pooled.loc["with temperature", "confidence"] < pooled.loc["as answered", "confidence"]
    assert pooled.loc["with temperature", "temperature"] == 2
    assert set(errors.loc[errors["method"] == "svm-target", "probabilities"]) == {"as answered"}
    curves = plotting.reliability_curves(outcome, given)
    assert isinstance(curves, pd.DataFrame) and set(curves["probabilities"]) == {
        "as answered",
        "with temperature",
    }
