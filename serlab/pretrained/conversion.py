"""Models whose weights are published as a pickle, brought into a form that can be read without harm.

A pickle is a program. It is read here once, by torch's reader that makes tensors and plain values and calls
nothing else, and what comes out is written as safetensors; from then on the pickle is never opened. Of
emotion2vec, whose folders hold no ``config.json``, that is written from the shapes of the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serlab import extras, files
from serlab.errors import ParameterError

if TYPE_CHECKING:
    from torch import Tensor

CONFIG, PREPROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
#: Endings of pickled weights.
PICKLED = (".bin", ".pt", ".pth", ".ckpt")

#: Names under which checkpoints keep their weights.
_INSIDE = ("model", "state_dict")
_AUDIO = "modality_encoders.AUDIO."
#: Emotions of the nine answers of emotion2vec+, by its model card.
_ANSWERS = ("angry", "disgusted", "fearful", "happy", "neutral", "other", "sad", "surprised", "unknown")


def pickles(folder: Path) -> list[Path]:
    """Pickled weights in a folder; where one is called ``model`` or all are parts, those alone."""
    found = sorted(path for path in folder.iterdir() if path.suffix in PICKLED and path.is_file())
    named = [path for path in found if path.stem.startswith(("model", "pytorch_model"))]
    return named or found


def convert(folder: Path) -> list[Path]:
    """Write what :func:`serlab.pretrained.encoders.look` reads beside the pickled weights of a model.

    Parameters
    ----------
    folder : Path
        As published: of the Hugging Face hub with ``pytorch_model.bin``, or of FunASR (emotion2vec) with
        ``model.pt``.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ParameterError
        If there is nothing to convert, a pickle asks for more than tensors and plain values, or it is of no
        model that is read.
    """
    extras.require("torch", "safetensors", extra="encoders", purpose="converting a model")
    if not folder.is_dir():
        raise ParameterError(f"there is no folder {folder}")
    if (folder / WEIGHTS).exists():
        raise ParameterError(f"{folder / WEIGHTS} is there already: nothing is to be converted")
    found = pickles(folder)
    if not found:
        raise ParameterError(f"{folder} holds no pickled weights ({', '.join(PICKLED)})")
    tensors: dict[str, Tensor] = {}
    for path in found:
        tensors |= _tensors(path)
    written = []
    if any(_AUDIO in name for name in tensors):
        tensors = {name: tensor for name, tensor in tensors.items() if _is_of_encoder(name)}
        for name, values in ((CONFIG, _described(tensors, folder)), (PREPROCESSOR, {"do_normalize": True})):
            if not (folder / name).exists():
                files.write_text(folder / name, json.dumps(values, indent=1) + "\n")
                written.append(folder / name)
    elif not (folder / CONFIG).exists():
        raise ParameterError(f"{folder} has no {CONFIG}, and its weights are not those of emotion2vec")
    _save(folder / WEIGHTS, tensors)
    return [*written, folder / WEIGHTS]


def _tensors(path: Path) -> dict[str, Tensor]:
    import torch

    if torch.torch_version.TorchVersion(torch.__version__) < (2, 6):  # CVE-2025-32434
        raise ParameterError(f"torch {torch.__version__} reads pickles unsafely; install 2.6 or later")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpicklers raise whatever a damaged file makes of them
        raise ParameterError(
            f"{path} cannot be read as tensors and plain values alone, so it is not opened: it is damaged, "
            "or asks for code of its makers. Where you trust them, read it with their own program on a "
            "machine that you can lose, and save its weights as safetensors"
        ) from error
    for name in _INSIDE:
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
    tensors = {
        str(name): value
        for name, value in (found.items() if isinstance(found, dict) else ())
        if isinstance(value, torch.Tensor)
    }
    if not tensors:
        raise ParameterError(f"{path} holds no weights by name")
    return tensors


def _save(path: Path, tensors: Mapping[str, Tensor]) -> None:
    from safetensors.torch import save_file

    # A copy of each: several may be views of one memory, which safetensors refuses.
    own = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    with files.whole(path) as unfinished:
        save_file(own, unfinished, metadata={"format": "pt"})


def _is_of_encoder(name: str) -> bool:
    """Not of the teacher and the decoder, which only its training needs."""
    return "_ema" not in name.split(".") and f"{_AUDIO}decoder." not in name


def _described(tensors: Mapping[str, Tensor], folder: Path) -> dict[str, Any]:
    """config.json of emotion2vec, from the shapes of its weights."""

    def ending(text: str) -> list[Tensor]:
        return [tensor for name, tensor in tensors.items() if name.endswith(text)]

    try:
        kernels = [found for i in range(16) for found in ending(f"local_encoder.conv_layers.{i}.0.weight")]
        positions = [
            found for i in range(1, 65) for found in ending(f"relative_positional_encoder.{i}.0.weight")
        ]
        (scale,), (tokens,) = ending(f"{_AUDIO}alibi_scale"), ending(f"{_AUDIO}extra_tokens")
        (projection,) = ending(f"{_AUDIO}project_features.2.weight")
        inner = ending("mlp.fc1.weight")
        if scale.numel() == 1 or scale.numel() != max(scale.shape):
            raise ValueError("no scale of each head")
        config = {
            "model_type": "emotion2vec",
            "hidden_size": projection.shape[0],
            "num_hidden_layers": len(inner),
            "num_attention_heads": scale.numel(),
            "intermediate_size": inner[0].shape[0],
            "num_extra_tokens": tokens.shape[-2],
            "num_conv_pos_layers": len(positions),
            "num_conv_pos_kernel": positions[0].shape[-1],
            "num_conv_pos_embedding_groups": projection.shape[0] // positions[0].shape[1],
            "conv_dim": [kernel.shape[0] for kernel in kernels],
            "conv_kernel": [kernel.shape[-1] for kernel in kernels],
            # Not to be seen in weights; 20 ms a frame in all that is published.
            "conv_stride": [5] + [2] * (len(kernels) - 1),
            "layer_norm_eps": 1e-5,
        }
    except (ValueError, IndexError) as error:
        raise ParameterError(
            f"{folder} holds no emotion2vec that is known here ({error}); get the model again"
        ) from error
    answers = tensors.get("proj.weight")
    if answers is not None and len(answers) == len(_ANSWERS):  # it was tuned to name emotions
        config["id2label"] = dict(enumerate(_ANSWERS))
    return config
