"""Speaker encoder: its preprocessing by hand, foreign folders, and the real one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from serlab import audio, corpora, features
from serlab.errors import AudioError, ParameterError
from serlab.evaluation.verification import equal_error_rate
from serlab.features.speaker_encoder import SPEECH_DB, louder, speaker_encoder, speech_only, starts_of_pieces

RATE = 16_000
CONFIG = {
    "model_type": "speaker-encoder",
    "architecture": ["LSTM", "Linear", "ReLU", "L2Norm"],
    "lstm": {"input_size": 40, "hidden_size": 8, "num_layers": 2},
    "linear": {"in_features": 8, "out_features": 6},
    "embedding_size": 6,
    "features": {
        "sampling_rate": RATE, "n_fft": 400, "win_length": 400, "hop_length": 160, "n_mels": 40,
        "window": "hann", "power": 2.0, "log": False, "fmin": 0.0, "fmax": 8000.0, "mel_scale": "slaney",
        "mel_norm": "slaney", "center": True,
    },
    "utterance": {"partial_frames": 160, "partials_per_second": 1.3, "min_coverage": 0.75},
    "preprocessing": {
        "target_dbfs": -30, "increase_only": True, "vad_window_ms": 30, "vad_moving_average_width": 8,
        "vad_max_silence_windows": 6,
    },
}  # fmt: skip


def noise(seconds: float, *, level: float = 0.1, seed: int = 0) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


def network() -> torch.nn.ModuleDict:
    torch.manual_seed(0)
    return torch.nn.ModuleDict(
        {"lstm": torch.nn.LSTM(40, 8, 2, batch_first=True), "linear": torch.nn.Linear(8, 6)}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small untrained encoder."""
    path = tmp_path / "models" / "tiny"
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(CONFIG))
    save_file(network().state_dict(), path / "model.safetensors")
    return path


def by_hand(samples: np.ndarray, modules: torch.nn.ModuleDict, starts: list[int]) -> np.ndarray:
    """Mean of pieces of 160 frames; samples are loud enough and without silence, zeros follow them."""
    padded = np.pad(samples.astype(float), (200, 25_600))
    window = np.hanning(401)[:400]
    frames = np.stack([padded[i : i + 400] * window for i in range(0, len(padded) - 400, 160)])
    mel = np.abs(np.fft.rfft(frames)) ** 2 @ librosa.filters.mel(sr=RATE, n_fft=400, n_mels=40).T
    pieces = torch.from_numpy(np.stack([mel[i : i + 160] for i in starts])).float()
    with torch.inference_mode():
        hidden = modules["lstm"](pieces)[1][0][-1]
        mean = torch.nn.functional.normalize(modules["linear"](hidden).relu()).mean(dim=0).numpy()
    return mean / np.linalg.norm(mean)


def test_embedding_is_that_of_the_network_on_mel_bands(folder):
    samples = noise(3.6)  # whole windows of 30 ms, no silence
    found = speaker_encoder(folder).extract(samples)
    assert found.shape == (6,) and found.dtype == np.float32
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)
    assert np.allclose(found, by_hand(samples, network(), [0, 77, 154, 231]), atol=1e-5)


