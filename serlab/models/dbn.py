"""Deep belief network: restricted Boltzmann machines, stacked and fine-tuned.

Hinton, Osindero & Teh (2006); training as in Hinton (2012), A practical guide
to training restricted Boltzmann machines.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import softplus

from serlab.errors import TrainingError
from serlab.progress import stop_if


@dataclass(frozen=True)
class RBM:
    """Restricted Boltzmann machine with binary hidden units.

    Energy, with ``b`` the visible and ``c`` the hidden bias:

    - binary visible units: ``E(v, h) = -b.v - c.h - v.W.h``
    - Gaussian visible units of unit variance (z-scored features):
      ``E(v, h) = |v - b|^2 / 2 - c.h - v.W.h``

    Attributes
    ----------
    W : Tensor, shape (visible, hidden)
    b : Tensor, shape (visible,)
    c : Tensor, shape (hidden,)
    visible : {"gaussian", "binary"}
    """

    W: Tensor
    b: Tensor
    c: Tensor
    visible: Literal["gaussian", "binary"]

    def hidden_probability(self, v: Tensor) -> Tensor:
        """``p(h = 1 | v)``, shape (n, hidden)."""
        return torch.sigmoid(torch.addmm(self.c, v, self.W))

    def visible_mean(self, h: Tensor) -> Tensor:
        """``E(v | h)``, shape (n, visible)."""
        mean = torch.addmm(self.b, h, self.W.T)
        return mean if self.visible == "gaussian" else torch.sigmoid(mean)

    def sample_visible(self, h: Tensor, generator: Generator) -> Tensor:
        """Draw from ``p(v | h)``."""
        mean = self.visible_mean(h)
        if self.visible == "gaussian":
            return mean + torch.randn(mean.shape, generator=generator)
        return _draw(mean, generator)

    def free_energy(self, v: Tensor) -> Tensor:
        """``-log sum_h exp(-E(v, h))``, shape (n,)."""
        own = (v - self.b).square().sum(dim=1) / 2 if self.visible == "gaussian" else -v @ self.b
        return own - softplus(torch.addmm(self.c, v, self.W)).sum(dim=1)

    def contrastive_divergence(
        self, v: Tensor, *, k: int, generator: Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """CD-k estimate of the gradient of the mean log-likelihood (Hinton 2002).

        Statistics of the data minus those after ``k`` steps of Gibbs sampling
        started at the data. All states are sampled; only the hidden units
        that enter the statistics are probabilities, which leaves the expected
        gradient as it is and lowers its variance.

        Returns
        -------
        tuple of Tensor
            Gradients of W, b and c (uphill).
        """
        data_hidden = self.hidden_probability(v)
        model_v, hidden = v, data_hidden
        for _ in range(k):
            model_v = self.sample_visible(_draw(hidden, generator), generator)
            hidden = self.hidden_probability(model_v)
        # Both products in one: a difference of two large matrices would take as long again.
        W = torch.cat([v, model_v]).T @ (torch.cat([data_hidden, -hidden]) / len(v))
        return W, (v - model_v).mean(dim=0), (data_hidden - hidden).mean(dim=0)


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """How to train one RBM: stochastic gradient ascent with momentum.

    Attributes
    ----------
    epochs, batch_size : int
    learning_rate : float
    k : int
        Gibbs steps of contrastive divergence.
    momentum : float
        .5 in the first five epochs, this value afterwards (Hinton 2012, section 9).
    weight_decay : float
        Penalty on W, not on the biases.
    """

    epochs: int
    learning_rate: float
    batch_size: int = 32
    k: int = 1
    momentum: float = 0.9
    weight_decay: float = 2e-4


def train_rbm(
    v: Tensor,
    n_hidden: int,
    *,
    visible: Literal["gaussian", "binary"],
    settings: Pretraining,
    generator: Generator,
    cancel: threading.Event | None = None,
) -> RBM:
    """Train a restricted Boltzmann machine by contrastive divergence.

    Parameters
    ----------
    v : Tensor, shape (n, visible)
        Z-scored features for Gaussian units, values in [0, 1] for binary ones.
    n_hidden : int
    settings : Pretraining
    generator : torch.Generator
        Source of all randomness.

    Raises
    ------
    TrainingError
        If the weights are no longer finite.
    Cancelled
    """
    W = 0.01 * torch.randn(v.shape[1], n_hidden, generator=generator)
    rbm = RBM(W=W, b=torch.zeros(v.shape[1]), c=torch.zeros(n_hidden), visible=visible)
    parameters = (rbm.W, rbm.b, rbm.c)
    optimizer = torch.optim.SGD(
        [{"params": [rbm.W], "weight_decay": settings.weight_decay}, {"params": [rbm.b, rbm.c]}],
        lr=settings.learning_rate,
        momentum=settings.momentum,
        maximize=True,
        fused=True,
    )
    for epoch in range(settings.epochs):
        for group in optimizer.param_groups:
            group["momentum"] = min(0.5, settings.momentum) if epoch < 5 else settings.momentum
        for rows in torch.randperm(len(v), generator=generator).split(settings.batch_size):
            stop_if(cancel, f"pretraining cancelled in epoch {epoch + 1}")
            gradients = rbm.contrastive_divergence(v[rows], k=settings.k, generator=generator)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            optimizer.step()
        if not all(torch.isfinite(parameter).all() for parameter in parameters):
            raise TrainingError(
                f"RBM pretraining diverged in epoch {epoch + 1}; "
                f"lower its learning rate ({settings.learning_rate:g}) or normalise the features"
            )
    return rbm


def pretrain(
    X: Tensor,
    hidden: Sequence[int],
    *,
    first: Pretraining,
    further: Pretraining,
    generator: Generator,
    cancel: threading.Event | None = None,
) -> list[RBM]:
    """Train a stack of RBMs greedily, each on the hidden probabilities below it.

    Parameters
    ----------
    X : Tensor, shape (n, d)
        Z-scored features: the first machine has Gaussian visible units.
    hidden : sequence of int
        Hidden units of each machine.
    first, further : Pretraining
        Of the Gaussian machine and of the binary ones above it.
    """
    rbms: list[RBM] = []
    for layer, units in enumerate(hidden):
        visible, settings = ("binary", further) if layer else ("gaussian", first)
        rbm = train_rbm(X, units, visible=visible, settings=settings, generator=generator, cancel=cancel)
        rbms.append(rbm)
        X = rbm.hidden_probability(X)
    return rbms


def network(rbms: Sequence[RBM], n_classes: int) -> nn.Sequential:
    """Sigmoid network that starts from a stack of RBMs, with an output layer; gives logits.

    The output layer is initialised by torch: build it under
    :func:`serlab.training.seeded`.
    """
    layers: list[nn.Module] = []
    for rbm in rbms:
        linear = nn.Linear(*rbm.W.shape)
        with torch.no_grad():
            linear.weight.copy_(rbm.W.T)
            linear.bias.copy_(rbm.c)
        layers += [linear, nn.Sigmoid()]
    return nn.Sequential(*layers, nn.Linear(rbms[-1].W.shape[1], n_classes))


def _draw(probability: Tensor, generator: Generator) -> Tensor:
    # torch.bernoulli would stop at a NaN, where train_rbm has a better message.
    return (torch.rand(probability.shape, generator=generator) < probability).to(probability)
