"""Features of pretrained speech encoders: layers of :mod:`serlab.pretrained.encoders`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from serlab.errors import ParameterError
from serlab.features.base import Extractor, FeatureSet
from serlab.features.spectral import SPEECH_DB
from serlab.pretrained import encoders

_LICENSE = (
    "transformers (Apache-2.0); the weights have a licence of their own, see the model's folder or page"
)
_REFERENCES = {
    "whisper": "Radford et al. (2023), Robust Speech Recognition via Large-Scale Weak Supervision",
    "wav2vec2": "Baevski et al. (2020), wav2vec 2.0; XLS-R: Babu et al. (2022)",
    "hubert": "Hsu et al. (2021), HuBERT: Self-Supervised Speech Representation Learning",
    "wavlm": "Chen et al. (2022), WavLM: Large-Scale Self-Supervised Pre-Training",
    "wav2vec2-bert": "Seamless Communication et al. (2023), Seamless: w2v-BERT 2.0",
    "emotion2vec": "Ma et al. (2024), emotion2vec: Self-Supervised Pre-Training for Speech Emotion "
    "Representation",
}


def encoder(name: str, *, root: Path | str | None = None) -> FeatureSet:
    """Mean and standard deviation over the frames, of every layer of an encoder.

    Parameters
    ----------
    name : str
        A folder, a name under ``SERLAB_MODELS`` or ``./models``, or a name of
        the Hugging Face hub; see :func:`serlab.pretrained.encoders.find`.
    root : path, optional
        Instead of ``SERLAB_MODELS``.

    Returns
    -------
    FeatureSet
        "encoder:<name>", vectors. Features "layer0.mean.000", ...,
        "layer0.sd.000", ..., "layer1.mean.000" and so on.

    Raises
    ------
    ParameterError
        If there is no such model, or it cannot be used.
    """
    return _vectors(encoders.look(name, root=root), f"encoder:{name}", "", _statistics)


def encoder_speech(name: str, *, root: Path | str | None = None) -> FeatureSet:
    """The same over the frames that hold speech; the encoder hears the pauses all the same.

    Half of a recording of RAVDESS is silence before and after the sentence,
    of EmoDB a tenth, of URDU nothing: means over all frames tell corpora apart
    by that. See :func:`speech_frames`.

    Returns
    -------
    FeatureSet
        "encoder-speech:<name>", vectors named as those of :func:`encoder`.

    Raises
    ------
    ParameterError
        As :func:`encoder`.
    """
    folder = encoders.look(name, root=root)
    return _vectors(folder, f"encoder-speech:{name}", " of speech", _speech_statistics, speech_db=SPEECH_DB)


def speech_frames(samples: np.ndarray, n_frames: int) -> np.ndarray:
    """Which frames are at most 40 dB below the loudest, as in :func:`serlab.features.spectral.speech_only`.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    n_frames : int
        Of 20 ms; samples beyond them are not looked at.

    Returns
    -------
    ndarray of bool, shape (n_frames,)
        At least one is True.
    """
    whole = np.zeros((n_frames, encoders.HOP))
    inside = samples[: whole.size]
    whole.flat[: len(inside)] = inside
    power = (whole**2).mean(axis=1)
    return power >= power.max() * 10 ** (-SPEECH_DB / 10)


def frames(name: str, layer: int, *, root: Path | str | None = None) -> FeatureSet:
    """One layer of an encoder, a frame every 20 ms: the input of the layers above it.

    Parameters
    ----------
    name : str
        As for :func:`encoder`.
    layer : int
        0 is the input of the first block.
    root : path, optional

    Returns
    -------
    FeatureSet
        "encoder-frames:<name>@<layer>".

    Raises
    ------
    ParameterError
        If there is no such model or layer.
    """
    folder = encoders.look(name, root=root)
    encoders.require_layer(folder, layer)
    return _feature_set(
        folder,
        name=f"encoder-frames:{name}@{layer}",
        title=f"{encoders.FAMILIES[folder.family]}: frames of layer {layer}",
        n_features=folder.width,
        load=partial(
            _load,
            folder,
            tuple(f"layer{layer}.{i:03d}" for i in range(folder.width)),
            partial(_one_layer, layer=layer),
        ),
        kind="frames",
        frame_shift=encoders.FRAME_SHIFT,
    )


def frames_by_name(what: str) -> FeatureSet:
    """:func:`frames` of "<name>@<layer>".

    Raises
    ------
    ParameterError
    """
    name, _, layer = what.rpartition("@")
    if not name or not layer.isdecimal():
        raise ParameterError(f"'encoder-frames:{what}' names no layer; write encoder-frames:<model>@<layer>")
    return frames(name, int(layer))


def _vectors(
    folder: encoders.Folder,
    name: str,
    of: str,
    describe: Callable[[encoders.Encoder, np.ndarray], np.ndarray],
    **settings: float,
) -> FeatureSet:
    names = tuple(
        f"layer{layer}.{statistic}.{i:03d}"
        for layer in range(folder.n_layers + 1)
        for statistic in ("mean", "sd")
        for i in range(folder.width)
    )
    return _feature_set(
        folder,
        name=name,
        title=f"{encoders.FAMILIES[folder.family]}: mean and deviation of {folder.n_layers + 1} layers{of}",
        n_features=len(names),
        load=partial(_load, folder, names, describe),
        more_settings=settings,
    )


def _feature_set(
    folder: encoders.Folder, *, more_settings: Mapping[str, float] | None = None, **described: object
) -> FeatureSet:
    encoders.require_transformers()
    return FeatureSet(
        version="1",
        libraries=("transformers",),
        license=_LICENSE,
        reference=_REFERENCES[folder.family],
        settings={
            "family": folder.family,
            "sha256": folder.sha256,
            "configuration": folder.settings,
            **(more_settings or {}),
        },
        **described,
    )


def _load(
    folder: encoders.Folder,
    names: tuple[str, ...],
    describe: Callable[[encoders.Encoder, np.ndarray], np.ndarray],
) -> tuple[tuple[str, ...], Extractor]:
    model = encoders.load(folder)

    def extract(samples: np.ndarray) -> np.ndarray:
        with _ONE_THREAD:
            return describe(model, samples)

    return names, extract


class _OneThread:
    """Keep torch to one thread while anybody is inside.

    Utterances are small, and several are described at once: threads of torch
    within each would wait for one another (four times the processor time on
    2 cores). How many threads torch uses is a setting of the process, so the
    last to leave puts back what the first one found.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._before = threading.Lock(), 0, 1

    def __enter__(self) -> None:
        import torch

        with self._lock:
            if self._inside == 0:
                self._before = _threads_of_process()
            self._inside += 1
            torch.set_num_threads(1)

    def __exit__(self, *error: object) -> None:
        import torch

        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                torch.set_num_threads(self._before)


def _threads_of_process() -> int:
    """How many threads torch uses where nobody has chosen: a worker that was here before keeps its own 1."""
    import torch

    found: list[int] = []
    fresh = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    fresh.start()
    fresh.join()
    return found[0]


_ONE_THREAD = _OneThread()


def _statistics(model: encoders.Encoder, samples: np.ndarray) -> np.ndarray:
    return _pooled(model.layers(samples))


def _speech_statistics(model: encoders.Encoder, samples: np.ndarray) -> np.ndarray:
    layers = model.layers(samples)
    speech = speech_frames(samples, len(layers[0]))
    return _pooled([layer[speech] for layer in layers])


def _pooled(layers: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([part for layer in layers for part in (layer.mean(axis=0), layer.std(axis=0))])


def _one_layer(model: encoders.Encoder, samples: np.ndarray, *, layer: int) -> np.ndarray:
    return model.layers(samples, up_to=layer)[layer]
