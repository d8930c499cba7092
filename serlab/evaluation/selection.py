"""Model choice without target labels.

A sweep (a trade-off, a method, a number of epochs) is decided by a score that
uses the labels of held-out source speakers and the target's features, never a
target label: there is no argument for one. Larger is better. How far a score
is from the best choice is known only afterwards, with the labels, and reports
print that gap, and what always taking no alignment would have given.

==================== ======================================================
source_validation    right on the source: says nothing about the target
importance_weighted  right on those source utterances that resemble the target
deep_embedded        the same with less variance
circular             what it believes of the target, learned from, holds on the source
entropy              sure of itself on the target: also when wrongly so
information          sure of itself, and of every class
mano                 the same as entropy, in another norm
soft_neighbourhood   alike for target utterances that get like answers
==================== ======================================================

What is compared is UAR, so a recall is estimated for each class, each by
weights that sum to one over the utterances of that class: where the target has
more of one emotion, the weights are larger there, and a mean over all
utterances would rank by accuracy.

References
----------
Sugiyama, Krauledat & Müller (2007), Covariate shift adaptation by importance
weighted cross validation.
You, Wang, Long & Jordan (2019), Towards accurate model selection in deep
unsupervised domain adaptation (DEV).
Bruzzone & Marconcini (2010), Domain adaptation problems: a DASVM
classification technique and a circular validation strategy.
Saito, Kim, Teterwak, Sclaroff, Darrell & Saenko (2021), Tune it the right way:
unsupervised validation of domain adaptation via soft neighborhood density.
Bridle, Heading & MacKay (1991), Unsupervised classifiers, mutual information
and phantom targets.
Xie, Odonnat, Feofanov, Deng, Zhang & An (2024), MaNo: exploiting matrix norm
for unsupervised accuracy estimation under distribution shifts.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import entr, softmax
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

#: Of soft neighbourhoods, and rows of similarities that are held at once.
_TEMPERATURE = 0.05
_ROWS = 1024
#: Divergence from the uniform distribution above which MaNo takes the softmax.
_MANO_THRESHOLD = 5.0


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
    """UAR of the target, estimated from held-out source speakers by importance weights.

    The recall of a class is ``sum(weight * right) / sum(weight)`` over its
    utterances (Sugiyama et al. 2007, self-normalised and class by class); the
    score is the mean of the classes that occur. With all weights 1 it is
    :func:`source_validation`.

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
        0 to 1.
    """
    right, member = _right_and_member(proba, y, n_classes)
    return float(np.mean((weight @ (right[:, None] * member)) / (weight @ member)))


def deep_embedded(proba: np.ndarray, y: np.ndarray, weight: np.ndarray, n_classes: int) -> float:
    """The same with less variance: the weights as control variate.

    Their mean is known to be 1 (You et al. 2019, section 3.3). Of what is
    summed, ``v`` (numerator and denominator of each class's recall), the mean
    is estimated by

        ``mean(v) + eta (mean(w) - 1)``,  ``eta = -cov(v, w) / var(w)``.

    "Embedded" are the features whose density ratio is taken: what the output
    layer sees. Arguments as for :func:`importance_weighted`.

    Returns
    -------
    float
        0 to 1. A class of which nothing is left by the correction keeps its uncorrected recall.
    """
    right, member = _right_and_member(proba, y, n_classes)
    of_class = weight[:, None] * member
    hits = right[:, None] * of_class
    above, below = (_controlled(values, weight) for values in (hits, of_class))
    plain = hits.sum(axis=0) / of_class.sum(axis=0)
    recall = np.divide(above, below, out=plain, where=below > 0)
    return float(recall.clip(0, 1).mean())


def _right_and_member(proba: np.ndarray, y: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether each row is answered rightly, (n,), and of which of the classes that occur it is, (n, k)."""
    member = np.eye(n_classes)[y]
    return (proba.argmax(axis=1) == y).astype(float), member[:, member.any(axis=0)]


def _controlled(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Means of columns, given that the weights have mean 1."""
    spread = weight.var()
    if spread == 0:
        return values.mean(axis=0)
    centred = weight - weight.mean()
    eta = -(centred @ (values - values.mean(axis=0))) / len(weight) / spread
    return values.mean(axis=0) + eta * (weight.mean() - 1)


def circular(
    target_embedding: np.ndarray,
    target_proba: np.ndarray,
    source_embedding: np.ndarray,
    source_y: np.ndarray,
    n_classes: int,
) -> float:
    """UAR on held-out source speakers of a classifier that learned what the model believes of the target.

    The way back (Bruzzone & Marconcini 2010), on what the output layer sees: a
    logistic regression of z-scored embeddings, with classes weighing the same.
    A model that answers one class for everything has chance level.

    Parameters
    ----------
    target_embedding, target_proba : ndarray, shapes (m, h) and (m, n_classes)
    source_embedding, source_y : ndarray, shapes (n, h) and (n,)
    n_classes : int
    """
    believed = target_proba.argmax(axis=1)
    if len(np.unique(believed)) < 2:
        answers = np.full(len(source_y), believed[0])
    else:
        back = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # between separable samples
            answers = back.fit(target_embedding, believed).predict(source_embedding)
    return float(metrics.uar(metrics.confusion(source_y, answers, n_classes)))


def entropy(proba: np.ndarray) -> float:
    """Negative mean entropy of the predictions for the target, nats.

    0 is certain of everything, ``-log(n_classes)`` of nothing. Its known
    failure: a model that answers one class for everything is perfect. It also
    compares models only where their probabilities mean the same: a larger
    scale of the logits alone raises it.

    Parameters
    ----------
    proba : ndarray, shape (m, n_classes)
        Of the target.
    """
    return float(-entr(proba).sum(axis=1).mean())


def information(proba: np.ndarray) -> float:
    """Mutual information of utterances and answers, nats.

    Entropy of the mean answer minus the mean entropy of the answers (Bridle et
    al. 1991): a model that answers one class for everything has 0. It assumes
    that the target has all classes about equally often.

    Parameters
    ----------
    proba : ndarray, shape (m, n_classes)
        Of the target.
    """
    return float(entr(proba.mean(axis=0)).sum()) + entropy(proba)


def mano(proba: np.ndarray) -> float:
    """Norm of the answers for the target, 0 to 1 (Xie et al. 2024, with their exponent 4).

    ``mean(v ** 4) ** (1 / 4)`` over utterances and classes, where ``v`` is the
    softmax of the logits if that is far from uniform (equation 6: a divergence
    above 5), and else its second-order expansion ``1 + z + z^2 / 2`` divided by
    its sum, which trusts the logits less. Of the logits only differences are
    known here, so that ``z`` has mean 0 in each row.

    Parameters
    ----------
    proba : ndarray, shape (m, n_classes)
        Of the target.
    """
    z = np.log(np.maximum(proba, np.finfo(float).tiny))
    normed = proba
    if -z.mean() <= _MANO_THRESHOLD:
        z = z - z.mean(axis=1, keepdims=True)
        expanded = 1 + z + z**2 / 2
        normed = expanded / expanded.sum(axis=1, keepdims=True)
    return float(np.mean(normed**4) ** 0.25)


def soft_neighbourhood(proba: np.ndarray) -> float:
    """Density of neighbourhoods among the answers for the target, nats (Saito et al. 2021).

    Mean entropy of how each utterance's similarity is spread over the others,
    at their temperature .05: high where many get like answers. A model that
    answers one class for everything is the best of all, so it is read beside
    :func:`information`.

    Parameters
    ----------
    proba : ndarray, shape (m, n_classes)
        Of the target; with one utterance there are no neighbours, and 0.
    """
    if len(proba) < 2:
        return 0.0
    unit = proba / np.linalg.norm(proba, axis=1, keepdims=True)
    total = 0.0
    for start in range(0, len(unit), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(unit)))
        similarity = unit[rows] @ unit.T / _TEMPERATURE
        similarity[np.arange(len(rows)), rows] = -np.inf  # nobody is a neighbour of itself
        total += entr(softmax(similarity, axis=1)).sum()
    return float(total / len(unit))


#: Name -> score, larger is better. :func:`scores` calls each with what it takes.
SELECTORS: Mapping[str, Callable[..., float]] = {
    "source_validation": source_validation,
    "importance_weighted": importance_weighted,
    "deep_embedded": deep_embedded,
    "circular": circular,
    "entropy": entropy,
    "information": information,
    "mano": mano,
    "soft_neighbourhood": soft_neighbourhood,
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
        "deep_embedded": deep_embedded(source_proba, source_y, weight, n_classes),
        "circular": circular(target_embedding, target_proba, source_embedding, source_y, n_classes),
        **{score.__name__: score(target_proba) for score in (entropy, information, mano, soft_neighbourhood)},
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
