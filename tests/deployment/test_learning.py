"""What a kept model answers is what the method answers in an experiment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from serlab import evaluation, methods
from serlab.deployment import evidence, families, learning
from serlab.errors import ParameterError, ProtocolError
from serlab.evaluation import Material, Setting, estimates, fitting
from serlab.evaluation.estimates import ESTIMATORS
from serlab.protocols import Split
from serlab.training import Fitting
from tests.toys import separable_features, utterance_table

SETTING = Setting(seeds=(0,), preset="demo")
CORPORA = {"a": 3, "b": 3, "c": 4}
NOTHING = np.array([], dtype=int)


@pytest.fixture(scope="module")
def material() -> Material:
    table = utterance_table(CORPORA)
    return Material(utterances=table, features={"": (separable_features(table, noise=0.8),)})


@pytest.fixture(scope="module")
def answers(material: Material):
    return learning.ask_left_out(
        material, families.get("ridge"), learning.sets_for_evidence(list(CORPORA)), setting=SETTING
    )[0]


@pytest.mark.parametrize("family", families.FAMILIES)
def test_answers_are_those_of_an_experiment(material: Material, family: str):
    chosen = families.get(family)
    table, _ = learning.ask_left_out(material, chosen, [("a", "b")], setting=SETTING)
    corpus = material.utterances["corpus"].to_numpy(dtype=str)
    target = np.flatnonzero(corpus == "c")
    split = Split("all", np.flatnonzero(corpus != "c"), NOTHING, target, NOTHING, target)
    for form, method in chosen.methods.items():
        spec = methods.get(method)
        run = evaluation.run(
            [spec], [split], material=material, setting=SETTING, with_details=False, rounded=False
        )
        proba = evidence.proba_of(run.predictions)
        own = table[table["form"] == form]
        assert list(own["utterance"]) == list(run.predictions["utterance"])
        np.testing.assert_allclose(evidence.proba_of(own), proba, atol=1e-6)


def test_labels_of_what_is_asked_change_nothing(material: Material, answers):
    table = material.utterances
    other = table["emotion"].where(table["corpus"] != "c", "joy")
    blind = replace(material, utterances=table.assign(emotion=other))
    again, _ = learning.ask_left_out(blind, families.get("ridge"), [("a", "b")], setting=SETTING)
    before = answers[(answers["sources"] == "a + b") & (answers["corpus"] == "c")]
    np.testing.assert_array_equal(evidence.proba_of(again), evidence.proba_of(before))


def test_who_learns_from_the_target_is_not_kept(material: Material):
    for name in ("ridge-target", "svm-coral", "probe-selftrained"):
        with pytest.raises(ProtocolError, match="does not learn from sources alone"):
            fitting.fit_sources(
                replace(methods.get(name), features=""), np.arange(20), material=material, setting=SETTING,
                seed=0, fitting=Fitting(),
            )  # fmt: skip


def test_one_corpus_leaves_out_speakers():
    table = utterance_table({"a": 7})
    unit = learning.units_of(table)
    assert len(set(unit)) == 5
    assert all(len(set(unit[table["speaker"] == name])) == 1 for name in table["speaker"].unique())
    with pytest.raises(ProtocolError, match="add a second corpus"):
        learning.units_of(utterance_table({"a": 1}))


def test_a_corpus_of_one_class_is_learned_from_beside_others_only():
    table = utterance_table({"a": 2, "b": 2}).query("corpus != 'a' or emotion == 'joy'")
    material = Material(utterances=table, features={"": (separable_features(table),)})
    answers, learned = learning.ask_left_out(
        material, families.get("ridge"), [("a",), ("b",)], setting=SETTING
    )
    assert set(learned) == {("b",)} and set(answers["corpus"]) == {"a"}
    known = evidence.left_out(answers, ["a", "b"])
    assert set(known["corpus"]) == {"a"}
    with pytest.raises(ProtocolError, match="no corpus has two classes"):
        learning.ask_left_out(material, families.get("ridge"), [("a",)], setting=SETTING)


def test_an_unknown_family_names_those_that_can_be_kept():
    with pytest.raises(ParameterError, match="did you mean 'ridge'"):
        families.get("rigde")


# --- evidence ------------------------------------------------------------------------


def test_agreement_is_the_share_of_smaller_models_that_answer_the_same(answers):
    own = evidence.with_agreement(answers, ["a", "b"], "c")
    here = answers[answers["corpus"] == "c"].assign(
        y=evidence.proba_of(answers[answers["corpus"] == "c"]).argmax(1)
    )
    one = {
        sources: here[(here["sources"] == sources) & (here["form"] == "adapted")]["y"].to_numpy()
        for sources in ("a", "b", "a + b")
    }
    expected = ((one["a"] == one["a + b"]).astype(float) + (one["b"] == one["a + b"])) / 2
    np.testing.assert_allclose(own[own["form"] == "adapted"]["agree"], expected)


def test_left_out_answers_are_of_models_without_that_corpus(answers):
    known = evidence.left_out(answers, ["a", "b", "c"])
    assert len(known) == 3 * sum(CORPORA.values()) * 12
    same = answers[
        (answers["sources"] == "a + c") & (answers["corpus"] == "b") & (answers["form"] == "as-is")
    ]
    found = known[(known["corpus"] == "b") & (known["form"] == "as-is")]
    np.testing.assert_array_equal(evidence.proba_of(found), evidence.proba_of(same))


def test_estimates_stand_beside_the_truth(answers, monkeypatch: pytest.MonkeyPatch):
    quick = {name: found for name, found in ESTIMATORS.items() if name != "importance"}
    monkeypatch.setattr(estimates, "ESTIMATORS", quick)
    hows = dict.fromkeys(answers["form"], "isotonic")
    table = evidence.estimate_table(answers, ["a", "b", "c"], hows=hows)
    assert set(table["corpus"]) == {"a", "b", "c"}
    assert table[["uar", "accuracy", "true_uar"]].apply(lambda column: column.between(0, 1)).all(axis=None)
    assert evidence.estimate_table(answers, ["a", "b"], hows=hows).empty


def test_tables_of_calibration_and_abstention_have_a_row_a_corpus(answers):
    known = evidence.left_out(answers, ["a", "b", "c"])
    calibrated = evidence.calibration_table(known)
    assert calibrated.groupby(["form", "how"])["corpus"].nunique().eq(3).all()
    hows = {form: evidence.best_calibration(own) for form, own in known.groupby("form")}
    least = calibrated.groupby(["form", "how"])["log_loss"].mean().unstack()
    assert hows == least.idxmin(axis=1).to_dict()
    risks = evidence.abstention_table(known, hows, [0.2])
    assert (risks["answered"].between(0, 1)).all()
    one = known[known["corpus"] == "a"]
    assert evidence.calibration_table(one).empty and evidence.abstention_table(one, hows).empty


def test_uar_by_sex_counts_those_whose_sex_is_known(material: Material, answers):
    utterances = material.utterances.assign(
        sex=np.where(material.utterances["speaker"].str.endswith("0"), "female", "male")
    )
    table = evidence.uar_table(evidence.left_out(answers, ["a", "b", "c"]), utterances, by="sex")
    assert set(table["sex"]) == {"female", "male"}
    assert (table[table["sex"] == "female"]["speakers"] == 1).all()
