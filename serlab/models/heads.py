"""The layers behind what pools an utterance to one vector: a dense layer, and an output layer."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from serlab.models.corpus_norm import CorpusNorm

_ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU}


class PooledNetwork(nn.Module):
    """Base of networks that pool an utterance to one vector, which two dense layers classify.

    A subclass builds what pools, ends its constructor with :meth:`add_head` (weights are drawn in that
    order), and says in :meth:`pooled` what the layers see.
    """

    def add_head(
        self,
        width: int,
        n_classes: int,
        *,
        units: int | None,
        dropout: float,
        activation: Literal["tanh", "relu"],
        normalized: bool,
    ) -> None:
        """Make the layers ``norm`` (if asked for), ``dropout``, ``dense`` and ``output``.

        Parameters
        ----------
        width : int
            Of the pooled vector.
        n_classes : int
        units : int or None
            Of the hidden layer, which adaptation aligns; None: the output layer sees the pooled vector.
        dropout : float
            Before the hidden layer and before the output layer.
        activation : {"tanh", "relu"}
        normalized : bool
            Batch normalisation of the pooled vector comes first.
        """
        self.norm = CorpusNorm(width) if normalized else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Identity() if units is None else nn.Linear(width, units)
        self.activation = nn.Identity() if units is None else _ACTIVATIONS[activation]()
        self.output = nn.Linear(units or width, n_classes)

    def pooled(self, X: Tensor) -> Tensor:
        """One vector an utterance, shape (B, width), of sequences (B, t, n_features), NaN after their end."""
        raise NotImplementedError

    def forward(self, X: Tensor) -> Tensor:
        """Logits, shape (B, n_classes), of what :meth:`pooled` takes."""
        return self.classify(self.hidden(X))

    def hidden(self, X: Tensor) -> Tensor:
        """Output of the dense layer, shape (B, units): what is aligned."""
        return self.of_pooled(self.pooled(X))

    def of_pooled(self, pooled: Tensor) -> Tensor:
        """Output of the dense layer for pooled vectors."""
        return self.activation(self.dense(self.dropout(self.norm(pooled))))

    def classify(self, hidden: Tensor) -> Tensor:
        """Logits of hidden representations."""
        return self.output(self.dropout(hidden))

    def embed(self, X: Tensor) -> Tensor:
        """What the output layer sees, shape (B, units)."""
        return self.hidden(X)

    def head(self) -> PooledNetwork:
        """The layers behind the pooled vector, shared with this network, as a network of such vectors."""
        return _Head(self)

    def with_head(self, layers: dict[str, Tensor], pooled: Tensor) -> dict[str, Tensor]:
        """Representations up to the pooled vector, and those of the two layers after it."""
        hidden = self.of_pooled(pooled)
        return {**layers, "dense": hidden, "output": self.classify(hidden)}


class _Head(PooledNetwork):
    """See :meth:`PooledNetwork.head`."""

    def __init__(self, whole: PooledNetwork) -> None:
        super().__init__()
        self.norm, self.dropout, self.dense = whole.norm, whole.dropout, whole.dense
        self.activation, self.output = whole.activation, whole.output

    def pooled(self, X: Tensor) -> Tensor:
        return X
