"""A session runs, resumes, and hands on what methods ask for."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import methods
from serlab.errors import Cancelled, CorpusError, ParameterError, ProtocolError
from serlab.experiment import Parameters, Session, session
from serlab.experiment.kept import Kept
from serlab.methods import MethodSpec
from serlab.methods.learners.scenarios import Majority
from serlab.plotting import tables


def test_same_parameters_same_predictions_with_and_without_a_folder(finished, parameters):
    again = Session(parameters).run()
    pd.testing.assert_frame_equal(again.predictions, finished[0].predictions)


def test_a_finished_experiment_is_not_computed_again(finished, parameters):
    texts = []
    again = Session(
        parameters, folder=finished[1], progress=lambda done, total, text: texts.append(text)
    ).run()
    assert sum("found" in text for text in texts) == 7, "majority once, three forests twice"
    pd.testing.assert_frame_equal(again.predictions, finished[0].predictions)


def test_work_of_other_code_is_not_taken_up(parameters, tmp_path, monkeypatch):
    def steps() -> list[str]:
        texts = []
        cheap = replace(parameters, methods=("majority",))
        Session(cheap, folder=tmp_path, progress=lambda done, total, text: texts.append(text)).run()
        return [text for text in texts if "Majority" in text]

    assert not any("found" in text for text in steps())
    assert steps() == ["Majority, seed 0: found"]
    monkeypatch.setattr(session, "package_digest", lambda: "another state of the code")
    assert not any("found" in text for text in steps())


def test_a_cancelled_experiment_resumes(parameters, finished, tmp_path):
    cancel = threading.Event()

    def late(done, total, text):
        if "seed 1" in text:
            cancel.set()

    with pytest.raises(Cancelled):
        Session(parameters, folder=tmp_path, progress=late, cancel=cancel).run()
    assert not (tmp_path / "predictions.parquet").exists(), "nothing half-done is published"
    resumed = Session(parameters, folder=tmp_path).run()
    pd.testing.assert_frame_equal(resumed.predictions, finished[0].predictions)


@pytest.mark.filterwarnings("ignore:.*set aside as:UserWarning")
@pytest.mark.parametrize("damage", ["cut", "empty", "one byte"])
def test_torn_files_of_an_unfinished_run_are_made_again(parameters, finished, tmp_path, damage):
    """Whatever a killed machine has left, the same call ends with the same answers."""
    cancel = threading.Event()

    def late(done, total, text):
        if "seed 1" in text:
            cancel.set()

    with pytest.raises(Cancelled):
        Session(parameters, folder=tmp_path, progress=late, cancel=cancel).run()
    torn = [path for path in tmp_path.rglob("*") if path.suffix in (".parquet", ".json")]
    assert {path.name for path in torn} >= {"kept.json", "utterances.parquet"} and len(torn) > 5
    for path in torn:
        content, middle = path.read_bytes(), path.stat().st_size // 2
        changed = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        path.write_bytes({"cut": content[:middle], "empty": b"", "one byte": changed}[damage])
    resumed = Session(parameters, folder=tmp_path).run()
    pd.testing.assert_frame_equal(resumed.predictions, finished[0].predictions)


def test_within_one_corpus_there_is_no_source(parameters):
    alone = replace(
        parameters,
        sources=(),
        methods=("svm-target-speaker-z",),
        baseline="svm-target-speaker-z",
        protocol="loso",
    )
    outcome = Session(alone).run()
    summary = outcome.summary.set_index("method")
    assert summary["transductive"].to_dict() == {"svm-target-speaker-z": True, "svm-target": False}
    assert set(summary["n_folds"]) == {4}
    assert "no source -> far" in outcome.headline
    with pytest.raises(ParameterError, match="rf-source, rf-source-z need a source"):
        replace(parameters, sources=())


def test_a_method_that_no_fold_allows_is_listed_and_the_others_run(parameters):
    """There is no class for neutral speech among low and high arousal."""
    outcome = Session(
        replace(parameters, scheme="arousal", protocol="k-shot", shots=2, methods=("rf-neutral", "rf-target"))
    ).run()
    assert outcome.summary["method"].tolist() == ["rf-target", "rf-pooled"], "the control of what was skipped"
    skipped = tables.skipped_table(outcome)
    assert skipped["method"].tolist() == ["rf-neutral"] and skipped["n"].tolist() == [5]
    assert "rf-neutral" not in set(outcome.comparison["method"])


def test_errors_reach_the_caller(parameters):
    with pytest.raises(CorpusError, match="unknown corpus 'elsewhere'"):
        Session(replace(parameters, target="elsewhere")).run()
    with pytest.raises(ProtocolError, match="target and source at once"):
        Session(replace(parameters, sources=("far",))).run()
    with pytest.raises(CorpusError, match="not installed"):
        Session(replace(parameters, sources=("emovo",))).run()


@pytest.mark.parametrize("content", [None, b"other weights"])
def test_wrong_weights_are_told_of_before_anything_is_computed(parameters, tmp_path, monkeypatch, content):
    def prepare(*_, **__):
        raise AssertionError("no features were to be computed")

    monkeypatch.setattr(session, "prepare", prepare)
    path = tmp_path / "vgg16.pth"
    message = "there is no file of weights"
    if content is not None:
        path.write_bytes(content)
        message = "has SHA-256 .* expected was"
    with pytest.raises(ParameterError, match=message):
        Session(parameters.with_values(methods=("vgg16-source",), weights=str(path))).run()


def test_the_trade_off_reaches_the_methods_that_have_one(parameters, monkeypatch):
    got = {}

    def build(*, n_classes, seed, preset, fitting, **options):
        got.update(options)
        return Majority(n_classes)

    spec = MethodSpec(
        name="spy", title="Spy", access="target-only", normalization="none", build=build, stochastic=False,
        options=("trade_off",),
    )  # fmt: skip
    monkeypatch.setitem(methods.METHODS, "spy", spec)
    Session(parameters.with_values(methods=("spy", "majority"), trade_off=0.25)).run()
    assert got == {"trade_off": 0.25}
    assert parameters.with_values(trade_off=0.25).digest() != parameters.digest()


def test_a_folder_without_an_acoustic_model_is_told_of_before_anything_is_computed(
    parameters, tmp_path, monkeypatch
):
    def prepare(*_, **__):
        raise AssertionError("no features were to be computed")

    monkeypatch.setattr(session, "prepare", prepare)
    chosen = parameters.with_values(methods=("tdnn-frozen-source",), acoustic_model=str(tmp_path))
    with pytest.raises(ParameterError, match="is no acoustic model"):
        Session(chosen).run()
    # Without a folder it is pretrained on the sources, if what they say is known.
    with pytest.raises(ParameterError, match="nothing is known of what is said in near"):
        Session(chosen.with_values(acoustic_model="")).run()


def test_a_run_says_that_it_is_answered_and_its_notebook_that_it_is_complete(finished, parameters, tmp_path):
    _, folder = finished
    assert Kept(folder).is_answered and not Kept(folder).is_complete
    session = Session(parameters, folder=tmp_path)
    session.prepare()
    assert not Kept(tmp_path).is_answered, "prepared, but not run"


def test_a_run_does_not_go_on_with_other_audio(parameters, small_corpora, tmp_path):
    """The target's audio is replaced by noise of the same length, size and time: nothing old is taken up."""
    root = tmp_path / "data"
    shutil.copytree(small_corpora, root)
    texts: list[str] = []
    few = replace(parameters, methods=("majority", "rf-target"), seeds=(0,), data=str(root))

    def run():
        texts.clear()
        watched = Session(few, folder=tmp_path / "run", progress=lambda done, total, text: texts.append(text))
        return watched.run()

    before = run()
    rng = np.random.default_rng(0)
    for path in (root / "far" / "audio").glob("*.wav"):
        samples, rate = soundfile.read(path)
        stat = path.stat()
        soundfile.write(path, rng.normal(size=len(samples)) * 0.1, rate)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = run()
    assert not any("found" in text for text in texts)
    assert before.results["corpora"].iloc[0] != after.results["corpora"].iloc[0]
    assert not after.predictions.equals(before.predictions)
    pd.testing.assert_frame_equal(after.predictions, Session(few).run().predictions)


