"""A light convolutional network: the backbone on which adaptation methods meet on equal terms."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from serlab.models import masking
from serlab.models.corpus_norm import CorpusNorm


class LightCNN(nn.Module):
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
        self.norm = CorpusNorm(2 * channels)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(2 * channels, units)
        self.output = nn.Linear(units, n_classes)

    def forward(self, X: Tensor) -> Tensor:
        """Logits, shape (B, n_classes), of sequences (B, t, n_features), NaN after their end."""
        return self.classify(self.hidden(X))

    def hidden(self, X: Tensor) -> Tensor:
        """Output of the first dense layer, shape (B, units): what is aligned."""
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
        return {"convolution": pooled, "dense": hidden, "output": self.classify(hidden)}

    def _dense(self, pooled: Tensor) -> Tensor:
        return self.dense(self.dropout(self.norm(pooled))).tanh()

    def _pooled(self, X: Tensor) -> Tensor:
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
