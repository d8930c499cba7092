"""Blocks of a pretrained encoder that stay as they are, with small weights beside them that learn.

LoRA (Hu et al. 2022) adds a product of two narrow matrices to chosen weights, IA3 (Liu et al. 2022) a
factor to what they give. Both begin as nothing at all: an encoder that was given them answers as before.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import torch
from torch import Tensor, nn

from serlab.errors import ParameterError
from serlab.models.encoder_blocks import Blocks

Kind = Literal["none", "lora", "ia3"]

#: Endings of linear layers that are given LoRA, the first set that a block has all of: queries and values;
#: of emotion2vec, which has them in one layer, the keys, too. WavLM
#: hands the weights of its attention to a function of torch: what stands beside them there is never asked,
#: so its feed-forward layers are taken.
_ATTENTION = (("q_proj", "v_proj"), ("linear_q", "linear_v"), ("qkv",))
_FEED_FORWARD = (("intermediate_dense", "output_dense"), ("fc1", "fc2"))
#: Names of weights that learn.
_OWN = re.compile(r"\.(lora_[AB]|ia3_l)\.")


class TunedBlocks(Blocks):
    """The same blocks with adapters; only those ever learn.

    Parameters
    ----------
    blocks : Blocks
        Taken over; see :meth:`serlab.models.encoder_blocks.Blocks.above`.
    kind : {"none", "lora", "ia3"}
        "none": nothing learns.
    rank : int
        Of LoRA's matrices; they are scaled by 2.
    dropout : float
        Before LoRA's first matrix.
    recompute : bool
        Forget what blocks give while training and compute it again for the gradient: memory of one
        block instead of all, for a third more time.

    Raises
    ------
    ParameterError
        If the blocks have none of the layers that are known here.
    """

    def __init__(
        self,
        blocks: Blocks,
        kind: Kind,
        *,
        rank: int = 8,
        dropout: float = 0.1,
        recompute: bool = False,
    ) -> None:
        super().__init__(blocks.blocks, blocks.norm, blocks.context)
        self.recompute = recompute
        if kind != "none" and len(self.blocks):
            _inject(self.blocks, kind, rank=rank, dropout=dropout)
        self.requires_grad_(True)

    def requires_grad_(self, requires_grad: bool = True) -> TunedBlocks:
        """Let the adapters learn, or not; all else never does."""
        for name, weight in self.named_parameters():
            weight.requires_grad_(requires_grad and _OWN.search(name) is not None)
        return self

    def _apply_block(self, block: nn.Module, X: Tensor, **more: object) -> Any:
        if not (self.recompute and self.training and torch.is_grad_enabled()):
            return block(X, **more)
        from torch.utils.checkpoint import checkpoint

        return checkpoint(block, X, use_reentrant=False, **more)


def _inject(blocks: nn.Module, kind: Kind, *, rank: int, dropout: float) -> None:
    from peft import IA3Config, LoraConfig, inject_adapter_in_model

    there = {name.rpartition(".")[2] for name, part in blocks.named_modules() if isinstance(part, nn.Linear)}
    feed_forward = next((names for names in _FEED_FORWARD if set(names) <= there), ())
    asked = any(hasattr(part, "compute_bias") for part in blocks.modules())  # the attention of WavLM
    attention = () if asked else next((names for names in _ATTENTION if set(names) <= there), ())
    if kind == "lora":
        names = list(attention or feed_forward)
        config = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=dropout, target_modules=names)
    else:
        names = [*attention, *feed_forward[1:]]
        config = IA3Config(target_modules=names, feedforward_modules=list(feed_forward[1:]))
    if not names:
        raise ParameterError("the blocks of this encoder have no layers that adapters are known for")
    inject_adapter_in_model(config, blocks)