def test_a_source_of_the_targets_own_recordings_is_an_error_and_a_badge(small_corpora, tmp_path):
    """Encoded again and softer, by other speakers: a UAR of 1.00 would go unsaid."""
    shutil.copytree(small_corpora / "far", tmp_path / "far")
    (tmp_path / "again").mkdir()
    lines = (tmp_path / "far/corpus.csv").read_text().splitlines()
    for number, line in enumerate(lines[1:]):
        path, _, speaker = line.partition(",")
        samples, rate = soundfile.read(tmp_path / "far" / path)
        soundfile.write(tmp_path / f"again/{number}.ogg", 0.9 * samples, rate, format="OGG")
        lines[number + 1] = f"{number}.ogg,x{speaker}"
    (tmp_path / "again/corpus.csv").write_text("\n".join(lines) + "\n")
    leaking = Parameters(
        target="far", sources=("again",), features="librosa", methods=("rf-source",), baseline="rf-target",
        preset="demo", data=str(tmp_path), jobs=1,
    )  # fmt: skip
    outcome = Session(leaking, folder=tmp_path / "run").run(with_details=False)
    errors = outcome.audit[outcome.audit["severity"] == "error"]
    assert errors["check"].tolist() == ["recording"]
    tested = sum(len(split.test) for split in leaking.split_protocol().split(outcome.utterances))
    assert errors["n"].item() == tested, "every one of them"
    assert outcome.summary["badge"].unique().tolist() == ["tested recordings are trained on"]
    assert "[tested recordings are trained on]" in outcome.headline
