"""Few-shot curves: what is compared, and what is said of numbers that cannot be drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import experiment, methods
from serlab.errors import ParameterError, ProtocolError
from serlab.studies import few_shot
from serlab.studies.few_shot import Curves
from tests.toys import separable_features, utterance_table

#: Cheap methods in the places of networks.
CURVES = Curves(
    target_only="svm-target", finetuned="svm-pooled", pooled="rf-pooled", source_only="svm-source"
)


@pytest.fixture(scope="module")
def prepared() -> experiment.Prepared:
    table = utterance_table({"here": 6, "there": 3}, per_emotion=2)
    return experiment.Prepared(
        utterances=table,
        X=separable_features(table),
        copies=(),
        further={},
        left_out=pd.Series(dtype=int),
        audio_hash=pd.Series(dtype=object),
        skipped_files=pd.DataFrame(),
        notes=(),
        fingerprint="toy",
    )


def session(prepared: experiment.Prepared, *sources: str, **more) -> experiment.Session:
    parameters = experiment.Parameters(target="here", sources=sources, methods=("svm-target",), preset="demo")
    return experiment.Session(parameters, prepared=prepared, **more)


@pytest.fixture(scope="module")
def curve(prepared) -> few_shot.FewShot:
    return few_shot.run(session(prepared, "there"), curves=CURVES)


def test_one_row_a_method_number_and_draw(curve):
    counted = curve.fits.groupby(["method", "shots"]).size().unstack()
    assert counted.loc["svm-pooled"].tolist() == [2, 2, 2]
    assert counted.loc["svm-target"].dropna().to_dict() == {1: 2, 5: 2}, "no target alone without labels"
    assert curve.skipped.empty


def test_without_labels_tuned_and_pooled_are_the_source_alone(curve):
    zero = curve.fits.query("shots == 0").pivot(index="draw", columns="method", values="uar")
    assert set(zero.columns) == {"svm-pooled", "rf-pooled"}
    np.testing.assert_array_equal(zero["svm-pooled"], zero["rf-pooled"])


def test_without_labels_a_semi_supervised_method_is_what_knows_the_unlabelled_target(prepared):
    curves = Curves(
        target_only="svm-target", finetuned="svm-pooled", pooled=None, source_only="svm-source",
        semi_supervised="rf-pooled", unlabelled="rf-source",
    )  # fmt: skip
    curve = few_shot.run(session(prepared, "there"), curves=curves)
    assert set(curve.fits["method"]) == {"svm-target", "svm-pooled", "rf-pooled"}
    assert set(curve.fits.query("shots == 0")["method"]) == {"svm-pooled", "rf-pooled"}
    found = curve.predictions[curve.predictions["fold"].str.endswith(" 0 shots")]
    assert set(found["method"]) == {"svm-source", "rf-source"}


def test_the_band_goes_from_the_worst_draw_to_the_best(curve):
    row = curve.summary.query("method == 'svm-target' and shots == 1").iloc[0]
    own = curve.fits.query("method == 'svm-target' and shots == 1")["uar"]
    assert (row["uar"], row["uar_low"], row["uar_high"]) == pytest.approx((own.mean(), own.min(), own.max()))
    assert row["n_draws"] == 2


def test_numbers_that_cannot_be_drawn_are_listed(prepared, monkeypatch):
    monkeypatch.setitem(few_shot.SHOTS, "demo", (1, 50))
    curve = few_shot.run(session(prepared), curves=CURVES)
    assert set(curve.fits["shots"]) == {1} and set(curve.fits["method"]) == {"svm-target"}
    assert list(curve.skipped["fold"]) == ["draw-1, 50 shots", "draw-2, 50 shots"]
    assert curve.skipped["reason"].str.contains("8 of 'anger'").all()


def test_finished_work_is_found_again(prepared, curve, tmp_path):
    first = few_shot.run(session(prepared, "there", folder=tmp_path), curves=CURVES)
    assert (tmp_path / "few_shot.csv").is_file()
    texts = []
    again = few_shot.run(
        session(prepared, "there", folder=tmp_path, progress=lambda done, total, text: texts.append(text)),
        curves=CURVES,
    )
    assert all(text.endswith("found") for text in texts)
    for other in (first, again):
        pd.testing.assert_frame_equal(other.fits, curve.fits)


def test_curves_are_methods():
    for curves in (few_shot.ON_ENCODER, few_shot.ON_TDNN, few_shot.ACNN, few_shot.ENCODER_DECODER):
        for name in (curves.target_only, *curves.with_source, *curves.without_labels.values()):
            assert name in methods.METHODS


def test_the_curve_of_an_experiment_is_of_what_it_runs(prepared):
    of_acnn = session(prepared).parameters.with_values(
        methods=("acnn-target",), baseline="acnn-target", features="logmel26"
    )
    assert few_shot.curves_of(of_acnn) is few_shot.ACNN
    with pytest.raises(ParameterError, match="no few-shot curve for these methods: add one of probe-target"):
        few_shot.curves_of(session(prepared).parameters)
    with pytest.raises(ProtocolError, match="tdnn-frozen-target needs the feature set 'mfcc40'"):
        session(prepared).material.of(methods.get("tdnn-frozen-target"), {})
