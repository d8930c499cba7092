"""Pretrained encoders in miniature: random weights, saved as the hub lays models out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from serlab.pretrained import conversion

transformers = pytest.importorskip("transformers", reason="the optional extra encoders is not installed")

WIDTH, N_LAYERS = 16, 3
#: Name -> class that is saved, and its configuration.
WAV2VEC2_LIKE = {
    "wav2vec2": (transformers.Wav2Vec2Model, transformers.Wav2Vec2Config, {}),
    "wav2vec2-ctc": (transformers.Wav2Vec2ForCTC, transformers.Wav2Vec2Config, {"vocab_size": 9}),
    "xls-r": (
        transformers.Wav2Vec2Model,
        transformers.Wav2Vec2Config,
        {"do_stable_layer_norm": True, "feat_extract_norm": "layer"},
    ),
    "mms": (
        transformers.Wav2Vec2ForCTC,
        transformers.Wav2Vec2Config,
        {
            "do_stable_layer_norm": True,
            "feat_extract_norm": "layer",
            "adapter_attn_dim": 4,
            "vocab_size": 9,
        },
    ),
    "hubert": (transformers.HubertModel, transformers.HubertConfig, {}),
    "wavlm": (transformers.WavLMModel, transformers.WavLMConfig, {}),
    "wavlm-large": (
        transformers.WavLMModel,
        transformers.WavLMConfig,
        {"do_stable_layer_norm": True, "feat_extract_norm": "layer"},
    ),
}
#: With as many bands of mel as large-v3, the others with 8.
WHISPERS = ("whisper", "whisper-asr", "whisper-v3")
NAMES = (*WHISPERS, *WAV2VEC2_LIKE, "w2v-bert", "emotion2vec")


def save(name: str, root: Path) -> Path:
    """Folder of a model, made with the seed 0."""
    folder = root / name
    if name == "emotion2vec":
        return _emotion2vec(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = _w2v_bert if name == "w2v-bert" else _whisper if name in WHISPERS else _wav2vec2_like
        model = made(name)
    model.save_pretrained(folder)
    if name == "w2v-bert":
        preprocessor = transformers.SeamlessM4TFeatureExtractor(feature_size=8, num_mel_bins=8)
    elif name in WHISPERS:
        preprocessor = transformers.WhisperFeatureExtractor(feature_size=_bands(name))
    else:
        preprocessor = transformers.Wav2Vec2FeatureExtractor(do_normalize=name != "hubert")
    preprocessor.save_pretrained(folder)
    return folder


def published_emotion2vec() -> dict[str, torch.Tensor]:
    """Weights of a small emotion2vec, named and shaped as FunASR publishes them, and its decoder's."""
    audio, shapes = "modality_encoders.AUDIO.", {"proj.weight": (9, WIDTH), "proj.bias": (9,)}
    shapes |= {f"{audio}extra_tokens": (1, 10, WIDTH), f"{audio}alibi_scale": (1, 1, 2, 1, 1)}
    for i, kernel in enumerate((10, 3, 3, 3, 3, 2, 2)):
        layer = f"{audio}local_encoder.conv_layers.{i}"
        shapes[f"{layer}.0.weight"] = (8, 8 if i else 1, kernel)
        shapes |= {f"{layer}.2.1.weight": (8,), f"{layer}.2.1.bias": (8,)}
    project = f"{audio}project_features"
    shapes |= {f"{project}.1.weight": (8,), f"{project}.1.bias": (8,)}
    shapes |= {f"{project}.2.weight": (WIDTH, 8), f"{project}.2.bias": (WIDTH,)}
    for i in range(1, 6):
        layer = f"{audio}relative_positional_encoder.{i}.0"
        shapes |= {f"{layer}.weight": (WIDTH, WIDTH // 2, 19), f"{layer}.bias": (WIDTH,)}
    norms = [f"{audio}context_encoder.norm"]
    for block in (f"{audio}context_encoder.blocks.0", "blocks.0", "blocks.1"):
        norms += [f"{block}.norm1", f"{block}.norm2"]
        for part, rows, columns in (
            ("attn.qkv", 3, 1), ("attn.proj", 1, 1), ("mlp.fc1", 4, 1), ("mlp.fc2", 1, 4)
        ):  # fmt: skip
            shapes[f"{block}.{part}.weight"] = (rows * WIDTH, columns * WIDTH)
            shapes[f"{block}.{part}.bias"] = (rows * WIDTH,)
    for norm in norms:
        shapes |= {f"{norm}.weight": (WIDTH,), f"{norm}.bias": (WIDTH,)}
    weights = {}
    for i, name in enumerate(sorted(shapes), start=1):
        at = torch.arange(math.prod(shapes[name]), dtype=torch.float64)
        around = 1.0 if name.endswith("alibi_scale") or (".norm" in name and name.endswith("weight")) else 0.0
        weights[name] = (around + 0.3 * torch.cos(i * at)).float().reshape(shapes[name])
    return weights | {f"{audio}decoder.proj.bias": torch.ones(3)}


def _emotion2vec(folder: Path) -> Path:
    folder.mkdir(parents=True)
    torch.save({"model": published_emotion2vec()}, folder / "model.pt")
    conversion.convert(folder)
    (folder / "model.pt").unlink()
    return folder


def voice(seconds: float, seed: int = 0) -> np.ndarray:
    """A vowel in noise, so that no two frames are alike."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * 16_000)) / 16_000
    wave = np.sin(2 * np.pi * (120 + 40 * np.sin(3 * time)) * time) * (0.3 + 0.2 * np.sin(7 * time))
    return (wave + 0.02 * rng.standard_normal(len(time))).astype(np.float32) * np.float32(0.8)


def _whisper(name: str) -> transformers.PreTrainedModel:
    config = transformers.WhisperConfig(
        d_model=WIDTH, encoder_layers=N_LAYERS, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, num_mel_bins=_bands(name),
        vocab_size=12, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    whole = name == "whisper-asr"
    return (transformers.WhisperForConditionalGeneration if whole else transformers.WhisperModel)(config)


def _bands(name: str) -> int:
    return 128 if name == "whisper-v3" else 8


def _w2v_bert(name: str) -> transformers.PreTrainedModel:
    return transformers.Wav2Vec2BertModel(
        transformers.Wav2Vec2BertConfig(
            hidden_size=WIDTH, num_hidden_layers=N_LAYERS, num_attention_heads=2, intermediate_size=24,
            feature_projection_input_dim=16, conv_depthwise_kernel_size=5, left_max_position_embeddings=6,
            right_max_position_embeddings=3,
        )
    )  # fmt: skip


def _wav2vec2_like(name: str) -> transformers.PreTrainedModel:
    kind, config, options = WAV2VEC2_LIKE[name]
    return kind(
        config(
            hidden_size=WIDTH, num_hidden_layers=N_LAYERS, num_attention_heads=2, intermediate_size=24,
            conv_dim=(8,) * 7, num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, **options,
        )
    )  # fmt: skip
