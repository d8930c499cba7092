"""Pretrained speech encoders: Whisper, wav2vec 2.0, XLS-R and MMS, HuBERT, WavLM, w2v-BERT, emotion2vec.

A model is a folder in the layout of the Hugging Face hub: ``config.json``,
``preprocessor_config.json`` and weights as safetensors. Nothing in it is
executed. All families turn 16 kHz speech into one vector every 20 ms,
and pass it through blocks of self-attention; of Whisper only the encoder is
read, not the decoder that writes text. What is published in another form is brought
into this one by :mod:`serlab.pretrained.conversion`.

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
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from serlab import extras
from serlab import files as whole_files
from serlab.audio import SAMPLE_RATE
from serlab.errors import ParameterError
from serlab.pretrained import conversion, documents, schema
from serlab.pretrained.fronts import HOP

#: Families by ``model_type`` of config.json.
FAMILIES = {
    "whisper": "Whisper",
    "wav2vec2": "wav2vec 2.0",
    "hubert": "HuBERT",
    "wavlm": "WavLM",
    "wav2vec2-bert": "w2v-BERT 2.0",
    "emotion2vec": "emotion2vec",
}
FRAME_SHIFT = HOP / SAMPLE_RATE
CONFIG, PREPROCESSOR, WEIGHTS = conversion.CONFIG, conversion.PREPROCESSOR, conversion.WEIGHTS
INDEX = "model.safetensors.index.json"
#: Weight files of one model.
MOST_FILES = 1000

_FILE_NAME = re.compile(r"[\w.-]{1,200}", re.ASCII)
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


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
    family = config["model_type"]
    n_layers, width = schema.sizes(config, family=family, path=path / CONFIG)
    schema.require_input(path / PREPROCESSOR, family=family)
    hashes = [whole_files.sha256(file) for file in _weight_files(path)]
    both = [(path / file).read_bytes() for file in (CONFIG, PREPROCESSOR)]  # small: they were read as JSON
    return Folder(
        path=path,
        family=family,
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
    front : Front
        See :mod:`serlab.pretrained.fronts`.
    blocks : Blocks
        See :mod:`serlab.models.encoder_blocks`.

    Raises
    ------
    ParameterError
        If transformers is not installed, or the weights do not fit the configuration.
    """

    def __init__(self, folder: Folder) -> None:
        require_transformers()
        from serlab.pretrained import networks

        self.folder = folder
        network = networks.load(
            folder.family,
            _config(folder.path),
            _weight_files(folder.path),
            config_file=folder.path / CONFIG,
            preprocessor=folder.path / PREPROCESSOR,
        )
        self.front, self.blocks = network.front, network.blocks
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
        shape = (self.front.n_frames(len(noise)), self.folder.width)
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
            for first in self.front.windows(samples):
                windows.append([first, *self.blocks(first, up_to=up_to)])
            return [torch.cat(parts, dim=1)[0].numpy() for parts in zip(*windows, strict=True)]


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

    # Not all safetensors: MMS has a file for each of 1,100 languages beside them.
    wanted = [CONFIG, PREPROCESSOR, "model*.safetensors", INDEX]
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
    try:
        _weight_files(folder)
    except ParameterError as error:
        raise ParameterError(
            f"{name} is no model with {CONFIG}, {PREPROCESSOR} and {WEIGHTS} on the hub. Where it holds a "
            f"pickle, fetch all of it (`hf download {name} --local-dir {models_root() / Path(name).name}`) "
            "and bring it into that form with `serlab convert-encoder`"
        ) from error
    return folder


def _config(folder: Path) -> dict:
    config = documents.read(folder / CONFIG)
    family = config.get("model_type")
    if not isinstance(family, str):
        raise ParameterError(f"{folder / CONFIG} names no model_type: it is no configuration; get it again")
    if family not in FAMILIES:
        known = ", ".join(f"{title} ({key})" for key, title in FAMILIES.items())
        raise ParameterError(
            f"{folder} holds a model of the family {family[:60]!r}, which is no speech encoder known here: "
            f"{known}"
        )
    return config


def _weight_files(folder: Path) -> list[Path]:
    """Weight files of a complete folder."""
    missing = [file for file in (CONFIG, PREPROCESSOR) if not (folder / file).is_file()]
    if missing:
        _refuse_pickle(folder)
        raise ParameterError(
            f"{folder} has no {missing[0]}: it is no model folder, or not all of it was copied"
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
    if missing:
        _refuse_pickle(folder)
    if missing:
        raise ParameterError(f"{folder} has no {', '.join(missing)}: copy the whole model")
    return [folder / file for file in files]


def _refuse_pickle(folder: Path) -> None:
    """Say what to do where a model's only weights are a pickle.

    Raises
    ------
    ParameterError
    """
    if not any(folder.glob("*.safetensors")) and conversion.pickles(folder):
        raise ParameterError(
            f"{folder} has its weights as a pickle ({conversion.pickles(folder)[0].name}), which may execute "
            f"anything and is not read; `serlab convert-encoder {folder}` writes {WEIGHTS} beside it"
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
