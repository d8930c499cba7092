"""The upper layers of a pretrained speech encoder, to be trained further for emotion."""

from __future__ import annotations

from torch import Tensor

from serlab.models import masking
from serlab.models.encoder_blocks import Blocks
from serlab.models.heads import PooledNetwork


class EncoderTop(PooledNetwork):
    """Blocks above a layer, mean and deviation over the utterance, two dense layers.

    What lies below stays as it was trained and is computed once: the input are
    the frames of "encoder-frames:<model>@<layer>". From the pooling on it is
    the light network of :mod:`serlab.models.light_cnn`, so that both differ
    only in what is pooled. Padding never takes part.

    Parameters
    ----------
    blocks : Blocks
        See :meth:`serlab.models.encoder_blocks.Blocks.above`; of no block, the
        frames are pooled as they are. The module takes them over: hand a copy
        to each network. Pretrained weights want a lower learning rate than new
        ones: 1e-4 for all rather than 1e-3.
    width : int
        Of a frame.
    n_classes : int
    layer : int
        What the blocks lie above; for the names in :meth:`layers`.
    units : int
        Of the hidden layer that adaptation aligns.
    dropout : float
        Before the hidden layer and before the output layer.
    """

    def __init__(
        self,
        blocks: Blocks,
        width: int,
        n_classes: int,
        *,
        layer: int = 0,
        units: int = 128,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.layer = layer
        self.blocks = blocks
        self.add_head(2 * width, n_classes, units=units, dropout=dropout, activation="tanh", normalized=True)

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output; mean and deviation of each layer of the encoder."""
        pooled = self._of_blocks(X)
        named = {f"layer{self.layer + i}": values for i, values in enumerate(pooled)}
        return self.with_head(named, pooled[-1])

    def pooled(self, X: Tensor) -> Tensor:
        """Mean and deviation of the last block's output, shape (B, 2 * width)."""
        return self._of_blocks(X)[-1]

    def _of_blocks(self, X: Tensor) -> list[Tensor]:
        """Mean and deviation of the input and of each block's output, each (B, 2 * width)."""
        filled, mask = masking.split(X)
        longest = int(mask.sum(dim=1).max())
        filled, mask = filled[:, :longest], mask[:, :longest]
        every = (values.where(mask[:, :, None], 0.0) for values in (filled, *self.blocks(filled, mask)))
        return [masking.mean_and_deviation(values, mask) for values in every]
