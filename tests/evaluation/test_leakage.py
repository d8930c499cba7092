"""The auditor finds what was planted, and nothing in a clean experiment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from serlab import corpora, evaluation, labels
from serlab.corpora.design import speaker_emotion_confound
from serlab.evaluation import leakage
from serlab.protocols import SplitProtocol
from tests.toys import utterance_table


@pytest.fixture(scope="module")
def table():
    """Every speaker says other sentences, so that nothing is shared."""
    table = utterance_table({"here": 7, "there": 2})
    table["text_id"] = table["speaker"] + table["text_id"]
    return table


def found(table, splits, **more) -> dict[str, str]:
    audit = leakage.audit(table, splits, **more)
    assert list(audit.columns) == list(leakage.COLUMNS)
    return dict(zip(audit["check"], audit["severity"], strict=True))


@pytest.fixture(scope="module")
def splits(table):
    return SplitProtocol(name="loso", target="here", sources=("there",)).plan(table)[0]


def test_clean_experiment_has_no_findings(table, splits):
    assert found(table, splits, scopes=["none", "source"]) == {}


def test_shared_speaker(table):
    random = SplitProtocol(name="random", target="here", repeats=3).plan(table)[0]
    assert found(table, random)["speaker"] == "warning"


def test_utterance_on_both_sides_is_an_error(table, splits):
    bad = replace(splits[0], target_train=np.append(splits[0].target_train, splits[0].test[0]))
    assert found(table, [bad])["utterance"] == "error"


def test_shared_sentence(splits):
    assert found(utterance_table({"here": 7, "there": 2}), splits)["sentence"] == "info"


def test_duplicate_audio_across_the_split(table, splits):
    hashes = pd.Series(table.index, index=table.index)
    assert found(table, splits, audio_hash=hashes) == {}
    hashes.iloc[splits[0].test[0]] = hashes.iloc[splits[0].target_train[0]]
    audit = leakage.audit(table, splits, audio_hash=hashes)
    assert "error" in set(audit.loc[audit["check"] == "duplicate audio", "severity"])


def test_test_utterances_that_a_pretrained_network_heard_are_said(table, splits):
    """Those of the training parts do not matter, nor what is in no corpus of the experiment."""
    hashes = pd.Series(table.index, index=table.index).str.upper()
    sources = table.index[table["corpus"] == "there"]
    for heard in ((), hashes[sources], ["ELSEWHERE"]):
        assert found(table, splits, audio_hash=hashes, pretrained_on=heard) == {}
    assert found(table, splits, pretrained_on=hashes) == {}, "without hashes nothing is known"
    test = table.index[splits[0].test]
    audit = leakage.audit(table, splits, audio_hash=hashes, pretrained_on=hashes[test[:3]])
    (finding,) = audit.to_dict("records")
    assert (finding["check"], finding["severity"], finding["n"]) == ("pretraining", "warning", 3)
    assert finding["fold"] == splits[0].fold
    assert finding["finding"].startswith(f"{3 / len(test):.0%} of the test utterances were in the speech")
    # In several folds it is one finding, with all of them counted.
    audit = leakage.audit(table, splits, audio_hash=hashes, pretrained_on=hashes)
    assert audit["check"].tolist() == ["pretraining"]
    assert audit["n"].item() == sum(len(split.test) for split in splits)


def test_missing_class_and_few_speakers(table, splits):
    no_joy = table[~((table["speaker"] == "here/s0") & (table["emotion"] == "joy"))]
    splits = SplitProtocol(name="loso", target="here").plan(no_joy)[0]
    audit = leakage.audit(no_joy, splits)
    assert audit.loc[audit["check"] == "missing class", "fold"].tolist() == ["here/s0"]
    two = table[table["speaker"].isin(["here/s0", "here/s1"])]
    assert "few speakers" in found(two, SplitProtocol(name="loso", target="here").plan(two)[0])


def test_a_comparison_that_cannot_show_anything_is_said(table, splits):
    """Seven speakers: the exact test has 2^7 swaps, two of them as large as the observed."""
    assert evaluation.least_p(7) == 2 / 128
    assert found(table, splits, n_compared=3) == {}
    assert found(table, splits, n_compared=4) == {"few speakers": "warning"}


def test_transductive_normalisation_is_said(table, splits):
    assert found(table, splits, scopes=["corpus"]) == {"normalisation": "info"}
    nobody = [replace(split, adapt=np.setdiff1d(split.adapt, split.test)) for split in splits]
    assert found(table, nobody, scopes=["corpus"]) == {}, "nor is an inductive one called so"


@pytest.mark.shared
def test_urdu_confound_is_found(shared):
    table = labels.scheme("four").apply(corpora.get("urdu").read(shared / "corpora"))
    confound = speaker_emotion_confound(table)
    assert (confound["speakers"], confound["single"]) == (29, 26)
    splits, skipped = SplitProtocol(name="one-subject", target="urdu").plan(table)
    audit = leakage.audit(table, splits, skipped=skipped, scopes=["speaker"])
    assert len(splits) == 3 and len(skipped) == 26
    assert {"speaker confound", "skipped fold", "normalisation"} <= set(audit["check"])
