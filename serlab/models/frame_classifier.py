"""Emotion of each frame, on the layers of a network that recognises speech.

Zhou & Beigi (2020), sections 3.1 and 3.4: a dense layer behind the embedding,
a softmax for each frame, all frames labelled as their utterance; the utterance
is decided by the sum of its frames' outputs. Not printed, and ours: the width
of the dense layer, its ReLU, dropout, and the batch normalisation before it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from serlab.models.corpus_norm import CorpusNorm
from serlab.models.tdnn import TDNN


class FrameClassifier(nn.Module):
    """Dense layer and logits for each frame of embeddings (B, t, width), NaN after their end.

    Parameters
    ----------
    width, n_classes : int
    units : int
        Of the dense layer.
    dropout : float
    """

    def __init__(self, width: int, n_classes: int, *, units: int, dropout: float) -> None:
        super().__init__()
        self.norm = CorpusNorm(width)
        self.dense = nn.Linear(width, units)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(units, n_classes)

    def forward(self, X: Tensor) -> Tensor:
        """Log of the frames' mean probabilities, shape (B, n_classes): its softmax is that mean."""
        return self.joined(*self.frame_logits(X))

    def frame_logits(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the N frames inside, shape (N, n_classes), and where they are, bool (B, t)."""
        dense, inside = self._dense(X)
        return self.output(self.dropout(dense)), inside

    def joined(self, logits: Tensor, inside: Tensor) -> Tensor:
        """Log of the mean over frames of their softmax, shape (B, n_classes)."""
        frames = logits.new_full((*inside.shape, logits.shape[1]), -torch.inf)
        frames[inside] = logits.log_softmax(dim=1).to(frames.dtype)
        return frames.logsumexp(dim=1) - inside.sum(dim=1, keepdim=True).log()

    def embed(self, X: Tensor) -> Tensor:
        """Mean embedding of the frames, shape (B, width)."""
        return X.nanmean(dim=1)

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Mean of the dense layer over frames, and the output."""
        dense, inside = self._dense(X)
        maps = dense.new_zeros(*inside.shape, dense.shape[1])
        maps[inside] = dense
        mean = maps.sum(dim=1) / inside.sum(dim=1, keepdim=True)
        return {"dense": mean, "output": self.joined(self.output(dense), inside)}

    def _dense(self, X: Tensor) -> tuple[Tensor, Tensor]:
        inside = ~X[:, :, 0].isnan()
        return self.dense(self.norm(X[inside])).relu(), inside


class EmotionTDNN(nn.Module):
    """A :class:`FrameClassifier` on a layer of a TDNN that learns with it.

    Parameters
    ----------
    tdnn : TDNN
    layer : str
        Of :attr:`serlab.models.tdnn.TDNN.names`.
    head : FrameClassifier
    """

    def __init__(self, tdnn: TDNN, layer: str, head: FrameClassifier) -> None:
        super().__init__()
        self.tdnn, self.layer, self.head = tdnn, layer, head

    def forward(self, X: Tensor) -> Tensor:
        """As that of the head, of inputs (B, t, d), NaN after the end."""
        return self.head(self.tdnn.frames_at(X, self.layer))

    def frame_logits(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """As that of the head."""
        return self.head.frame_logits(self.tdnn.frames_at(X, self.layer))

    def joined(self, logits: Tensor, inside: Tensor) -> Tensor:
        """As that of the head."""
        return self.head.joined(logits, inside)

    def embed(self, X: Tensor) -> Tensor:
        """Mean embedding of the frames, shape (B, width of the layer)."""
        return self.head.embed(self.tdnn.frames_at(X, self.layer))

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Mean over frames of each layer up to the embedding, and those of the head."""
        of_tdnn = mean_layers(self.tdnn, X, until=self.layer)
        return of_tdnn | self.head.layers(self.tdnn.frames_at(X, self.layer))


def mean_layers(tdnn: TDNN, X: Tensor, *, until: str) -> dict[str, Tensor]:
    """Mean over frames of each layer up to ``until``, shape (B, width) each."""
    maps = tdnn.all_frames(X)
    names = tdnn.names[: tdnn.names.index(until) + 1]
    return {name: maps[name].nanmean(dim=1) for name in names}
