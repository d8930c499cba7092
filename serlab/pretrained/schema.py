"""What must be true of an encoder's configuration before anything is built from it.

A configuration is a file of others: a number in it may be missing, a text, or larger than any
memory, and some of its names make transformers fetch and run code. What is built is built from numbers
that were looked at, and from nothing that names code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serlab.audio import SAMPLE_RATE
from serlab.errors import ParameterError
from serlab.pretrained.documents import Number, read, require, require_numbers

_SIZE = Number(least=1, most=2**17, optional=True)
_HEADS = Number(least=1, most=1024, optional=True)
_EPS = Number(least=0, most=1, whole=False, optional=True)
_SHARE = Number(least=0, most=1, whole=False, optional=True)
_DEPTH, _WIDTH = Number(least=1, most=256), Number(least=1, most=2**15)

#: Numbers of config.json by family; those of wav2vec 2.0 are those of its relatives.
WHISPER: dict[str, Number] = {
    "encoder_layers": _DEPTH,
    "d_model": _WIDTH,
    "encoder_attention_heads": _HEADS,
    "encoder_ffn_dim": _SIZE,
    "num_mel_bins": Number(least=1, most=512, optional=True),
    "max_source_positions": Number(least=1500, most=1500, optional=True),
    "dropout": _SHARE,
    "attention_dropout": _SHARE,
    "activation_dropout": _SHARE,
}
WAV2VEC2: dict[str, Number] = {
    "num_hidden_layers": _DEPTH,
    "hidden_size": _WIDTH,
    "num_attention_heads": _HEADS,
    "intermediate_size": _SIZE,
    "num_conv_pos_embeddings": Number(least=1, most=4096, optional=True),
    "num_conv_pos_embedding_groups": Number(least=1, most=4096, optional=True),
    "num_buckets": Number(least=2, most=2**16, optional=True),
    "max_bucket_distance": Number(least=2, most=2**20, optional=True),
    "adapter_attn_dim": Number(least=1, most=2**15, optional=True),
    "layer_norm_eps": _EPS,
    "hidden_dropout": _SHARE,
    "attention_dropout": _SHARE,
    "activation_dropout": _SHARE,
}
#: Of preprocessor_config.json.
_INPUT: dict[str, Number] = {
    "sampling_rate": Number(least=SAMPLE_RATE, most=SAMPLE_RATE, optional=True),
    "feature_size": Number(least=1, most=512, optional=True),
    "padding_value": Number(least=-100, most=100, whole=False, optional=True),
}
_SPECTRUM: dict[str, Number] = {
    "hop_length": Number(least=160, most=160, optional=True),
    "chunk_length": Number(least=30, most=30, optional=True),
    "n_fft": Number(least=64, most=4096, optional=True),
    "dither": Number(least=0, most=1, whole=False, optional=True),
}

#: Names in a configuration that are not handed on: they name code, or build what is not used here.
_LEFT_OUT = {
    "auto_map", "quantization_config", "num_labels", "id2label", "label2id", "dtype", "torch_dtype",
    "add_adapter", "model_type", "architectures", "transformers_version", "return_dict", "output_attentions",
    "output_hidden_states",
}  # fmt: skip
_LISTS: dict[str, tuple[int, ...]] = {
    "conv_dim": (512,) * 7,
    "conv_kernel": (10, 3, 3, 3, 3, 2, 2),
    "conv_stride": (5, 2, 2, 2, 2, 2, 2),
}
#: One convolution more would be a model of another kind.
_MOST_CONVOLUTIONS = 16


def sizes(config: Mapping[str, Any], *, whisper: bool, path: Path) -> tuple[int, int]:
    """Number of blocks and width, of a configuration whose numbers were looked at.

    Raises
    ------
    ParameterError
    """
    if whisper:
        require(config, WHISPER, path=path)
        return config["encoder_layers"], config["d_model"]
    require(config, WAV2VEC2, path=path)
    _require_convolutions(config, path)
    if not isinstance(config.get("do_stable_layer_norm", False), bool):
        raise ParameterError(f"{path}: do_stable_layer_norm is neither true nor false; get the model again")
    return config["num_hidden_layers"], config["hidden_size"]


def require_input(path: Path, *, whisper: bool) -> None:
    """Refuse settings of the input that are none, or of another rate or hop.

    Raises
    ------
    ParameterError
    """
    settings = read(path)
    require(settings, {**_INPUT, **(_SPECTRUM if whisper else {})}, path=path)
    if not isinstance(settings.get("do_normalize") or False, bool):
        raise ParameterError(f"{path}: do_normalize is neither true nor false; get the model again")


def without_code(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a configuration a network is built from: numbers and words, and no name of code.

    transformers takes kernels of attention from the hub where a configuration names them.
    """
    return {
        name: value
        for name, value in config.items()
        if not name.startswith("_")
        and "implementation" not in name
        and name not in _LEFT_OUT
        and not isinstance(value, dict)
    }


def _require_convolutions(config: Mapping[str, Any], path: Path) -> None:
    """A frame every 20 ms that sees 25 ms: what :mod:`serlab.pretrained.encoders` counts on."""
    number = Number(least=1, most=2**14)
    of = {
        name: tuple(require_numbers(config, name, number, n=_MOST_CONVOLUTIONS, path=path))
        if name in config
        else default
        for name, default in _LISTS.items()
    }
    if len({len(values) for values in of.values()}) > 1:
        raise ParameterError(f"{path}: {', '.join(of)} are not of one length; get the model again")
    seen, hop = 1, 1
    for kernel, stride in zip(of["conv_kernel"], of["conv_stride"], strict=True):
        seen, hop = seen + (kernel - 1) * hop, hop * stride
    if (hop, seen) != (320, 400) or math.prod(of["conv_dim"]) == 0:
        raise ParameterError(
            f"{path}: its convolutions give a frame every {hop} samples that sees {seen}; only encoders of "
            "320 and 400 are read"
        )
