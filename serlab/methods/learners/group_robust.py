"""A linear softmax classifier of several corpora: right for all on average, or for the worst of them.

Group DRO (Sagawa et al. 2020, algorithm 1) raises the weights of corpora on which the loss is large. With a
convex loss that is a game with a value: here the classifier answers each set of weights as well as it can,
weights grow exponentially in the losses, and their mean over the rounds is what is kept. Nothing is random.

References
----------
Sagawa, Koh, Hashimoto & Liang (2020), Distributionally robust neural networks for group shifts.
Freund & Schapire (1999), Adaptive game playing using multiplicative weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from serlab.methods.base import require_classes, spread_proba
from serlab.methods.learners.weighting import scaled
from serlab.samples import Labelled

#: Of the squared weights, and steps of L-BFGS; ours, never varied.
PENALTY, STEPS = 2e-3, 100
#: Rounds of the game, and how fast weights of corpora grow (in nats of loss).
ROUNDS, GROWTH = 10, 2.0


@dataclass
class SoftmaxOfCorpora:
    """Linear softmax in which classes of a corpus weigh the same, and corpora the same or as the worst needs.

    Attributes
    ----------
    n_classes : int
    robust : bool
        Whether the corpora on which it is worst weigh more.
    shares : mapping of str to float
        Weight of each corpus, of sum 1, once it is fitted.
    """

    n_classes: int
    robust: bool = False
    shares: dict[str, float] = field(init=False, repr=False)

    def fit(self, part: Labelled) -> SoftmaxOfCorpora:
        """Fit on all rows.

        Raises
        ------
        ProtocolError
            If there are fewer than two classes.
        """
        require_classes(part)
        self.classes = np.unique(part.y)
        names, corpus = np.unique(part.corpus, return_inverse=True)
        X, own = scaled(part.X.astype(float)), part.y[:, None] == self.classes
        in_corpus = _within(corpus, own, len(names))
        share = np.full(len(names), 1 / len(names))
        B = np.zeros((X.shape[1], len(self.classes)))
        if self.robust and len(names) > 1:
            logits, seen = np.log(share), []
            for _ in range(ROUNDS):
                seen.append(share)
                B = _fitted(X, own, in_corpus @ share, B)
                losses = -(in_corpus.T @ log_softmax(X @ B, axis=1)[own])
                logits = logits + GROWTH * losses
                share = softmax(logits)
            share = np.mean(seen, axis=0)
        self._coefficients = _fitted(X, own, in_corpus @ share, B)
        self.shares = dict(zip(map(str, names), share.tolist(), strict=True))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        proba = softmax(scaled(X.astype(float)) @ self._coefficients, axis=1)
        return spread_proba(proba, self.classes, self.n_classes)


def _within(corpus: np.ndarray, own: np.ndarray, n_corpora: int) -> np.ndarray:
    """Weight of each row within each corpus, shape (n, n_corpora): classes weigh the same, the sum is 1."""
    label = own.argmax(axis=1)
    weight = np.zeros((len(corpus), n_corpora))
    for number in range(n_corpora):
        rows = corpus == number
        counts = np.bincount(label[rows], minlength=own.shape[1])
        weight[rows, number] = 1 / (counts[label[rows]] * np.count_nonzero(counts))
    return weight


def _fitted(X: np.ndarray, own: np.ndarray, weight: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Coefficients of the least weighted cross-entropy with a penalty, shape (d, k)."""

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        B = flat.reshape(start.shape)
        log_proba = log_softmax(X @ B, axis=1)
        value = -(weight @ log_proba[own]) + PENALTY / 2 * (B**2).sum()
        return value, (X.T @ (weight[:, None] * (np.exp(log_proba) - own)) + PENALTY * B).ravel()

    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return found.x.reshape(start.shape)
