"""Questions of notebook 04, asked of an outcome."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab import experiment, methods
from serlab.errors import ParameterError
from serlab.experiment import Session
from serlab.studies import controls, random_split, target_head, trade_off
from tests.toys import separable_features, utterance_table


@pytest.fixture(scope="module")
def parameters() -> experiment.Parameters:
    return experiment.Parameters(
        target="here", sources=("there",), methods=("light-target", "light-source", "light-mmd"),
        features="logmel40", baseline="light-target", protocol="speaker-groups", folds=2, seeds=(3, 4),
    )  # fmt: skip


def outcome(parameters, hits: dict[str, float], **tables) -> experiment.Outcome:
    """An outcome whose methods are right as often as ``hits`` says."""
    table = utterance_table({"here": 8, "there": 2})
    tested = table[table["corpus"] == "here"]
    y = tested["emotion"].cat.codes.to_numpy()
    parts = []
    for number, (name, share) in enumerate(hits.items()):
        right = np.random.default_rng(number).random(len(y)) < share
        guess = np.where(right, y, (y + 1) % 4)
        proba = {f"p_{c}": (guess == k).astype(float) for k, c in enumerate(table["emotion"].cat.categories)}
        head = {"method": name, "fold": "group-1", "seed": 3, "utterance": tested.index}
        parts.append(pd.DataFrame({**head, "y_true": y, "y_pred": guess, **proba}))
    empty = pd.DataFrame()
    names = ("history", "attention", "embeddings", "shift", "results", "summary", "comparison", "audit")
    filled = {**dict.fromkeys(names, empty), **tables}
    return experiment.Outcome(
        parameters=parameters, utterances=table, X=separable_features(table), left_out=pd.Series(dtype=int),
        skipped_files=empty, skipped_folds=empty, predictions=pd.concat(parts, ignore_index=True), notes=(),
        **filled,
    )  # fmt: skip


def test_pair_to_show_prefers_the_papers_method(parameters):
    names = ["light-source", "light-coral", "light-mmd"]
    embeddings = pd.DataFrame({"method": names})
    hits = dict.fromkeys(names, 0.5)
    found = controls.pair_to_show(outcome(parameters, hits, embeddings=embeddings))
    assert found == ("light-source", "light-mmd")
    with pytest.raises(ParameterError, match="add light-source and light-mmd"):
        controls.pair_to_show(outcome(parameters, {"light-mmd": 0.5}, embeddings=embeddings))


def test_choices_of_methods(parameters):
    assert trade_off.to_sweep(parameters) == ["light-mmd"]
    assert random_split.labelled_methods(parameters) == ["light-target"]
    demo = parameters.with_values(methods=("adaptation",), preset="demo")
    assert trade_off.to_sweep(demo) == ["light-mmd", "light-lmmd"]
    assert random_split.labelled_methods(demo) == ["light-target", "light-mmd-supervised"]
    headed = target_head.beside(Session(parameters, folder="run"))
    chosen = headed.parameters
    assert chosen.methods == methods.GROUPS["target-head"] and chosen.label_sets == "any"
    assert chosen.seeds == (3,) and chosen.baseline in chosen.methods
    assert headed.folder == Path("run/target-head")


def test_every_source_alone_is_the_same_classifier():
    """What the unlabelled target adds is measured against a method that is there, and sees none of it."""
    for spec in methods.METHODS.values():
        if spec.access == "unlabelled":
            alone = methods.get(controls.source_alone(spec))
            assert (alone.access, alone.input) == ("none", spec.input), spec.name
            assert spec.name.partition("-")[0] == alone.name.partition("-")[0], spec.name
    assert controls.source_alone(methods.get("light-mmd-z")) == "light-source"
    assert controls.source_alone(methods.get("svm-tca")) == "svm-source"
    assert controls.source_alone(methods.get("tdnn-frozen-source-z")) == "tdnn-frozen-source"
    assert controls.source_alone(methods.get("rf-target")) == ""


def test_every_control_is_a_method_and_sees_no_more():
    for name in ("tdnn-frozen-13-target", "tdnn-tuned-finetuned"):
        spec = methods.get(name)
        assert spec.adds == "pretrained weights" and methods.get(spec.control).access == spec.access
    assert methods.get("tdnn-frozen-13-target").control == "tdnn-random-13-target"
    assert methods.get("tdnn-tuned-finetuned").control == "tdnn-scratch-finetuned"
    assert methods.get("tdnn-random-source").adds != "pretrained weights"


def test_shift_of_every_feature_set(parameters):
    table = utterance_table({"here": 4, "there": 4})
    X, empty = separable_features(table), pd.DataFrame()
    moved = X + 5.0 * (table["corpus"] == "here").to_numpy()[:, None]
    prepared = experiment.Prepared(
        utterances=table, X=X, copies=(), further={"moved": (moved,)}, left_out=pd.Series(dtype=int),
        audio_hash=pd.Series(dtype=str), skipped_files=empty, notes=(), fingerprint="toy",
    )  # fmt: skip
    found = controls.shift_of_features(Session(parameters, prepared=prepared)).set_index("features")
    assert found.index.tolist() == ["logmel40", "moved"]
    assert found.loc["moved", "a_distance"] > 1.9 > found.loc["logmel40", "a_distance"]
    assert found.loc["moved", "mmd2"] > found.loc["logmel40", "mmd2"]
