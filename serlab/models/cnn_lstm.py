"""CNN-LSTM on log-mel frames, after Parry et al. (2019).

Parry et al. (2019), Analysis of deep learning architectures for cross-corpus
speech emotion recognition, Interspeech. Its text was not at hand. Known, from
its abstract: convolutional and recurrent networks, trained on several corpora,
were compared on an unseen one, and recurrent ones overfitted the corpora of the
training set. Ours: all sizes, the strides and pooling that make it fast, layer
normalisation, the mean over the LSTM's steps, and the dense layer on top.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import max_pool1d

from serlab.models import masking, recurrent
from serlab.models.heads import PooledNetwork


class CNNLSTM(PooledNetwork):
    """Two strided convolutions over time, max-pooling, an LSTM, a dense layer; gives logits.

    Bands are channels. A step of the LSTM is eight frames. Padding never takes part.

    Parameters
    ----------
    n_features, n_classes : int
    channels : int
        Of both convolutions.
    recurrent : int
        Units of the LSTM.
    units : int
        Of the hidden layer that adaptation aligns.
    dropout : float
        After the convolutions, before the hidden layer and before the output layer.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        channels: int = 64,
        recurrent: int = 128,
        units: int = 128,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, channels, kernel_size=5, stride=2, padding=2) for width in (n_features, channels)
        )
        # Layer norm: batch norm would let padding, and the other utterances, into the statistics.
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in self.convolutions)
        self.lstm = nn.LSTM(channels, recurrent, batch_first=True)
        self.add_head(recurrent, n_classes, units=units, dropout=dropout, activation="relu", normalized=False)

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output; of sequences the mean over time."""
        maps, mask = self._convolved(X)
        read = self._recurrent(maps, mask)
        return self.with_head({"convolution": recurrent.mean(maps, mask), "lstm": read}, read)

    def pooled(self, X: Tensor) -> Tensor:
        """Mean of the LSTM's outputs over the utterance, shape (B, recurrent)."""
        return self._recurrent(*self._convolved(X))

    def _convolved(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Pooled feature maps (B, ceil(t / 8), channels), 0 after the end, and which steps are valid."""
        maps, mask = masking.split(X)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            maps = norm(convolution(maps.transpose(1, 2)).transpose(1, 2)).relu()
            mask = mask[:, ::2]
            # The next convolution must find zeros after the end, as it does at the batch's edge.
            maps = maps * mask[:, :, None]
        # After ReLU nothing is below 0, so the zeros of padding are never a maximum that matters.
        pooled = max_pool1d(maps.transpose(1, 2), 2, ceil_mode=True).transpose(1, 2)
        return self.dropout(pooled), mask[:, ::2]

    def _recurrent(self, maps: Tensor, mask: Tensor) -> Tensor:
        """It reads the utterance before the padding: what comes after changes nothing."""
        return recurrent.mean(self.lstm(maps)[0] * mask[:, :, None], mask)
