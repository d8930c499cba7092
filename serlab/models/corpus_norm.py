"""Batch normalisation whose statistics can be those of another corpus (AdaBN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from serlab.sequences import Sequences


class CorpusNorm(nn.BatchNorm1d):
    """Batch normalisation (Ioffe & Szegedy 2015) of vectors, shape (B, d).

    Source and target go through a network in batches of their own, so that
    each is normalised by itself while a network learns from both. A single
    row has no deviation: it is normalised by the running statistics.
    """

    def forward(self, X: Tensor) -> Tensor:
        if self.training and len(X) == 1:
            return batch_norm(X, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(X)


@torch.no_grad()
def take_statistics(module: nn.Module, X: Tensor | Sequences, *, batch_size: int = 256) -> None:
    """Make the running statistics of all :class:`CorpusNorm` those of ``X``.

    Li et al. (2016), Revisiting batch normalization for practical domain
    adaptation. No labels are used; nothing else of the module changes. Does
    nothing where there is a single row.

    Parameters
    ----------
    module : Module
    X : Tensor, shape (n, ...), or Sequences
        A tensor is on the device of the module.
    batch_size : int
        Statistics are averaged over batches of equal size, as nearly as possible.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, CorpusNorm)]
    if not layers or len(X) < 2:
        return
    momenta = [layer.momentum for layer in layers]
    modes = {part: part.training for part in module.modules()}
    module.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # plain mean over batches
        layer.train()
    for rows in torch.arange(len(X)).tensor_split(max(1, round(len(X) / batch_size))):
        module(_dense(X[rows[0] : rows[-1] + 1], module))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    for part, training in modes.items():
        part.training = training


def _dense(part: Tensor | Sequences, module: nn.Module) -> Tensor:
    if not isinstance(part, Sequences):
        return part
    return torch.from_numpy(part.dense()).to(next(module.parameters()).device)
