"""From the samples of an utterance to layer 0 of an encoder, in windows of at most 30 s.

All families give a frame every 20 ms. Long utterances are cut into the fewest windows of equal
length; every frame is in one of them, and frames do not attend across the cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from serlab.audio import SAMPLE_RATE

if TYPE_CHECKING:
    from torch import Tensor

#: Samples from one frame to the next: 20 ms.
HOP = 320
#: Frames of a window of 30 s.
WINDOW = 1500
#: Samples that one frame of the convolutions of wav2vec 2.0 and its relatives sees.
RECEPTIVE_FIELD = 400
#: The first frame of w2v-BERT is two of 25 ms, 10 ms apart.
_TWO_FRAMES = 560


class Front(Protocol):
    """What lies below the blocks of a family."""

    def n_frames(self, n_samples: int) -> int:
        """Frames of an utterance."""

    def windows(self, samples: np.ndarray) -> Iterator[Tensor]:
        """Layer 0 of each window, shape (1, t, width), of samples of float32, shape (n,), at 16 kHz."""


@dataclass(kw_only=True)
class Waveform:
    """Convolutions over the samples: wav2vec 2.0 and its relatives, emotion2vec.

    Attributes
    ----------
    embed : callable
        Layer 0, shape (1, t, width), of samples, shape (1, n).
    normalised : bool
        Whether an utterance is given zero mean and unit variance first.
    floor : float
        Added to that variance.
    """

    embed: Callable[[Tensor], Tensor]
    normalised: bool
    floor: float = 1e-7

    def n_frames(self, n_samples: int) -> int:
        """All that are full."""
        return max(1, (n_samples - RECEPTIVE_FIELD) // HOP + 1)

    def windows(self, samples: np.ndarray) -> Iterator[Tensor]:
        """See :meth:`Front.windows`."""
        import torch

        if self.normalised:
            samples = (samples - samples.mean()) / np.sqrt(samples.var() + self.floor)
        n_frames = self.n_frames(len(samples))
        for first, last in _edges(n_frames):
            end = None if last == n_frames else last * HOP + RECEPTIVE_FIELD - HOP
            window = np.ascontiguousarray(samples[first * HOP : end], np.float32)
            yield self.embed(torch.from_numpy(window)[None])


@dataclass(kw_only=True)
class Whisper:
    """Convolutions over the log-mel spectrogram, and positions.

    Attributes
    ----------
    model, preprocessor
        Of transformers.
    """

    model: Any
    preprocessor: Any

    def n_frames(self, n_samples: int) -> int:
        """All that hold a sample."""
        return -(-n_samples // HOP)

    def windows(self, samples: np.ndarray) -> Iterator[Tensor]:
        """See :meth:`Front.windows`."""
        n_frames = self.n_frames(len(samples))
        for first, last in _edges(n_frames):
            yield self._embed(samples[first * HOP : None if last == n_frames else last * HOP])

    def _embed(self, samples: np.ndarray) -> Tensor:
        import torch
        from torch.nn.functional import gelu

        n_frames = self.n_frames(len(samples))
        # So much silence that the last frame sees what it would see in a window padded to 30 s.
        length = min(n_frames * HOP + 720, WINDOW * HOP)
        padded = np.pad(samples, (0, length - len(samples)))
        mel = self.preprocessor(
            padded, sampling_rate=SAMPLE_RATE, padding="longest", truncation=False, return_tensors="pt"
        ).input_features[:, :, : 2 * n_frames + 2]
        hidden = gelu(self.model.conv2(gelu(self.model.conv1(mel))))[:, :, :n_frames]
        return hidden.transpose(1, 2) + self.model.embed_positions(torch.arange(n_frames))


@dataclass(kw_only=True)
class Filterbank:
    """Two log-mel frames of 10 ms beside each other, each band normalised over the utterance: w2v-BERT.

    Attributes
    ----------
    model, preprocessor
        Of transformers.
    """

    model: Any
    preprocessor: Any

    def n_frames(self, n_samples: int) -> int:
        """All that are full."""
        return max(1, (n_samples - _TWO_FRAMES) // HOP + 1)

    def windows(self, samples: np.ndarray) -> Iterator[Tensor]:
        """See :meth:`Front.windows`."""
        whole = np.pad(samples, (0, max(0, _TWO_FRAMES - len(samples))))
        bands = self.preprocessor(whole, sampling_rate=SAMPLE_RATE, return_tensors="pt").input_features
        for first, last in _edges(self.n_frames(len(samples))):
            yield self.model.feature_projection(bands[:, first:last])[0]


def _edges(n_frames: int) -> Iterator[tuple[int, int]]:
    """First frame of each window, and the first after it."""
    n_windows = -(-n_frames // WINDOW)
    return pairwise(np.linspace(0, n_frames, n_windows + 1).round().astype(int).tolist())
