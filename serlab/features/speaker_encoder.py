"""Speaker embeddings of a GE2E network (the voice encoder of Resemblyzer): today's stand-in for the i-vector.

A recurrent network over power mel spectra, trained so that utterances of one
speaker lie close and those of others far apart (Wan et al. 2018). An utterance
is cut into overlapping pieces of 1.6 s; its embedding is the mean of theirs,
at unit length.

**Preprocessing** follows ``config.json`` of the model, with one difference. It
names webrtcvad, a detector of speech that needs a compiled library; here a
window holds speech if its energy is within :data:`SPEECH_DB` of the loudest
window's. What follows the decision (moving average, dilation) is the same.
Embeddings are therefore not those of the original package to the last digit,
where silence is cut elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serlab import files
from serlab.audio import SAMPLE_RATE
from serlab.errors import AudioError, ParameterError
from serlab.features.base import Extractor, FeatureSet
from serlab.features.spectral import over_frames
from serlab.pretrained import documents
from serlab.pretrained.documents import Number
from serlab.pretrained.encoders import find_folder, models_root

if TYPE_CHECKING:
    from torch import Tensor

#: Decibels below the loudest window within which there is speech. Ours: see benchmarks/bench_ivectors.py.
SPEECH_DB = 30.0
CONFIG, WEIGHTS = "config.json", "model.safetensors"
FAMILY = "speaker-encoder"

#: Values of config.json that are built into the code below.
_FIXED = {
    "architecture": ["LSTM", "Linear", "ReLU", "L2Norm"],
    "features": {
        "sampling_rate": SAMPLE_RATE, "power": 2.0, "log": False, "window": "hann", "center": True,
        "fmin": 0.0, "fmax": SAMPLE_RATE / 2, "mel_scale": "slaney", "mel_norm": "slaney",
    },
    "preprocessing": {"increase_only": True},
}  # fmt: skip
_SIZE = Number(least=1, most=4096)
#: Numbers that may be otherwise, and where they lie.
_SIZES: dict[str, dict[str, Number]] = {
    "lstm": {"input_size": _SIZE, "hidden_size": _SIZE, "num_layers": Number(least=1, most=16)},
    "linear": {"in_features": _SIZE, "out_features": _SIZE},
    "features": {name: _SIZE for name in ("n_fft", "win_length", "hop_length", "n_mels")},
    "utterance": {
        "partial_frames": _SIZE,
        "partials_per_second": Number(least=0.1, most=100, whole=False),
        "min_coverage": Number(least=0, most=1, whole=False),
    },
    "preprocessing": {
        "target_dbfs": Number(least=-120, most=0, whole=False),
        "vad_window_ms": Number(least=1, most=1000),
        "vad_moving_average_width": Number(least=1, most=1000),
        "vad_max_silence_windows": Number(least=0, most=1000),
    },
}


def speaker_encoder(name: str | Path, *, root: Path | str | None = None) -> FeatureSet:
    """Embedding of the voice, one vector of unit length an utterance.

    Parameters
    ----------
    name : str or path
        A folder with ``config.json`` and ``model.safetensors``, or its name under ``root``.
    root : path, optional
        Folder of models; default ``SERLAB_MODELS``, else ``./models``.

    Returns
    -------
    FeatureSet
        "speaker-encoder:<name>", vectors, non-negative. Extracting from
        digital silence raises :class:`AudioError`: it would give an
        ordinary-looking vector.

    Raises
    ------
    ParameterError
        If the folder or one of its files is missing, or it holds another kind of model.
    """
    folder = find_folder(name, root=root)
    if folder is None:
        raise ParameterError(
            f"there is no speaker encoder {str(name)!r}; put its folder ({CONFIG}, {WEIGHTS}) under "
            f"{models_root(root)} (SERLAB_MODELS names another place), or give its path"
        )
    config = _configuration(folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ParameterError(f"{weights} is missing; get the model again (pickled weights are not read)")
    return FeatureSet(
        name=f"speaker-encoder:{name}",
        title=f"speaker embedding of {folder.name}, {config['embedding_size']} dimensions",
        version="1",
        license="of the weights, see the model's folder (Resemblyzer: Apache-2.0)",
        reference="Wan et al. (2018), Generalized end-to-end loss for speaker verification",
        settings={
            "sha256": files.sha256(weights),
            "configuration": json.dumps(config, sort_keys=True),
            "speech_db": SPEECH_DB,
        },
        libraries=("librosa",),
        n_features=config["embedding_size"],
        load=partial(_load, weights, config),
    )


def louder(samples: np.ndarray, *, dbfs: float) -> np.ndarray:
    """Quiet samples raised to a level, loud ones as they are.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    dbfs : float
        Root mean square, in decibels re full scale.
    """
    rms = np.sqrt(np.mean(np.square(samples, dtype=float)))
    return samples * np.float32(max(10 ** (dbfs / 20) / rms, 1.0))


def speech_only(samples: np.ndarray, *, window: int, average: int, silence: int) -> np.ndarray:
    """Samples without long silences.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    window : int
        Samples that are decided upon together; what is left over at the end is dropped.
    average : int
        Windows over which the decisions are averaged; more than half of them must hold speech.
    silence : int
        Windows of silence kept around and between speech, about: the
        decisions are dilated by ``silence + 1``.

    Returns
    -------
    ndarray, shape (n',)
        At most n samples; all of them if they are fewer than a window, or no window is kept.
    """
    from scipy.ndimage import binary_dilation

    n = len(samples) // window
    if not n:
        return samples
    windows = samples[: n * window].reshape(n, window)
    energy = np.square(windows, dtype=float).mean(axis=1)
    speech = energy > energy.max() * 10 ** (-SPEECH_DB / 10)
    padded = np.pad(speech.astype(float), ((average - 1) // 2, average // 2))
    smooth = np.round(np.convolve(padded, np.ones(average) / average, mode="valid")) > 0
    kept = binary_dilation(smooth, np.ones(silence + 1))
    return windows[kept].ravel() if kept.any() else samples


def starts_of_pieces(n_samples: int, *, hop: int, size: int, step: int, coverage: float) -> list[int]:
    """First frames of the pieces of an utterance.

    Parameters
    ----------
    n_samples : int
    hop : int
        Samples a frame.
    size, step : int
        Frames of a piece, and from one to the next.
    coverage : float
        Share of the last piece that must be speech for it to be kept; the
        first one always is.
    """
    n_frames = -(-(n_samples + 1) // hop)
    starts = list(range(0, max(1, n_frames - size + step + 1), step))
    if len(starts) > 1 and (n_samples - starts[-1] * hop) / (size * hop) < coverage:
        starts.pop()
    return starts


@dataclass(frozen=True, kw_only=True)
class _Network:
    """Weights in memory. Plain attributes, used for inference only: safe to call from several threads."""

    lstm: Any
    linear: Any

    def __call__(self, pieces: Tensor) -> Tensor:
        """Embeddings (k, 256) of pieces (k, frames, mels)."""
        from torch.nn.functional import normalize

        _, (hidden, _) = self.lstm(pieces)
        return normalize(self.linear(hidden[-1]).relu())


def _load(weights: Path, config: dict[str, Any]) -> tuple[tuple[str, ...], Extractor]:
    import librosa
    import torch

    network = _network(weights, config)
    mel, cut, before = config["features"], config["utterance"], config["preprocessing"]
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=mel["n_fft"], n_mels=mel["n_mels"]).T
    hop, size = mel["hop_length"], cut["partial_frames"]
    step = round(SAMPLE_RATE / cut["partials_per_second"] / hop)

    def extract(samples: np.ndarray) -> np.ndarray:
        if not samples.any():
            raise AudioError("digital silence has no voice; leave the utterance out")
        speech = speech_only(
            louder(samples, dbfs=before["target_dbfs"]),
            window=before["vad_window_ms"] * SAMPLE_RATE // 1000,
            average=before["vad_moving_average_width"],
            silence=before["vad_max_silence_windows"],
        )
        starts = starts_of_pieces(len(speech), hop=hop, size=size, step=step, coverage=cut["min_coverage"])
        padded = np.pad(speech, (0, max(0, (starts[-1] + size) * hop - len(speech))))
        frames = over_frames(
            padded, lambda power: power @ filters, window=mel["win_length"], n_fft=mel["n_fft"], hop=hop
        ).astype(np.float32)
        with torch.inference_mode():
            pieces = torch.from_numpy(np.stack([frames[start : start + size] for start in starts]))
            mean = network(pieces).mean(dim=0).numpy()
        length = np.linalg.norm(mean)
        if length == 0:
            raise AudioError("the speaker encoder finds no voice; leave the utterance out")
        return mean / length

    return tuple(f"speaker_{i:03d}" for i in range(config["embedding_size"])), extract


def _network(weights: Path, config: dict[str, Any]) -> _Network:
    import torch
    from safetensors.torch import load_file

    sizes, linear = config["lstm"], config["linear"]
    modules = torch.nn.ModuleDict(
        {
            "lstm": torch.nn.LSTM(
                sizes["input_size"], sizes["hidden_size"], sizes["num_layers"], batch_first=True
            ),
            "linear": torch.nn.Linear(linear["in_features"], linear["out_features"]),
        }
    )
    try:
        tensors = load_file(weights)
        modules.load_state_dict(tensors)
    except Exception as error:  # safetensors has no one error for a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[-1].strip()
        raise ParameterError(
            f"{weights} is damaged, or does not fit {CONFIG}: {reason}; get the model again"
        ) from error
    if not all(tensor.isfinite().all() for tensor in modules.state_dict().values()):
        raise ParameterError(f"{weights} is not finite everywhere: it is damaged; get the model again")
    modules.eval().requires_grad_(False)
    return _Network(lstm=modules["lstm"], linear=modules["linear"])


def _configuration(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.is_file():
        raise ParameterError(f"{path} is missing; get the model again")
    config = documents.read(path)
    family = config.get("model_type")
    if family != FAMILY:
        raise ParameterError(f"{folder} holds a model of type {family!r}, not a {FAMILY}; choose another")
    for name, expected in _FIXED.items():
        found = config.get(name)
        if isinstance(expected, dict):
            found = {key: found.get(key) for key in expected} if isinstance(found, dict) else {}
        if found != expected:
            raise ParameterError(f"{path}: {name} is {found!r:.200}, and only {expected} can be computed")
    for name, numbers in _SIZES.items():
        values = config.get(name)
        if not isinstance(values, dict):
            raise ParameterError(f"{path} has no {name}; get the model again")
        documents.require(values, numbers, path=path)
    documents.require(config, {"embedding_size": _SIZE}, path=path)
    mel = config["features"]
    pairs = (
        (config["lstm"]["input_size"], mel["n_mels"]),
        (config["lstm"]["hidden_size"], config["linear"]["in_features"]),
        (config["linear"]["out_features"], config["embedding_size"]),
        (mel["win_length"], min(mel["win_length"], mel["n_fft"])),
    )
    if any(one != other for one, other in pairs):
        raise ParameterError(f"{path}: its sizes do not fit one another; get the model again")
    return config
