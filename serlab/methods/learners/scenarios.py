"""Which data a classifier is trained on: Andova & Lustrek's scenarios, section 4.

Each takes a classifier with ``fit(part)`` and ``predict_proba(X)``, such as a
:class:`Classifier` or a :class:`serlab.methods.learners.deep.Network`, and gives it the
``fit`` of one access, so that the same classifier serves every scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import softmax

from serlab.methods.base import Access, one_hot_proba, require_classes, spread_proba
from serlab.samples import Labelled, Unlabelled, concatenate


@dataclass
class Classifier:
    """A scikit-learn estimator whose probabilities cover all classes.

    Classes that did not occur in training get probability 0. Estimators
    without ``predict_proba`` (the SVM) give the softmax of their decision
    values: right in order, not calibrated.

    Attributes
    ----------
    estimator : scikit-learn classifier
    n_classes : int
    """

    estimator: Any
    n_classes: int

    def fit(self, part: Labelled) -> Classifier:
        """Fit on all rows.

        Raises
        ------
        ProtocolError
            If there are fewer than two classes.
        """
        require_classes(part)
        self.estimator.fit(part.X, part.y)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        if hasattr(self.estimator, "predict_proba"):
            proba = self.estimator.predict_proba(X)
        else:
            decision = self.estimator.decision_function(X)
            if decision.ndim == 1:  # two classes: positive values are for the second
                decision = np.column_stack([-decision, decision]) / 2
            proba = softmax(decision.astype(float), axis=1)
        return spread_proba(proba, self.estimator.classes_, self.n_classes)


@dataclass
class _Scenario:
    """A classifier; of a network there are ``history``, ``attention``, ``embed`` and ``layers``, too."""

    classifier: Any

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.classifier.predict_proba(X)

    def __getattr__(self, name: str) -> Any:
        if name in ("history", "attention", "embed", "layers"):
            return getattr(self.classifier, name)
        raise AttributeError(f"{type(self).__name__} has no {name!r}")


class SourceOnly(_Scenario):
    """Scenario 1: train on the source, see nothing of the target."""

    def fit(self, *, source: Labelled) -> SourceOnly:
        self.classifier.fit(source)
        return self


class TargetOnly(_Scenario):
    """Scenario 2: train on the few labelled target utterances."""

    def fit(self, *, target_train: Labelled) -> TargetOnly:
        self.classifier.fit(target_train)
        return self


class TargetOnScale(_Scenario):
    """The same, on a scale that normalisation has from the unlabelled utterances, too."""

    def fit(self, *, target_train: Labelled, adapt: Unlabelled) -> TargetOnScale:
        self.classifier.fit(target_train)
        return self


class Pooled(_Scenario):
    """Scenario 3: train on source and labelled target together."""

    def fit(self, *, source: Labelled, target_train: Labelled) -> Pooled:
        self.classifier.fit(concatenate(source, target_train))
        return self


class PooledOnScale(_Scenario):
    """The same, on scales that normalisation has from the unlabelled utterances, too."""

    def fit(self, *, source: Labelled, target_train: Labelled, adapt: Unlabelled) -> PooledOnScale:
        self.classifier.fit(concatenate(source, target_train))
        return self


@dataclass
class Adapted(_Scenario):
    """Train on the source, after moving it towards the unlabelled target.

    Attributes
    ----------
    align : callable or None
        ``align(source_X, target_X)`` -> source features. None where
        normalisation has already used the unlabelled target.
    """

    align: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None

    def fit(self, *, source: Labelled, adapt: Unlabelled) -> Adapted:
        X = source.X if self.align is None else self.align(source.X, adapt.X)
        self.classifier.fit(replace(source, X=X))
        return self


#: How a classifier that is trained once is given what an access allows.
BY_ACCESS: Mapping[Access, type[_Scenario]] = {
    "none": SourceOnly,
    "target-only": TargetOnly,
    "few-shot": Pooled,
    "semi-supervised": PooledOnScale,
    "target-semi-supervised": TargetOnScale,
    "unlabelled": Adapted,
}


@dataclass
class Majority:
    """Predict the most frequent class of the labelled target; the first one of equals."""

    n_classes: int

    def fit(self, *, target_train: Labelled) -> Majority:
        self.winner = int(np.bincount(target_train.y, minlength=self.n_classes).argmax())
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return one_hot_proba(np.full(len(X), self.winner), self.n_classes)
