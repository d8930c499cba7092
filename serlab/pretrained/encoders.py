"""Pretrained speech encoders: Whisper, wav2vec 2.0 and XLS-R, HuBERT, WavLM.

A model is a folder in the layout of the Hugging Face hub: ``config.json``,
``preprocessor_config.json`` and weights as safetensors. Nothing in it is
executed. All four families turn 16 kHz speech into one vector every 20 ms,
and pass it through blocks of self-attention; of Whisper only the encoder is
read, not the decoder that writes text.

Layer 0 is what enters the first block, layer k what leaves the k-th. The last
one is normalised where the model has a final layer norm, as in transformers.

**Whisper without padding.** Whisper was trained on windows of 30 s, and pads
what is shorter with silence. Here only the frames of the recording pass
through the network, ten times as fast. Layer 0 of these frames is that of the
padded window (the convolutions still see the silence right after the end).
From the first block on no frame attends to the padding, and they differ: over
RAVDESS, 3.7 s of 30, the means over the frames of layers 1 to 4 of Whisper-tiny
by 4, 7, 10 and 23 % of their length (benchmarks/bench_encoders.py). Of
recordings that fill the window all layers are those of transformers.

**Long utterances** are cut into the fewest windows of at most 30 s, of equal
length; every frame is in one of them. Frames do not attend across the cut.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from serlab import extras
from serlab import files as whole_files
from serlab.audio import SAMPLE_RATE
from serlab.errors import ParameterError
from serlab.pretrained import documents, schema

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Families by ``model_type`` of config.json.
FAMILIES = {
    "whisper": "Whisper",
    "wav2vec2": "wav2vec 2.0",
    "hubert": "HuBERT",
    "wavlm": "WavLM",
}
#: Samples from one frame to the next: 20 ms.
HOP = 320
FRAME_SHIFT = HOP / SAMPLE_RATE
#: Frames of a window of 30 s.
WINDOW = 1500
CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
#: Weight files of one model.
MOST_FILES = 1000
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"

#: Samples that one frame of the convolutions of wav2vec 2.0 and its relatives sees.
_RECEPTIVE_FIELD = 400
_FILE_NAME = re.compile(r"[\w.-]{1,200}", re.ASCII)
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
#: Names of weight norm before torch 2.
_WEIGHT_NORM = {
    "weight_g": "parametrizations.weight.original0",
    "weight_v": "parametrizations.weight.original1",
}


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A model on disk that was looked at, but not loaded.

    Attributes
    ----------
    path : Path
    family : str
        Of :data:`FAMILIES`.
    n_layers : int
        Blocks; there are ``n_layers + 1`` layers.
    width : int
        Of a layer.
    sha256 : str
        Of the weight file; of several, of their hashes.
    settings : str
        Hash of the two configuration files.
    """

    path: Path
    family: str
    n_layers: int
    width: int
    sha256: str
    settings: str


def models_root(root: Path | str | None = None) -> Path:
    """Folder of models: the one given, else ``SERLAB_MODELS``, else ``./models``."""
    return Path(root or os.environ.get("SERLAB_MODELS") or "models").expanduser()


def find_folder(name: Path | str, *, root: Path | str | None = None) -> Path | None:
    """A folder by its path, or by its name under :func:`models_root`; None if there is none."""
    for folder in (Path(name).expanduser(), models_root(root) / name):
        if str(name) and folder.is_dir():
            return folder
    return None


def find(name: Path | str, *, root: Path | str | None = None) -> Path:
    """Find the folder of a model; fetch it from the Hugging Face hub where it is not local.

    Parameters
    ----------
    name : path or str
        A folder; the name of one under ``root``; or a name of the hub,
        "openai/whisper-tiny". What transformers has fetched before is used
        without asking the network.
    root : path, optional
        Folder of models; default ``SERLAB_MODELS``, else ``./models``.

    Raises
    ------
    ParameterError
        If there is no such model, it cannot be fetched, or its folder is
        incomplete.
    """
    folder = find_folder(name, root=root)
    if folder is not None:
        _weight_files(folder)
        return folder
    where = models_root(root)
    there = sorted(path.parent.name for path in where.glob(f"*/{CONFIG}"))
    local = (
        f"put the model's folder ({CONFIG}, {PREPROCESSOR}, {WEIGHTS}) under {where} "
        "(SERLAB_MODELS names another place), or give its path"
    )
    if not _HUB_NAME.fullmatch(str(name)):
        found = f"; there are {', '.join(there)}" if there else ""
        raise ParameterError(f"there is no encoder {str(name)!r}{found}; {local}")
    return _fetch(str(name), local)


