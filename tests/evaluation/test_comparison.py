"""Who is compared with whom."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation, methods
from serlab.errors import ProtocolError
from serlab.evaluation import Pair, comparison
from serlab.methods import METHODS
from tests.toys import fake_predictions

AB = [Pair(question="source", method="b", control="a")]


def named(*names: str, seed: int = 1, **settings) -> tuple[pd.DataFrame, pd.Series]:
    """Predictions of methods of the registry; the first is worse than the others."""
    predictions, speakers = fake_predictions(np.random.default_rng(seed), **settings)
    tables = [
        predictions[predictions["method"] == ("b" if number else "a")].assign(method=name)
        for number, name in enumerate(names)
    ]
    return pd.concat(tables, ignore_index=True), speakers


def asked(*names: str) -> set[tuple[str, str, str]]:
    return {(pair.question, pair.method, pair.control) for pair in comparison.pairs(names)}


# --- who with whom -------------------------------------------------------------------------------


def test_an_adapter_is_compared_with_normalisation_and_with_the_source_alone():
    assert asked("light-mmd") == {
        ("alignment", "light-mmd", "light-unaligned"),
        ("unlabelled target", "light-mmd", "light-source"),
    }
    assert asked("light-adabn") == {("unlabelled target", "light-adabn", "light-source")}
    assert asked("light-mmd-supervised") == {
        ("alignment", "light-mmd-supervised", "light-unaligned-supervised"),
        ("source", "light-mmd-supervised", "light-target"),
    }
    assert asked("light-unaligned") == {
        ("second stage", "light-unaligned", "light-adabn"),
        ("unlabelled target", "light-unaligned", "light-source"),
    }


def test_what_is_believed_of_the_target_is_more_than_its_normalisation():
    assert asked("probe-selftrained") == {
        ("alignment", "probe-selftrained", "probe-source-z"),
        ("unlabelled target", "probe-selftrained", "probe-source"),
    }


def test_another_scale_is_no_alignment():
    assert asked("probe-source-voices") == {
        ("normalisation", "probe-source-voices", "probe-source-z"),
        ("unlabelled target", "probe-source-voices", "probe-source"),
    }


def test_without_a_source_another_question_is_asked():
    assert asked("rf-target-z") == {("unlabelled target alone", "rf-target-z", "rf-target")}
    assert ("source", "rf-pooled-z", "rf-target-z") in asked("rf-pooled-z")


def test_a_pretrained_network_has_a_control_of_each_kind():
    assert asked("tdnn-frozen-finetuned") == {
        ("pretrained weights", "tdnn-frozen-finetuned", "tdnn-random-finetuned"),
        ("source", "tdnn-frozen-finetuned", "tdnn-frozen-target"),
    }


@pytest.mark.parametrize("name", METHODS)
def test_who_is_compared_saw_what_the_question_allows(name):
    """The same labels, as many of them, but where labels are asked for; and never the other way round."""
    for pair in comparison.pairs([name]):
        spec, control = METHODS[pair.method], METHODS[pair.control]
        assert pair.question in evaluation.QUESTIONS
        sees, lacks = (set(methods.FIT_ARGUMENTS[one.access]) for one in (spec, control))
        if pair.question != "labels":
            assert ("target_train" in sees) == ("target_train" in lacks), pair
            assert spec.target_limit == control.target_limit, pair
        if pair.question == "source":
            assert "source" in sees - lacks, pair
        if pair.question == "alignment":
            assert sees - {"adapt"} == lacks - {"adapt"}, pair
        assert spec.input == control.input and spec.stochastic == control.stochastic, pair


def test_every_method_with_labels_and_a_source_has_a_control():
    for spec in METHODS.values():
        if "source" in methods.FIT_ARGUMENTS[spec.access] and spec.access != "none":
            assert spec.control, spec.name


def test_declared_methods_have_a_control_of_their_own():
    for baseline, names in methods.PRIMARY.items():
        assert METHODS[baseline].access == "target-only"
        assert all(METHODS[name].control for name in names), baseline


def test_controls_come_behind_the_methods():
    assert comparison.with_controls(("light-mmd", "light-source")) == (
        "light-mmd",
        "light-source",
        "light-unaligned",
    )


# --- gains ---------------------------------------------------------------------------------------


def test_a_real_difference_and_none():
    predictions, speakers = fake_predictions(np.random.default_rng(1))
    table = evaluation.compare(predictions, speakers, asked=AB, primary=["b"])
    assert table["verdict"].tolist() == ["helps"]
    assert table["gain_low"].item() > 0
    back = [Pair(question="source", method="a", control="b")]
    reverse = evaluation.compare(predictions, speakers, asked=back, primary=["a"])
    assert reverse["gain"].item() == pytest.approx(-table["gain"].item())
    assert reverse["verdict"].tolist() == ["hurts"]
    same = predictions[predictions["method"] == "a"]
    twice = pd.concat([same, same.assign(method="b")])
    identical = evaluation.compare(twice, speakers, asked=AB, primary=["b"])
    assert (identical["gain"].item(), identical["p"].item()) == (0.0, 1.0)
    assert identical["verdict"].item() == "no difference shown"


def test_the_verdict_does_not_depend_on_what_else_is_run():
    predictions, speakers = named("rf-target", "rf-pooled", "rf-multitask", "rf-neutral", "rf-distribution")
    few = predictions[predictions["method"].isin(["rf-target", "rf-pooled"])]
    declared = ("rf-pooled", "rf-source-z")
    rows = [
        evaluation.compare(own, speakers, primary=declared).query("primary and method == 'rf-pooled'")
        for own in (predictions, few)
    ]
    pd.testing.assert_frame_equal(*rows)
    assert rows[0]["verdict"].item() == "helps"
    others = evaluation.compare(predictions, speakers, primary=declared).query("not primary")
    assert set(others["verdict"]) == {"exploratory"} and others["p_holm"].isna().all()
    assert others["gain_low"].notna().all()


def test_what_was_declared_and_not_run_is_a_row_that_counts():
    predictions, speakers = named("sae-svm-target", "sae-svm", accuracy=(0.3, 0.9))
    alone = evaluation.compare(predictions, speakers, primary=["sae-svm"])
    both = evaluation.compare(predictions, speakers, primary=["sae-svm", "rf-pooled"])
    assert both.set_index("method")["verdict"].to_dict() == {"sae-svm": "helps", "rf-pooled": "not run"}
    assert both["p_holm"].iloc[0] == pytest.approx(2 * alone["p_holm"].iloc[0])
    assert np.isnan(both["gain"].iloc[1])


def test_what_was_run_in_other_folds_is_said_to_have_none_in_common():
    """Once "declared and not run", beside its UAR in the same report."""
    predictions, speakers = named("rf-target", "rf-pooled")
    apart = predictions.assign(fold=predictions["method"])
    table = evaluation.compare(apart, speakers, primary=["rf-pooled"])
    assert table["verdict"].tolist() == ["no fold in common"] and table["gain"].isna().all()
    assert table[["n_speakers", "n_folds"]].to_numpy().tolist() == [[0, 0]]
    assert evaluation.compare(apart, speakers).empty


def test_questions_are_corrected_apart():
    predictions, speakers = named("light-source", "light-adabn", "light-unaligned", "light-mmd")
    table = evaluation.compare(predictions, speakers, primary=["light-mmd", "light-adabn"])
    declared = table[table["primary"]].set_index("question")
    assert declared.index.tolist() == ["unlabelled target", "alignment"]
    np.testing.assert_array_equal(declared["p_holm"], declared["p"])
    assert declared["verdict"].tolist() == ["helps", "no difference shown"]
    assert len(table) == 5, "the second stage, and both over the source alone, exploratory"


def test_three_speakers_decide_nothing():
    predictions, speakers = named("rf-target", "rf-pooled", speakers=3, accuracy=(0.1, 0.95))
    table = evaluation.compare(predictions, speakers, primary=["rf-pooled"])
    assert table["gain"].item() > 0.7
    assert table["verdict"].item() == "cannot be decided with 3 speakers"


def test_methods_without_their_controls_are_not_compared():
    predictions, speakers = named("rf-source", "rf-pooled")
    assert evaluation.compare(predictions, speakers).empty
    with pytest.raises(ProtocolError, match="control 'c' has no predictions"):
        evaluation.compare(predictions, speakers, asked=[Pair(question="source", method="b", control="c")])


def test_false_alarms_keep_to_their_level():
    """Under the null hypothesis, p < .05 in about 5 % of 200 experiments."""
    rng = np.random.default_rng(5)
    p = []
    for _ in range(200):
        predictions, speakers = fake_predictions(rng, speakers=8, per_speaker=10, accuracy=(0.6, 0.6))
        p.append(evaluation.compare(predictions, speakers, asked=AB)["p"].item())
    assert np.mean(np.array(p) < 0.05) < 0.10
