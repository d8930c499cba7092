"""A form of a kept model: a classifier, and the scale on which it hears."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from serlab import normalization, voices
from serlab.deployment.classifiers import Kept, Learner
from serlab.errors import ProtocolError
from serlab.evaluation.calibration import UNCHANGED, Calibration
from serlab.samples import Unlabelled

#: Fewer recordings than these say little of the mean and deviation of their kind.
FEW_TO_ADAPT = 30


def vectors(part: Unlabelled) -> np.ndarray:
    """Features of a part, one vector an utterance: a kept model takes no sequences."""
    assert isinstance(part.X, np.ndarray)
    return part.X


def scaled(X: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Vectors on a scale, see :func:`serlab.normalization.mean_and_scale`."""
    found = normalization.on_scale(X, mean, scale)
    assert isinstance(found, np.ndarray)
    return found


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a model answers, given what is known of the recordings.

    Attributes
    ----------
    method : str
        Name of :data:`serlab.methods.METHODS`.
    scope : {"none", "source", "corpus", "voices"}
        Whose statistics scale the features, see :mod:`serlab.normalization`.
    classifier : Linear, Estimator or Learner
    mean, scale : ndarray of shape (d,), or None
        Of what it was trained on; with the scope "source" only.
    guesser : Guesser or None
        With the scope "voices" only.
    calibration : Calibration
        Of the probabilities, from corpora that were held out.
    chosen_by : DataFrame or None
        What was chosen on sources left out, see :class:`serlab.evaluation.fitting.Fresh`; in the card alone
        of a model that is read from its folder.
    """

    method: str
    scope: str
    classifier: Kept
    mean: np.ndarray | None = None
    scale: np.ndarray | None = None
    guesser: voices.Guesser | None = None
    calibration: Calibration = UNCHANGED
    chosen_by: pd.DataFrame | None = field(default=None, repr=False, compare=False)

    @property
    def needs_adapt(self) -> bool:
        """Whether it has to hear further recordings of the same kind."""
        return self.scope in ("corpus", "voices")

    def raw(self, asked: Unlabelled, adapt: Unlabelled | None = None) -> np.ndarray:
        """Probabilities as the method gives them, not calibrated; shape (n, classes).

        Parameters
        ----------
        asked : Unlabelled
            ``speaker`` matters for voices only; ``corpus`` does not: all are taken for one.
        adapt : Unlabelled, optional
            Recordings of the same kind, those that are asked among them or not.

        Raises
        ------
        ProtocolError
            If there is no ``adapt`` and the form needs it.
        """
        X = self._on_scale(asked, asked, adapt).astype(np.float32, copy=False)
        if not isinstance(self.classifier, Learner):
            return self.classifier.proba(X)
        assert adapt is not None  # its scale has asked for it
        like = self._on_scale(adapt, asked, adapt).astype(np.float32, copy=False)
        return self.classifier.proba(X, beside=replace(adapt, X=like))

    def proba(self, asked: Unlabelled, adapt: Unlabelled | None = None) -> np.ndarray:
        """Calibrated probabilities; arguments as for :meth:`raw`."""
        return self.calibration.applied(self.raw(asked, adapt))

    def _on_scale(self, part: Unlabelled, asked: Unlabelled, adapt: Unlabelled | None) -> np.ndarray:
        """Features of a part, one of the two others, on the scale that these two have together."""
        own = vectors(part)
        if self.scope == "none":
            return own
        if self.mean is not None and self.scale is not None:
            return scaled(own, self.mean, self.scale)
        if adapt is None or not len(adapt):
            raise ProtocolError(f"{self.method} needs unlabelled recordings of the same kind to adapt to")
        statistics = normalization.mean_and_scale(vectors(adapt))
        X, like = (scaled(part, *statistics) for part in (own, vectors(adapt)))
        known = np.isin(asked.speaker, adapt.speaker).all()
        if self.guesser is None or not known:
            return X
        if voices.are_kept(adapt.speaker, self.guesser.guess(like.astype(np.float32, copy=False))):
            return X
        return voices.scaled(X, part.speaker, voices.scales(like, adapt.speaker))
