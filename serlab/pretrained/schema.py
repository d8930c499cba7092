"""What must be true of an encoder's configuration before anything is built from it.

A configuration is a file of others: a number in it may be missing, a text, or larger than any
memory, and some of its names make transformers fetch and run code. What is built is built from numbers
that were looked at, and from nothing that names code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
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

_WHISPER: dict[str, Number] = {
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
#: Of all others.
_BLOCKS: dict[str, Number] = {
    "num_hidden_layers": _DEPTH,
    "hidden_size": _WIDTH,
    "num_attention_heads": _HEADS,
    "intermediate_size": _SIZE,
    "layer_norm_eps": _EPS,
    "hidden_dropout": _SHARE,
    "attention_dropout": _SHARE,
    "activation_dropout": _SHARE,
}
_WAV2VEC2: dict[str, Number] = {
    **_BLOCKS,
    "num_conv_pos_embeddings": Number(least=1, most=4096, optional=True),
    "num_conv_pos_embedding_groups": Number(least=1, most=4096, optional=True),
    "num_buckets": Number(least=2, most=2**16, optional=True),
    "max_bucket_distance": Number(least=2, most=2**20, optional=True),
    "adapter_attn_dim": Number(least=1, most=2**15, optional=True),
}
_W2V_BERT: dict[str, Number] = {
    **_BLOCKS,
    "feature_projection_input_dim": Number(least=2, most=1024, optional=True),
    "left_max_position_embeddings": Number(least=0, most=2**14, optional=True),
    "right_max_position_embeddings": Number(least=0, most=2**14, optional=True),
    "conv_depthwise_kernel_size": Number(least=1, most=1025, optional=True),
    "conformer_conv_dropout": _SHARE,
}
_EMOTION2VEC: dict[str, Number] = {
    **_BLOCKS,
    "num_attention_heads": Number(least=1, most=1024),
    "num_extra_tokens": Number(least=1, most=1024, optional=True),
    "num_conv_pos_layers": Number(least=1, most=64, optional=True),
    "num_conv_pos_kernel": Number(least=1, most=4096, optional=True),
    "num_conv_pos_embedding_groups": Number(least=1, most=4096, optional=True),
}
#: Of preprocessor_config.json.
_INPUT: dict[str, Number] = {
    "sampling_rate": Number(least=SAMPLE_RATE, most=SAMPLE_RATE, optional=True),
    "feature_size": Number(least=1, most=512, optional=True),
    "padding_value": Number(least=-100, most=100, whole=False, optional=True),
}
_SPECTRUM: dict[str, Number] = {
    **_INPUT,
    "hop_length": Number(least=160, most=160, optional=True),
    "chunk_length": Number(least=30, most=30, optional=True),
    "n_fft": Number(least=64, most=4096, optional=True),
    "dither": Number(least=0, most=1, whole=False, optional=True),
}
_BANDS: dict[str, Number] = {
    **_INPUT,
    "num_mel_bins": Number(least=1, most=512, optional=True),
    "stride": Number(least=2, most=2, optional=True),
}


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What the two configuration files of a family must say.

    Attributes
    ----------
    config, preprocessor : mapping of str to Number
    sizes : tuple of str
        Names of the depth and of the width.
    choices : mapping of str to tuple
        Values that are read, of what may be missing: the first is meant then.
    convolves : bool
        Whether convolutions over the samples are described.
    """

    config: Mapping[str, Number]
    preprocessor: Mapping[str, Number] = field(default_factory=lambda: _INPUT)
    sizes: tuple[str, str] = ("num_hidden_layers", "hidden_size")
    choices: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    convolves: bool = True


_OF_WAV2VEC2 = Schema(config=_WAV2VEC2, choices={"do_stable_layer_norm": (False, True)})
#: By ``model_type`` of config.json.
SCHEMAS: dict[str, Schema] = {
    "whisper": Schema(
        config=_WHISPER,
        preprocessor=_SPECTRUM,
        sizes=("encoder_layers", "d_model"),
        convolves=False,
    ),
    "wav2vec2": _OF_WAV2VEC2,
    "hubert": _OF_WAV2VEC2,
    "wavlm": _OF_WAV2VEC2,
    "wav2vec2-bert": Schema(
        config=_W2V_BERT,
        preprocessor=_BANDS,
        choices={"position_embeddings_type": ("relative_key", None)},
        convolves=False,
    ),
    "emotion2vec": Schema(config=_EMOTION2VEC, choices={"layer_norm_first": (False,)}),
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


def sizes(config: Mapping[str, Any], *, family: str, path: Path) -> tuple[int, int]:
    """Number of blocks and width, of a configuration whose numbers were looked at.

    Raises
    ------
    ParameterError
    """
    schema = SCHEMAS[family]
    require(config, schema.config, path=path)
    for name, values in schema.choices.items():
        found = config.get(name, values[0])
        if not any(found is value or (isinstance(value, str) and found == value) for value in values):
            known = " or ".join(json.dumps(value) for value in values)
            raise ParameterError(f"{path}: {name} is none of what is read: {known}; get the model again")
    if schema.convolves:
        convolutions(config, path)
    depth, width = (config[name] for name in schema.sizes)
    return depth, width


def require_input(path: Path, *, family: str) -> dict[str, Any]:
    """Settings of the input; none that are of another rate or hop.

    Raises
    ------
    ParameterError
    """
    settings = read(path)
    require(settings, SCHEMAS[family].preprocessor, path=path)
    if not isinstance(settings.get("do_normalize") or False, bool):
        raise ParameterError(f"{path}: do_normalize is neither true nor false; get the model again")
    return settings


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


def convolutions(config: Mapping[str, Any], path: Path) -> dict[str, tuple[int, ...]]:
    """Channels, kernels and strides that give a frame every 20 ms, which sees 25 ms.

    Raises
    ------
    ParameterError
        Also of others: :mod:`serlab.pretrained.fronts` counts on them.
    """
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
    return of
