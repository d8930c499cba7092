"""Sweeps of a trade-off: what they hand to a fit, and what they keep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from serlab import experiment, features, methods, protocols
from serlab.errors import ParameterError, ProtocolError, TrainingError
from serlab.evaluation import selection
from serlab.experiment import NotKept, Session
from serlab.experiment.kept import Kept
from serlab.methods import METHODS, MethodSpec
from serlab.samples import Labelled
from serlab.studies import trade_off
from tests.toys import separable_features, utterance_table

CLASSES = ("neutral", "anger", "joy", "sadness")


class Believer:
    """Knows the first feature that is high; a large trade-off makes it answer class 0."""

    seen: list[dict]

    def __init__(self, trade_off: float, seen: list[dict]) -> None:
        self.trade_off, self.seen = trade_off, seen

    def fit(self, *, source, adapt) -> Believer:
        if self.trade_off > 100:
            raise TrainingError("the loss became nan in epoch 2")
        self.seen.append({"trade_off": self.trade_off, "source": source, "adapt": adapt})
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        proba = np.full((len(X), 4), 0.1)
        proba[np.arange(len(X)), 0 if self.trade_off > 1 else X.argmax(axis=1)] = 0.7
        return proba

    def embed(self, X: np.ndarray) -> np.ndarray:
        return X


@pytest.fixture
def table() -> pd.DataFrame:
    return utterance_table({"here": 4, "there": 5})


@pytest.fixture
def prepared(table) -> experiment.Prepared:
    empty = pd.DataFrame()
    return experiment.Prepared(
        utterances=table,
        X=separable_features(table),
        copies=(),
        further={},
        left_out=pd.Series(dtype=int),
        audio_hash=pd.Series(dtype=str),
        skipped_files=empty,
        notes=(),
        fingerprint="toy",
    )


@pytest.fixture
def seen(monkeypatch) -> list[dict]:
    seen: list[dict] = []

    def build(*, n_classes, seed, preset, fitting, trade_off):
        return Believer(trade_off, seen)

    spec = MethodSpec(
        name="believer", title="Believer", access="unlabelled", normalization="none", build=build,
        options=("trade_off",), reference="toy",
    )  # fmt: skip
    monkeypatch.setitem(METHODS, "believer", spec)
    return seen


@pytest.fixture
def parameters() -> experiment.Parameters:
    return experiment.Parameters(
        target="here", sources=("there",), methods=("rf-target",), protocol="speaker-groups", folds=2
    )


def run(parameters, prepared, folder=None, trade_offs=(0.0, 1.0, 5.0)) -> trade_off.Sweep:
    session = Session(parameters, prepared=prepared, folder=folder)
    return trade_off.run(session, names=["believer"], trade_offs=trade_offs)


def test_candidates_never_see_held_out_speakers_or_target_labels(parameters, prepared, table, seen):
    run(parameters, prepared)
    train, held_out = protocols.hold_out_speakers(table, np.flatnonzero(table["corpus"] == "there"))
    assert [fit["trade_off"] for fit in seen] == [0.0, 1.0, 5.0]
    for fit in seen:
        np.testing.assert_array_equal(fit["source"].row, train)
        assert not isinstance(fit["adapt"], Labelled)
        assert set(fit["adapt"].corpus) == {"here"}
    assert not set(table["speaker"].iloc[train]) & set(table["speaker"].iloc[held_out])


def test_inductive_candidates_adapt_to_half_of_the_target_and_are_tested_on_the_other(
    parameters, prepared, table, seen, tmp_path
):
    inductive = parameters.with_values(transductive=False)
    found = run(inductive, prepared, tmp_path)
    assert found.fits["fold"].tolist() == ["half-1", "half-2"] * 3
    here = table.index[table["corpus"] == "here"]
    of_zero = found.predictions[found.predictions["trade_off"] == 0]
    assert sorted(of_zero["utterance"]) == sorted(here), "each is tested once"
    for fit, (_, own) in zip(seen, found.predictions.groupby(["trade_off", "fold"], sort=False), strict=True):
        heard = set(table["speaker"].iloc[fit["adapt"].row])
        assert heard and not heard & set(table.loc[own["utterance"], "speaker"])
    again = run(inductive, prepared, tmp_path)
    pd.testing.assert_frame_equal(again.fits, found.fits)
    assert len(seen) == 6, "found again"


def test_scores_do_not_depend_on_target_labels(parameters, prepared, seen):
    found = run(parameters, prepared).fits
    upside_down = prepared.utterances.copy()
    own = upside_down["corpus"] == "here"
    codes = (upside_down["emotion"].cat.codes + own.astype(int)) % 4
    upside_down["emotion"] = pd.Categorical.from_codes(codes, categories=list(CLASSES))
    other = run(parameters, replace(prepared, utterances=upside_down)).fits
    names = list(selection.SELECTORS)
    pd.testing.assert_frame_equal(found[names], other[names])
    assert (found["uar"] != other["uar"]).any()


def test_uar_comes_from_the_predictions(parameters, prepared, seen):
    found = run(parameters, prepared)
    assert found.fits["trade_off"].tolist() == [0.0, 1.0, 5.0]
    for row in found.fits.itertuples():
        own = found.predictions[found.predictions["trade_off"] == row.trade_off]
        hits = own["y_true"] == own["y_pred"]
        assert row.uar == pytest.approx(hits.groupby(own["y_true"]).mean().mean())
    assert found.fits["uar"].iloc[-1] == pytest.approx(0.25), "one class for everything"
    assert found.fits["source_validation"].iloc[-1] == pytest.approx(0.25)


def test_finished_fits_are_found_again(parameters, prepared, seen, tmp_path):
    first = run(parameters, prepared, folder=tmp_path)
    again = run(parameters, prepared, folder=tmp_path, trade_offs=(0.0, 1.0, 5.0, 7.0))
    assert [fit["trade_off"] for fit in seen] == [0.0, 1.0, 5.0, 7.0]
    pd.testing.assert_frame_equal(again.fits.iloc[:3], first.fits)
    assert len(pd.read_csv(tmp_path / "sweep.csv")) == 4


def test_a_finished_sweep_answers_for_what_it_has_fitted(parameters, prepared, seen, tmp_path):
    first = run(parameters, prepared, folder=tmp_path, trade_offs=(0.0, 1.0, 1000.0))
    Kept(tmp_path).note(state="complete")
    again = run(parameters, prepared, folder=tmp_path, trade_offs=(1.0, 1000.0))
    assert len(seen) == 2, "nothing is fitted"
    assert again.fits["trade_off"].tolist() == [1.0]
    assert again.fits["uar"].tolist() == first.fits["uar"].tolist()[1:]
    pd.testing.assert_frame_equal(again.skipped, first.skipped)
    with pytest.raises(NotKept, match="no sweep of Believer, lambda 5, seed 0"):
        run(parameters, prepared, folder=tmp_path, trade_offs=(1.0, 5.0))
    with pytest.raises(NotKept, match="has folds 2, not 3"):
        run(parameters.with_values(folds=3), prepared, folder=tmp_path, trade_offs=(1.0,))


def test_a_loss_that_is_no_number_is_counted(parameters, prepared, seen):
    found = run(parameters, prepared, trade_offs=(1.0, 1000.0))
    assert found.fits["trade_off"].tolist() == [1.0]
    assert found.skipped["fold"].tolist() == ["Believer, lambda 1000, seed 0"]
    assert "nan in epoch 2" in found.skipped["reason"].iloc[0]


def test_only_adapters_with_a_trade_off(parameters, prepared):
    for name in ("rf-source", "light-mmd-supervised", "svm-source-z"):
        with pytest.raises(ParameterError, match="cannot be swept"):
            trade_off.run(Session(parameters, prepared=prepared), names=[name])


def test_one_source_speaker_cannot_be_divided(parameters, prepared, seen):
    few = prepared.utterances["speaker"].isin(["there/s0"]) | (prepared.utterances["corpus"] == "here")
    small = replace(prepared, utterances=prepared.utterances[few], X=prepared.X[few])
    with pytest.raises(ProtocolError, match="none can be kept for model choice"):
        run(parameters, small)


def test_method_with_features_of_its_own(parameters, prepared, seen, monkeypatch):
    own = features.get("librosa").name
    monkeypatch.setitem(METHODS, "believer", replace(METHODS["believer"], features=own))
    run(parameters, replace(prepared, further={own: (prepared.X + 100,)}), trade_offs=(1.0,))
    assert seen[0]["source"].X.min() > 50
    assert methods.get("believer").features == own
