"""Convolutions and a bidirectional LSTM on spectrograms, after Satt et al. (2017).

Satt, Rozenberg & Hoory (2017), Efficient emotion recognition from speech using
deep learning on spectrograms, Interspeech. Its text was not at hand. Known,
from its abstract and from those who cite it: raw log-spectrograms, utterances
cut into segments of equal length of up to three seconds, each labelled as the
utterance; convolutions with pooling, a BLSTM, and the mean of the segments'
posteriors as that of the utterance. Kernels are as remembered, not checked.
Ours: layer normalisation, segments masked instead of padded with zeros, the mean over the
BLSTM's steps, and means of the spectrogram where that saves time.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, max_pool2d, pad
from torch.nn.utils.rnn import pad_sequence

from serlab.models import masking, recurrent
from serlab.models.recurrent import BLSTM


class ConvLSTM(nn.Module):
    """Two-dimensional convolutions over time and frequency, a BLSTM over time; gives logits.

    Parameters
    ----------
    n_features, n_classes : int
    channels : tuple of int
        Of each convolution, which a max-pooling of 2 x 2 follows.
    kernels : tuple of (int, int)
        Steps and bins of each convolution.
    units : int
        Of each direction of the BLSTM.
    averaged : int
        Means of so many frames and so many bins are the input; 1: as they are.
    longest : int
        Frames of a segment: 300 are three seconds.
    dropout : float
        Before the BLSTM and before the output layer.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        channels: tuple[int, ...] = (16, 24, 32),
        kernels: tuple[tuple[int, int], ...] = ((12, 16), (8, 12), (5, 7)),
        units: int = 128,
        averaged: int = 1,
        longest: int = 300,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.averaged, self.longest = averaged, longest
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel)
            for before, after, kernel in zip((1, *channels), channels, kernels, strict=False)
        )
        # Of the channels at a point: batch norm would let padding, and other utterances, into it.
        self.norms = nn.ModuleList(nn.LayerNorm(n) for n in channels)
        n_bins = -(-n_features // averaged)
        for _ in channels:
            n_bins = -(-n_bins // 2)
        self.dropout = nn.Dropout(dropout)
        self.blstm = BLSTM(channels[-1] * n_bins, units, n_layers=1)
        self.output = nn.Linear(2 * units, n_classes)

    def forward(self, X: Tensor) -> Tensor:
        """Log of the mean posterior of an utterance's segments, shape (B, n_classes).

        Of sequences (B, t, n_features), NaN after their end.
        """
        return self.joined(*self.segment_logits(X), len(X))

    def segment_logits(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of all segments, shape (S, n_classes), and the row of X that each is of, shape (S,)."""
        steps, mask, owner = self._steps(X)
        return self.output(self.dropout(recurrent.mean(steps, mask))), owner

    @staticmethod
    def joined(logits: Tensor, owner: Tensor, n: int) -> Tensor:
        """Log of the mean posterior of each of n utterances, from logits of segments."""
        posteriors = _mean_of(logits.float().softmax(dim=1), owner, n)
        return posteriors.clamp(min=torch.finfo(posteriors.dtype).tiny).log()

    def embed(self, X: Tensor) -> Tensor:
        """Mean over segments of what the output layer sees, shape (B, 2 * units)."""
        steps, mask, owner = self._steps(X)
        return _mean_of(recurrent.mean(steps, mask), owner, len(X))

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output; means over time and segments."""
        segments, owner = _segments(*masking.split(X), longest=self.longest)
        maps, mask = self._convolved(*segments)
        pooled = recurrent.mean(self.blstm(maps, mask), mask)
        return {
            "convolution": _mean_of(recurrent.mean(maps, mask), owner, len(X)),
            "blstm": _mean_of(pooled, owner, len(X)),
            "output": self.joined(self.output(pooled), owner, len(X)),
        }

    def _steps(self, X: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        segments, owner = _segments(*masking.split(X), longest=self.longest)
        maps, mask = self._convolved(*segments)
        return self.blstm(self.dropout(maps), mask), mask, owner

    def _convolved(self, filled: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Steps (S, t', channels * bins), 0 after the end, and which are valid."""
        filled, mask = recurrent.averaged(filled, mask, by=self.averaged)
        if self.averaged > 1:
            filled = avg_pool1d(filled, self.averaged, ceil_mode=True)
        maps = filled[:, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            maps = norm(convolution(_bordered(maps, convolution)).movedim(1, 3)).relu().movedim(3, 1)
            # After ReLU nothing is below 0: zeros after the end are never a maximum that matters, and
            # the next convolution finds them there as it does at the edge of a batch.
            maps = max_pool2d(maps * mask[:, None, :, None], 2, ceil_mode=True)
            mask = mask[:, ::2]
        return maps.movedim(1, 2).flatten(start_dim=2), mask


def _bordered(maps: Tensor, convolution: nn.Conv2d) -> Tensor:
    """Zeros around maps, so that as many points come out of a convolution."""
    height, width = convolution.kernel_size
    return pad(maps, ((width - 1) // 2, width // 2, (height - 1) // 2, height // 2))


def _segments(filled: Tensor, mask: Tensor, *, longest: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Cut each sequence into the fewest parts of equal length, none above the longest.

    Returns
    -------
    (values (S, s, d), mask (S, s)), rows of the sequences (S,)
    """
    parts, owner = [], []
    for row, length in enumerate(mask.sum(dim=1).tolist()):
        n = -(-length // longest)
        edges = [length * i // n for i in range(n + 1)]
        parts += [filled[row, start:end] for start, end in itertools.pairwise(edges)]
        owner += [row] * n
    lengths = torch.tensor([len(part) for part in parts], device=filled.device)
    values = pad_sequence(parts, batch_first=True)
    inside = torch.arange(values.shape[1], device=filled.device) < lengths[:, None]
    return (values, inside), torch.tensor(owner, device=filled.device)


def _mean_of(values: Tensor, owner: Tensor, n: int) -> Tensor:
    """Mean over the segments of each utterance, shape (n, k)."""
    sums = values.new_zeros(n, values.shape[1]).index_add(0, owner, values)
    return sums / torch.bincount(owner, minlength=n)[:, None]
