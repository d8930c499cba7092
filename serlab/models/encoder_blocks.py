"""Blocks of self-attention of a pretrained speech encoder."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from serlab.errors import ParameterError
from serlab.models.emotion2vec import Context


class Blocks(nn.Module):
    """Blocks of one of the families of :mod:`serlab.pretrained.encoders`, one after the other.

    Parameters
    ----------
    blocks : sequence of Module
        Of transformers, or of :mod:`serlab.models.emotion2vec`.
    norm : Module or None
        Applied to the output of the last.
    context : Context, optional
        Of emotion2vec: what stands before the frames.
    """

    def __init__(
        self, blocks: Sequence[nn.Module], norm: nn.Module | None, context: Context | None = None
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.norm = norm
        self.context = context

    def __len__(self) -> int:
        return len(self.blocks)

    def forward(self, X: Tensor, mask: Tensor | None = None, *, up_to: int | None = None) -> list[Tensor]:
        """Output of each block, shape (B, t, width).

        Parameters
        ----------
        X : Tensor, shape (B, t, width)
            Finite everywhere.
        mask : Tensor of bool, shape (B, t), optional
            True for the frames of the utterance; others are not attended to.
        up_to : int, optional
            How many blocks; default all.
        """
        seen = None if mask is None else mask[:, None, None, :]
        if self.context is not None:
            X, seen = self.context.enter(X, mask)
        outputs, relative = [], {}
        for block in self.blocks[:up_to]:
            if _has_relative_positions(block):
                # The first block turns distances between frames into a bias that all others share.
                X, bias = self._apply_block(block, X, attention_mask=mask, **relative)
                relative = {"position_bias": bias}
            elif hasattr(block, "conv_module"):  # w2v-BERT
                X = self._apply_block(block, X, attention_mask=seen, conv_attention_mask=mask)
            else:
                X = self._apply_block(block, X, attention_mask=seen)
            outputs.append(X if self.context is None else self.context.leave(X))
        if self.norm is not None and len(outputs) == len(self.blocks):
            outputs[-1] = self.norm(outputs[-1])
        return outputs

    def _apply_block(self, block: nn.Module, X: Tensor, **more: object) -> Any:
        """Output of one block; of WavLM with the bias of its positions."""
        return block(X, **more)

    def above(self, layer: int) -> Blocks:
        """A copy of the blocks whose input is a layer, to be trained further; it may have no block.

        Raises
        ------
        ParameterError
            Of emotion2vec, of a layer above 0 and below the last: its frames are not all that enters the
            next block.
        """
        kept = copy.deepcopy(self.blocks[layer:])
        if self.context is not None and layer and len(kept):
            raise ParameterError(
                "emotion2vec takes tokens along beside the frames, whose values are kept of layer 0 alone: "
                "all its blocks are trained (methods lora-*, ia3-*), or none (probe-*), and not the upper "
                "ones (top-*)"
            )
        if len(kept) and _has_relative_positions(kept[0]):
            kept[0].attention.rel_attn_embed = copy.deepcopy(self.blocks[0].attention.rel_attn_embed)
        if not len(kept):  # the last layer is normalised already, and no token is needed
            return Blocks(kept, None)
        return Blocks(kept, copy.deepcopy(self.norm), copy.deepcopy(self.context)).requires_grad_(True)


def _has_relative_positions(block: nn.Module) -> bool:
    """Whether this is a block of WavLM."""
    return hasattr(getattr(block, "attention", None), "compute_bias")
