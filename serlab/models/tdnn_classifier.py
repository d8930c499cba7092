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
from serlab.models.heads import PooledNetwork


class TDNN(PooledNetwork):
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
        self.add_head(
            2 * channels, n_classes, units=units, dropout=dropout, activation="relu", normalized=False
        )

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output."""
        pooled = self.pooled(X)
        return self.with_head({"delays": pooled}, pooled)

    def pooled(self, X: Tensor) -> Tensor:
        """Mean and deviation over the utterance's steps, shape (B, 2 * channels)."""
        maps, mask = masking.split(X)
        for layer in self.delays:
            maps, mask = layer(maps, mask)
        return masking.mean_and_deviation(maps, mask)


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
