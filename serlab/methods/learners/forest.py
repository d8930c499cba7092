"""Random forests: the baseline of Andova & Lustrek and their multi-task forest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from serlab.methods.base import require_classes, spread_proba
from serlab.samples import Labelled


class Forest(RandomForestClassifier):
    """scikit-learn's forest, predicting with one thread.

    With several, the trees' votes are added in the order in which threads
    finish, and the last bits of a probability differ from run to run.
    """

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        n_jobs, self.n_jobs = self.n_jobs, 1
        try:
            return super().predict_proba(X)
        finally:
            self.n_jobs = n_jobs


def forest(*, n_trees: int, seed: int, n_jobs: int) -> Forest:
    """Random forest of depth 10 (Andova & Lustrek, section 3); the rest is scikit-learn's."""
    return Forest(n_estimators=n_trees, max_depth=10, random_state=seed, n_jobs=n_jobs)


@dataclass
class MultiTask:
    """Forest that learns source and target emotions as different classes.

    Andova & Lustrek, section 3.3. Class ``c`` of the source is class ``c``,
    class ``c`` of the target is ``n_classes + c``. Target rows are repeated
    until each emotion is as frequent as in the source (:func:`oversample`).
    A prediction is decided within the target's classes: their probabilities
    are renormalised. Where no tree gives a target class any probability, the
    source's classes decide.

    Attributes
    ----------
    estimator : RandomForestClassifier
    n_classes : int
    seed : int
        Of the choice of repeated rows.
    """

    estimator: RandomForestClassifier
    n_classes: int
    seed: int

    def fit(self, *, source: Labelled, target_train: Labelled) -> MultiTask:
        """Fit on both corpora.

        Raises
        ------
        ProtocolError
            If either part has fewer than two classes: within a single target
            class there is nothing to decide.
        """
        require_classes(source)
        require_classes(target_train)
        rows = oversample(target_train.y, like=source.y, seed=self.seed)
        X = np.concatenate([source.X, target_train.X[rows]])
        y = np.concatenate([source.y, target_train.y[rows] + self.n_classes])
        self.estimator.fit(X, y)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        both = spread_proba(self.estimator.predict_proba(X), self.estimator.classes_, 2 * self.n_classes)
        of_source, of_target = both[:, : self.n_classes], both[:, self.n_classes :]
        deciding = np.where(of_target.sum(axis=1, keepdims=True) > 0, of_target, of_source)
        return deciding / deciding.sum(axis=1, keepdims=True)


def oversample(y: np.ndarray, *, like: np.ndarray, seed: int) -> np.ndarray:
    """Rows that make each class at least as frequent as in ``like``.

    Every row is taken once; further ones are whole copies of the class, and
    the rest of a copy at random, so no row is taken twice more often than
    another. Classes that are frequent enough stay as they are.

    Returns
    -------
    ndarray of int
        Row numbers into ``y``.
    """
    rng = np.random.default_rng(seed)
    taken = []
    for value in np.unique(y):
        rows = np.flatnonzero(y == value)
        wanted = max(len(rows), np.count_nonzero(like == value))
        taken.append(np.resize(rng.permutation(rows), wanted))
    return np.concatenate(taken)
