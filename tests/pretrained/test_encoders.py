"""Pretrained encoders: the layers of transformers' own models, found, refused, cached."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from serlab import audio, extras, features, methods
from serlab.cli import main
from serlab.errors import ParameterError
from serlab.features.encoder import encoder, frames, speech_frames
from serlab.pretrained import conversion, encoders, fronts
from serlab.samples import Labelled
from serlab.training import PLAIN
from tests import tiny_encoders
from tests.tiny_encoders import N_LAYERS, WIDTH, transformers, voice

safetensors = pytest.importorskip("safetensors.torch")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    for name in tiny_encoders.NAMES:
        tiny_encoders.save(name, root)
    return root


@pytest.fixture(autouse=True)
def here(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERLAB_MODELS", str(models))


def theirs(folder: Path, samples: np.ndarray) -> list[np.ndarray]:
    """All layers as transformers gives them; Whisper's padded to 30 s."""
    prepare = transformers.AutoFeatureExtractor.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    if model.config.model_type == "whisper":
        model = model.encoder
    inputs = prepare(samples, sampling_rate=16_000, return_tensors="pt")
    name = "input_features" if "input_features" in inputs else "input_values"
    seen = {"attention_mask": inputs["attention_mask"]} if folder.name == "w2v-bert" else {}
    with torch.no_grad():
        found = model(**{name: inputs[name]}, **seen, output_hidden_states=True)
    layers = [layer[0].numpy() for layer in found.hidden_states]
    return [*layers[:-1], found.last_hidden_state[0].numpy()]


def ours(name: str | Path, samples: np.ndarray) -> list[np.ndarray]:
    return encoders.load(encoders.look(name)).layers(samples)


# --- layers ------------------------------------------------------------------


@pytest.mark.parametrize("name", tiny_encoders.WAV2VEC2_LIKE)
def test_layers_are_those_of_transformers(name, models):
    samples = voice(1.234)
    found, expected = ours(name, samples), theirs(models / name, samples)
    assert len(found) == len(expected) == N_LAYERS + 1
    for mine, other in zip(found, expected, strict=True):
        assert mine.shape == (61, WIDTH) and mine.dtype == np.float32
        np.testing.assert_allclose(mine, other, atol=2e-6)


@pytest.mark.parametrize("n_samples", [560, 19_760, 19_920, 20_079])
def test_w2v_bert_is_that_of_transformers_but_for_half_a_frame_at_the_end(n_samples, models):
    """What is padded to a whole frame there is masked, and no frame sees it."""
    samples = voice(n_samples / 16_000)
    for mine, other in zip(ours("w2v-bert", samples), theirs(models / "w2v-bert", samples), strict=True):
        assert mine.shape == ((n_samples - 240) // 320, WIDTH)
        np.testing.assert_allclose(mine, other[: len(mine)], atol=5e-6)


def test_emotion2vec_gives_what_the_network_of_its_makers_gives():
    """Numbers of FunASR's code with these weights; of four other small models both agreed to 2e-5."""
    time = np.arange(4000) / 16_000
    layers = ours("emotion2vec", (0.1 * np.sin(2 * np.pi * (200 + 400 * time) * time)).astype(np.float32))
    assert {layer.shape for layer in layers} == {(12, WIDTH)} and len(layers) == N_LAYERS + 1
    np.testing.assert_allclose(layers[-1][0, :4], [0.5254, -0.61523, 1.14648, 0.49985], atol=3e-5)
    np.testing.assert_allclose(layers[-1][-1, -4:], [-1.73644, 0.28954, -0.33023, -0.80975], atol=3e-5)
    assert layers[-1].std(ddof=1) == pytest.approx(0.94375, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "seconds"), [("whisper", 30.0), ("whisper-asr", 29.985), ("whisper-v3", 30.0)]
)
def test_whisper_is_that_of_transformers_where_no_window_of_silence_is_left_out(name, seconds, models):
    samples = voice(seconds)
    for mine, other in zip(ours(name, samples), theirs(models / name, samples), strict=True):
        np.testing.assert_allclose(mine, other, atol=5e-6)


