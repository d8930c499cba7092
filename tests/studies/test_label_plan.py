"""Plans for labels, simulated: who is tested is never labelled."""

from __future__ import annotations

import numpy as np
import pytest

from serlab.errors import ParameterError, ProtocolError
from serlab.experiment import Parameters, Prepared, Session
from serlab.studies import label_plan, unlabelled_accuracy
from serlab.studies.label_plan import AFTER, BEFORE
from tests.toys import separable_features, utterance_table


def session(corpora: dict[str, int], *, sources: tuple[str, ...]) -> Session:
    table = utterance_table(corpora)
    X = separable_features(table, noise=0.9)
    prepared = Prepared(
        utterances=table, X=X, copies=(), further={}, left_out=table["speaker"].iloc[:0],
        audio_hash=table["speaker"].iloc[:0], skipped_files=table.iloc[:0], notes=(), fingerprint="0",
    )  # fmt: skip
    methods = (BEFORE, AFTER) if sources else ("ridge-target",)
    parameters = Parameters(target="t", sources=sources, methods=methods, baseline="ridge-target", jobs=1)
    return Session(parameters, prepared=prepared)


@pytest.fixture(scope="module")
def three() -> Session:
    return session({"a": 2, "b": 2, "t": 4}, sources=("a", "b"))


def test_plans_are_tested_on_speakers_who_were_not_labelled(three: Session, monkeypatch: pytest.MonkeyPatch):
    given = []
    fit = label_plan._fit

    def watched(session: Session, method: str, splits: list) -> object:
        given.extend(splits)
        return fit(session, method, splits)

    monkeypatch.setattr(label_plan, "_fit", watched)
    found = label_plan.simulate(three, labels=(5,), draws=2)
    speaker = three.prepare().utterances["speaker"].to_numpy()
    for split in given:
        assert not set(speaker[split.target_train]) & set(speaker[split.test]) or not len(split.target_train)
        assert len(split.target_train) in (0, 5)
    table = label_plan.uar_table(three, found)
    assert table["strategy"].iloc[0] == "none" and set(table["labels"]) == {0, 5}
    assert table.set_index("strategy").loc["random", "draws"] == 2
    assert table["over_random"].notna().sum() == 4


def test_no_source_and_one_speaker_are_refused():
    with pytest.raises(ParameterError, match="begins with a model of other corpora"):
        label_plan.simulate(session({"t": 4}, sources=()))
    with pytest.raises(ProtocolError, match="one speaker"):
        label_plan.simulate(session({"a": 2, "t": 1}, sources=("a",)))


def test_each_corpus_is_estimated_from_every_set_of_two_or_more(three: Session, monkeypatch):
    from serlab.evaluation import estimates

    quick = {name: found for name, found in estimates.ESTIMATORS.items() if name != "importance"}
    monkeypatch.setattr(estimates, "ESTIMATORS", quick)
    found = unlabelled_accuracy.table(three)
    assert set(zip(found["target"], found["sources"], strict=True)) == {
        ("a", "b + t"), ("b", "a + t"), ("t", "a + b"),
    }  # fmt: skip
    errors = unlabelled_accuracy.error_table(found)
    assert (errors["n"] == 3).all() and (errors["error"] <= errors["worst"] + 1e-12).all()
    control = errors[errors["estimate"] == "held out"]
    assert control["better"].isna().all()
    with pytest.raises(ParameterError, match="too few"):
        unlabelled_accuracy.table(session({"a": 2, "t": 2}, sources=("a",)))


def test_an_error_is_the_mean_distance_to_the_truth():
    import pandas as pd

    rows = [("a", "as-is", name, value, 0.5, 0.6, 0.5) for name, value in (("held out", 0.5), ("atc", 0.65))]
    rows += [("b", "as-is", name, value, 0.5, 0.3, 0.5) for name, value in (("held out", 0.4), ("atc", 0.6))]
    columns = ["target", "form", "estimate", "uar", "accuracy", "true_uar", "true_accuracy"]
    table = unlabelled_accuracy.error_table(pd.DataFrame(rows, columns=columns)).set_index("estimate")
    found = table.loc["atc", ["error", "worst", "bias", "better"]].astype(float)
    np.testing.assert_allclose(found, [0.175, 0.3, 0.175, 0.5])
