"""The attentive convolutional network of Neumann & Vu, section 2."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from serlab.models import masking


class ACNN(nn.Module):
    """Convolution over time, max-pooling, attention; gives logits.

    Kernels span all bands. The output layer sees the attention vector
    (equations 1 and 2) and all pooled feature maps, concatenated, after
    dropout. Defaults are section 4's. The paper leaves open:

    - the nonlinearity of the convolution: ReLU here;
    - the stride of the convolution. Figures 2 and 3 have eight attention
      weights. 7.5 s are 748 to 751 frames; kernels of 10 frames and pools of 30
      give 24 steps with stride 1 and 8 with stride 3, hence our 3. A remainder
      that does not fill a pool is dropped, as TensorFlow does by default: the
      last .2 s of 7.5 s;
    - whether padding takes part. As printed, utterances are padded with zeros
      and nothing is masked (``padding="zeros"``). With ``"masked"`` windows
      that start after the end of the utterance do not exist: their pooled
      steps have attention 0 and feature maps 0, and results do not depend on
      the length of the batch.

    Parameters
    ----------
    n_features, n_classes : int
    n_frames : int
        Longest input, which sets the number of steps; 7.5 s at 10 ms.
    n_kernels, width, stride, pool : int
        Kernels, their frames, frames between them, windows to a step.
    dropout : float
        On what the output layer sees.
    padding : {"masked", "zeros"}
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        n_frames: int = 750,
        n_kernels: int = 200,
        width: int = 10,
        stride: int = 3,
        pool: int = 30,
        dropout: float = 0.5,
        padding: Literal["masked", "zeros"] = "masked",
    ) -> None:
        super().__init__()
        self.width, self.stride, self.pool, self.padding = width, stride, pool, padding
        self.n_frames = n_frames
        self.n_steps = max(1, ((n_frames - width) // stride + 1) // pool)
        # A convolution as a matrix product: twice as fast on a CPU as Conv1d.
        self.convolution = nn.Linear(width * n_features, n_kernels)
        self.score = nn.Linear(n_kernels, 1, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear((1 + self.n_steps) * n_kernels, n_classes)

    def forward(self, X: Tensor) -> Tensor:
        """Logits, shape (B, n_classes), of sequences (B, t, n_features), NaN after their end.

        Raises
        ------
        ValueError
            If t is larger than ``n_frames``.
        """
        return self.output(self.dropout(self.embed(X)))

    def attention_weights(self, X: Tensor) -> Tensor:
        """Weights of equation 1, shape (B, n_steps): rows sum to 1, NaN after the end."""
        maps, valid = self._pooled(X)
        return self._whole(masking.nan_outside(self._weights(maps, valid), valid), torch.nan)

    def embed(self, X: Tensor) -> Tensor:
        """Attention vector and pooled feature maps, shape (B, (1 + n_steps) * n_kernels)."""
        maps, valid = self._pooled(X)
        attended = (self._weights(maps, valid)[:, :, None] * maps).sum(dim=1)
        return torch.cat([attended, self._whole(maps, 0.0).flatten(start_dim=1)], dim=1)

    def _pooled(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Pooled feature maps (B, steps, n_kernels), 0 where no window is; which steps are valid.

        There are as many steps as the longest utterance of the batch has.
        """
        if X.shape[1] > self.n_frames:
            raise ValueError(f"sequences of {X.shape[1]} frames; this network was built for {self.n_frames}")
        filled, mask = masking.split(X)
        n_frames = X.shape[1] if self.padding == "masked" else self.n_frames
        n_steps = min(math.ceil(n_frames / (self.stride * self.pool)), self.n_steps)
        n_windows = n_steps * self.pool
        needed = (n_windows - 1) * self.stride + self.width
        filled = pad(filled, (0, 0, 0, max(0, needed - X.shape[1])))
        flat = filled.flatten(start_dim=1)
        windows = flat.unfold(1, self.convolution.in_features, self.stride * X.shape[2])[:, :n_windows]
        maps = self.convolution(windows.contiguous())
        if self.padding == "masked":
            start = torch.arange(n_windows, device=X.device) * self.stride
            valid = start < mask.sum(dim=1, keepdim=True)
        else:
            valid = torch.ones(len(X), n_windows, dtype=torch.bool, device=X.device)
        # After ReLU nothing is below 0: a window set to 0 is one that max-pooling never saw.
        # ReLU comes last because it commutes with the maximum and there is less to do.
        maps = (maps * valid[:, :, None]).unflatten(1, (n_steps, self.pool)).max(dim=2).values.relu()
        return maps, valid[:, :: self.pool]

    def _weights(self, maps: Tensor, valid: Tensor) -> Tensor:
        return masking.softmax(self.score(maps).squeeze(-1), valid)

    def _whole(self, steps: Tensor, value: float) -> Tensor:
        """Add the steps that only longer utterances have; dimension 1."""
        missing = self.n_steps - steps.shape[1]
        return pad(steps, (0,) * (2 * (steps.ndim - 2)) + (0, missing), value=value)
