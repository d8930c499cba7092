"""What an experiment leaves behind, and what it says."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab import experiment, papers
from serlab.experiment import Session
from serlab.experiment.kept import Kept
from serlab.plotting import tables
from serlab.pretrained import imagenet
from tests import toys


def test_every_table_is_there_and_agrees(finished):
    outcome, folder = finished
    chosen = outcome.parameters.methods
    assert len(outcome.utterances) == len(outcome.X) == 64
    assert outcome.summary["method"].tolist() == list(chosen)
    assert outcome.summary["target_seen"].tolist() == ["8 labelled", "nothing", "8 labelled", "unlabelled"]
    assert outcome.summary["transductive"].tolist() == [False, False, False, True]
    compared = outcome.comparison.set_index("method")
    assert compared["control"].to_dict() == {"rf-pooled": "rf-target", "rf-source-z": "rf-source"}
    assert compared["verdict"].to_dict() == {
        "rf-pooled": "not run",
        "rf-source-z": "cannot be decided with 4 speakers",
    }
    assert "it cannot be decided here" in outcome.audit["finding"].str.cat(), "four speakers are too few"
    written = pd.read_parquet(folder / "predictions.parquet")
    # Probabilities are kept in 16 bits, and that is what everything is computed from.
    pd.testing.assert_frame_equal(written.astype(outcome.predictions.dtypes), outcome.predictions)
    needed = {
        "paper", "source", "target", "protocol", "access", "target_seen", "transductive", "label_scheme",
        "features", "normalization", "n_train", "n_target", "n_test", "uar", "accuracy", "macro_f1",
        "recall_anger", "seconds", "device", "version", "corpora", "parameters", "seed",
    }  # fmt: skip
    assert needed <= set(pd.read_csv(folder / "results.csv").columns)
    record = json.loads((folder / "headline.json").read_text())
    assert record["headline"] == outcome.headline
    assert "near -> far" in record["headline"] and "data" not in record["parameters"]
    assert record["parameters"]["primary"] == ["rf-pooled", "rf-source-z"]
    assert (
        "RF, source + target over RF, target only: declared, one of the two was not run" in record["headline"]
    )
    assert "cannot be decided with 4 speakers. Highest UAR" in record["headline"]


def test_a_run_adds_the_controls_of_its_methods(parameters, tmp_path):
    chosen = parameters.with_values(methods=("rf-source-z",), seeds=(0,))
    session = Session(chosen, folder=tmp_path)
    outcome = session.run()
    assert outcome.summary["method"].tolist() == ["rf-source-z", "rf-source"]
    assert outcome.summary["note"].tolist() == ["", "control, added"]
    assert outcome.parameters.methods == ("rf-source-z",)
    # Made again, from a folder that keeps the control and from one that does not.
    session.record.note(state="complete")
    again = Session(chosen, folder=tmp_path).run()
    pd.testing.assert_frame_equal(again.comparison, outcome.comparison)
    for name in ("predictions", "fits"):
        rows = pd.read_parquet(tmp_path / f"{name}.parquet")
        rows[rows["method"] == "rf-source-z"].to_parquet(tmp_path / f"{name}.parquet")
    old = Session(chosen, folder=tmp_path).run()
    assert set(old.comparison["verdict"]) == {"not run"}


def test_without_a_source_nothing_helps(parameters):
    outcome = Session(
        parameters.with_values(sources=(), methods=("rf-target", "svm-target", "majority"), seeds=(0,))
    ).run()
    assert outcome.comparison.empty
    assert "nothing to compare" in outcome.headline and "help" not in outcome.headline


def test_what_was_left_out_is_in_the_headline(finished):
    outcome = finished[0]
    lost = pd.DataFrame(
        {"utterance": ["a", "b"], "reason": "cut", "corpus": "far", "emotion": ["anger", "anger"]}
    )
    folds = pd.DataFrame({"method": ["all", "rf-source"], "fold": ["x", "y"], "reason": "few"})
    said = replace(outcome, skipped_files=lost, skipped_folds=folds).headline
    n = (outcome.utterances[outcome.utterances["corpus"] == "far"]["emotion"] == "anger").sum()
    assert f"2 files could not be used: far anger {n + 2} -> {n}." in said
    assert "1 of 5 folds skipped. Of the 4 others, skipped by single methods: RF, source only 1." in said
    without = replace(outcome, skipped_files=lost[["utterance", "reason"]]).headline
    assert "2 files could not be used." in without
    none = lost.head(1).assign(emotion=None)
    said = replace(outcome, skipped_files=none, skipped_folds=folds.tail(1)).headline
    assert "1 file could not be used, none of a class here." in said, "once '1 files could not be used: .'"
    assert "Of 4 folds, skipped by single methods: RF, source only 1." in said


def test_tables_for_readers(finished):
    outcome, _ = finished
    data = tables.data_table(experiment.prepare(outcome.parameters))
    assert data["used"].sum() == 64
    assert len(tables.summary_table(outcome)) == len(tables.recall_table(outcome)) == 4
    assert tables.questions(outcome) == ["source", "unlabelled target"]
    shown = tables.comparison_table(outcome, "unlabelled target")
    assert shown[["over", "speakers", "seeds"]].iloc[0].tolist() == ["RF, source only", 4, 2]
    assert tables.comparison_table(outcome, "source")["verdict"].tolist() == ["not run"]
    assert tables.telling_methods(outcome) == ["rf-source", "rf-source-z"]
    assert tables.best_transfer(outcome) == "rf-source-z"
    facts = outcome.provenance["value"]
    assert facts["corpora fingerprint"] == outcome.results["corpora"].iloc[0]


@pytest.mark.usefixtures("thin_vgg16")
def test_the_headline_says_how_vgg16_begins(parameters, finished, tmp_path, monkeypatch):
    outcome = Session(replace(parameters, methods=("vgg16-source",), seeds=(0,))).run()
    assert "VGG16 begins with random initialisation." in outcome.headline
    assert "VGG16" not in finished[0].headline
    # Weights that were downloaded for another experiment are not taken unasked.
    (tmp_path / "weights").mkdir()
    for published in imagenet.PUBLISHED.values():
        (tmp_path / "weights" / published.file_name).write_bytes(b"")
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path))
    assert "VGG16 begins with random initialisation." in outcome.headline


def test_models_leave_no_path_of_this_machine(parameters, tiny_encoder, tmp_path):
    """An encoder and an acoustic model given as folders: only their names are written."""
    pytest.importorskip("transformers", reason="the optional extra encoders is not installed")
    folder = Path(os.environ["SERLAB_MODELS"]) / "whisper"
    model = replace(
        toys.acoustic_model(40), provenance={"corpora": ["near"], "training_audio": [], "scope": "toy"}
    )
    model.save(tmp_path / "models" / "tdnn")
    outcome = Session(
        parameters.with_values(
            methods=("layer2-source", "probe-source-z", "tdnn-frozen-source", "rf-target"),
            seeds=(0,), encoder=str(folder), acoustic_model=str(tmp_path / "models" / "tdnn"),
        ),
        folder=tmp_path / "run",
    ).run(with_controls=False)  # fmt: skip
    used = outcome.results.groupby("method")["features"].first().to_dict()
    assert used == {
        "layer2-source": "encoder-speech:whisper",
        "probe-source-z": "encoder-speech:whisper",
        "tdnn-frozen-source": "mfcc40",
        "rf-target": "librosa",
    }
    assert outcome.audit["check"].tolist().count("pretraining") == 0
    record = json.loads((tmp_path / "run" / "headline.json").read_text())
    assert (record["parameters"]["encoder"], record["parameters"]["acoustic_model"]) == ("whisper", "tdnn")
    assert "TDNN pretrained on near (" in record["headline"]
    for path in (tmp_path / "run").iterdir():
        if path.suffix in (".csv", ".json"):
            text = path.read_text()
            assert str(folder) not in text and str(tmp_path) not in text, path.name
    # Made again without the model, the report still says what it had heard.
    Kept(tmp_path / "run").note(state="complete")
    kept = experiment.Parameters.from_names(Kept(tmp_path / "run").facts["parameters"])
    again = Session(kept, folder=tmp_path / "run").run()
    assert again.facts == outcome.facts and again.headline == outcome.headline
    assert again.facts["acoustic_model"]["corpora"] == ["near"]
    pd.testing.assert_frame_equal(again.results, outcome.results)
    assert again.results["parameters"].unique().tolist() == [outcome.parameters.digest()]


def test_a_paper_stands_beside_what_was_run(finished):
    outcome = finished[0]
    paper = papers.get("andova-lustrek")
    table = paper.beside(outcome).set_index("method")
    assert table["difference"].str.contains("other corpora: ours is near to far").any()
    assert np.isclose(
        table.loc["rf-source", "measured"],
        outcome.summary.set_index("method").loc["rf-source", "accuracy_fold_mean"],
    )
    named = paper.departures(outcome).set_index("what")
    assert named.loc["features", ["printed", "here"]].tolist() == ["is10", outcome.parameters.features]
