"""Adapters of feature vectors from the library skada, then a linear SVM.

They see the source with labels and the target without. Each domain is z-scored
by itself first, the target by its unlabelled rows, as the authors of CORAL and
of subspace alignment do; without it a difference in scale is left to methods
that cannot express it.

skada is an optional extra: ``pip install "serlab[adaptation]"``.

References
----------
Sun, Feng & Saenko (2016), Return of frustratingly easy domain adaptation.
Fernando, Habrard, Sebban & Tuytelaars (2013), Unsupervised visual domain
adaptation using subspace alignment.
Pan, Tsang, Kwok & Yang (2011), Domain adaptation via transfer component analysis.
Courty, Flamary, Tuia & Rakotomamonjy (2017), Optimal transport for domain adaptation.
Gnassounou et al. (2024), skada: scikit adaptation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from serlab import extras
from serlab.errors import ProtocolError
from serlab.methods.base import require_classes
from serlab.methods.learners.scenarios import Classifier
from serlab.samples import Labelled, Unlabelled
from serlab.wording import count

#: Of subspace alignment and TCA; fewer where there are fewer rows or features.
#: This and the values below were chosen on synthetic corpora with a pure
#: channel shift, see tests/methods/test_vector_adaptation.py.
N_COMPONENTS = 40

#: skada's labels of domains: positive for sources, negative for targets.
_SOURCE, _TARGET = 1, -2


@dataclass
class VectorAdaptation:
    """An adapter of skada in front of a classifier.

    Rows of the target that were not adapted on are mapped as target rows are:
    CORAL and optimal transport move only the source, subspace alignment and
    TCA take them into the common space.

    Attributes
    ----------
    adapter : callable
        ``adapter(most)`` -> skada adapter of at most ``most`` components.
    classifier : Classifier
        Fitted on the adapted source.
    """

    adapter: Callable[[int], Any]
    classifier: Classifier
    _fitted: Any = field(default=None, repr=False)
    _target_scale: StandardScaler | None = field(default=None, repr=False)

    def fit(self, *, source: Labelled, adapt: Unlabelled) -> VectorAdaptation:
        """Adapt, then train on the source.

        Raises
        ------
        ProtocolError
            If the source has fewer than two classes, or the target fewer than
            two utterances.
        """
        require_classes(source)
        n, m = len(source), len(adapt)
        if m < 2:
            raise ProtocolError(f"{count(m, 'unlabelled target utterance')}; adaptation needs two or more")
        self._target_scale = StandardScaler().fit(adapt.X.astype(float))
        X = np.concatenate([StandardScaler().fit_transform(source.X.astype(float)), self._scaled(adapt.X)])
        self._fitted = self.adapter(min(N_COMPONENTS, n - 1, m - 1, X.shape[1]))
        mapped = self._fitted.fit_transform(X, sample_domain=np.repeat([_SOURCE, _TARGET], [n, m]))
        self.classifier.fit(replace(source, X=mapped[:n]))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Class probabilities of target rows, shape (n, n_classes)."""
        mapped = self._fitted.transform(self._scaled(X), sample_domain=np.full(len(X), _TARGET))
        return self.classifier.predict_proba(mapped)

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        return self._target_scale.transform(X.astype(float))


def _coral(most: int) -> Any:
    # With variances of 1 a shrinkage of one half is the authors' ridge of 1.
    return skada().CORALAdapter(reg=0.5)


def _subspace_alignment(most: int) -> Any:
    return skada().SubspaceAlignmentAdapter(n_components=most, random_state=0)


def _transfer_components(most: int) -> Any:
    skada()
    from serlab.methods.learners.transfer_components import TransferComponents

    return TransferComponents(kernel="rbf", n_components=most, mu=100.0)


def _optimal_transport(most: int) -> Any:
    # Exact: each source row goes to the mean of the few target rows that it is
    # matched with. With an entropic penalty of .1 of the median cost or more it
    # goes to the mean of many and emotions move together; with less it was no better, and slower.
    return skada().OTMappingAdapter(metric="sqeuclidean", max_iter=10_000_000)


def skada() -> Any:
    """The library.

    Raises
    ------
    ParameterError
        If it is not installed, saying how it would be.
    """
    extras.require("skada", extra="adaptation", purpose="this method")
    import skada as library

    return library


#: Name -> ``adapter(most)``, see :class:`VectorAdaptation`.
ADAPTERS: Mapping[str, Callable[[int], Any]] = {
    "coral": _coral,
    "subspace alignment": _subspace_alignment,
    "transfer components": _transfer_components,
    "optimal transport": _optimal_transport,
}
