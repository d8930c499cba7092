"""Temperatures from speakers of the training side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import methods
from serlab.protocols import SplitProtocol
from serlab.studies import calibration
from tests.studies.made import prepared_session
from tests.toys import utterance_table


@pytest.mark.parametrize(
    ("name", "corpora"), [("rf-source", {"a"}), ("rf-target", {"b"}), ("rf-pooled", {"a", "b"})]
)
def test_held_out_speakers_are_of_the_training_side_and_not_learned_from(name, corpora):
    table = utterance_table({"a": 6, "b": 6})
    protocol = SplitProtocol(name="speaker-groups", target="b", sources=("a",), repeats=3)
    splits, _ = protocol.plan(table)
    speaker = table["speaker"].to_numpy(dtype=str)
    for split in splits:
        inner = calibration.apart(methods.get(name), split, table, seed=0)
        assert set(table["corpus"].iloc[inner.test]) == corpora
        learned = np.concatenate([inner.train, inner.target_train])
        assert not set(speaker[inner.test]) & set(speaker[learned])
        assert not set(inner.test) & set(split.test) and not set(learned) & set(split.test)


def test_one_training_subject_has_nobody_to_hold_out():
    table = utterance_table({"a": 6, "b": 4})
    split = SplitProtocol(name="one-subject", target="b", sources=("a",)).plan(table)[0][0]
    assert calibration.apart(methods.get("rf-target"), split, table, seed=0) is None


def test_temperatures_are_kept_and_folds_without_say_why():
    session = prepared_session(methods=("svm-source", "svm-target"))
    found = calibration.temperatures(session, methods=["svm-source", "svm-target"])
    source, target = (found[found["method"] == name] for name in ("svm-source", "svm-target"))
    assert (source["temperature"] > 0).all() and source["temperature"].nunique() == 1, "one fit for all folds"
    assert target["temperature"].isna().all() and target["reason"].str.contains("nobody").all()
    assert isinstance(found, pd.DataFrame) and list(found.columns) == list(calibration.COLUMNS)
