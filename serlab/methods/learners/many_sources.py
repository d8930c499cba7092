"""Several source corpora without mixing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from serlab.errors import ProtocolError
from serlab.methods.base import require_classes
from serlab.samples import Labelled


@dataclass
class OneASource:
    """A classifier for each corpus; the answer is the mean of their probabilities.

    Attributes
    ----------
    n_classes : int
    make : callable
        A classifier with ``fit(part)`` and ``predict_proba(X)``.
    """

    n_classes: int
    make: Callable[[], Any]

    def fit(self, part: Labelled) -> OneASource:
        """Fit one classifier a corpus; a corpus of one class teaches nothing and is passed over.

        Raises
        ------
        ProtocolError
            If no corpus has two classes.
        """
        require_classes(part)
        corpora = [part.take(part.corpus == name) for name in np.unique(part.corpus)]
        self._fitted = [self.make().fit(own) for own in corpora if len(np.unique(own.y)) > 1]
        if not self._fitted:
            raise ProtocolError("no source corpus has two classes; choose another label scheme or source")
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Mean over the corpora; a class that one of them lacks counts there as not believed."""
        return np.mean([fitted.predict_proba(X) for fitted in self._fitted], axis=0)
