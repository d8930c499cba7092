"""Time-delay network, the back-end for MFSC and constant-Q frames.

Singh, Saha & Sahidullah (2021), Non-linear frequency warping using constant-Q
transformation for speech emotion recognition. Its text was not at hand. Known,
from its abstract: constant-Q and mel features are compared by one deep network
as back-end classifier, also on corpora that it was not trained on. Ours: that
network, a small one of the x-vector family (Snyder et al. 2018, X-vectors:
robust DNN embeddings for speaker recognition): time delays, statistics
pooling, a dense layer; with a stride that makes it fast.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from serlab.models import masking


class TDNN(nn.Module):
    """Time delays, mean and deviation over the utterance, a dense layer; gives logits.

    Bands are channels. The first layer sees frames -2 to 2 of every
    ``stride``-th frame, the second its steps -2, 0, 2 and the third -3, 0, 3
    (the x-vector's delays). Padding never takes part.

    Parameters
    ----------
    n_features, n_classes : int
    channels : int
        Of all delay layers.
    units : int
        Of the hidden layer that adaptation aligns.
    stride : int
        Frames between steps.
    dropout : float
        Before the hidden layer and before the output layer.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        channels: int = 128,
        units: int = 128,
        stride: int = 4,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.delays = nn.ModuleList(
            [
                _Delays(n_features, channels, offsets=(-2, -1, 0, 1, 2), stride=stride),
                _Delays(channels, channels, offsets=(-2, 0, 2)),
                _Delays(channels, channels, offsets=(-3, 0, 3)),
            ]
        )
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(2 * channels, units)
        self.output = nn.Linear(units, n_classes)

    def forward(self, X: Tensor) -> Tensor:
        """Logits, shape (B, n_classes), of sequences (B, t, n_features), NaN after their end."""
        return self.classify(self.hidden(X))

    def hidden(self, X: Tensor) -> Tensor:
        """Output of the dense layer, shape (B, units): what is aligned."""
        return self._dense(self._pooled(X))

    def classify(self, hidden: Tensor) -> Tensor:
        """Logits of hidden representations."""
        return self.output(self.dropout(hidden))

    def embed(self, X: Tensor) -> Tensor:
        """What the output layer sees, shape (B, units)."""
        return self.hidden(X)

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output."""
        pooled = self._pooled(X)
        hidden = self._dense(pooled)
        return {"delays": pooled, "dense": hidden, "output": self.classify(hidden)}

    def _pooled(self, X: Tensor) -> Tensor:
        """Mean and deviation over the utterance's steps, shape (B, 2 * channels)."""
        maps, mask = masking.split(X)
        for layer in self.delays:
            maps, mask = layer(maps, mask)
        return masking.mean_and_deviation(maps, mask)

    def _dense(self, pooled: Tensor) -> Tensor:
        return self.dense(self.dropout(pooled)).relu()


class _Delays(nn.Module):
    """Dense layer over some steps around every ``stride``-th step."""

    def __init__(self, width: int, channels: int, *, offsets: tuple[int, ...], stride: int = 1) -> None:
        super().__init__()
        self.offsets, self.stride = offsets, stride
        # A convolution as a matrix product: faster on a CPU than a dilated Conv1d.
        self.linear = nn.Linear(len(offsets) * width, channels)
        # Layer norm: batch norm would let padding, and the other utterances, into the statistics.
        self.norm = nn.LayerNorm(channels)

    def forward(self, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Steps (B, ceil(t / stride), channels), 0 after the end as in ``maps``, and which are valid."""
        reach, t = max(self.offsets), maps.shape[1]
        padded = pad(maps, (0, 0, reach, reach))
        delayed = [padded[:, reach + offset : reach + offset + t : self.stride] for offset in self.offsets]
        mask = mask[:, :: self.stride]
        steps = self.norm(self.linear(torch.cat(delayed, dim=2))).relu()
        return steps * mask[:, :, None], mask
