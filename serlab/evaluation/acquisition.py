"""Which utterances to label next, when some twenty labels can be had.

Each strategy sees features and answers of utterances without labels, and returns which to label, the most
wanted first. Whether any is better than chance is a question to be measured
(:mod:`serlab.studies.label_plan`): what is uncertain may be what nobody can tell.

References
----------
Lewis & Gale (1994), A sequential algorithm for training text classifiers (uncertainty).
Sener & Savarese (2018), Active learning for convolutional neural networks: a core-set approach.
Zhdanov (2019), Diverse mini-batch active learning (weighted k-means).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from serlab import normalization
from serlab.errors import ParameterError, meant

#: Principal components in which utterances are near or far.
COMPONENTS = 16
#: Deviations at which features are cut.
_MOST = 5.0
#: Starts of k-means.
_STARTS = 3


def by_chance(Z: np.ndarray, margin: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Drawn at random: also what an estimate of accuracy wants."""
    return np.random.default_rng(seed).permutation(len(Z))[:n]


def uncertain(Z: np.ndarray, margin: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Where the two likeliest classes are nearest to each other."""
    return np.argsort(margin, kind="stable")[:n]


def diverse(Z: np.ndarray, margin: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Nearest to the centres of n clusters (k-means); the largest cluster first."""
    return _of_clusters(Z, np.ones(len(Z)), n, seed)


def spread(Z: np.ndarray, margin: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Each the farthest from all before it (core-set), from the middle on."""
    distance = ((Z - Z.mean(axis=0)) ** 2).sum(axis=1)
    chosen = [int(distance.argmin())]
    nearest = np.full(len(Z), np.inf)
    while len(chosen) < n:
        nearest = np.minimum(nearest, ((Z - Z[chosen[-1]]) ** 2).sum(axis=1))
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
    return np.array(chosen)


def both(Z: np.ndarray, margin: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Centres of clusters in which uncertain utterances weigh more."""
    return _of_clusters(Z, 1.0 - margin + 1e-3, n, seed)


Strategy = Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]

#: Name -> ``strategy(components, margin, n, seed)``, in the order of tables.
STRATEGIES: Mapping[str, Strategy] = {
    "random": by_chance,
    "uncertain": uncertain,
    "diverse": diverse,
    "spread": spread,
    "both": both,
}
#: Those that do not depend on a seed.
FIXED = ("uncertain", "spread")


def choose(strategy: str, X: np.ndarray, proba: np.ndarray, n: int, *, seed: int = 0) -> np.ndarray:
    """Utterances to label, the most wanted first.

    Parameters
    ----------
    strategy : str
        Of :data:`STRATEGIES`.
    X : ndarray, shape (m, d)
        Features of the unlabelled utterances.
    proba : ndarray, shape (m, k)
        What is believed of them.
    n : int
        All, where there are fewer.
    seed : int

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    ParameterError
        If the strategy is unknown, or n below 1.
    """
    require_known(strategy, n)
    n = min(n, len(X))
    ordered = np.sort(proba, axis=1)
    return STRATEGIES[strategy](components(X), ordered[:, -1] - ordered[:, -2], n, seed)


def require_known(strategy: str, n: int) -> None:
    """Refuse what :func:`choose` would.

    Raises
    ------
    ParameterError
    """
    if strategy not in STRATEGIES:
        raise ParameterError(
            f"unknown strategy {strategy!r}; known: {', '.join(STRATEGIES)}{meant(strategy, STRATEGIES)}"
        )
    if n < 1:
        raise ParameterError(f"{n} utterances to label; choose 1 or more")


def components(X: np.ndarray) -> np.ndarray:
    """Principal components of z-scored features, each by its own deviation; shape (m, q)."""
    mean, scale = normalization.mean_and_scale(X)
    Z = np.clip((X - mean) * scale, -_MOST, _MOST)
    U, size, _ = np.linalg.svd(Z - Z.mean(axis=0), full_matrices=False)
    kept = size[:COMPONENTS] > 1e-9 * max(size[0], 1e-300)
    return (U[:, :COMPONENTS] * size[:COMPONENTS])[:, kept] if kept.any() else np.zeros((len(X), 1))


def _of_clusters(Z: np.ndarray, weight: np.ndarray, n: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    n_clusters = min(n, len(np.unique(np.round(Z, 6), axis=0)))  # copies differ by rounding
    found = KMeans(n_clusters, n_init=_STARTS, random_state=seed).fit(Z, sample_weight=weight)
    share = np.bincount(found.labels_, weight, minlength=n_clusters)
    distance = ((Z - found.cluster_centers_[found.labels_]) ** 2).sum(axis=1)
    chosen = []
    for cluster in np.argsort(-share, kind="stable"):
        rows = np.flatnonzero(found.labels_ == cluster)
        if len(rows):
            chosen.append(int(rows[distance[rows].argmin()]))
    rest = np.setdiff1d(np.arange(len(Z)), chosen)  # copies of one utterance are one cluster
    return np.array([*chosen, *rest[: n - len(chosen)]])
