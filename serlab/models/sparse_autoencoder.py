"""Sparse autoencoder with one hidden layer, as Deng et al. (2013) transfer features with.

Deng, Zhang, Marchi & Schuller (2013), Sparse autoencoder-based feature
transfer learning for speech emotion recognition. Its text was not at hand;
what is known of it is in :mod:`serlab.methods.learners.autoencoder`. The autoencoder is
the textbook's (Ng, Sparse autoencoder, CS294A lecture notes): sigmoid hidden
units, squared error, Kullback-Leibler penalty on their mean activity. Ours:
weights are not tied, and the output is linear, because z-scored features do
not lie between 0 and 1.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from serlab.errors import TrainingError
from serlab.progress import stop_if


class SparseAutoencoder(nn.Module):
    """Sigmoid encoder and linear decoder; reconstructs rows (n, n_features)."""

    def __init__(self, n_features: int, n_hidden: int) -> None:
        super().__init__()
        self.encoder = nn.Linear(n_features, n_hidden)
        self.decoder = nn.Linear(n_hidden, n_features)

    def hidden(self, X: Tensor) -> Tensor:
        """Activities of the hidden units, shape (n, n_hidden)."""
        return self.encoder(X).sigmoid()

    def forward(self, X: Tensor) -> Tensor:
        return self.decoder(self.hidden(X))


#: Least distance of a mean activity from 0 and 1.
NEAREST = 1e-6


@dataclass(frozen=True, kw_only=True)
class Sparsity:
    """How to train: batch L-BFGS.

    Defaults are ours: of a few values tried, those with which the features of
    held-out speakers of EmoDB and of RAVDESS were reconstructed best.

    Attributes
    ----------
    n_hidden : int
    iterations : int
        At most.
    rho : float
        Wanted mean activity of a hidden unit, between 0 and 1.
    beta : float
        Weight of the penalty on activities other than that.
    weight_decay : float
        Weight of half the squared norm of both weight matrices.
    """

    n_hidden: int = 200
    iterations: int = 100
    rho: float = 0.05
    beta: float = 0.1
    weight_decay: float = 0.01


def kl_penalty(activity: Tensor, rho: float) -> Tensor:
    """Divergence of Bernoulli variables from ones of mean ``rho``, summed over units.

    ``sum_j rho log(rho / a_j) + (1 - rho) log((1 - rho) / (1 - a_j))`` with
    ``a_j`` the mean activity of unit j over the rows.

    Parameters
    ----------
    activity : Tensor, shape (n, n_hidden)
        Between 0 and 1. A mean is kept 1e-6 off the ends, where the
        penalty is infinite: a float32 sigmoid of a feature far outside the
        training range is exactly 0 or 1.
    """
    mean = activity.mean(dim=0).clamp(NEAREST, 1 - NEAREST)
    return (rho * (rho / mean).log() + (1 - rho) * ((1 - rho) / (1 - mean)).log()).sum()


def objective(autoencoder: SparseAutoencoder, X: Tensor, settings: Sparsity) -> Tensor:
    """Half the squared error, mean over rows, with weight decay and sparsity penalty."""
    hidden = autoencoder.hidden(X)
    error = (autoencoder.decoder(hidden) - X).square().sum(dim=1).mean() / 2
    decay = (autoencoder.encoder.weight.square().sum() + autoencoder.decoder.weight.square().sum()) / 2
    return error + settings.weight_decay * decay + settings.beta * kl_penalty(hidden, settings.rho)


def train_autoencoder(
    X: Tensor, *, settings: Sparsity, generator: Generator, cancel: threading.Event | None = None
) -> SparseAutoencoder:
    """Train a sparse autoencoder on all rows at once.

    Parameters
    ----------
    X : Tensor, shape (n, d)
        Z-scored features.
    settings : Sparsity
    generator : torch.Generator
        Of the initial weights.

    Raises
    ------
    TrainingError
        If the objective is no longer finite.
    Cancelled
    """
    autoencoder = SparseAutoencoder(X.shape[1], settings.n_hidden)
    bound = (6 / (X.shape[1] + settings.n_hidden + 1)) ** 0.5
    with torch.no_grad():
        for layer in (autoencoder.encoder, autoencoder.decoder):
            layer.weight.uniform_(-bound, bound, generator=generator)
            layer.bias.zero_()
    optimizer = torch.optim.LBFGS(
        autoencoder.parameters(), max_iter=settings.iterations, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        stop_if(cancel, "training of an autoencoder cancelled")
        optimizer.zero_grad()
        loss = objective(autoencoder, X, settings)
        if not torch.isfinite(loss):
            raise TrainingError(f"the autoencoder's objective became {loss.item()}; normalise the features")
        loss.backward()
        return loss

    optimizer.step(closure)
    return autoencoder