@pytest.mark.parametrize("n_samples", [1600, 16_000, 16_001, 16_319, 20_000])
def test_whisper_sees_the_frames_of_a_padded_window_before_any_attends_to_another(n_samples, models):
    samples = voice(n_samples / 16_000)
    mine, other = ours("whisper", samples)[0], theirs(models / "whisper", samples)[0]
    assert len(mine) == -(-n_samples // 320)
    np.testing.assert_allclose(mine, other[: len(mine)], atol=1e-6)


@pytest.mark.parametrize("name", ["whisper", "xls-r"])
def test_long_utterances_are_windows_of_equal_length_with_every_frame_once(name, monkeypatch):
    samples = voice(3.999)
    n_frames = len(ours(name, samples)[0])
    monkeypatch.setattr(fronts, "WINDOW", 70)
    found, ends = ours(name, samples), np.linspace(0, n_frames, 4).round().astype(int)
    assert {len(layer) for layer in found} == {n_frames} and np.diff(ends).max() == 67
    # Every window is an utterance of its own, of so many samples that it has its frames.
    model, shared = encoders.load(encoders.look(name)), 0 if name == "whisper" else 80
    if name == "xls-r":  # loudness is that of the whole utterance
        samples = (samples - samples.mean()) / samples.std()
        monkeypatch.setattr(model.front, "normalised", False)
    monkeypatch.setattr(fronts, "WINDOW", 10**6)
    windows = [model.layers(samples[a * 320 : b * 320 + shared]) for a, b in pairwise(ends)]
    for whole, *parts in zip(found, *windows, strict=True):
        np.testing.assert_allclose(whole, np.concatenate(parts), atol=1e-5)


def test_layers_above_the_last_wanted_are_not_computed(monkeypatch):
    model = encoders.load(encoders.look("hubert"))
    whole = model.layers(voice(0.5))
    monkeypatch.setattr(model.blocks.blocks[1], "forward", lambda *_, **__: pytest.fail("computed"))
    np.testing.assert_array_equal(model.layers(voice(0.5), up_to=1), whole[:2])


def test_loading_takes_no_random_numbers_and_wants_no_gradient():
    before = torch.random.get_rng_state()
    model = encoders.Encoder(encoders.look("wavlm"))
    assert torch.equal(before, torch.random.get_rng_state())
    assert not any(weight.requires_grad for weight in model.blocks.parameters())


def test_half_precision_weights_are_computed_with_in_single(models, tmp_path):
    folder = tiny_encoders.save("whisper", tmp_path)
    weights = safetensors.load_file(folder / encoders.WEIGHTS)
    safetensors.save_file({name: value.half() for name, value in weights.items()}, folder / encoders.WEIGHTS)
    found = ours(folder, voice(1.0))
    assert {layer.dtype for layer in found} == {np.dtype(np.float32)}
    np.testing.assert_allclose(found[-1], ours("whisper", voice(1.0))[-1], atol=0.02)


def test_weights_in_several_files(models, tmp_path):
    folder = tiny_encoders.save("hubert", tmp_path)
    weights = safetensors.load_file(folder / encoders.WEIGHTS)
    (folder / encoders.WEIGHTS).unlink()
    index = {name: f"part-{i % 2}.safetensors" for i, name in enumerate(weights)}
    for file in set(index.values()):
        safetensors.save_file({name: weights[name] for name in weights if index[name] == file}, folder / file)
    (folder / encoders.INDEX).write_text(json.dumps({"weight_map": index}))
    np.testing.assert_array_equal(ours(folder, voice(0.5)), ours("hubert", voice(0.5)))


# --- found and refused -------------------------------------------------------


def test_found_by_path_by_name_and_under_a_root(models, tmp_path, monkeypatch):
    assert encoders.find(models / "whisper") == encoders.find("whisper") == models / "whisper"
    monkeypatch.setenv("SERLAB_MODELS", "nowhere")
    assert encoders.find("whisper", root=models) == models / "whisper"
    monkeypatch.delenv("SERLAB_MODELS")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").symlink_to(models)
    assert encoders.find("whisper") == Path("models/whisper")


def test_an_unknown_name_lists_what_is_there():
    with pytest.raises(ParameterError, match=r"no encoder 'wisper'; there are emotion.*SERLAB_MODELS"):
        encoders.find("wisper")


def test_without_network_the_error_says_where_to_put_the_model(monkeypatch):
    def offline(name: str, **options: object) -> str:
        raise OSError("Name or service not known")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    with pytest.raises(ParameterError, match=r"'openai/whisper-tiny' \(Name or .*put the model's folder"):
        encoders.find("openai/whisper-tiny")


def test_a_hub_name_is_fetched_once_and_without_pickles(models, monkeypatch):
    asked = []

    def snapshot(name: str, *, allow_patterns: list[str], local_files_only: bool = False) -> str:
        asked.append(local_files_only)
        assert not any(pattern.endswith(".bin") for pattern in allow_patterns)
        if local_files_only and len(asked) == 1:
            raise FileNotFoundError("not in the cache")
        return str(models / "whisper")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    assert encoders.find("openai/whisper-tiny") == encoders.find("openai/whisper-tiny") == models / "whisper"
    assert asked == [True, False, True]


@pytest.mark.parametrize("file", [encoders.CONFIG, encoders.PREPROCESSOR, encoders.WEIGHTS])
def test_a_folder_with_a_missing_file(file, tmp_path):
    folder = tiny_encoders.save("hubert", tmp_path)
    (folder / file).unlink()
    with pytest.raises(ParameterError, match=f"has no {file}"):
        encoders.look(folder)


@pytest.mark.parametrize("name", ["hubert", "emotion2vec"])
def test_pickled_weights_are_refused_until_they_are_converted(name, models, tmp_path, capsys):
    folder = tmp_path / name
    folder.mkdir()
    if name == "emotion2vec":
        torch.save({"model": tiny_encoders.published_emotion2vec(), "epoch": 3}, folder / "model.pt")
    else:
        folder = tiny_encoders.save("hubert", tmp_path)
        weights = safetensors.load_file(folder / encoders.WEIGHTS)
        (folder / encoders.WEIGHTS).unlink()
        torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ParameterError, match=rf"as a pickle .*`serlab convert-encoder .*{name}`"):
        encoders.look(folder)
    assert main(["convert-encoder", str(folder)]) == 0
    assert f"{N_LAYERS} blocks of width {WIDTH}" in capsys.readouterr().out
    np.testing.assert_array_equal(ours(folder, voice(0.5)), ours(name, voice(0.5)))
    assert not any("decoder" in key for key in safetensors.load_file(folder / encoders.WEIGHTS))


