"""Sets of sources, what they reach, and what each of them is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from serlab.errors import ParameterError
from serlab.experiment import Parameters, Session
from serlab.methods.learners.many_sources import OneASource
from serlab.methods.learners.self_training import BalancedRidge
from serlab.studies import source_choice
from tests.methods.test_contract import corpus

METHODS = ("ridge-source-z", "ridge-averaged-z")


@pytest.fixture(scope="module")
def session(small_corpora, tmp_path_factory) -> Session:
    """Two sources and a target."""
    chosen = Parameters(
        target="far", sources=("near", "synthetic-a"), features="librosa", methods=METHODS,
        baseline="ridge-target", protocol="speaker-groups", folds=2, preset="demo", jobs=1,
        data=str(small_corpora),
    )  # fmt: skip
    return Session(chosen, folder=tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def predictions(session: Session) -> pd.DataFrame:
    return source_choice.learned(session)


def test_each_set_is_learned_from_alone(session: Session, predictions: pd.DataFrame):
    assert predictions["sources"].unique().tolist() == ["near", "synthetic-a", "near + synthetic-a"]
    n_target = (session.prepare().utterances["corpus"] == "far").sum()
    assert predictions.groupby(["method", "sources"])["utterance"].nunique().eq(n_target).all()
    # With one source, the mean of one classifier a source is that classifier; with two, it is not.
    wide = predictions.pivot(index=["sources", "utterance"], columns="method", values="p_anger")
    differs = (wide[METHODS[0]] - wide[METHODS[1]]).abs().groupby("sources").max()
    assert differs["near"] == 0 and differs["synthetic-a"] == 0 and differs["near + synthetic-a"] > 0
    alone = Session(session.parameters.with_values(sources=("near",))).run(with_details=False).predictions
    kept = predictions[predictions["sources"] == "near"]
    both = alone.merge(kept, on=["method", "fold", "seed", "utterance"], suffixes=("", "_kept"))
    assert len(both) == len(kept) and (both["y_pred"] == both["y_pred_kept"]).all()


def test_tables_and_figures(session: Session, predictions: pd.DataFrame):
    table = source_choice.uar_table(session, predictions)
    assert table["n_sources"].tolist() == [1, 1, 2] * 2
    for row in table.itertuples():
        own = predictions[(predictions["method"] == row.method) & (predictions["sources"] == row.sources)]
        hits = (own["y_true"] == own["y_pred"]).groupby(own["y_true"]).mean()
        assert row.uar == pytest.approx(hits.mean()) and row.uar_low <= row.uar <= row.uar_high
    curve = source_choice.curve_table(table).set_index(["method", "n_sources"])
    assert curve.loc[(METHODS[0], 1), "uar"] == pytest.approx(table["uar"][:2].mean())
    worth = source_choice.worth_table(session, predictions)
    uar = table.set_index(["method", "sources"])["uar"]
    for row in worth.itertuples():
        other = "synthetic-a" if row.source == "near" else "near"
        assert row.adds == pytest.approx(uar[row.method, "near + synthetic-a"] - uar[row.method, other])
        assert row.alone == uar[row.method, row.source]
    before = source_choice.before_table(session, worth)
    assert before["source"].tolist() == ["near", "synthetic-a"]
    assert before["shared_classes"].eq(1).all() and before["a_distance"].between(0, 2).all()
    assert source_choice.agreement_table(before)["rho"].isna().all(), "two say nothing"
    for figure in (plotting.plot_source_sets(table, chance=0.25), plotting.plot_source_worth(worth)):
        assert "Ridge, source only, per-corpus z" in figure.alt


def test_one_source_is_no_choice(session: Session):
    with pytest.raises(ParameterError, match=r"choose two or more \(sources="):
        source_choice.learned(Session(session.parameters.with_values(sources=("near",))))
    target = session.parameters.with_values(methods=("ridge-target",))
    with pytest.raises(ParameterError, match="no method learns from a source"):
        source_choice.learned(Session(target))


def test_one_classifier_a_source_is_their_mean():
    both = [corpus("a", 64, seed=0), corpus("b", 40, seed=1, shift=1.0)]
    from serlab.samples import concatenate

    X = corpus("t", 20, seed=2).X
    found = OneASource(3, make=lambda: BalancedRidge(3)).fit(concatenate(*both)).predict_proba(X)
    expected = np.mean([BalancedRidge(3).fit(part).predict_proba(X) for part in both], axis=0)
    np.testing.assert_allclose(found, expected)
