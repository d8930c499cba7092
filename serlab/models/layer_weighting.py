"""A classifier of the layers of a pretrained encoder, which learns how much of each to take."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from serlab.errors import ParameterError
from serlab.models.corpus_norm import CorpusNorm
from serlab.models.heads import PooledNetwork


class LayerWeighting(PooledNetwork):
    """Weighted sum of layers, a hidden layer, an output layer.

    The weights are a softmax over one number a layer, learned with the rest
    and alike for all dimensions, as in the SUPERB benchmark (Yang et al. 2021).
    Each dimension of each layer is normalised first: layers differ in size by
    orders of magnitude, and the weights are to be comparable. The hidden layer
    is a hyperbolic tangent, as in :class:`serlab.models.light_cnn.LightCNN`.

    Parameters
    ----------
    n_features : int
        Of all layers, one after the other, each ``n_features / n_layers`` wide.
    n_classes, n_layers : int
    units : int or None
        Of the hidden layer that adaptation aligns; None for a linear probe of the weighted sum.
    dropout : float
        Before the hidden layer and before the output layer.

    Raises
    ------
    ParameterError
        If the features are not a multiple of the layers.
    """

    def __init__(
        self, n_features: int, n_classes: int, *, n_layers: int, units: int | None = 128, dropout: float = 0.3
    ) -> None:
        super().__init__()
        if n_features % n_layers:
            raise ParameterError(f"{n_features} features are not {n_layers} layers of one width")
        width = n_features // n_layers
        self.scale = CorpusNorm(n_features)
        self.scores = nn.Parameter(torch.zeros(n_layers))
        self.add_head(width, n_classes, units=units, dropout=dropout, activation="tanh", normalized=False)
        if units is None:  # a linear model needs no noise to begin with
            nn.init.zeros_(self.output.weight)
            nn.init.zeros_(self.output.bias)

    def weights(self) -> Tensor:
        """Share of each layer, shape (n_layers,); they sum to 1."""
        return self.scores.softmax(dim=0)

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output."""
        pooled = self.pooled(X)
        return self.with_head({"weighted layers": pooled}, pooled)

    def pooled(self, X: Tensor) -> Tensor:
        """Weighted sum of the layers, shape (B, n_features / n_layers), of vectors (B, n_features)."""
        parts = self.scale(X).unflatten(1, (len(self.scores), -1))
        return torch.einsum("l,blw->bw", self.weights(), parts)
