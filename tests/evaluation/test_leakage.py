"""The auditor finds what was planted, and nothing in a clean experiment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from serlab import corpora, evaluation, labels
from serlab.corpora.design import speaker_emotion_confound
from serlab.evaluation import leakage
from serlab.pretrained.heard import Heard
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


def copies_of(*pairs) -> pd.DataFrame:
    rows = [(first, second, 0.9, 1.5) for first, second in pairs]
    return pd.DataFrame(rows, columns=["first", "second", "correlation", "seconds"])


def test_a_recording_that_trains_under_another_name_is_an_error(table, splits):
    """A source made of the target's own recordings has other bytes and other speakers."""
    here, there = table.index[splits[0].test[0]], table.index[splits[0].train[0]]
    audit = leakage.audit(table, [splits[0]], copies=copies_of((there, here)))
    audit = audit[audit["check"] != "few speakers"]
    assert audit["severity"].tolist() == ["error", "warning", "warning"]
    assert audit["check"].tolist() == ["recording", "recording", "speaker names"]
    assert here in audit["finding"][0] and there in audit["finding"][0]
    protocol = SplitProtocol(name="loso", target="here", sources=("there",))
    assert leakage.badge(protocol, audit) == "tested recordings are trained on"
    assert leakage.badge(protocol, audit.iloc[1:]) == ""


def test_a_recording_that_is_known_through_a_third_is_found(table, splits):
    """Two halves of one recording do not sound alike; the whole is in no part of the split."""
    test, train = table.index[splits[0].test[0]], table.index[splits[0].train[:2]]
    links = copies_of((test, train[0]), (train[0], train[1]))
    for some in (splits[0], replace(splits[0], train=splits[0].train[1:])):
        assert "error" in set(leakage.audit(table, [some], copies=links)["severity"])


def test_copies_on_one_side_are_a_warning(table, splits):
    one, other = table.index[splits[0].train[:2]]
    assert found(table, splits, copies=copies_of((one, other))) == {"recording": "warning"}
    assert found(table, splits, copies=copies_of()) == {}


def test_badge_says_what_is_shared(table):
    random = SplitProtocol(name="random", target="here", repeats=3)
    audit = leakage.audit(table, random.plan(table)[0])
    assert leakage.badge(random, audit) == random.badge, "it says so itself"
    given = SplitProtocol(name="given", target="here")
    assert leakage.badge(given, audit) == "speakers are shared"


def test_the_cost_of_an_audit_grows_with_the_corpus_and_not_with_its_square(table):
    """What is shared is looked up, not searched: brute force agrees."""
    rng = np.random.default_rng(0)
    many = table.assign(text_id=rng.permutation(table["text_id"].to_numpy()))
    for split in SplitProtocol(name="random", target="here", repeats=3).plan(many)[0]:
        audit = leakage.audit(many, [split])
        training = np.concatenate([split.train, split.target_train])
        for check, column in (("speaker", "speaker"), ("sentence", "text_id")):
            values = many[column].to_numpy()
            expected = sum(values[row] in set(values[training]) for row in split.test)
            assert audit.loc[audit["check"] == check, "n"].sum() == expected


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


def test_what_an_encoder_brings_along_is_said(table, splits):
    tuned = Heard(name="t", tuned_on=("here",), source="its card", languages=("x",))
    assert found(table, splits, networks=[tuned]) == {"fine-tuned on the test corpus": "error"}
    elsewhere = replace(tuned, tuned_on=("there",))
    assert found(table, splits, networks=[elsewhere]) == {}, "not tested"
    listener = replace(tuned, tuned_on=(), pretrained_on=("here",))
    assert found(table, splits, networks=[listener]) == {"heard the test corpus": "warning"}
    assert found(table, splits, networks=[Heard(name="u")]) == {"pretraining not known": "info"}
    labels = Heard(name="u", tuned='["angry"]')
    assert found(table, splits, networks=[labels]) == {"fine-tuned on unknown recordings": "warning"}
    german = table.assign(language="de")
    english = Heard(name="e", languages=("en",), complete=True, source="s")
    assert found(german, splits, networks=[english]) == {"language of the encoder": "info"}
    assert found(german, splits, networks=[replace(english, complete=False)]) == {}
    protocol = SplitProtocol(name="loso", target="here", sources=("there",))
    assert leakage.badge(protocol, leakage.audit(table, splits, networks=[tuned]))


def test_missing_class_and_few_speakers(table, splits):
    no_joy = table[~((table["speaker"] == "here/s0") & (table["emotion"] == "joy"))]
    splits = SplitProtocol(name="loso", target="here").plan(no_joy)[0]
    audit = leakage.audit(no_joy, splits)
    assert audit.loc[audit["check"] == "missing class", "fold"].tolist() == ["here/s0"]
    assert "pooled" in audit.loc[audit["check"] == "missing class", "remedy"].iloc[0]
    never = table[(table["corpus"] != "here") | (table["emotion"] != "joy")]
    audit = leakage.audit(never, SplitProtocol(name="loso", target="here").plan(never)[0])
    assert audit.loc[audit["finding"].str.contains("in the test"), "remedy"].str.contains("label_sets").all()
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
