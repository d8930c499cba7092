"""Few-shot curves: what is compared, and what is said of numbers that cannot be drawn."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from serlab import experiment, methods, metrics
from serlab.errors import ParameterError, ProtocolError
from serlab.studies import few_shot
from serlab.studies.few_shot import Curves, Line
from tests.toys import separable_features, utterance_table

#: Cheap methods in the places of networks.
CURVES = Curves(
    target_only="svm-target",
    lines=(
        Line(method="svm-pooled", control="svm-target", without_labels="svm-source"),
        Line(method="rf-pooled", control="rf-target"),
    ),
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
    for name in ("svm-target", "rf-target", "rf-pooled"):
        assert counted.loc[name].dropna().to_dict() == {1: 2, 5: 2}, "no point without labels"
    assert curve.skipped.empty


def test_the_point_without_labels_is_the_same_classifier_and_says_its_name(curve):
    zero = curve.fits.query("shots == 0")
    assert set(zip(zero["method"], zero["fitted"], strict=True)) == {("svm-pooled", "svm-source")}
    more = curve.fits.query("shots > 0")
    assert (more["method"] == more["fitted"]).all()
    for curves in (few_shot.ON_ENCODER, few_shot.ON_TDNN, few_shot.ACNN, few_shot.ENCODER_DECODER):
        for line in curves.lines:
            own = methods.get(line.method)
            alike = [(own, methods.get(name)) for name in (line.control, line.without_labels) if name]
            for one, other in alike:
                for field in ("input", "features", "columns", "normalization", "options", "requires"):
                    assert getattr(one, field) == getattr(other, field), (one.name, other.name, field)
                # Families name a classifier by the first words: "probe-", "tdnn-frozen-".
                assert one.name.rpartition("-")[0].startswith(other.name.split("-")[0])
            if line.control:
                assert not methods.get(line.control).uses_source
            assert "target_train" not in methods.FIT_ARGUMENTS[methods.get(line.without_labels).access]


def test_a_point_is_of_all_draws_together_with_an_interval(curve, prepared):
    row = curve.summary.query("method == 'svm-target' and shots == 1").iloc[0]
    own = curve.predictions[
        (curve.predictions["method"] == "svm-target") & curve.predictions["fold"].str.endswith(" 1 shots")
    ]
    assert row["uar"] == pytest.approx(float(metrics.uar(metrics.confusion(own["y_true"], own["y_pred"], 4))))
    assert row["uar_low"] <= row["uar"] <= row["uar_high"]
    assert row["n_draws"] == 2


def test_a_gain_is_over_the_same_labels_alone_paired_by_draw_and_speaker(curve, prepared):
    assert curve.gains[["method", "control", "shots"]].to_numpy().tolist() == [
        ["svm-pooled", "svm-target", 1],
        ["svm-pooled", "svm-target", 5],
        ["rf-pooled", "rf-target", 1],
        ["rf-pooled", "rf-target", 5],
    ]
    uar = curve.summary.set_index(["method", "shots"])["uar"]
    for row in curve.gains.itertuples():
        assert row.gain == pytest.approx(uar[row.method, row.shots] - uar[row.control, row.shots])
        assert row.gain_low <= row.gain <= row.gain_high and row.n_draws == 2
    same = curve.predictions[curve.predictions["method"] == "svm-target"]
    same = pd.concat([same, same.assign(method="svm-pooled")]).assign(shots=1)
    gain = few_shot.gains(same, prepared.utterances["speaker"], lines=CURVES.lines).iloc[0]
    assert gain[["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0], "the same answers"


def test_more_labels_than_a_method_may_see_are_no_point_of_it(prepared, monkeypatch):
    limited = dataclasses.replace(methods.get("svm-pooled"), target_limit=10)
    monkeypatch.setitem(methods.METHODS, "svm-pooled", limited)
    curve = few_shot.run(session(prepared, "there"), curves=CURVES)
    assert set(curve.fits.query("method == 'svm-pooled'")["shots"]) == {0, 1}
    reasons = curve.skipped.set_index("fold")["reason"]
    assert reasons["svm-pooled, draw-1, 5 shots"] == "it sees at most 10 labelled utterances"


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
        for name in (*curves.alone, *(line.method for line in curves.lines)):
            assert name in methods.METHODS


def test_the_curve_of_an_experiment_is_of_what_it_runs(prepared):
    of_acnn = session(prepared).parameters.with_values(
        methods=("acnn-target",), baseline="acnn-target", features="logmel26"
    )
    assert few_shot.curves_of(of_acnn).lines == (), "what nobody has chosen is not fitted"
    of_acnn = of_acnn.with_values(sources=("near",))
    one = of_acnn.with_values(methods=("acnn-target", "acnn-pooled"))
    assert [line.method for line in few_shot.curves_of(one).lines] == ["acnn-pooled"]
    both = of_acnn.with_values(methods=("acnn-target", "acnn-finetuned", "acnn-pooled"))
    assert few_shot.curves_of(both) is few_shot.ACNN
    with pytest.raises(ParameterError, match="no few-shot curve for these methods: add one of probe-target"):
        few_shot.curves_of(session(prepared).parameters)
    with pytest.raises(ProtocolError, match="tdnn-frozen-target needs the feature set 'mfcc40'"):
        session(prepared).material.of(methods.get("tdnn-frozen-target"), {})


def test_what_a_source_is_worth_is_read_off_the_curve_of_the_target_alone() -> None:
    rows = [("both", 0, 0.4), ("both", 5, 0.6), ("both", 10, 0.9)]
    rows += [("alone", 1, 0.3), ("alone", 5, 0.5), ("alone", 10, 0.7)]
    summary = pd.DataFrame(rows, columns=["method", "shots", "uar"])
    found = few_shot.worth(summary, method="both", alone="alone", chance=0.25)
    # .4 lies half way from 1 (.3) to 5 (.5), .6 half way from 5 to 10; .9 was never reached.
    assert list(found["needed"][:2]) == pytest.approx([3, 7.5])
    assert list(found["worth"][:2]) == pytest.approx([3, 2.5])
    assert found["needed"].isna().tolist() == [False, False, True]
    # What is no better than chance is worth no label.
    low = pd.concat([summary, pd.DataFrame([("low", 0, 0.2)], columns=summary.columns)])
    assert few_shot.worth(low, method="low", alone="alone", chance=0.25)["needed"].tolist() == [0]


def test_voices_are_lines_where_their_methods_are_chosen():
    def lines(*names: str) -> list[str]:
        chosen = experiment.Parameters(
            target="far", sources=("near",), features="librosa", methods=("ridge-target", *names),
            baseline="ridge-target",
        )  # fmt: skip
        return [line.method for line in few_shot.curves_of(chosen).lines]

    assert lines() == []
    assert lines("ridge-cautious-pooled") == ["ridge-cautious-pooled"]
    assert lines("ridge-pooled-voices", "ridge-source-z") == ["ridge-pooled-voices"]
