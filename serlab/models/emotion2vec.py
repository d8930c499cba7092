"""The network of emotion2vec: data2vec 2.0 for speech.

Ma et al. 2024, emotion2vec: Self-supervised pre-training for speech emotion representation
(arXiv 2312.15185); Baevski et al. 2023, Efficient self-supervised learning with contextualized target
representations (data2vec 2.0). Convolutions give a vector every 20 ms, further ones its position; learned
tokens stand before the frames and are attended to as they are. How far two frames are apart lowers the
attention between them in proportion (Press et al. 2022, ALiBi), by a learned share of each head; tokens are
near to all. Blocks are normalised after each sum. What the makers call prenet and blocks are one after the
other here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Of all but the blocks' normalisations, whose own the configuration names.
_EPS = 1e-5


class Emotion2vec(nn.Module):
    """From samples to the input of the first block, and the blocks.

    Parameters
    ----------
    width, depth, heads, inner : int
        Of the blocks: of a frame, how many, of attention, of the feed-forward layer.
    channels, kernels, strides : sequence of int
        Of the convolutions over the samples.
    position_layers, position_kernel, position_groups : int
        Of the convolutions that tell where a frame stands.
    tokens : int
        Before the frames.
    eps : float
        Of the normalisations of the blocks.
    dropout : float
        In the blocks, while they learn.
    """

    def __init__(
        self,
        *,
        width: int,
        depth: int,
        heads: int,
        inner: int,
        channels: Sequence[int],
        kernels: Sequence[int],
        strides: Sequence[int],
        position_layers: int = 5,
        position_kernel: int = 19,
        position_groups: int = 16,
        tokens: int = 10,
        eps: float = _EPS,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        before = (1, *channels[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv1d(a, b, kernel, stride, bias=False)
            for a, b, kernel, stride in zip(before, channels, kernels, strides, strict=True)
        )
        self.convolution_norms = nn.ModuleList(nn.LayerNorm(n, eps=_EPS) for n in channels)
        self.projection_norm = nn.LayerNorm(channels[-1], eps=_EPS)
        self.projection = nn.Linear(channels[-1], width)
        self.positions = nn.ModuleList(
            nn.Conv1d(width, width, position_kernel, padding=position_kernel // 2, groups=position_groups)
            for _ in range(position_layers)
        )
        self.context = Context(width, heads, tokens, eps=eps)
        self.blocks = nn.ModuleList(
            Block(width, heads, inner, eps=eps, dropout=dropout) for _ in range(depth)
        )

    def embed(self, samples: Tensor) -> Tensor:
        """Input of the first block, without the tokens, shape (B, t, width), of samples (B, n)."""
        X = samples[:, None]
        for convolution, norm in zip(self.convolutions, self.convolution_norms, strict=True):
            X = F.gelu(norm(convolution(X).transpose(1, 2)).transpose(1, 2))
        X = self.projection(self.projection_norm(X.transpose(1, 2)))
        return self.context.norm(X + self._positions(X))

    def _positions(self, X: Tensor) -> Tensor:
        n_frames, width = X.shape[1:]
        where = X.transpose(1, 2)
        for convolution in self.positions:
            where = convolution(where)[:, :, :n_frames]  # an even kernel gives one frame more
            where = F.gelu(F.layer_norm(where.transpose(1, 2), (width,), eps=_EPS).transpose(1, 2))
        return where.transpose(1, 2)


class Context(nn.Module):
    """Tokens that are put before the frames, and what distance takes from attention.

    Parameters
    ----------
    width, heads, tokens : int
    eps : float
        Of the normalisation before the first block.
    """

    def __init__(self, width: int, heads: int, tokens: int, *, eps: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=eps)
        self.tokens = nn.Parameter(torch.zeros(tokens, width))
        self.scale = nn.Parameter(torch.ones(heads))

    def enter(self, X: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Tokens and frames, and what is added to their attention, -inf where nothing is attended to.

        Parameters
        ----------
        X : Tensor, shape (B, t, width)
        mask : Tensor of bool, shape (B, t), optional
            True for the frames of the utterance.

        Returns
        -------
        Tensor, shape (B, tokens + t, width)
        Tensor, shape (B or 1, heads, tokens + t, tokens + t)
        """
        n_tokens, n_frames = len(self.tokens), X.shape[1]
        tokens = self.norm(self.tokens).to(X.dtype).expand(len(X), -1, -1)
        at = torch.arange(n_frames, device=X.device, dtype=torch.float32)
        slope = slopes(len(self.scale)).to(X.device) * self.scale.clamp_min(0)
        bias = -slope[:, None, None] * (at[:, None] - at).abs()
        bias = F.pad(bias, (n_tokens, 0, n_tokens, 0))[None]
        if mask is not None:
            seen = F.pad(mask, (n_tokens, 0), value=True)
            bias = bias.masked_fill(~seen[:, None, None, :], -torch.inf)
        return torch.cat([tokens, X], dim=1), bias

    def leave(self, X: Tensor) -> Tensor:
        """The frames alone."""
        return X[:, len(self.tokens) :]


class Block(nn.Module):
    """Self-attention and a feed-forward layer, each normalised after it is added.

    Parameters
    ----------
    width, heads, inner : int
    eps, dropout : float
    """

    def __init__(self, width: int, heads: int, inner: int, *, eps: float, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=eps)
        self.intermediate_dense = nn.Linear(width, inner)
        self.output_dense = nn.Linear(inner, width)
        self.final_norm = nn.LayerNorm(width, eps=eps)

    def forward(self, X: Tensor, attention_mask: Tensor) -> Tensor:
        """Output of the same shape; ``attention_mask`` is added to the attention, see :class:`Context`."""
        n, t, width = X.shape
        q, k, v = self.qkv(X).view(n, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        found = F.scaled_dot_product_attention(
            q, k, v, attn_mask=attention_mask.to(q.dtype), dropout_p=self.dropout if self.training else 0.0
        )
        X = self.norm(X + self._drop(self.out(found.transpose(1, 2).reshape(n, t, width))))
        return self.final_norm(X + self._drop(self.output_dense(F.gelu(self.intermediate_dense(X)))))

    def _drop(self, X: Tensor) -> Tensor:
        return F.dropout(X, self.dropout, self.training)


def slopes(heads: int) -> Tensor:
    """How much a frame of distance takes from the attention of each head (Press et al. 2022).

    2 ** (-8 k / n) for k = 1 ... n where the number of heads is a power of two; of other numbers the
    next lower power, and then every other one of the next higher.

    Returns
    -------
    Tensor of float, shape (heads,)

    Examples
    --------
    >>> slopes(4).tolist(), slopes(3).tolist()
    ([0.25, 0.0625, 0.015625, 0.00390625], [0.0625, 0.00390625, 0.25])
    """
    lower = 2 ** int(math.log2(heads))
    exponents = [8 * (k + 1) / lower for k in range(lower)]
    exponents += [8 * (k + 1) / (2 * lower) for k in range(0, 2 * lower, 2)][: heads - lower]
    return torch.tensor([2.0**-exponent for exponent in exponents])
