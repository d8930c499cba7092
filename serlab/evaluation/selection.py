"""Model choice without target labels.

A sweep (a trade-off, a method, a number of epochs) is decided by a score that
uses the labels of held-out source speakers and the target's features, never a
target label: there is no argument for one. Larger is better. How far a score
is from the best choice is known only afterwards, with the labels, and reports
print that gap.

==================== ======================================================
source_validation    right on the source: says nothing about the target
importance_weighted  right on those source utterances that resemble the target
deep_embedded        the same with less variance
entropy              sure of itself on the target: also when wrongly so
==================== ======================================================

References
----------
Sugiyama, Krauledat & Müller (2007), Covariate shift adaptation by importance
weighted cross validation.
You, Wang, Long & Jordan (2019), Towards accurate model selection in deep
unsupervised domain adaptation (DEV).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import entr
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab import metrics
from serlab.errors import ParameterError, ProtocolError

#: Of the domain classifier; the smallest gives all rows the same ratio.
PENALTIES: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
#: Principal components the domain classifier sees. With more of them than a
#: few hundred utterances can bear it separates any two samples.
MOST_COMPONENTS = 32


def source_validation(proba: np.ndarray, y: np.ndarray, n_classes: int) -> float:
    """UAR of held-out source speakers.

    Parameters
    ----------
    proba : ndarray, shape (n, n_classes)
    y : ndarray of int, shape (n,)
    n_classes : int

    Returns
    -------
    float
        0 to 1.
    """
    return float(metrics.uar(metrics.confusion(y, proba.argmax(axis=1), n_classes)))


def importance_weighted(proba: np.ndarray, y: np.ndarray, weight: np.ndarray, n_classes: int) -> float:
    """One minus the importance-weighted risk of held-out source speakers.

    ``1 - mean(weight * loss)`` (Sugiyama et al. 2007, equation 4). The loss of
    a wrong answer is ``n / (k n_c)``, with the ``n_c`` utterances of its class
    and the ``k`` classes that occur, of a right one 0: with all weights 1 the
    score is :func:`source_validation`.

    It holds under covariate shift, where the emotion depends on the features
    alike in both corpora. Between languages that is an assumption.

    Parameters
    ----------
    proba, y, n_classes
        As for :func:`source_validation`.
    weight : ndarray, shape (n,)
        Of target to source density, see :func:`density_ratio`.

    Returns
    -------
    float
        At most 1; below 0 where large weights meet wrong answers.
    """
    return float(1 - (weight * _loss(proba, y, n_classes)).mean())


def deep_embedded(proba: np.ndarray, y: np.ndarray, weight: np.ndarray, n_classes: int) -> float:
    """One minus the risk of deep embedded validation.

    The importance-weighted risk with the weights, whose mean is known to be
    1, as control variate (You et al. 2019, section 3.3): with ``l`` the
    weighted losses and ``w`` the weights

        ``mean(l) + eta (mean(w) - 1)``,  ``eta = -cov(l, w) / var(w)``.

    "Embedded" are the features whose density ratio is taken: what the output
    layer sees. Arguments and loss as for :func:`importance_weighted`.
    """
    weighted = weight * _loss(proba, y, n_classes)
    spread = weight.var()
    eta = -((weighted - weighted.mean()) * (weight - weight.mean())).mean() / spread if spread > 0 else 0.0
    return float(1 - weighted.mean() - eta * (weight.mean() - 1))


def entropy(proba: np.ndarray) -> float:
    """Negative mean entropy of the predictions for the target, nats.

    0 is certain of everything, ``-log(n_classes)`` of nothing. Its known
    failure: a model that answers one class for everything is perfect. It also
    compares models only where their probabilities mean the same: a larger
    scale of the logits alone raises it. Later scores address the collapse:
    the density of soft neighbourhoods (Saito et al. 2021, Tune it the right
    way) asks whether neighbours get the same answer, and Robbiano et al.
    (2022, Adversarial branch architecture search) combine several scores.

    Parameters
    ----------
    proba : ndarray, shape (m, n_classes)
        Of the target.
    """
    return float(-entr(proba).sum(axis=1).mean())


#: Name -> score, larger is better. :func:`scores` calls each with what it takes.
SELECTORS: Mapping[str, Callable[..., float]] = {
    "source_validation": source_validation,
    "importance_weighted": importance_weighted,
    "entropy": entropy,
    "deep_embedded": deep_embedded,
}


def scores(
    *,
    source_embedding: np.ndarray,
    source_proba: np.ndarray,
    source_y: np.ndarray,
    train_embedding: np.ndarray,
    target_embedding: np.ndarray,
    target_proba: np.ndarray,
    n_classes: int,
    seed: int,
) -> dict[str, float]:
    """All selectors of one fitted model.

    Parameters
    ----------
    source_embedding, source_proba, source_y : ndarray, shapes (n, h), (n, n_classes), (n,)
        Held-out source speakers, which the model was not trained on.
    train_embedding : ndarray, shape (n_train, h)
        Source rows that it was trained on.
    target_embedding, target_proba : ndarray, shapes (m, h), (m, n_classes)
        The unlabelled target.
    n_classes : int
    seed : int
        Of the folds in :func:`density_ratio`.

    Returns
    -------
    dict
        A score for each of :data:`SELECTORS`.

    Raises
    ------
    ParameterError
        If shapes do not fit or a value is not finite.
    ProtocolError
        If there are no held-out speakers, or fewer than two rows to train
        the domain classifier on.
    """
    if not len(source_y):
        raise ProtocolError("no source speaker is held out: choices without target labels need some")
    for name, proba, n in (
        ("source_proba", source_proba, len(source_y)),
        ("target_proba", target_proba, len(target_embedding)),
    ):
        if proba.shape != (n, n_classes) or not np.isfinite(proba).all():
            raise ParameterError(f"{name} of shape {proba.shape} is not {n} rows of {n_classes} numbers")
    weight = density_ratio(train_embedding, target_embedding, at=source_embedding, seed=seed)
    if len(weight) != len(source_y):
        raise ParameterError(f"{len(weight)} rows of source_embedding do not fit {len(source_y)} labels")
    return {
        "source_validation": source_validation(source_proba, source_y, n_classes),
        "importance_weighted": importance_weighted(source_proba, source_y, weight, n_classes),
        "entropy": entropy(target_proba),
        "deep_embedded": deep_embedded(source_proba, source_y, weight, n_classes),
    }


def density_ratio(source: np.ndarray, target: np.ndarray, *, at: np.ndarray, seed: int) -> np.ndarray:
    """Density of the target over that of the source, from a domain classifier.

    A logistic regression tells target from source rows; with ``n`` and ``m``
    of them the ratio is ``n / m * p(target | x) / p(source | x)`` (Bickel,
    Brückner & Scheffer 2007; You et al. 2019, equation 5). It sees z-scored
    principal components, at most :data:`MOST_COMPONENTS`, and its penalty is
    the one with the best cross-validated likelihood, so that two samples of
    one distribution get ratios near 1 instead of being told apart by chance.

    Ratios are cut at the square root of the number of rows in ``at``
    (Ionides 2008, Truncated importance sampling): no utterance decides alone.

    Parameters
    ----------
    source, target : ndarray, shapes (n, h) and (m, h)
    at : ndarray, shape (k, h)
        Where the ratio is wanted: other rows of the source.
    seed : int
        Of the folds.

    Returns
    -------
    ndarray, shape (k,)
        0 to sqrt(k).
    """
    for name, X in (("source", source), ("target", target), ("held-out source", at)):
        if X.ndim != 2 or X.shape[1] != source.shape[1] or not np.isfinite(X).all():
            raise ParameterError(f"embedding of the {name}, shape {X.shape}, is not finite rows of one width")
    n, m = len(source), len(target)
    if min(n, m) < 2:
        raise ProtocolError(f"a density ratio needs two rows of each, not {n} of source and {m} of target")
    X = np.concatenate([source, target]).astype(float)
    is_target = np.repeat([0, 1], [n, m])
    folds = StratifiedKFold(min(5, n, m), shuffle=True, random_state=seed)
    # One decomposition for all folds and penalties: it uses no label.
    components = make_pipeline(
        StandardScaler(),
        PCA(min(MOST_COMPONENTS, X.shape[1], len(X) - 1), svd_solver="full"),
        StandardScaler(),
    )
    with np.errstate(invalid="ignore"):  # shares of the variance, where all rows are the same
        Z = components.fit_transform(X)
    search = GridSearchCV(
        LogisticRegression(max_iter=1000), {"C": PENALTIES}, scoring="neg_log_loss", cv=folds
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the largest C, between separable samples
        search.fit(Z, is_target)
    # exp of the log odds, and cut before: a quotient of probabilities overflows.
    log_ratio = search.decision_function(components.transform(at.astype(float))) + np.log(n / m)
    return np.exp(np.minimum(log_ratio, np.log(len(at)) / 2))


def _loss(proba: np.ndarray, y: np.ndarray, n_classes: int) -> np.ndarray:
    """Of each row; their mean is 1 - UAR."""
    count = np.bincount(y, minlength=n_classes)
    cost = len(y) / ((count > 0).sum() * np.maximum(count, 1))
    return cost[y] * (proba.argmax(axis=1) != y)