def look(name: Path | str, *, root: Path | str | None = None) -> Folder:
    """Check the folder of a model without loading it.

    Raises
    ------
    ParameterError
        Also if the model is of another family.
    """
    path = find(name, root=root)
    config = _config(path)
    whisper = config["model_type"] == "whisper"
    n_layers, width = schema.sizes(config, whisper=whisper, path=path / CONFIG)
    schema.require_input(path / PREPROCESSOR, whisper=whisper)
    hashes = [whole_files.sha256(file) for file in _weight_files(path)]
    both = [(path / file).read_bytes() for file in (CONFIG, PREPROCESSOR)]  # small: they were read as JSON
    return Folder(
        path=path,
        family=config["model_type"],
        n_layers=n_layers,
        width=width,
        sha256=hashes[0] if len(hashes) == 1 else hashlib.sha256(" ".join(hashes).encode()).hexdigest(),
        settings=hashlib.blake2b(b"\0".join(both), digest_size=8).hexdigest(),
    )


class Encoder:
    """A pretrained encoder in memory, in float32 and evaluation mode.

    Parameters
    ----------
    folder : Folder

    Attributes
    ----------
    blocks : Blocks
        See :mod:`serlab.models.encoder_blocks`.

    Raises
    ------
    ParameterError
        If transformers is not installed, or the weights do not fit the configuration.
    """

    def __init__(self, folder: Folder) -> None:
        require_transformers()
        import transformers

        from serlab.models.encoder_blocks import Blocks

        self.folder = folder
        kind = (
            transformers.WhisperFeatureExtractor
            if folder.family == "whisper"
            else transformers.Wav2Vec2FeatureExtractor
        )
        try:
            self._preprocessor = kind.from_pretrained(folder.path, local_files_only=True)
        except Exception as error:  # whatever damaged settings make of the library that reads them
            raise ParameterError(
                f"{folder.path / PREPROCESSOR} cannot be read ({_first_line(error)}); get the model again"
            ) from error
        self._model = _load(folder)
        encoder = self._model if folder.family == "whisper" else self._model.encoder
        stable = folder.family == "whisper" or self._model.config.do_stable_layer_norm
        self.blocks = Blocks(encoder.layers, encoder.layer_norm if stable else None)
        self._try()

    def _try(self) -> None:
        """Half a second of noise through it: what fails here is of the model, and of no recording.

        Raises
        ------
        ParameterError
        """
        noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE // 2).astype(np.float32) * 0.05
        try:
            layers = self.layers(noise)
        except Exception as error:  # sizes that fit one by one, and not together
            raise ParameterError(
                f"{self.folder.path} cannot be computed with ({_first_line(error)}): its {CONFIG}, "
                f"{PREPROCESSOR} and weights do not belong together; get the model again"
            ) from error
        shape = (self.n_frames(len(noise)), self.folder.width)
        if any(layer.shape != shape or not np.isfinite(layer).all() for layer in layers):
            raise ParameterError(
                f"{self.folder.path} makes no finite numbers of an ordinary recording: its weights or its "
                f"{CONFIG} are damaged; get the model again"
            )

    def layers(self, samples: np.ndarray, *, up_to: int | None = None) -> list[np.ndarray]:
        """All layers of one utterance.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,)
            At 16 kHz.
        up_to : int, optional
            The last layer wanted; those above are not computed.

        Returns
        -------
        list of ndarray of float32, shape (t, width)
            Layers 0 to ``up_to``; a frame every 20 ms.
        """
        import torch

        with torch.inference_mode():
            windows = []
            for first in self._inputs(samples):
                windows.append([first, *self.blocks(first, up_to=up_to)])
            return [torch.cat(parts, dim=1)[0].numpy() for parts in zip(*windows, strict=True)]

    def _inputs(self, samples: np.ndarray) -> Iterator[Tensor]:
        """Layer 0 of each window, shape (1, t, width)."""
        whisper = self.folder.family == "whisper"
        if not whisper and self._preprocessor.do_normalize:
            samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        embed, shared = (self._whisper, 0) if whisper else (self._wav2vec2, _RECEPTIVE_FIELD - HOP)
        n_frames = self.n_frames(len(samples))
        edges = np.linspace(0, n_frames, -(-n_frames // WINDOW) + 1).round().astype(int)
        for first, last in pairwise(edges.tolist()):
            end = None if last == n_frames else last * HOP + shared
            yield embed(samples[first * HOP : end])

    def n_frames(self, n_samples: int) -> int:
        """Frames of an utterance: of Whisper all that hold a sample, else all that are full."""
        if self.folder.family == "whisper":
            return -(-n_samples // HOP)
        return max(1, (n_samples - _RECEPTIVE_FIELD) // HOP + 1)

    def _whisper(self, samples: np.ndarray) -> Tensor:
        """Convolutions over the log-mel spectrogram, and positions."""
        import torch
        from torch.nn.functional import gelu

        n_frames = self.n_frames(len(samples))
        # So much silence that the last frame sees what it would see in a window padded to 30 s.
        length = min(n_frames * HOP + 720, WINDOW * HOP)
        padded = np.pad(samples, (0, length - len(samples)))
        mel = self._preprocessor(
            padded, sampling_rate=SAMPLE_RATE, padding="longest", truncation=False, return_tensors="pt"
        ).input_features[:, :, : 2 * n_frames + 2]
        hidden = gelu(self._model.conv2(gelu(self._model.conv1(mel))))[:, :, :n_frames]
        return hidden.transpose(1, 2) + self._model.embed_positions(torch.arange(n_frames))

    def _wav2vec2(self, samples: np.ndarray) -> Tensor:
        """Convolutions over the samples, projection and convolutional positions."""
        import torch

        model = self._model
        found = model.feature_extractor(torch.from_numpy(np.ascontiguousarray(samples, np.float32))[None])
        projected = model.feature_projection(found.transpose(1, 2))
        hidden = projected[0] if isinstance(projected, tuple) else projected
        hidden = hidden + model.encoder.pos_conv_embed(hidden)
        return hidden if model.config.do_stable_layer_norm else model.encoder.layer_norm(hidden)


@lru_cache(maxsize=2)
def load(folder: Folder) -> Encoder:
    """The encoder of a folder; one copy in memory, for all that use it."""
    return Encoder(folder)


def require_layer(folder: Folder, layer: int) -> None:
    """Refuse a layer that the model does not have.

    Raises
    ------
    ParameterError
    """
    if not 0 <= layer <= folder.n_layers:
        raise ParameterError(
            f"there is no layer {layer} of {folder.path.name}; choose 0 to {folder.n_layers}"
        )


def require_transformers() -> None:
    """Say what to install.

    Raises
    ------
    ParameterError
        If transformers or safetensors is not installed.
    """
    extras.require("transformers", "safetensors", extra="encoders", purpose="a pretrained encoder")


def _fetch(name: str, local: str) -> Path:
    """Folder of a model of the hub, in the cache that all programs share."""
    require_transformers()
    from huggingface_hub import snapshot_download

    wanted = [CONFIG, PREPROCESSOR, "*.safetensors", INDEX]
    try:
        folder = Path(snapshot_download(name, allow_patterns=wanted, local_files_only=True))
        _weight_files(folder)
        return folder
    except (OSError, ParameterError):  # not there, or not all of it
        pass
    try:
        folder = Path(snapshot_download(name, allow_patterns=wanted))
    except Exception as error:  # of whatever the hub's client is built on
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ParameterError(
            f"the hub gives no model {name!r} ({reason}); without network {local}"
        ) from error
    _weight_files(folder)
    return folder


def _config(folder: Path) -> dict:
    config = documents.read(folder / CONFIG)
    family = config.get("model_type")
    if not isinstance(family, str):
        raise ParameterError(f"{folder / CONFIG} names no model_type: it is no configuration; get it again")
    if "emotion2vec" in family.lower():
        raise ParameterError(
            f"{folder} holds emotion2vec, which transformers has no network for, and neither has serlab: "
            "what it has heard is in the register, but it cannot be computed with"
        )
    if family not in FAMILIES:
        known = ", ".join(f"{title} ({key})" for key, title in FAMILIES.items())
        raise ParameterError(
            f"{folder} holds a model of the family {family[:60]!r}, which is no speech encoder known here: "
            f"{known}"
        )
    return config


def _weight_files(folder: Path) -> list[Path]:
    """Weight files of a complete folder."""
    for file in (CONFIG, PREPROCESSOR):
        if not (folder / file).is_file():
            raise ParameterError(
                f"{folder} has no {file}: it is no model folder, or not all of it was copied"
            )
    files = [WEIGHTS]
    if not (folder / WEIGHTS).is_file() and (folder / INDEX).is_file():
        try:
            index = documents.read(folder / INDEX)
            files = sorted({Path(file).name for file in index["weight_map"].values()})
            if len(files) > MOST_FILES or not all(map(_FILE_NAME.fullmatch, files)):
                raise ValueError("names that no weight files have")
        except (ParameterError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise ParameterError(f"{folder / INDEX} is no index of weights; get it again") from error
    missing = [file for file in files if not (folder / file).is_file()]
    if missing and next(folder.glob("*.bin"), None):
        raise ParameterError(
            f"{folder} has its weights as a pickle (.bin), which may execute anything; get the model with "
            f"{WEIGHTS}, or convert it on a machine that you can lose"
        )
    if missing:
        raise ParameterError(f"{folder} has no {', '.join(missing)}: copy the whole model")
    return [folder / file for file in files]


def _load(folder: Folder) -> nn.Module:
    """The network with its weights, without gradients."""
    import torch
    import transformers
    from safetensors.torch import load_file
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    kinds = {
        "whisper": WhisperEncoder,
        "wav2vec2": transformers.Wav2Vec2Model,
        "hubert": transformers.HubertModel,
        "wavlm": transformers.WavLMModel,
    }
    kind = kinds[folder.family]
    try:
        config = kind.config_class.from_dict(schema.without_code(_config(folder.path)))
        # Neither memory nor random numbers for weights that are replaced.
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            model = kind(config)
    except Exception as error:  # whatever a strange configuration makes of transformers
        raise ParameterError(
            f"no network can be built from {folder.path / CONFIG} ({_first_line(error)}); get the model again"
        ) from error
    wanted = model.state_dict().keys()
    weights = {}
    for file in _weight_files(folder.path):
        try:
            tensors = load_file(file)
        except Exception as error:  # safetensors has no one error for a damaged file
            raise ParameterError(
                f"{file} cannot be read ({_first_line(error)}); it was cut short or changed, get it again"
            ) from error
        named = {_own_name(name, folder.family): tensor for name, tensor in tensors.items()}
        for name, tensor in named.items():
            if name in wanted:
                weights[name] = _sound(tensor, name, file)
    # Only ever used to mask frames in training, and not in every file.
    if "masked_spec_embed" in wanted:
        weights.setdefault("masked_spec_embed", torch.zeros(folder.width))
    try:
        model.load_state_dict(weights, strict=True, assign=True)
    except RuntimeError as error:
        problem = str(error).splitlines()[1].strip()
        raise ParameterError(
            f"the weights in {folder.path} do not fit its {CONFIG} ({problem[:200]}); get both from one place"
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


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _own_name(name: str, family: str) -> str:
    """Name of a weight in the encoder, of one in a checkpoint of the model or of a model with a head."""
    if family == "whisper":
        return re.sub(r"^(model\.)?encoder\.", "", name)
    stem, _, last = re.sub(rf"^{family}\.", "", name).rpartition(".")
    return f"{stem}.{_WEIGHT_NORM.get(last, last)}" if stem else last