class Program:
    """Asks whoever unpickles it to write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("content", ["program", "cut short", "no weights", "part of it"])
def test_what_cannot_be_converted(content, tmp_path):
    weights: dict = {"model": tiny_encoders.published_emotion2vec()}
    if content == "program":
        weights["cfg"] = Program(tmp_path / "written")
    elif content == "no weights":
        weights = {"epoch": 3}
    elif content == "part of it":
        del weights["model"]["modality_encoders.AUDIO.alibi_scale"]
    torch.save(weights, tmp_path / "model.pt")
    if content == "cut short":
        (tmp_path / "model.pt").write_bytes((tmp_path / "model.pt").read_bytes()[:5000])
    with pytest.raises(ParameterError, match=r"model\.pt|no emotion2vec"):
        conversion.convert(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt"}


def test_a_model_of_another_family(tmp_path):
    folder = tiny_encoders.save("hubert", tmp_path)
    (folder / encoders.CONFIG).write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ParameterError, match=r"family 'bert'.*Whisper"):
        encoders.look(folder)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"model_type": "whisper"}'])
def test_a_configuration_that_is_none(text, tmp_path):
    folder = tiny_encoders.save("hubert", tmp_path)
    (folder / encoders.CONFIG).write_text(text)
    with pytest.raises(ParameterError, match=r"config\.json"):
        encoders.look(folder)


def test_settings_of_the_input_that_cannot_be_read(tmp_path):
    folder = tiny_encoders.save("hubert", tmp_path)
    (folder / encoders.PREPROCESSOR).write_text("{")
    with pytest.raises(ParameterError, match=r"preprocessor_config\.json cannot be read"):
        encoders.load(encoders.look(folder))


def test_weights_that_are_cut_short_or_of_another_model(models, tmp_path):
    folder = tiny_encoders.save("hubert", tmp_path)
    whole = (folder / encoders.WEIGHTS).read_bytes()
    (folder / encoders.WEIGHTS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ParameterError, match="cut short"):
        encoders.load(encoders.look(folder))
    (folder / encoders.WEIGHTS).write_bytes((models / "whisper" / encoders.WEIGHTS).read_bytes())
    with pytest.raises(ParameterError, match="do not fit"):
        encoders.load(encoders.look(folder))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_told_of_before_any_audio_is(value, tmp_path):
    folder = tiny_encoders.save("whisper", tmp_path)
    weights = safetensors.load_file(folder / encoders.WEIGHTS)
    weights["encoder.layers.1.fc1.weight"][0, 0] = value
    safetensors.save_file(weights, folder / encoders.WEIGHTS)
    with pytest.raises(ParameterError, match=r"layers\.1\.fc1\.weight is not finite"):
        encoders.load(encoders.look(folder))


def test_weights_that_overflow_are_found_by_trying(tmp_path):
    folder = tiny_encoders.save("hubert", tmp_path)
    weights = safetensors.load_file(folder / encoders.WEIGHTS)
    safetensors.save_file(
        {key: value.fill_(1e38) for key, value in weights.items()}, folder / encoders.WEIGHTS
    )
    with pytest.raises(ParameterError, match="no finite numbers of an ordinary recording"):
        encoders.load(encoders.look(folder))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_hidden_layers", 10**9),
        ("hidden_size", "16"),
        ("conv_stride", [5, 2, 2, 2, 2, 2, 4]),
        ("conv_dim", 3),
    ],
)
def test_sizes_that_no_model_has(name, value, tmp_path):
    folder = tiny_encoders.save("hubert", tmp_path)
    config = json.loads((folder / encoders.CONFIG).read_text())
    (folder / encoders.CONFIG).write_text(json.dumps({**config, name: value}))
    with pytest.raises(ParameterError, match=r"config\.json.*(num_hidden|hidden_size|convolutions|conv_dim)"):
        encoders.look(folder)


def test_a_configuration_names_no_code(models, tmp_path):
    """Kernels of attention would be fetched from the hub, and run."""
    folder = tiny_encoders.save("wav2vec2", tmp_path)
    config = json.loads((folder / encoders.CONFIG).read_text())
    strange = {"_attn_implementation": "someone/kernels", "attn_implementation": "x", "num_labels": 10**9}
    (folder / encoders.CONFIG).write_text(json.dumps({**config, **strange, "auto_map": {"AutoModel": "x.Y"}}))
    np.testing.assert_array_equal(ours(folder, voice(0.5))[-1], ours("wav2vec2", voice(0.5))[-1])


def test_says_what_to_install(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"pip install 'serlab\[encoders\]'"):
        features.get("encoder:whisper")


# --- feature sets ------------------------------------------------------------


def test_vectors_are_mean_and_deviation_of_every_layer():
    samples, chosen = voice(0.7), features.get("encoder:wavlm")
    values = pd.Series(chosen.extract(samples), index=chosen.names)
    layers = ours("wavlm", samples)
    assert (chosen.name, chosen.kind, len(values)) == ("encoder:wavlm", "vectors", (N_LAYERS + 1) * 2 * WIDTH)
    assert values["layer2.mean.007"] == pytest.approx(layers[2][:, 7].mean(), abs=1e-6)
    assert values["layer0.sd.015"] == pytest.approx(layers[0][:, 15].std(), abs=1e-6)


@pytest.mark.parametrize("name", tiny_encoders.NAMES)
def test_every_family_from_its_folder_to_a_probe(name):
    """Voices and noise are told apart by a linear method on all layers."""
    chosen, rng = features.get(f"encoder-speech:{name}"), np.random.default_rng(0)
    y = np.repeat([0, 1], 4)
    signals = [voice(0.4, seed=i) if label else rng.normal(size=6400) * 0.1 for i, label in enumerate(y)]
    X = np.array([chosen.extract(np.asarray(samples, np.float32)) for samples in signals])
    assert X.shape == (8, (N_LAYERS + 1) * 2 * WIDTH)
    X = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-6)
    speaker = np.array([f"a/{i % 4}" for i in range(8)])
    probe = methods.get("probe-source").build(n_classes=2, seed=0, preset="demo", fitting=PLAIN, encoder=name)
    probe.fit(source=Labelled(X=X, corpus=np.full(8, "a"), speaker=speaker, y=y))
    assert (probe.predict_proba(X).argmax(axis=1) == y).sum() >= 7


def test_speech_frames_are_those_within_40_db_of_the_loudest():
    levels = np.array([0.0, 0.5, 0.006, 0.0051, 0.0049, 0.3])
    samples = np.repeat(levels, 320).astype(np.float32)[:-100]
    assert speech_frames(samples, 6).tolist() == [False, True, True, True, False, True]
    assert speech_frames(samples, 5).tolist() == [False, True, True, True, False]


@pytest.mark.parametrize("name", ["whisper", "xls-r"])
def test_silence_around_an_utterance_is_heard_but_not_pooled(name):
    silence = np.zeros(3200, np.float32)
    samples = np.concatenate([silence, voice(0.4), silence])
    found = features.get(f"encoder-speech:{name}").extract(samples)
    layers = ours(name, samples)
    spoken = [layer[10:30] for layer in layers]
    expected = np.concatenate([part for layer in spoken for part in (layer.mean(axis=0), layer.std(axis=0))])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert features.get(f"encoder-speech:{name}").digest != features.get(f"encoder:{name}").digest


def test_frames_are_one_layer_every_20_ms():
    chosen = features.get("encoder-frames:whisper@2")
    np.testing.assert_array_equal(chosen.extract(voice(0.7)), ours("whisper", voice(0.7))[2])
    assert (chosen.kind, chosen.frame_shift, chosen.names[3]) == ("frames", 0.02, "layer2.003")


@pytest.mark.parametrize("name", ["whisper", "whisper@", "@2", "whisper@9", "whisper@-1"])
def test_a_layer_that_is_not_there(name):
    with pytest.raises(ParameterError, match="layer"):
        features.get(f"encoder-frames:{name}")


def test_the_cache_belongs_to_the_weights_and_settings(models, tmp_path):
    folder = tiny_encoders.save("hubert", tmp_path)
    digests = [encoder("hubert", root=tmp_path).digest]
    assert digests[0] == encoder("hubert", root=models).digest != frames("hubert", 1, root=models).digest
    weights = safetensors.load_file(folder / encoders.WEIGHTS)
    safetensors.save_file({name: value + 1e-3 for name, value in weights.items()}, folder / encoders.WEIGHTS)
    digests.append(encoder("hubert", root=tmp_path).digest)
    settings = json.loads((folder / encoders.PREPROCESSOR).read_text())
    (folder / encoders.PREPROCESSOR).write_text(json.dumps({**settings, "do_normalize": True}))
    digests.append(encoder("hubert", root=tmp_path).digest)
    assert len(set(digests)) == 3


def test_many_threads_give_what_one_gives_and_leave_torch_as_it_was():
    chosen, signals = features.get("encoder:whisper"), [voice(0.3 + 0.05 * i, seed=i) for i in range(12)]
    before, alone = torch.get_num_threads(), [chosen.extract(samples) for samples in signals]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(chosen.extract, signals))
    np.testing.assert_array_equal(together, alone)
    assert torch.get_num_threads() == before
    seen = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [before]


def test_extracted_and_found_in_the_cache_by_the_path_of_a_model(models, tmp_path):
    soundfile.write(tmp_path / "a.wav", voice(0.5), 16_000)
    table = pd.DataFrame(
        {"path": str(tmp_path / "a.wav"), "start": np.nan, "end": np.nan},
        index=pd.Index(["a"], name="utterance"),
    )
    name = f"encoder:{models / 'whisper'}"
    first = features.extract(table, features=name, cache=tmp_path / "cache")
    again = features.extract(table, features=name, cache=tmp_path / "cache")
    assert (first.from_cache, again.from_cache) == (0, 1)
    pd.testing.assert_frame_equal(first.X, again.X)
    sets = [path.name for path in (tmp_path / "cache" / "features").glob("encoder*")]
    assert len(sets) == 1 and sets[0].endswith(f"whisper-{features.get(name).digest}")


# --- the real Whisper --------------------------------------------------------


@pytest.mark.shared
def test_whisper_tiny_against_its_padded_self(shared):
    """Exact before the first block; afterwards not far, as its docstring says."""
    folder = shared / "models" / "whisper-tiny.en"
    for path in sorted((shared / "corpora" / "ravdess").rglob("*-0[45]-0?-0?-01-*"))[:2]:
        samples = audio.load(path).samples
        found, expected = ours(folder, samples), theirs(folder, samples)
        np.testing.assert_allclose(found[0], expected[0][: len(found[0])], atol=1e-5)
        apart = [
            np.linalg.norm(mine - other[: len(mine)]) / np.linalg.norm(other[: len(mine)])
            for mine, other in zip(found[1:], expected[1:], strict=True)
        ]
        assert apart == sorted(apart) and apart[1] < 0.13 and 0.03 < apart[-1] < 0.35


@pytest.mark.shared
def test_whisper_tiny_of_a_minute_is_windowed(shared):
    folder = shared / "models" / "whisper-tiny.en"
    samples = voice(45.0)
    found = ours(folder, samples)
    assert {layer.shape for layer in found} == {(2250, 384)}
    np.testing.assert_array_equal(found[4][:1125], ours(folder, samples[: 1125 * 320])[4])
