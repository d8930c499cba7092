"""Classifiers as a folder can hold them: numbers in safetensors, or scikit-learn's in skops; no pickle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from serlab.errors import ProtocolError, SerlabError
from serlab.methods.base import Choice
from serlab.samples import Labelled, Unlabelled

#: Types of serlab's own that a kept estimator may hold; those of scikit-learn and NumPy skops knows.
TRUSTED = ("serlab.methods.learners.forest.Forest",)
#: Bytes that a kept estimator may take, packed and unpacked: a forest of 1000 trees has some 20 million.
MOST_BYTES = 2_000_000_000


class UnusableModel(SerlabError):
    """A folder holds no model that serlab has kept, or one that was changed since."""


@dataclass(frozen=True)
class Linear:
    """Ridge regression: a number a class, of which the largest is the answer.

    Attributes
    ----------
    weights : ndarray, shape (k, d)
    classes : ndarray of int, shape (k,)
        That training had.
    n_classes : int
    most : float
        Deviations at which features are cut.
    """

    weights: np.ndarray
    classes: np.ndarray
    n_classes: int
    most: float

    def proba(self, X: np.ndarray) -> np.ndarray:
        """Softmax of the numbers, not calibrated; shape (n, n_classes)."""
        scores = np.clip(X, -self.most, self.most) @ self.weights.T
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        full = np.zeros((len(X), self.n_classes))
        full[:, self.classes] = scores / scores.sum(axis=1, keepdims=True)
        return full


@dataclass(frozen=True)
class Estimator:
    """A scikit-learn classifier.

    Attributes
    ----------
    estimator : object
        With ``predict_proba`` or ``decision_function``.
    n_classes : int
    """

    estimator: Any
    n_classes: int

    def proba(self, X: np.ndarray) -> np.ndarray:
        """As the method answers; shape (n, n_classes)."""
        from serlab.methods.learners.scenarios import Classifier

        return Classifier(self.estimator, self.n_classes).predict_proba(X)


@dataclass(frozen=True)
class Learner:
    """A method that learns beside the recordings it is asked about, from the sources and what it has chosen.

    Attributes
    ----------
    method : str
        Name of :data:`serlab.methods.METHODS`.
    source : Labelled
        On the method's scale.
    choice : Choice
    n_classes : int
    """

    method: str
    source: Labelled
    choice: Choice
    n_classes: int

    def proba(self, X: np.ndarray, *, beside: Unlabelled) -> np.ndarray:
        """As the method answers, fitted beside these recordings; shape (n, n_classes)."""
        from serlab import methods
        from serlab.training import Fitting

        # Nothing of it is random, and no preset changes it.
        built: Any = methods.get(self.method).build(
            n_classes=self.n_classes, seed=0, preset="quick", fitting=Fitting()
        )
        fitted = built.fit_beside(self.choice, source=self.source, adapt=beside)
        return np.asarray(fitted.predict_proba(X), dtype=float)


Kept: TypeAlias = Linear | Estimator | Learner


def of(learned: Any, *, name: str, n_classes: int) -> Kept:
    """What is kept of what a method has learned of its sources.

    Parameters
    ----------
    learned : object
        From :func:`serlab.evaluation.fitting.fit_sources`.
    name : str
        Of its method.
    n_classes : int

    Raises
    ------
    ProtocolError
        If there is no form for it.
    """
    from serlab.evaluation.fitting import Fresh
    from serlab.methods.learners.scenarios import Classifier
    from serlab.methods.learners.self_training import BalancedRidge
    from serlab.methods.learners.weighting import MOST

    if isinstance(learned, Fresh):
        return Learner(name, learned.source, learned.choice, n_classes)
    if isinstance(learned, BalancedRidge):
        weights = learned.coefficients.T / np.sqrt(len(learned.coefficients))
        return Linear(weights, learned.classes, n_classes, MOST)
    if isinstance(learned, Classifier):
        return Estimator(learned.estimator, n_classes)
    raise ProtocolError(f"{name} cannot be kept: a {type(learned).__name__} has no form without pickle")


def write(path: Path, kept: Estimator) -> None:
    """Write an estimator as skops."""
    from skops import io

    io.dump(kept.estimator, path)


def read(path: Path, *, n_classes: int, n_features: int) -> Estimator:
    """Read an estimator, of types that are trusted only.

    Raises
    ------
    UnusableModel
        If it holds anything else, is damaged, too large, or for other features.
    """
    import zipfile

    from skops import io

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if max(unpacked, path.stat().st_size) > MOST_BYTES:
            raise UnusableModel(f"{path}: {unpacked} bytes are no classifier of serlab; train it again")
        strange = sorted(set(io.get_untrusted_types(file=path)) - {*TRUSTED})
        if strange:
            raise UnusableModel(f"{path} holds {strange[0]}, which no kept model does; do not use it")
        estimator = io.load(path, trusted=list(TRUSTED))
        kept = Estimator(estimator, n_classes)
        proba = kept.proba(np.zeros((1, n_features), np.float32))
        if proba.shape != (1, n_classes) or not np.isfinite(proba).all():
            raise UnusableModel(f"{path} does not give {n_classes} probabilities; train it again")
    except UnusableModel:
        raise
    except Exception as error:  # whatever a damaged archive makes of the library that reads it
        why = (str(error).splitlines() or [""])[0]
        raise UnusableModel(
            f"{path} cannot be read ({type(error).__name__}: {why}); train it again"
        ) from None
    return kept
