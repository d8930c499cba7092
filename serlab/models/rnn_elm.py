"""Frame posteriors of a BLSTM, and an extreme learning machine on their statistics: RNN-ELM.

Lee & Tashev (2015), High-level feature representation using recurrent neural
network for speech emotion recognition, Interspeech. Its text was not at hand.
Known, from its abstract, from Han, Yu & Tashev (2014), whose DNN it replaces,
and from those who cite it: a BLSTM of two layers with 128 cells; the label of a
frame is a random variable, because not every frame of an utterance carries its
emotion; least, greatest and mean posterior of each emotion and the share of
frames above .2 go to an extreme learning machine with 120 hidden units.
Ours: the likelihood below, which sums over all labellings of the frames; means
of frames where that saves time; how the extreme learning machine is regularised.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor, nn

from serlab.models import masking, recurrent
from serlab.models.recurrent import BLSTM

#: Posterior from which on a frame counts as of an emotion (Han et al. 2014).
THRESHOLD = 0.2


class FramePosteriors(nn.Module):
    """Probability of each emotion, and of none, in each frame.

    Parameters
    ----------
    n_features, n_classes : int
    units : int
        Of each direction.
    n_layers : int
    averaged : int
        Means of so many frames are a step of the recurrence; 1: all frames as they are.
    dropout : float
        Between layers, and before the output layer.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        units: int = 64,
        n_layers: int = 2,
        averaged: int = 1,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.averaged = averaged
        self.blstm = BLSTM(n_features, units, n_layers=n_layers, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * units, n_classes + 1)

    def forward(self, X: Tensor) -> Tensor:
        """Log-likelihood of each class, shape (B, n_classes); see :func:`random_label_scores`.

        Of sequences (B, t, n_features), NaN after their end.
        """
        steps, mask = self._steps(X)
        return random_label_scores(self._log_posteriors(steps), mask)

    def statistics(self, X: Tensor) -> Tensor:
        """Least, greatest and mean posterior, and share of frames above .2: shape (B, 4 * n_classes)."""
        steps, mask = self._steps(X)
        inside = mask[:, :, None]
        posteriors = self._log_posteriors(steps).exp()[:, :, :-1] * inside
        least = posteriors.masked_fill(~inside, 1.0).amin(dim=1)
        above = recurrent.mean((posteriors > THRESHOLD).float(), mask)
        return torch.cat([least, posteriors.amax(dim=1), recurrent.mean(posteriors, mask), above], dim=1)

    def embed(self, X: Tensor) -> Tensor:
        """What the extreme learning machine sees."""
        return self.statistics(X)

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output of the network."""
        steps, mask = self._steps(X)
        return {"blstm": recurrent.mean(steps, mask), "statistics": self.statistics(X)}

    def _steps(self, X: Tensor) -> tuple[Tensor, Tensor]:
        filled, mask = recurrent.averaged(*masking.split(X), by=self.averaged)
        return self.blstm(filled, mask), mask

    def _log_posteriors(self, steps: Tensor) -> Tensor:
        return self.output(self.dropout(steps)).float().log_softmax(dim=2)


def random_label_scores(log_posteriors: Tensor, mask: Tensor) -> Tensor:
    """Log-probability that all frames say a class or nothing, and one at least says the class.

    The sum over all labellings of the frames: ``prod(p_class + p_none) - prod(p_none)``.

    Parameters
    ----------
    log_posteriors : Tensor, shape (B, t, n_classes + 1)
        No emotion last.
    mask : Tensor of bool, shape (B, t)
        True for the frames of each sequence.

    Returns
    -------
    Tensor, shape (B, n_classes)
    """
    none = log_posteriors[:, :, -1:]
    either = torch.logaddexp(log_posteriors[:, :, :-1], none)
    inside = mask[:, :, None]
    all_either = either.masked_fill(~inside, 0.0).sum(dim=1)
    all_none = none.masked_fill(~inside, 0.0).sum(dim=1)
    # Below 0 but for rounding; where no frame can say the class the difference would be log 0.
    ratio = (all_none - all_either).clamp(max=-1e-6)
    return all_either + torch.log(-torch.expm1(ratio))


@dataclass(frozen=True)
class ELM:
    """A layer of random hidden units, and output weights in closed form.

    Huang, Zhu & Siew (2006), Extreme learning machine: theory and applications;
    weighted by row as in Zong, Huang & Chen (2013), ridge as there.

    Attributes
    ----------
    mean, sd : ndarray, shape (d,)
        Of the rows it was fitted on; inputs are z-scored by them.
    hidden : ndarray, shape (d, n_hidden)
    bias : ndarray, shape (n_hidden,)
    output : ndarray, shape (n_hidden, k)
    """

    mean: np.ndarray
    sd: np.ndarray
    hidden: np.ndarray
    bias: np.ndarray
    output: np.ndarray

    @classmethod
    def fit(
        cls,
        X: np.ndarray,
        T: np.ndarray,
        *,
        n_hidden: int,
        ridge: float,
        seed: int,
        weight: np.ndarray | None = None,
    ) -> ELM:
        """Solve for the output weights.

        Parameters
        ----------
        X : ndarray, shape (n, d)
        T : ndarray, shape (n, k)
            What the outputs are to be.
        n_hidden : int
        ridge : float
            Weight of the squared norm of the output weights beside the weighted
            mean of squared errors.
        seed : int
            Of the hidden units.
        weight : ndarray, shape (n,), optional
            Of each row.
        """
        rng = np.random.default_rng(seed)
        sd = X.std(axis=0)
        unsolved = cls(
            mean=X.mean(axis=0),
            sd=np.where(sd > 0, sd, 1.0),
            hidden=rng.uniform(-1, 1, (X.shape[1], n_hidden)),
            bias=rng.uniform(-1, 1, n_hidden),
            output=np.empty((n_hidden, 0)),
        )
        H = unsolved._activations(X)
        weighted = H.T * (np.ones(len(X)) if weight is None else weight) / len(X)
        output = np.linalg.solve(weighted @ H + ridge * np.eye(n_hidden), weighted @ T)
        return cls(unsolved.mean, unsolved.sd, unsolved.hidden, unsolved.bias, output)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Outputs, shape (n, k)."""
        return self._activations(X) @ self.output

    def _activations(self, X: np.ndarray) -> np.ndarray:
        return expit((X - self.mean) / self.sd @ self.hidden + self.bias)
