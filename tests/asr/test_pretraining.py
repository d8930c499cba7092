"""Pretraining learns the syllables of synthetic languages, of speakers that it has not heard."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from serlab import cli, features
from serlab.asr import acoustic_model, graphs, transcripts
from serlab.asr.acoustic_model import AcousticModel
from serlab.asr.ivectors import UBM, IVectorExtractor
from serlab.asr.pretraining import pretrain
from serlab.asr.settings import PRESETS
from serlab.asr.units import characters
from serlab.corpora import synthetic
from serlab.errors import Cancelled, CorpusError, ParameterError, ProtocolError, SerlabError, TrainingError
from serlab.models.tdnn import TDNN, Architecture, TDNNLayer

TINY = Architecture(
    (TDNNLayer(48, 0), TDNNLayer(48, 1, None, 3), TDNNLayer(48, 3, 24), TDNNLayer(48, 3, 24)), 48
)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    table = synthetic.make_corpus(
        name="spoken", language="x-b", n_speakers=6, n_utterances=120, seed=5,
        folder=tmp_path_factory.mktemp("spoken") / "audio",
    )  # fmt: skip
    return transcripts.of_corpus(table)


@pytest.fixture(scope="module")
def few(spoken):
    """Two utterances of each of three speakers."""
    return spoken.groupby("speaker", sort=False).head(2).iloc[:6]


def tiny(table, **options):
    chosen = {"architecture": TINY, "batch_size": 8, "learning_rate": 5e-3, "held_out_speakers": 1}
    return pretrain(table, **{**chosen, "ivectors": False, **options})


def model(*, with_ivectors=True, loss="ctc"):
    """Small, not trained."""
    rng = np.random.default_rng(0)
    units = characters(["a b c"])
    n_inputs, rank = 5, 2 * with_ivectors
    ubm = UBM(weights=np.full(2, 0.5), means=rng.normal(size=(2, n_inputs)), variances=np.ones((2, n_inputs)))
    extractor = IVectorExtractor(
        ubm=ubm, means=ubm.means, factors=rng.normal(size=(2, n_inputs, 2)), frame_weight=1.0,
        log_likelihood=np.zeros(1),
    )  # fmt: skip
    torch.manual_seed(0)
    n_outputs = len(units) + 1 if loss == "ctc" else graphs.Topology(len(units)).n_pdfs
    return AcousticModel(
        tdnn=TDNN(n_inputs + rank, n_outputs, layers=TINY.layers, prefinal=7).eval(),
        ivectors=extractor if with_ivectors else None,
        units=units,
        loss=loss,
        centre=rng.normal(size=n_inputs + rank).astype(np.float32),
        scale=rng.uniform(1, 2, size=n_inputs + rank).astype(np.float32),
        ngram=None if loss == "ctc" else graphs.estimate_ngram([(1, 2), (3,)], n_units=len(units)),
        settings={"ivector_window": None},
        provenance={"scope": "a test"},
    )


def sequences(n=3, t=30):
    X = np.random.default_rng(1).normal(size=(n, t, 5)).astype(np.float32)
    X[1, 20:] = np.nan
    return X


def test_learns_syllables_of_new_speakers(spoken):
    told = []
    learned = tiny(spoken, epochs=10, learning_rate=8e-3, progress=lambda *what: told.append(what))
    made = learned.provenance
    assert made["error_rates"]["characters"] < 0.6 * made["error_rates_of_commonest_answer"]["characters"]
    assert len(made["history"]) == 10
    assert told[-1][:2] == (10, 10)
    # Nothing of the held-out speaker is trained on.
    assert set(made["held_out_speakers"]).isdisjoint(made["training_speakers"])
    assert (made["training_utterances"], made["held_out_utterances"]) == (100, 20)
    assert len(set(made["training_audio"])) == 100
    assert list(made["error_rates_by_speaker"]) == made["held_out_speakers"]
    assert made["scope"].startswith("mechanism demo: 5 different texts")
    assert made["held_out_texts_seen_in_training"] == 1
    table = acoustic_model.error_table(learned)
    assert table.index.tolist()[-2:] == ["all held-out speakers", "commonest answer"]


def test_lf_mmi_with_ivectors_is_saved_and_transcribes_alike(few, tmp_path):
    learned = tiny(few, loss="lf-mmi", ivectors=True, n_components=2, rank=2, epochs=2)
    assert np.isfinite([row["loss"] for row in learned.provenance["history"]]).all()
    learned.save(tmp_path / "model")
    loaded = acoustic_model.load(tmp_path / "model")
    X = features.extract(few, features="mfcc40", seconds=None).X.values
    assert loaded.transcribe(X) == learned.transcribe(X)
    assert loaded.digest == learned.digest and loaded.provenance == learned.provenance
    assert learned.inputs(X).shape == (6, X.shape[1], 42)
    assert "lf-mmi" in loaded.describe().values()


def test_the_papers_settings_train_on_copies_with_a_branch_that_is_thrown_away(few, tmp_path):
    chosen = PRESETS["paper"].with_values(
        architecture=TINY, subsampling=0, n_components=2, rank=2, epochs=2, batch_size=4, speed=(0.9,)
    )
    learned = pretrain(few, settings=chosen, held_out_speakers=1)
    made = learned.provenance
    assert (made["training_utterances"], made["held_out_utterances"]) == (4, 2), "copies are not counted"
    assert len(set(made["training_audio"])) == 4
    assert np.isfinite([row["loss"] for row in made["history"]]).all()
    assert not [name for name in learned.tdnn.state_dict() if "branch" in name]
    learned.save(tmp_path / "model")
    settings = acoustic_model.load(tmp_path / "model").settings
    kept = {name: settings[name] for name in ("speed", "volume", "leaky", "cross_entropy", "subsampling")}
    assert kept == {
        "speed": [0.9], "volume": [0.125, 2.0], "leaky": 0.1, "cross_entropy": 0.1, "subsampling": 3
    }  # fmt: skip
    for changed in ({"speed": ()}, {"volume": ()}, {"leaky": 1e-5}, {"cross_entropy": 0.0}):
        other = pretrain(few, settings=chosen.with_values(**changed), held_out_speakers=1)
        assert other.digest != learned.digest, changed


def test_inputs_are_standardised_over_all_training_speech(few):
    learned = tiny(few, epochs=1)
    training = few[~few["speaker"].isin(learned.provenance["held_out_speakers"])]
    X = features.extract(training, features="mfcc40", seconds=None).X.values
    inputs = learned.inputs(X)[~np.isnan(X[:, :, 0])].astype(float)
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(inputs.std(axis=0), 1, atol=1e-3)


def test_a_cancelled_training_goes_on_where_it_was(few, tmp_path):
    whole = tiny(few, epochs=3)
    cancel = threading.Event()

    def stop(done, total, text):
        if text.startswith("epoch 2"):
            cancel.set()

    with pytest.raises(Cancelled):
        tiny(few, epochs=3, checkpoints=tmp_path, progress=stop, cancel=cancel)
    epochs = []
    resumed = tiny(
        few, epochs=3, checkpoints=tmp_path, progress=lambda done, total, text: epochs.append(text)
    )
    # Told first where it goes on, as every training is; trained is the third alone.
    assert [text[:7] for text in epochs if text.startswith("epoch")] == ["epoch 2", "epoch 3"]
    assert resumed.provenance["history"] == whole.provenance["history"]
    assert resumed.digest == whole.digest


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "mmi"}, ParameterError, "known: ctc, lf-mmi"),
        ({"architecture": "huge"}, ParameterError, "unknown architecture"),
        ({"batch_size": 1}, ParameterError, "batch_size is 1; choose 2 or more"),
        ({"held_out_speakers": 3}, ProtocolError, "3 speakers cannot be held out of 3"),
        ({"held_out_speakers": ["anna"]}, ProtocolError, "'anna'"),
        ({"units": characters(["xyz"])}, CorpusError, "is not among the 4 units"),
    ],
)
def test_bad_options_are_named_before_anything_is_computed(few, options, error, message):
    with pytest.raises(error, match=message):
        tiny(few, epochs=1, **options)


def test_audio_too_short_for_its_text_is_left_out_and_counted(few):
    long = few.assign(text=[" ".join(["aaa"] * 40), *few["text"][1:]])
    held_out = [few["speaker"].iloc[-1]]
    learned = tiny(long, epochs=1, held_out_speakers=held_out)
    assert learned.provenance["left_out"] == {"too short for the transcript": 1}
    assert learned.provenance["training_utterances"] == 3
    with pytest.raises(TrainingError, match="6 are not; check that audio and text belong together"):
        tiny(few.assign(text=" ".join(["aaa"] * 40)), epochs=1)


def test_a_loss_that_is_no_number_is_named_with_its_epoch(few):
    with pytest.raises(TrainingError, match=r"the loss became (nan|inf) in epoch \d, at spoken/.*1e\+30"):
        tiny(few, epochs=3, learning_rate=1e30)


def test_untrained_has_the_same_inputs_and_other_weights():
    trained, X = model(), sequences()
    control = trained.untrained(3, X)
    np.testing.assert_array_equal(control.inputs(X), trained.inputs(X))
    assert control.digest == trained.untrained(3, X).digest
    assert len({control.digest, trained.digest, trained.untrained(4, X).digest}) == 3
    assert control.provenance["control of"] == trained.digest and not control.tdnn.training
    # Its batch normalisation is that of X: outputs of a common size.
    H = control.tdnn.frames_at(torch.from_numpy(control.inputs(X)), "tdnn1")
    np.testing.assert_allclose(H[~H.isnan().any(dim=2)].mean(dim=0).detach(), 0, atol=1e-4)


def test_inputs_by_hand():
    trained, X = model(), sequences()
    appended = trained.ivectors.append(X)
    np.testing.assert_allclose(trained.inputs(X), (appended - trained.centre) / trained.scale, rtol=1e-5)
    plain = model(with_ivectors=False)
    np.testing.assert_allclose(plain.inputs(X), (X - plain.centre) / plain.scale, rtol=1e-5)
    with pytest.raises(ParameterError, match="takes 5; extract the feature set 'mfcc40'"):
        plain.inputs(X[:, :, :4])


@pytest.mark.parametrize("loss", ["ctc", "lf-mmi"])
@pytest.mark.parametrize("with_ivectors", [False, True])
def test_saved_and_loaded_it_is_the_same(tmp_path, loss, with_ivectors):
    made, X = model(with_ivectors=with_ivectors, loss=loss), sequences()
    made.save(tmp_path / "deep" / "model")
    loaded = acoustic_model.load(tmp_path / "deep" / "model")
    torch.testing.assert_close(
        loaded.tdnn(torch.from_numpy(loaded.inputs(X))), made.tdnn(torch.from_numpy(made.inputs(X))),
        rtol=0, atol=0, equal_nan=True,
    )  # fmt: skip
    assert (loaded.units, loaded.loss, loaded.settings) == (made.units, made.loss, made.settings)
    assert loaded.transcribe(X) == made.transcribe(X)
    made.save(tmp_path / "deep" / "model")  # replaced
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model"]


def test_other_and_damaged_folders_are_named(tmp_path):
    folder = tmp_path / "model"
    model().save(folder)
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + b"x")
    with pytest.raises(ParameterError, match=r"model.safetensors is not the file that was saved"):
        acoustic_model.load(folder)
    weights.unlink()
    with pytest.raises(ParameterError, match=r"model.safetensors is missing"):
        acoustic_model.load(folder)
    with pytest.raises(ParameterError, match=r"no acoustic model: there is no config.json"):
        acoustic_model.load(tmp_path / "nowhere")
    (folder / "config.json").write_text('{"model_type": "whisper"}')
    with pytest.raises(ParameterError, match=r"says 'whisper'.*serlab.pretrained.encoders"):
        acoustic_model.load(folder)
    with pytest.raises(ParameterError, match="choose an empty or a new folder"):
        model().save(folder)


def test_a_failed_save_leaves_nothing(tmp_path):
    broken = replace(model(), provenance={"not JSON": object()})
    with pytest.raises(TypeError):
        broken.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_command_line(few, tmp_path, capsys):
    lines = ["file,text,speaker", *(f"{r.path},{r.text},{r.speaker[-1]}" for r in few.itertuples())]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "transcripts.csv").write_text("\n".join(lines), "utf-8")
    model_folder = tmp_path / "model"
    command = ["pretrain", str(model_folder), "--folder", str(tmp_path / "mine"), "--architecture", "demo"]
    assert cli.main([*command, "--no-ivectors", "--epochs", "1"]) == 0
    printed = capsys.readouterr().out
    assert "receptive field" in printed and "55" in printed and "commonest answer" in printed
    assert acoustic_model.load(model_folder).settings["architecture"] == "demo"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "model"]
    assert cli.main(command) == 2
    assert cli.main(["pretrain", str(tmp_path / "other")]) == 2
    assert "--force" in (printed := capsys.readouterr().err) and "nothing to learn from" in printed


def test_ivectors_that_cannot_be_trained_are_named(few):
    with pytest.raises(SerlabError, match="rank is 100"):
        tiny(few, ivectors=True, epochs=1)
