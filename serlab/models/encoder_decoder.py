"""The encoder-decoder with attention of Durrani & Arshad, section 2.

The paper names a CNN followed by an LSTM, attention, and a decoder that
generates the class label (figure 2), after Bansal et al. (2018), Low-resource
speech-to-text translation; it prints no size. Our choices: two strided
convolutions, one bidirectional LSTM, the general score of Luong, Pham &
Manning (2015), Effective approaches to attention-based neural machine
translation, and one decoding step: an utterance has one label, so a decoder
started by its start symbol has nothing more to say.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from serlab.models import masking
from serlab.models.recurrent import mirrored, reordered


class EncoderDecoder(nn.Module):
    """Encoder, attention and decoder, which a transfer can take one by one; gives logits.

    The three submodules are called ``encoder``, ``attention`` and ``decoder``.

    Parameters
    ----------
    n_features, n_classes : int
    channels : int
        Of both convolutions.
    units : int
        LSTM units of the encoder, each direction; the decoder has twice as many.
    dropout : float
        After each convolution, and on what the output layer sees.
    """

    def __init__(
        self, n_features: int, n_classes: int, *, channels: int = 64, units: int = 64, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.encoder = Encoder(n_features, channels=channels, units=units, dropout=dropout)
        self.attention = Attention(2 * units)
        self.decoder = Decoder(2 * units, n_classes, dropout=dropout)

    def forward(self, X: Tensor) -> Tensor:
        """Logits, shape (B, n_classes), of sequences (B, t, n_features), NaN after their end."""
        return self.decoder.output(self.decoder.dropout(self.embed(X)))

    def embed(self, X: Tensor) -> Tensor:
        """What the output layer sees, shape (B, 2 * units)."""
        encoded, weights, _, state = self._attended(X)
        context = (weights[:, :, None] * encoded).sum(dim=1)
        return self.decoder.combined(context, state)

    def attention_weights(self, X: Tensor) -> Tensor:
        """Weights over the encoder's steps, shape (B, ceil(t / 4)): rows sum to 1, NaN after the end."""
        _, weights, mask, _ = self._attended(X)
        return masking.nan_outside(weights, mask)

    def _attended(self, X: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        encoded, mask, final = self.encoder(X)
        state = self.decoder.start(final)
        return encoded, self.attention(encoded, state, mask), mask, state


class Encoder(nn.Module):
    """Two convolutions, each halving time, and a bidirectional LSTM."""

    def __init__(self, n_features: int, *, channels: int, units: int, dropout: float) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, channels, kernel_size=5, stride=2, padding=2) for width in (n_features, channels)
        )
        # Layer norm: batch norm would let padding, and the other utterances, into the statistics.
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in self.convolutions)
        self.dropout = nn.Dropout(dropout)
        self.ahead = nn.LSTM(channels, units, batch_first=True)
        self.back = nn.LSTM(channels, units, batch_first=True)

    def forward(self, X: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode sequences (B, t, n_features), NaN after their end.

        Returns
        -------
        encoded : Tensor, shape (B, ceil(t / 4), 2 * units)
            Whatever stands after the end depends on padding: mask it.
        mask : Tensor of bool, shape (B, ceil(t / 4))
        final : Tensor, shape (B, 2 * units)
            Of each direction the output for the last frame it read.
        """
        H, mask = masking.split(X)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            H = norm(convolution(H.transpose(1, 2)).transpose(1, 2)).relu()
            mask = mask[:, ::2]
            # The next convolution must find zeros after the end, as it does at the batch's edge.
            H = self.dropout(H * mask[:, :, None])
        # Each direction reads the utterance first and its padding afterwards: the same as a packed
        # sequence, at a fifth of its time on a CPU.
        back_to_front = mirrored(mask)
        ahead, _ = self.ahead(H)
        back = reordered(self.back(reordered(H, back_to_front))[0], back_to_front)
        last = mask.sum(dim=1, keepdim=True) - 1
        final = torch.cat([reordered(ahead, last)[:, 0], back[:, 0]], dim=1)
        return torch.cat([ahead, back], dim=2), mask, final


class Attention(nn.Module):
    """Weights over encoded steps for a decoder state: Luong et al. 2015, score "general"."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, width, bias=False)

    def forward(self, encoded: Tensor, state: Tensor, mask: Tensor) -> Tensor:
        """Weights (B, steps), 0 outside the mask, of steps (B, steps, width) and states (B, width)."""
        scores = torch.einsum("bsw,bw->bs", encoded, self.score(state))
        return masking.softmax(scores, mask)


class Decoder(nn.Module):
    """An LSTM that reads the start symbol, and the layers that turn its state into a label."""

    def __init__(self, width: int, n_classes: int, *, dropout: float) -> None:
        super().__init__()
        self.symbol = nn.Embedding(1, width)
        self.cell = nn.LSTMCell(width, width)
        self.combine = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, n_classes)

    def start(self, final: Tensor) -> Tensor:
        """State after the start symbol, from the encoder's final output; both (B, width)."""
        symbol = self.symbol.weight.expand(len(final), -1)
        return self.cell(symbol, (final, torch.zeros_like(final)))[0]

    def combined(self, context: Tensor, state: Tensor) -> Tensor:
        """Attentional state, (B, width), of a context vector and a state."""
        return self.combine(torch.cat([context, state], dim=1)).tanh()
