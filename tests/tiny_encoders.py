"""Pretrained encoders in miniature: random weights, saved as the hub lays models out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

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
    "hubert": (transformers.HubertModel, transformers.HubertConfig, {}),
    "wavlm": (transformers.WavLMModel, transformers.WavLMConfig, {}),
    "wavlm-large": (
        transformers.WavLMModel,
        transformers.WavLMConfig,
        {"do_stable_layer_norm": True, "feat_extract_norm": "layer"},
    ),
}
NAMES = ("whisper", "whisper-asr", *WAV2VEC2_LIKE)


def save(name: str, root: Path) -> Path:
    """Folder of a model, made with the seed 0."""
    folder = root / name
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = _whisper(name) if name.startswith("whisper") else _wav2vec2_like(name)
    model.save_pretrained(folder)
    preprocessor = (
        transformers.WhisperFeatureExtractor(feature_size=8)
        if name.startswith("whisper")
        else transformers.Wav2Vec2FeatureExtractor(do_normalize=name != "hubert")
    )
    preprocessor.save_pretrained(folder)
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
        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, num_mel_bins=8, vocab_size=12,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    kinds = {
        "whisper": transformers.WhisperModel,
        "whisper-asr": transformers.WhisperForConditionalGeneration,
    }
    return kinds[name](config)


def _wav2vec2_like(name: str) -> transformers.PreTrainedModel:
    kind, config, options = WAV2VEC2_LIKE[name]
    return kind(
        config(
            hidden_size=WIDTH, num_hidden_layers=N_LAYERS, num_attention_heads=2, intermediate_size=24,
            conv_dim=(8,) * 7, num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, **options,
        )
    )  # fmt: skip
