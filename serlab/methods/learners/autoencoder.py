"""Feature transfer by one sparse autoencoder a class, then a linear SVM.

Deng, Zhang, Marchi & Schuller (2013), Sparse autoencoder-based feature
transfer learning for speech emotion recognition. Its text was not at hand.
Known from its abstract: for each emotion a mapping is learnt on few labelled
utterances of the target and applied to the source's utterances of that
emotion. The SVM is in Durrani & Arshad, section 4.1. Everything else is our
choice, see :class:`serlab.models.sparse_autoencoder.Sparsity`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from serlab import training
from serlab.methods.base import require_classes
from serlab.methods.learners.scenarios import Classifier
from serlab.models.sparse_autoencoder import Sparsity, train_autoencoder
from serlab.samples import Labelled, concatenate
from serlab.training import Fitting


@dataclass
class AutoencoderSVM:
    """SVM on utterances reconstructed by the autoencoder of their class.

    The SVM also learns from the rows that the autoencoders learned from, as
    they are: it is to classify utterances that nobody can reconstruct, their
    class being unknown.

    Attributes
    ----------
    svm : Classifier
    settings : Sparsity
    seed : int
    fitting : Fitting
        Only ``cancel`` is used: one thread, because many iterations of L-BFGS
        make much of a sum rounded in another order.
    """

    svm: Classifier
    settings: Sparsity
    seed: int
    fitting: Fitting

    def fit(self, part: Labelled) -> AutoencoderSVM:
        """Autoencoders and SVM from the same rows."""
        return self.fit_transferred(part, like=part)

    def fit_transferred(self, part: Labelled, *, like: Labelled) -> AutoencoderSVM:
        """SVM from ``part`` reconstructed to look like ``like``, and from ``like`` itself.

        Raises
        ------
        ProtocolError
            If either has fewer than two classes.
        """
        require_classes(part)
        require_classes(like)
        self.svm.fit(concatenate(self.reconstructed(part, like=like), like))
        return self

    @training.threads(1)
    def reconstructed(self, part: Labelled, *, like: Labelled) -> Labelled:
        """``part`` by autoencoders of the classes of ``like``; rows of other classes stay as they are."""
        X = part.X.copy()
        generator = torch.Generator().manual_seed(self.seed)
        for value in np.unique(like.y):
            autoencoder = train_autoencoder(
                torch.from_numpy(like.X[like.y == value]),
                settings=self.settings,
                generator=generator,
                cancel=self.fitting.cancel,
            )
            rows = part.y == value
            with torch.inference_mode():
                X[rows] = autoencoder(torch.from_numpy(part.X[rows])).numpy()
        return replace(part, X=X)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.svm.predict_proba(X)


@dataclass
class Reconstructed:
    """Scenario of :class:`AutoencoderSVM`: the source, reconstructed to look like the labelled target."""

    classifier: AutoencoderSVM

    def fit(self, *, source: Labelled, target_train: Labelled) -> Reconstructed:
        self.classifier.fit_transferred(source, like=target_train)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.classifier.predict_proba(X)
