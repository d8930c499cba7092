"""The fully connected network of Andova & Lustrek, section 3.2."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


def fcnn(n_features: int, n_classes: int, hidden: Sequence[int] = (1000, 500, 300)) -> nn.Sequential:
    """Fully connected network with tanh units; gives logits.

    The softmax of the paper's output layer is in the loss and in
    :func:`serlab.training.predict_proba`. The last module is the output layer:
    ``network[:-1]`` is what the paper freezes for the target.
    """
    layers: list[nn.Module] = []
    width = n_features
    for units in hidden:
        layers += [nn.Linear(width, units), nn.Tanh()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, n_classes))
