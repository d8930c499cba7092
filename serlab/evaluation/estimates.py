"""How well will it do on recordings without labels? Estimates of accuracy and UAR, from answers alone.

Each learns from answers for corpora that were held out, whose labels are known (the reference), and is
asked about a corpus whose labels are not. Most say of each utterance how likely its answer is right; the UAR
that follows takes the rest of the probability to be spread over the other classes as the model
spreads it.

============= =====================================================================
held out      what the reference has: no look at the target (the control)
confidence    mean calibrated confidence of the answers
thresholded   share of answers surer than a threshold that gives the reference its accuracy
difference    accuracy of the reference, less what confidence has fallen by
disagreement  the same with the share of models, each short of one corpus, that agree
importance    accuracy on answers of the reference that resemble the target's
============= =====================================================================

All assume something of how the target differs; where it is wrong they are, and only corpora that were
left out tell by how much (:mod:`serlab.studies.unlabelled_accuracy`).

References
----------
Garg, Balakrishnan, Lipton, Neyshabur & Sedghi (2022), Leveraging unlabeled data to predict
out-of-distribution performance (ATC).
Guillory, Shankar, Ebrahimi, Darrell & Schmidt (2021), Predicting with confidence on unseen distributions
(DoC).
Jiang, Nagarajan, Baek & Kolter (2022), Assessing generalization of SGD via disagreement.
Sugiyama, Krauledat & Müller (2007), Covariate shift adaptation by importance weighted cross validation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from serlab import metrics
from serlab.errors import ProtocolError
from serlab.evaluation import calibration

#: Fewer recordings than these are not estimated from.
LEAST = 20
_LEAST_PROBABILITY = 1e-4


@dataclass(frozen=True)
class Reference:
    """Answers for corpora that were held out.

    Attributes
    ----------
    proba : ndarray, shape (n, k)
        Calibrated.
    y : ndarray of int, shape (n,)
    corpus : ndarray of str, shape (n,)
    agree : ndarray, shape (n,)
        Share of further models that answer the same; NaN where there are none.
    """

    proba: np.ndarray
    y: np.ndarray
    corpus: np.ndarray
    agree: np.ndarray

    def without(self, corpus: str) -> Reference:
        """The same without one corpus."""
        rows = self.corpus != corpus
        return replace(
            self, proba=self.proba[rows], y=self.y[rows], corpus=self.corpus[rows], agree=self.agree[rows]
        )

    @property
    def weight(self) -> np.ndarray:
        """Every class of every corpus the same, sum 1."""
        return calibration.cell_weights(self.corpus, self.y)

    @property
    def right(self) -> np.ndarray:
        """Whether each answer is right."""
        return self.proba.argmax(axis=1) == self.y


@dataclass(frozen=True)
class Estimate:
    """What is expected of answers whose truth is not known.

    Attributes
    ----------
    accuracy, uar : float
        0 to 1.
    """

    accuracy: float
    uar: float


def from_correctness(proba: np.ndarray, correct: np.ndarray) -> Estimate:
    """Accuracy and UAR if each answer is right with a given probability.

    Parameters
    ----------
    proba : ndarray, shape (m, k)
    correct : ndarray, shape (m,)
        0 to 1.

    Returns
    -------
    Estimate
        The UAR over classes that are expected at all: a recall is the expected number of right answers of
        a class over the expected number of its utterances.

    Examples
    --------
    >>> from_correctness(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([1.0, 1.0]))
    Estimate(accuracy=1.0, uar=1.0)
    """
    answer, rows = proba.argmax(axis=1), np.arange(len(proba))
    others = np.maximum(proba, _LEAST_PROBABILITY)
    others[rows, answer] = 0.0
    truth = others / others.sum(axis=1, keepdims=True) * (1 - correct)[:, None]
    truth[rows, answer] = correct
    expected = truth.sum(axis=0)
    hits = np.bincount(answer, correct, minlength=proba.shape[1])
    recall = hits[expected > 0] / expected[expected > 0]
    return Estimate(float(correct.mean()), float(recall.mean()))


def held_out(reference: Reference, proba: np.ndarray, agree: np.ndarray, seed: int) -> Estimate:
    """What the reference has: mean over its corpora, no look at the target."""
    accuracy, uar = [], []
    for name in np.unique(reference.corpus):
        own = reference.corpus == name
        counts = metrics.confusion(reference.y[own], reference.proba[own].argmax(axis=1), proba.shape[1])
        accuracy.append(float(metrics.accuracy(counts)))
        uar.append(float(metrics.uar(counts)))
    return Estimate(float(np.mean(accuracy)), float(np.mean(uar)))


def confidence(reference: Reference, proba: np.ndarray, agree: np.ndarray, seed: int) -> Estimate:
    """Each answer is right as often as its calibrated probability says."""
    return from_correctness(proba, proba.max(axis=1))


def thresholded(reference: Reference, proba: np.ndarray, agree: np.ndarray, seed: int) -> Estimate:
    """Average thresholded confidence (Garg et al. 2022), by maximum confidence."""
    sure, weight = reference.proba.max(axis=1), reference.weight
    order = np.argsort(-sure, kind="stable")
    wanted = weight[reference.right].sum()
    above = np.searchsorted(np.cumsum(weight[order]), wanted - 1e-12)
    threshold = sure[order][min(above, len(order) - 1)]
    return from_correctness(proba, (proba.max(axis=1) >= threshold).astype(float))


def difference(reference: Reference, proba: np.ndarray, agree: np.ndarray, seed: int) -> Estimate:
    """Difference of confidences (Guillory et al. 2021): accuracy falls by as much as confidence."""
    gap = reference.weight @ (reference.right - reference.proba.max(axis=1))
    return from_correctness(proba, np.clip(proba.max(axis=1) + gap, 0, 1))


def disagreement(reference: Reference, proba: np.ndarray, agree: np.ndarray, seed: int) -> Estimate:
    """Models that lack one corpus each agree as often as they are right, but for what the reference says.

    Raises
    ------
    ProtocolError
        If there are no further models.
    """
    if np.isnan(reference.agree).any() or np.isnan(agree).any():
        raise ProtocolError("disagreement needs a model of three corpora or more")
    gap = reference.weight @ (reference.right - reference.agree)
    return from_correctness(proba, np.clip(agree + gap, 0, 1))


def importance(reference: Reference, proba: np.ndarray, agree: np.ndarray, seed: int) -> Estimate:
    """Importance weighting, by the density ratio of answers; of the UAR class by class."""
    from serlab.evaluation import selection  # late: a second, and nothing else here needs it

    logs = [np.log(np.maximum(part, _LEAST_PROBABILITY)) for part in (reference.proba, proba)]
    ratio = selection.density_ratio(logs[0], logs[1], at=logs[0], seed=seed)
    weight = reference.weight * ratio
    uar = selection.importance_weighted(reference.proba, reference.y, weight, proba.shape[1])
    return Estimate(float(weight @ reference.right / weight.sum()), uar)


Estimator = Callable[[Reference, np.ndarray, np.ndarray, int], Estimate]

#: Name -> estimate of ``(reference, proba, agree, seed)``, in the order of tables.
ESTIMATORS: Mapping[str, Estimator] = {
    "held out": held_out,
    "confidence": confidence,
    "thresholded": thresholded,
    "difference": difference,
    "disagreement": disagreement,
    "importance": importance,
}


def estimate_all(
    reference: Reference, proba: np.ndarray, agree: np.ndarray, *, seed: int = 0
) -> dict[str, Estimate]:
    """All estimates that can be made.

    Parameters
    ----------
    reference : Reference
    proba : ndarray, shape (m, k)
        Calibrated answers for the target.
    agree : ndarray, shape (m,)
        Share of further models that answer the same.
    seed : int
        Of the folds of importance weighting.

    Raises
    ------
    ProtocolError
        If there are fewer than :data:`LEAST` recordings, or no reference.
    """
    if len(proba) < LEAST:
        raise ProtocolError(f"{len(proba)} recordings are too few to estimate from; {LEAST} at least")
    if not len(reference.y):
        raise ProtocolError("nothing was held out to estimate from")
    found = {}
    for name, estimator in ESTIMATORS.items():
        if name == "disagreement" and (np.isnan(reference.agree).any() or np.isnan(agree).any()):
            continue
        found[name] = estimator(reference, proba, agree, seed)
    return found
