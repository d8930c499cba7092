"""One experiment from parameters to tables, on small corpora of a user's own."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import experiment, methods, papers
from serlab.errors import AudioError, Cancelled, CorpusError, ParameterError, ProtocolError
from serlab.experiment import Session, session
from serlab.methods import MethodSpec
from serlab.methods import encoder as encoder_methods
from serlab.methods.scenarios import Majority
from serlab.plotting import tables
from serlab.pretrained import imagenet
from tests import toys

METHODS = ("majority", "rf-source", "rf-target", "rf-source-z")


@pytest.fixture(scope="module")
def parameters(small_corpora):
    return experiment.Parameters(
        target="far", sources=("near",), features="librosa", methods=METHODS, preset="demo",
        seeds=(0, 1), data=str(small_corpora), jobs=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(parameters, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return Session(parameters, folder=folder).run(), folder


def test_every_table_is_there_and_agrees(finished):
    outcome, folder = finished
    assert len(outcome.utterances) == len(outcome.X) == 64
    assert outcome.summary["method"].tolist() == list(METHODS)
    assert outcome.summary["target_seen"].tolist() == ["8 labelled", "nothing", "8 labelled", "unlabelled"]
    assert outcome.summary["transductive"].tolist() == [False, False, False, True]
    assert outcome.comparison["method"].tolist() == ["rf-source", "rf-source-z"], "transfer, not majority"
    assert "no gain can be shown" in outcome.audit["finding"].str.cat(), "four speakers are too few"
    written = pd.read_parquet(folder / "predictions.parquet")
    pd.testing.assert_frame_equal(written, outcome.predictions)
    needed = {
        "paper", "source", "target", "protocol", "access", "target_seen", "transductive", "label_scheme",
        "features", "normalization", "n_train", "n_target", "n_test", "uar", "accuracy", "macro_f1",
        "recall_anger", "seconds", "device", "version", "corpora", "parameters", "seed",
    }  # fmt: skip
    assert needed <= set(pd.read_csv(folder / "results.csv").columns)
    record = json.loads((folder / "headline.json").read_text())
    assert record["headline"] == outcome.headline
    assert "near -> far" in record["headline"] and "data" not in record["parameters"]


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


def test_tables_for_readers(finished):
    outcome, _ = finished
    data = tables.data_table(experiment.prepare(outcome.parameters))
    assert data["used"].sum() == 64
    assert len(tables.summary_table(outcome)) == len(tables.recall_table(outcome)) == len(METHODS)
    assert len(tables.comparison_table(outcome)) == 2
    assert tables.telling_methods(outcome)[0] == "rf-target"
    facts = outcome.provenance["value"]
    assert facts["corpora fingerprint"] == outcome.results["corpora"].iloc[0]


def test_a_bad_file_is_skipped_and_counted_or_stops(parameters, small_corpora, tmp_path):
    table = pd.read_csv(small_corpora / "far" / "corpus.csv")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "broken.wav").write_bytes(b"")
    (tmp_path / "far" / "audio").symlink_to(small_corpora / "far" / "audio")
    table.loc[0, "path"] = "broken.wav"
    sound, rate = soundfile.read(small_corpora / "far" / table.loc[1, "path"])
    soundfile.write(tmp_path / "far" / "stereo.wav", np.column_stack([sound, sound / 2]), rate)
    table.loc[1, "path"] = "stereo.wav"
    table.to_csv(tmp_path / "far" / "corpus.csv", index=False)
    (tmp_path / "near").symlink_to(small_corpora / "near")
    here = replace(parameters, data=str(tmp_path), methods=("majority",), seeds=(0,))
    outcome = Session(here).run()
    assert outcome.skipped_files["utterance"].tolist() == ["far/broken"]
    assert len(outcome.utterances) == 63
    prepared = experiment.prepare(here)
    assert tables.data_table(prepared)["skipped"].sum() == 1
    assert "channels" in tables.notes_table(prepared)["note"].item(), "and what was done to a file is said"
    with pytest.raises(AudioError, match=r"broken\.wav"):
        Session(replace(here, on_bad_file="stop")).run()


def test_within_one_corpus_there_is_no_source(parameters):
    alone = replace(
        parameters,
        sources=(),
        methods=("svm-target-speaker-z",),
        baseline="svm-target-speaker-z",
        protocol="loso",
    )
    outcome = Session(alone).run()
    assert outcome.summary["transductive"].item() and outcome.summary["n_folds"].item() == 4
    assert "no source -> far" in outcome.headline
    with pytest.raises(ParameterError, match="rf-source, rf-source-z need a source"):
        replace(parameters, sources=())


def test_a_method_that_no_fold_allows_is_listed_and_the_others_run(parameters):
    """There is no class for neutral speech among low and high arousal."""
    outcome = Session(
        replace(parameters, scheme="arousal", protocol="k-shot", shots=2, methods=("rf-neutral", "rf-target"))
    ).run()
    assert outcome.summary["method"].tolist() == ["rf-target"]
    skipped = tables.skipped_table(outcome)
    assert skipped["method"].tolist() == ["rf-neutral"] and skipped["n"].tolist() == [5]
    assert outcome.comparison.empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scheme": "five"}, "'scheme': 'five' is none of four"),
        ({"methods": ("rf",)}, "'methods': 'rf' is none of majority"),
        ({"baseline": "rf-pooled"}, "'baseline': 'rf-pooled' is none of majority"),
        ({"protocol": "lopo"}, "'protocol'"),
        ({"preset": "fast"}, "'preset'"),
        ({"features": "is09"}, "'features'"),
        ({"on_bad_file": "ignore"}, "'on_bad_file'"),
        ({"shots": "5"}, "'shots': '5' is not of type int"),
        ({"seeds": (True,)}, "'seeds': True is not of type int"),
        ({"seeds": ()}, "at least one entry"),
        ({"jobs": 0}, "start at 1"),
    ],
)
def test_parameters_are_checked(parameters, change, message):
    with pytest.raises(ParameterError, match=message):
        replace(parameters, **change)


def test_errors_reach_the_caller(parameters):
    with pytest.raises(CorpusError, match="unknown corpus 'elsewhere'"):
        Session(replace(parameters, target="elsewhere")).run()
    with pytest.raises(ProtocolError, match="target and source at once"):
        Session(replace(parameters, sources=("far",))).run()
    with pytest.raises(CorpusError, match="not installed"):
        Session(replace(parameters, sources=("emovo",))).run()


def test_groups_of_methods_and_digests(parameters):
    paper = replace(parameters, methods=("andova-lustrek",))
    assert paper.methods == papers.get("andova-lustrek").methods
    assert json.loads(json.dumps(paper.as_dict()))["methods"] == list(paper.methods)
    assert replace(parameters, jobs=2, data="").digest() == parameters.digest(), "where and how fast"
    assert replace(parameters, seeds=(3,)).digest() != parameters.digest()
    names = {**parameters.as_dict(), "something_else": 1}
    assert experiment.Parameters.from_names(names) == parameters


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


# --- adaptation: classes, inputs, libraries and weights ------------------------


def installed(small_corpora, root, keep: dict[str, tuple[str, ...]]) -> str:
    """The small corpora with some of their emotions: a data root."""
    for name, emotions in keep.items():
        table = pd.read_csv(small_corpora / name / "corpus.csv")
        (root / name).mkdir()
        (root / name / "audio").symlink_to(small_corpora / name / "audio")
        table[table["label"].isin(emotions)].to_csv(root / name / "corpus.csv", index=False)
    return str(root)


def test_shared_classes_are_those_of_every_corpus(parameters, small_corpora, tmp_path):
    keep = {"near": ("anger", "neutral", "sadness"), "far": ("anger", "joy", "neutral", "sadness")}
    here = replace(parameters, data=installed(small_corpora, tmp_path, keep))
    prepared = experiment.prepare(replace(here, label_sets="shared"))
    assert list(prepared.utterances["emotion"].cat.categories) == ["neutral", "anger", "sadness"]
    assert prepared.utterances["corpus"].value_counts().to_dict() == {"near": 24, "far": 24}
    assert prepared.utterances["emotion"].notna().all() and len(prepared.X) == 48
    assert prepared.left_out.to_dict() == {("far", "joy"): 8}, "what is left out is counted"
    assert tables.data_table(prepared)["used"].sum() == 48
    of_scheme = experiment.prepare(here)
    assert len(of_scheme.utterances) == 56 and len(of_scheme.utterances["emotion"].cat.categories) == 4
    outcome = Session(replace(here, label_sets="shared", methods=("rf-source",), seeds=(0,))).run()
    assert outcome.chance == pytest.approx(1 / 3)
    assert [column for column in outcome.predictions if column.startswith("p_")] == [
        "p_neutral", "p_anger", "p_sadness",
    ]  # fmt: skip


def test_fewer_than_two_shared_classes_are_refused(parameters, small_corpora, tmp_path):
    keep = {"near": ("anger", "sadness"), "far": ("anger", "joy")}
    here = replace(parameters, data=installed(small_corpora, tmp_path, keep), label_sets="shared")
    with pytest.raises(ProtocolError, match=r"far, near share 1 class\(es\), two are needed; choose another"):
        experiment.prepare(here)


def test_a_method_with_features_of_its_own_gets_them(parameters, monkeypatch):
    seen = []

    class Spy(Majority):
        def fit(self, *, source):
            seen.append(source.X.shape)
            self.winner = 0
            return self

    def build(*, n_classes, **_):
        return Spy(n_classes)

    spy = MethodSpec(
        name="spy", title="Spy", access="none", normalization="none", input="frames", features="logmel26",
        build=build, stochastic=False,
    )  # fmt: skip
    monkeypatch.setitem(methods.METHODS, "spy", spy)
    here = replace(parameters, methods=("spy", "rf-source"), seeds=(0,), seconds=0.5, augment=("noise-20",))
    outcome = Session(here).run()
    (shape,) = seen
    assert shape[0] == 2 * 32 and shape[2] == 26, "with the augmented copies"
    assert shape[1] <= 51, "and no longer than was asked for"
    used = outcome.results.set_index("method")["features"].to_dict()
    assert used == {"spy": "logmel26", "rf-source": "librosa"}
    plain = Session(replace(here, methods=("rf-source",))).run()
    own = outcome.predictions[outcome.predictions["method"] == "rf-source"].reset_index(drop=True)
    columns = own.columns.drop("run")
    pd.testing.assert_frame_equal(own[columns], plain.predictions[columns])


def test_a_missing_library_is_named_with_what_to_install(parameters, monkeypatch):
    monkeypatch.setattr(methods.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"'svm-tca' needs the library skada: pip install 'serlab\[adap"):
        replace(parameters, methods=("svm-tca",))


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


@pytest.mark.parametrize("value", [-1.0, float("nan"), "1", True])
def test_a_trade_off_below_zero_is_refused(parameters, value):
    with pytest.raises(ParameterError, match=r"trade-off|'trade_off'"):
        parameters.with_values(trade_off=value)


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


# --- pretrained encoders and acoustic models -----------------------------------


def test_methods_are_fed_the_features_of_the_encoder(parameters, tiny_encoder):
    pytest.importorskip("transformers", reason="the optional extra encoders is not installed")
    chosen = parameters.with_values(encoder="whisper")
    used = {
        name: chosen.features_of(methods.get(name))
        for name in ("probe-source", "layer2-source", "top-source", "tdnn-frozen-source", "rf-source")
    }
    assert used == {
        "probe-source": "encoder-speech:whisper",
        "layer2-source": "encoder-speech:whisper",
        "top-source": "encoder-frames:whisper@1",  # of three layers the upper two learn
        "tdnn-frozen-source": "mfcc40",
        "rf-source": "librosa",
    }
    assert chosen.digest() != parameters.digest()
    assert chosen.with_values(acoustic_model="mine").digest() != chosen.digest()


@pytest.mark.parametrize(
    ("encoder", "message"),
    [("", "'encoder' is empty: name the folder"), ("elsewhere", r"elsewhere.*SERLAB_MODELS")],
)
def test_a_missing_encoder_is_told_of_before_anything_is_computed(parameters, encoder, message):
    pytest.importorskip("transformers", reason="the optional extra encoders is not installed")
    for name in ("probe-source", "layer2-source", "encoder-mmd", "top-source"):
        with pytest.raises(ParameterError, match=message):
            parameters.with_values(methods=(name,), encoder=encoder)


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
    ).run()  # fmt: skip
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


def test_the_second_layer_alone_is_what_layer2_sees():
    names = [
        f"layer{layer}.{what}.{i:03d}" for layer in (1, 2, 12) for what in ("mean", "sd") for i in (0, 1)
    ]
    X = pd.DataFrame(np.zeros((3, len(names))), columns=names)
    chosen = encoder_methods.chosen_columns(methods.get("layer2-source").features, X)
    assert list(chosen) == ["layer2.mean.000", "layer2.mean.001", "layer2.sd.000", "layer2.sd.001"]
    assert encoder_methods.chosen_columns(methods.get("probe-source").features, X) is X
