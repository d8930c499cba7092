"""How often each class occurs in a target, without its labels, and answers that take that into account.

Where features given the emotion are alike in source and target and only the shares of emotions differ, the
shares can be found from the answers of a classifier of the source: as those under which they are likeliest
(EM), or as those that explain how often it answers what (BBSE). The classifier has classes of equal weight,
which is logit adjustment to a uniform prior (Menon et al. 2021), and is then adjusted to the shares found.

References
----------
Saerens, Latinne & Decaestecker (2002), Adjusting the outputs of a classifier to new a priori probabilities.
Lipton, Wang & Smola (2018), Detecting and correcting for label shift with black box predictors.
Menon, Jayasumana, Rawat, Jain, Veit & Kumar (2021), Long-tail learning via logit adjustment.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.optimize import nnls
from scipy.special import softmax

from serlab.errors import ParameterError
from serlab.methods.learners import left_out
from serlab.methods.learners.self_training import BalancedRidge
from serlab.samples import Labelled, Unlabelled

_ROUNDS = 1000
_CLOSE = 1e-8
#: Utterances of each class that are believed to be in any target: no share becomes 0.
_LEAST = 1.0


def adjusted(proba: np.ndarray, *, prior: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Probabilities under other shares of the classes.

    Parameters
    ----------
    proba : ndarray, shape (n, k)
        Under ``prior``.
    prior, to : ndarray, shape (k,)
        Shares; positive.

    Returns
    -------
    ndarray, shape (n, k)

    Examples
    --------
    >>> adjusted(np.array([[0.5, 0.5]]), prior=np.array([0.5, 0.5]), to=np.array([0.8, 0.2])).tolist()
    [[0.8, 0.2]]
    """
    found = proba * (to / prior)
    return found / found.sum(axis=1, keepdims=True)


def em(proba: np.ndarray, *, prior: np.ndarray) -> np.ndarray:
    """Shares under which the answers for a target are likeliest (Saerens et al. 2002, equation 2.9).

    Parameters
    ----------
    proba : ndarray, shape (n, k)
        Calibrated, under ``prior``.
    prior : ndarray, shape (k,)

    Returns
    -------
    ndarray, shape (k,)
        Positive, of sum 1; with one utterance of each class added, so that none is lost for good.
    """
    shares = prior
    for _ in range(_ROUNDS):
        total = adjusted(proba, prior=prior, to=shares).sum(axis=0) + _LEAST
        if np.abs(total / total.sum() - shares).max() < _CLOSE:
            break
        shares = total / total.sum()
    return shares


def bbse(confusion: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """Shares that explain how often each class is answered (Lipton et al. 2018, section 4).

    ``answered = confusion @ shares``, solved with shares that are not negative.

    Parameters
    ----------
    confusion : ndarray, shape (k, k)
        Share of the answers (rows) among utterances of each class (columns), where labels are known.
    answered : ndarray, shape (k,)
        How many utterances of the target are answered so.

    Returns
    -------
    ndarray, shape (k,)
        Positive, of sum 1; with one utterance of each class added.

    Examples
    --------
    >>> bbse(np.array([[0.9, 0.2], [0.1, 0.8]]), np.array([550.0, 450.0])).round(2).tolist()
    [0.5, 0.5]
    """
    found = nnls(confusion, answered / answered.sum())[0] * answered.sum() + _LEAST
    return found / found.sum()


@dataclass
class ShiftedPriors:
    """A classifier of the source whose answers are adjusted to the shares of classes in the target.

    Attributes
    ----------
    classifier : BalancedRidge
    how : {"em", "bbse"}
    shares : ndarray, shape (n_classes,)
        That were found, of the target.
    temperature : float
        Of the scores, on source corpora that were left out.
    """

    classifier: BalancedRidge
    how: Literal["em", "bbse"] = "em"
    shares: np.ndarray = field(init=False, repr=False)
    temperature: float = field(default=1.0, init=False)

    def __post_init__(self) -> None:
        if self.how not in ("em", "bbse"):
            raise ParameterError(f"shares of classes are found by 'em' or 'bbse', not {self.how!r}")

    def fit(self, *, source: Labelled, adapt: Unlabelled) -> ShiftedPriors:
        """Train, calibrate on source corpora left out, and find the shares.

        Raises
        ------
        ProtocolError
            If the source has fewer than two classes.
        """
        self.classifier.fit(source)
        known = left_out.scores(source, lambda: copy.copy(self.classifier), self.classifier.n_classes)
        self.temperature = known.temperature()
        classes = self.classifier.classes
        self._prior = np.full(len(classes), 1 / len(classes))
        proba = self._proba(adapt.X)
        if self.how == "em":
            self.shares = em(proba, prior=self._prior)
        else:
            confusion = known.confusion()[np.ix_(classes, classes)]
            self.shares = bbse(confusion, np.bincount(proba.argmax(axis=1), minlength=len(classes)))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.classifier.spread(adjusted(self._proba(X), prior=self._prior, to=self.shares))

    def _proba(self, X: np.ndarray) -> np.ndarray:
        return softmax(self.classifier.scores(X) / self.temperature, axis=1)
