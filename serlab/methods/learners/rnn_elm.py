"""An extreme learning machine on what a network makes of frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from serlab import training
from serlab.methods.base import spread_proba
from serlab.methods.learners.deep import Network, as_labels
from serlab.models.rnn_elm import ELM
from serlab.samples import Labelled

#: Hidden units of the extreme learning machine (Han et al. 2014), and its ridge (ours).
ELM_UNITS, ELM_RIDGE = 120, 1e-3


@dataclass
class RNNELM:
    """Frame posteriors of a network, and an extreme learning machine on their statistics.

    Attributes
    ----------
    network : Network
        Of :class:`serlab.models.rnn_elm.FramePosteriors`.
    """

    network: Network

    def fit(self, part: Labelled) -> RNNELM:
        """Train the network, then the extreme learning machine on the same rows.

        Raises
        ------
        ProtocolError
            If there are fewer than two classes.
        """
        self.network.fit(part)
        self._classes, codes = np.unique(part.y, return_inverse=True)
        weight = np.ones(self.network.n_classes)
        if self.network.balanced:
            weight = training.balanced_weight(as_labels(part.y), self.network.n_classes).numpy()
        self._elm = ELM.fit(
            self.network.embed(part.X),
            2.0 * np.eye(len(self._classes))[codes] - 1,
            n_hidden=ELM_UNITS,
            ridge=ELM_RIDGE,
            seed=self.network.seed,
            weight=weight[part.y],
        )
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Softmax of the outputs: right in order, not calibrated."""
        proba = softmax(self._elm(self.network.embed(X)), axis=1)
        return spread_proba(proba, self._classes, self.network.n_classes)

    def history(self) -> pd.DataFrame:
        return self.network.history()

    def attention(self, X: np.ndarray) -> None:
        return None

    def embed(self, X: np.ndarray) -> np.ndarray:
        """What the extreme learning machine sees."""
        return self.network.embed(X)

    def layers(self, X: np.ndarray) -> dict[str, np.ndarray]:
        return self.network.layers(X)