def test_feature_set_says_which_weights_it_uses(folder):
    chosen = speaker_encoder("tiny", root=folder.parent)
    assert chosen.name == "speaker-encoder:tiny" and chosen.kind == "vectors" and len(chosen.names) == 6
    assert (
        chosen.settings["sha256"] == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    )
    weights = {name: value + 1 for name, value in network().state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    assert speaker_encoder("tiny", root=folder.parent).digest != chosen.digest


def test_is_found_by_name(folder, monkeypatch):
    monkeypatch.setenv("SERLAB_MODELS", str(folder.parent))
    found = features.get("speaker-encoder:tiny")
    assert found.name == "speaker-encoder:tiny"
    assert found.digest == speaker_encoder("tiny").digest
    with pytest.raises(ParameterError, match="no speaker encoder 'other'"):
        features.get("speaker-encoder:other")


def test_repetition_changes_nothing(folder):
    chosen, samples = speaker_encoder(folder), noise(1.0)
    before = samples.copy()
    assert np.array_equal(chosen.extract(samples), chosen.extract(samples))
    assert np.array_equal(samples, before)
    assert np.isfinite(chosen.extract(noise(0.1))).all()  # shorter than a piece: padded


def test_quiet_speech_is_raised_and_loud_speech_kept():
    raised = louder(noise(1.0, level=0.001), dbfs=-30)
    assert 10 * np.log10((raised**2).mean()) == pytest.approx(-30, abs=1e-3)
    assert np.array_equal(louder(noise(1.0, level=0.2), dbfs=-30), noise(1.0, level=0.2))
    assert raised.dtype == np.float32


def test_long_silences_are_cut_and_short_pauses_kept():
    window = 480

    def speech(*parts: tuple[str, int]) -> np.ndarray:
        """Parts of so many windows, "loud" or "quiet"."""
        level = {"loud": 0.1, "quiet": 0.1 * 10 ** (-(SPEECH_DB + 10) / 20)}
        made = [noise(n * window / RATE, level=level[kind], seed=i) for i, (kind, n) in enumerate(parts)]
        return np.concatenate(made)

    def kept(samples: np.ndarray) -> float:
        return len(speech_only(samples, window=window, average=8, silence=6)) / window

    assert kept(speech(("loud", 40))) == 40
    # Around 20 windows of speech the average keeps about as many, the dilation 3 on each side.
    assert kept(speech(("quiet", 50), ("loud", 20), ("quiet", 50))) == pytest.approx(26, abs=2)
    assert kept(speech(("loud", 20), ("quiet", 4), ("loud", 20))) == 44
    assert kept(speech(("loud", 20), ("quiet", 60), ("loud", 20))) == pytest.approx(46, abs=2)
    assert kept(np.concatenate([speech(("loud", 10)), np.zeros(17, np.float32)])) == 10  # the rest is dropped
    assert len(speech_only(noise(0.02), window=window, average=8, silence=6)) == 320


@pytest.mark.parametrize(
    ("seconds", "starts"),
    [(0.5, [0]), (1.6, [0]), (1.7, [0]), (2.0, [0, 77]), (2.37, [0, 77]), (4.0, [0, 77, 154, 231])],
)
def test_pieces_cover_the_utterance(seconds, starts):
    """The last piece must hold 1.2 s of speech: it begins 0.77 s after the one before."""
    known = {"hop": 160, "size": 160, "step": 77, "coverage": 0.75}
    assert starts_of_pieces(round(seconds * RATE), **known) == starts


def test_digital_silence_is_refused(folder):
    with pytest.raises(AudioError, match="digital silence has no voice"):
        speaker_encoder(folder).extract(np.zeros(RATE, np.float32))


def test_folders_that_cannot_be_used(folder):
    with pytest.raises(ParameterError, match=r"no speaker encoder 'other'.*SERLAB_MODELS"):
        speaker_encoder("other", root=folder.parent)
    config = folder / "config.json"
    for change, message in (
        ({"model_type": "whisper"}, "of type 'whisper', not a speaker-encoder"),
        ({"architecture": ["GRU"]}, r"architecture is \['GRU'\], and only"),
        ({"features": {**CONFIG["features"], "log": True}}, "features is .*'log': True"),
    ):
        config.write_text(json.dumps(CONFIG | change))
        with pytest.raises(ParameterError, match=message):
            speaker_encoder(folder)
    config.write_text("{")
    with pytest.raises(ParameterError, match="cannot be read as JSON"):
        speaker_encoder(folder)
    config.unlink()
    with pytest.raises(ParameterError, match=r"config\.json is missing"):
        speaker_encoder(folder)


def test_weights_that_cannot_be_used(folder):
    weights = folder / "model.safetensors"
    save_file({"linear.weight": torch.ones(6, 8)}, weights)
    with pytest.raises(ParameterError, match="is damaged, or does not fit"):
        speaker_encoder(folder).load_library()
    weights.write_bytes(b"\0" * 20)
    with pytest.raises(ParameterError, match="is damaged, or does not fit"):
        speaker_encoder(folder).load_library()
    weights.rename(folder / "pretrained.pt")
    with pytest.raises(ParameterError, match=r"model\.safetensors is missing.*pickled weights are not read"):
        speaker_encoder(folder)


@pytest.mark.shared
def test_real_encoder_on_ravdess(shared, tmp_path):
    """Against the network of the model's README, and what it reports for neutral and calm speech."""
    path = shared / "models" / "speaker-encoder"
    chosen = speaker_encoder(path)
    assert chosen.settings["sha256"].startswith("d7c758d7cea0")
    table = corpora.get("ravdess").read(shared / "corpora")
    calm = table[table["native_label"].isin(["01", "02"])]
    some = calm[calm["speaker"].isin(sorted(calm["speaker"].unique())[:5])].groupby("speaker").head(6)
    made = features.extract(some, features=chosen, cache=tmp_path, jobs=1)
    assert made.X.shape == (30, 256) and (made.X >= 0).all(axis=None)
    assert equal_error_rate(made.X.to_numpy(), some["speaker"].to_numpy()).rate < 0.15

    modules = torch.nn.ModuleDict(
        {"lstm": torch.nn.LSTM(40, 256, 3, batch_first=True), "linear": torch.nn.Linear(256, 256)}
    )
    modules.load_state_dict(load_file(path / "model.safetensors"))
    samples = audio.load(some["path"].iloc[0]).samples
    before = louder(samples, dbfs=-30)
    speech = speech_only(before, window=480, average=8, silence=6)
    starts = starts_of_pieces(len(speech), hop=160, size=160, step=77, coverage=0.75)
    assert np.allclose(made.X.iloc[0], by_hand(speech, modules, starts), atol=1e-4)
