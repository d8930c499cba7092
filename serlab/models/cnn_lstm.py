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

from serlab.models import masking


class CNNLSTM(nn.Module):
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
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(recurrent, units)
        self.output = nn.Linear(units, n_classes)

    def forward(self, X: Tensor) -> Tensor:
        """Logits, shape (B, n_classes), of sequences (B, t, n_features), NaN after their end."""
        return self.classify(self.hidden(X))

    def hidden(self, X: Tensor) -> Tensor:
        """Output of the dense layer, shape (B, units): what is aligned."""
        return self._dense(self._recurrent(*self._convolved(X)))

    def classify(self, hidden: Tensor) -> Tensor:
        """Logits of hidden representations."""
        return self.output(self.dropout(hidden))

    def embed(self, X: Tensor) -> Tensor:
        """What the output layer sees, shape (B, units)."""
        return self.hidden(X)

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output; of sequences the mean over time."""
        maps, mask = self._convolved(X)
        recurrent = self._recurrent(maps, mask)
        hidden = self._dense(recurrent)
        return {
            "convolution": _mean(maps, mask),
            "lstm": recurrent,
            "dense": hidden,
            "output": self.classify(hidden),
        }

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
        """Mean of the LSTM's outputs over the utterance, shape (B, recurrent).

        It reads the utterance before the padding: what comes after changes nothing.
        """
        return _mean(self.lstm(maps)[0], mask)

    def _dense(self, recurrent: Tensor) -> Tensor:
        return self.dense(self.dropout(recurrent)).relu()


def _mean(steps: Tensor, mask: Tensor) -> Tensor:
    """Mean over the valid steps of sequences (B, t, d)."""
    return (steps * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
