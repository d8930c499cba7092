"""A light convolutional network: the backbone on which adaptation methods meet on equal terms."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from serlab.models import masking
from serlab.models.heads import PooledNetwork


class LightCNN(PooledNetwork):
    """Convolutions over time, mean and deviation over the utterance, two dense layers.

    Ours, not a paper's: the means and deviations of what short stretches of
    speech look like, as in statistics pooling (Snyder et al. 2017), normalised
    by the batch. Bands are channels, so that a step costs little on a CPU.
    Padding never takes part. The hidden layer is a hyperbolic tangent: drawn
    together by a loss, units with ReLU died.

    Parameters
    ----------
    n_features, n_classes : int
    channels : int
        Of every convolution.
    units : int
        Of the hidden layer that adaptation aligns.
    windows : sequence of (int, int)
        Of each convolution: frames of a kernel, and from one kernel to the next.
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
        windows: Sequence[tuple[int, int]] = ((6, 6), (4, 2)),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.windows = tuple(windows)
        # As matrix products of windows: faster on a CPU than Conv1d.
        inputs = [n_features] + [channels] * (len(self.windows) - 1)
        self.convolutions = nn.ModuleList(
            nn.Linear(width * d, channels) for (width, _), d in zip(self.windows, inputs, strict=True)
        )
        self.add_head(
            2 * channels, n_classes, units=units, dropout=dropout, activation="tanh", normalized=True
        )

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output."""
        pooled = self.pooled(X)
        return self.with_head({"convolution": pooled}, pooled)

    def pooled(self, X: Tensor) -> Tensor:
        """Mean and deviation of the second convolution's outputs, shape (B, 2 * channels)."""
        filled, mask = masking.split(X)
        for layer, (width, stride) in zip(self.convolutions, self.windows, strict=True):
            filled, mask = _convolved(layer, filled, mask, width=width, stride=stride)
        return masking.mean_and_deviation(filled, mask)


def _convolved(
    layer: nn.Linear, filled: Tensor, mask: Tensor, *, width: int, stride: int
) -> tuple[Tensor, Tensor]:
    """ReLU of a strided convolution; windows start within the utterance, 0 elsewhere."""
    starts = mask[:, ::stride]
    n_windows = starts.shape[1]
    reach = (n_windows - 1) * stride  # from the first window to the last
    padded = pad(filled, (0, 0, 0, max(0, reach + width - filled.shape[1])))
    # Put together from slices: the gradient of unfold takes longer than all else of a step.
    windows = torch.cat([padded[:, k : k + reach + 1 : stride] for k in range(width)], dim=2)
    return layer(windows).relu() * starts[:, :, None], starts
