"""The networks of the families that are read, with their weights, in single precision."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serlab.errors import ParameterError
from serlab.pretrained import fronts, schema

if TYPE_CHECKING:
    from torch import Tensor, nn

    from serlab.models.encoder_blocks import Blocks

#: Names of weight norm before torch 2.
_WEIGHT_NORM = {
    "weight_g": "parametrizations.weight.original0",
    "weight_v": "parametrizations.weight.original1",
}
#: Variance that emotion2vec adds before it divides by an utterance's.
_FLOOR_OF_EMOTION2VEC = 1e-5


@dataclass(frozen=True, kw_only=True)
class Network:
    """What makes the layers of an encoder.

    Attributes
    ----------
    front : Front
        From samples to layer 0.
    blocks : Blocks
        The layers above.
    """

    front: fronts.Front
    blocks: Blocks


def load(
    family: str, config: Mapping[str, Any], files: Sequence[Path], *, config_file: Path, preprocessor: Path
) -> Network:
    """A network with the weights of a model, without gradients.

    Parameters
    ----------
    family : str
        Of :data:`serlab.pretrained.schema.SCHEMAS`.
    config : mapping
        That was looked at, see :func:`serlab.pretrained.schema.sizes`.
    files : sequence of Path
        safetensors.
    config_file, preprocessor : Path
        Where the configuration is from, and the settings of the input.

    Raises
    ------
    ParameterError
        If one of the files is damaged, or they do not belong together.
    """
    from serlab.models.encoder_blocks import Blocks

    model = _with_weights(_empty(family, config, config_file), family, files)
    if family == "emotion2vec":
        settings = schema.require_input(preprocessor, family=family)
        front: fronts.Front = fronts.Waveform(
            embed=model.embed,
            normalised=settings.get("do_normalize") is not False,
            floor=_FLOOR_OF_EMOTION2VEC,
        )
        return Network(front=front, blocks=Blocks(model.blocks, None, model.context))
    made = _preprocessor(family, preprocessor)
    if family == "whisper":
        front = fronts.Whisper(model=model, preprocessor=made)
        return Network(front=front, blocks=Blocks(model.layers, model.layer_norm))
    if family == "wav2vec2-bert":
        front = fronts.Filterbank(model=model, preprocessor=made)
        return Network(front=front, blocks=Blocks(model.encoder.layers, None))
    stable = model.config.do_stable_layer_norm
    front = fronts.Waveform(embed=_below_blocks(model), normalised=made.do_normalize)
    return Network(
        front=front, blocks=Blocks(model.encoder.layers, model.encoder.layer_norm if stable else None)
    )


def own_names(names: Iterable[str], family: str) -> dict[str, str]:
    """Name of each weight in the network, of a checkpoint of the model or of a model with a head.

    What the network has no use for keeps some name that it does not know, or is left out.
    """
    names = list(names)
    if family == "whisper":
        return {name: re.sub(r"^(model\.)?encoder\.", "", name) for name in names}
    if family == "emotion2vec":
        found = {name: _own_name_of_emotion2vec(name, names) for name in names}
        return {name: own for name, own in found.items() if own}
    prefix = re.compile(rf"^{family.replace('-', '_')}\.")
    own = {}
    for name in names:
        stem, _, last = prefix.sub("", name).rpartition(".")
        own[name] = f"{stem}.{_WEIGHT_NORM.get(last, last)}" if stem else last
    return own


def _empty(family: str, config: Mapping[str, Any], config_file: Path) -> Any:
    """The network, without memory or random numbers for weights that are replaced."""
    import torch
    import transformers
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    kinds = {
        "whisper": WhisperEncoder,
        "wav2vec2": transformers.Wav2Vec2Model,
        "hubert": transformers.HubertModel,
        "wavlm": transformers.WavLMModel,
        "wav2vec2-bert": transformers.Wav2Vec2BertModel,
    }
    try:
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            if family == "emotion2vec":
                return _emotion2vec(config, config_file)
            kind = kinds[family]
            return kind(kind.config_class.from_dict(schema.without_code(config)))
    except Exception as error:  # whatever a strange configuration makes of transformers
        raise ParameterError(
            f"no network can be built from {config_file} ({_first_line(error)}); get the model again"
        ) from error


def _emotion2vec(config: Mapping[str, Any], config_file: Path) -> nn.Module:
    from serlab.models.emotion2vec import Emotion2vec

    lists = schema.convolutions(config, config_file)
    named = {
        "inner": "intermediate_size", "position_layers": "num_conv_pos_layers",
        "position_kernel": "num_conv_pos_kernel", "position_groups": "num_conv_pos_embedding_groups",
        "tokens": "num_extra_tokens", "eps": "layer_norm_eps", "dropout": "hidden_dropout",
    }  # fmt: skip
    given = {ours: config[name] for ours, name in named.items() if config.get(name) is not None}
    width = config["hidden_size"]
    return Emotion2vec(
        width=width,
        depth=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        channels=lists["conv_dim"],
        kernels=lists["conv_kernel"],
        strides=lists["conv_stride"],
        **{"inner": 4 * width, **given},
    )


def _with_weights(model: Any, family: str, files: Sequence[Path]) -> Any:
    import torch
    from safetensors.torch import load_file

    wanted = model.state_dict()
    tensors, origin = {}, {}
    for file in files:
        try:
            found = load_file(file)
        except Exception as error:  # safetensors has no one error for a damaged file
            raise ParameterError(
                f"{file} cannot be read ({_first_line(error)}); it was cut short or changed, get it again"
            ) from error
        tensors |= found
        origin |= dict.fromkeys(found, file)
    weights = {}
    for theirs, name in own_names(tensors, family).items():
        if name in wanted:
            tensor = _sound(tensors[theirs], name, origin[theirs])
            # The makers of emotion2vec keep these with axes of length one.
            weights[name] = tensor.squeeze() if name in ("context.tokens", "context.scale") else tensor
    # Only ever used to mask frames in training, and not in every file.
    if "masked_spec_embed" in wanted:
        weights.setdefault("masked_spec_embed", torch.zeros(wanted["masked_spec_embed"].shape))
    try:
        model.load_state_dict(weights, strict=True, assign=True)
    except RuntimeError as error:
        problem = str(error).splitlines()[1].strip()
        raise ParameterError(
            f"the weights in {files[0].parent} do not fit its configuration ({problem[:200]}); get both from "
            "one place"
        ) from error
    return model.eval().requires_grad_(False)


def _sound(tensor: Tensor, name: str, file: Path) -> Tensor:
    """A weight in single precision, if all of it are numbers."""
    if name.endswith("num_batches_tracked"):
        return tensor
    if not tensor.is_floating_point():
        raise ParameterError(f"{file}: {name} holds {tensor.dtype}, no weights; get the model again")
    tensor = tensor.float()
    if not tensor.isfinite().all():
        raise ParameterError(f"{file}: {name} is not finite everywhere: the file is damaged; get it again")
    return tensor


def _preprocessor(family: str, path: Path) -> Any:
    import transformers

    kinds = {
        "whisper": transformers.WhisperFeatureExtractor,
        "wav2vec2-bert": transformers.SeamlessM4TFeatureExtractor,
    }
    kind = kinds.get(family, transformers.Wav2Vec2FeatureExtractor)
    try:
        return kind.from_pretrained(path.parent, local_files_only=True)
    except Exception as error:  # whatever damaged settings make of the library that reads them
        raise ParameterError(f"{path} cannot be read ({_first_line(error)}); get the model again") from error


def _below_blocks(model: Any) -> Callable[[Tensor], Tensor]:
    """Of wav2vec 2.0 and its relatives: convolutions, projection and convolutional positions."""

    def embed(samples: Tensor) -> Tensor:
        projected = model.feature_projection(model.feature_extractor(samples).transpose(1, 2))
        hidden = projected[0] if isinstance(projected, tuple) else projected
        hidden = hidden + model.encoder.pos_conv_embed(hidden)
        return hidden if model.config.do_stable_layer_norm else model.encoder.layer_norm(hidden)

    return embed


#: Of emotion2vec: the end of a name, by its makers and here.
_IN_BLOCK = {
    "attn.qkv": "qkv",
    "attn.proj": "out",
    "norm1": "norm",
    "mlp.fc1": "intermediate_dense",
    "mlp.fc2": "output_dense",
    "norm2": "final_norm",
}
_OF_EMOTION2VEC = re.compile(r"^(?:d2v_model\.|w2v_encoder\.w2v_model\.)?(modality_encoders\.AUDIO\.)?(.+)$")
_BLOCK = re.compile(r"^(context_encoder\.)?blocks\.(\d{1,3})\.(.+)\.(weight|bias)$")
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^local_encoder\.conv_layers\.(\d+)\.0\.(weight)$"), r"convolutions.\1.\2"),
    (re.compile(r"^local_encoder\.conv_layers\.(\d+)\.2\.1\.(weight|bias)$"), r"convolution_norms.\1.\2"),
    (re.compile(r"^project_features\.1\.(weight|bias)$"), r"projection_norm.\1"),
    (re.compile(r"^project_features\.2\.(weight|bias)$"), r"projection.\1"),
    (re.compile(r"^context_encoder\.norm\.(weight|bias)$"), r"context.norm.\1"),
    (re.compile(r"^extra_tokens$"), "context.tokens"),
    (re.compile(r"^alibi_scale$"), "context.scale"),
)
_POSITION = re.compile(r"^relative_positional_encoder\.(\d{1,3})\.0\.(weight|bias)$")


def _own_name_of_emotion2vec(name: str, names: Sequence[str]) -> str | None:
    """Its makers' name turned into that of :class:`serlab.models.emotion2vec.Emotion2vec`."""
    match = _OF_EMOTION2VEC.match(name)
    if match is None:
        return None
    audio, rest = match.groups()
    block = _BLOCK.match(rest)
    if block is not None and bool(audio) == bool(block[1]) and block[3] in _IN_BLOCK:
        at = int(block[2]) + (0 if audio else _depth_of_prenet(names))
        return f"blocks.{at}.{_IN_BLOCK[block[3]]}.{block[4]}"
    if not audio:
        return None
    position = _POSITION.match(rest)
    if position is not None:  # its first part only turns axes
        return f"positions.{int(position[1]) - 1}.{position[2]}"
    return next((pattern.sub(own, rest) for pattern, own in _PATTERNS if pattern.match(rest)), None)


def _depth_of_prenet(names: Iterable[str]) -> int:
    """Blocks that its makers count apart, before the others."""
    found = (re.search(r"AUDIO\.context_encoder\.blocks\.(\d{1,3})\.", name) for name in names)
    return max((int(match[1]) + 1 for match in found if match), default=0)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
