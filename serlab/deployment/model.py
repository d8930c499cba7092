"""A model that is kept in a folder: what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from serlab.deployment import familiar
from serlab.deployment.forms import Form
from serlab.deployment.recordings import Windows

if TYPE_CHECKING:
    from serlab.deployment.predicting import Predicted, Recordings


#: BCP 47 for "not determined".
UNKNOWN_LANGUAGE = "und"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A corpus that a model was learned from.

    Attributes
    ----------
    name, title, licence, citation, speech : str
    languages : tuple of str
        BCP 47.
    redistribution, derivatives, commercial, share_alike : {"yes", "no", "unknown"}
        See :class:`serlab.corpora.terms.Terms`.
    utterances, speakers : int
        Learned from.
    fingerprint : str
        See :func:`serlab.data.fingerprint`.
    """

    name: str
    title: str
    licence: str
    citation: str
    speech: str
    languages: tuple[str, ...]
    redistribution: str
    derivatives: str
    commercial: str
    share_alike: str
    utterances: int
    speakers: int
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Model:
    """What :func:`serlab.deployment.train` keeps and :func:`serlab.deployment.load_model` reads.

    Attributes
    ----------
    name : str
        Of its folder.
    family : str
        Of :data:`serlab.deployment.families.FAMILIES`.
    features : str
        Feature set; a pretrained encoder by the name of its folder.
    features_digest : str
        Of the set that it was learned from, library versions among it.
    features_licence : str
    scheme : str
    classes : tuple of str
    sources : tuple of Source
    left_out_are : {"corpora", "speakers"}
        What the evidence is of.
    created, serlab : str
        When, and by which version.
    forms : mapping of str to Form
        By :data:`serlab.deployment.families.FORMS`.
    members : mapping of str to mapping of str to Form
        The same learned without one source, by its name; for estimates.
    space : Space
    distances : ndarray, shape (101,)
        Of what was left out, at :data:`serlab.deployment.familiar.SHARES`.
    heard : Range
    windows : Windows
    left_out : DataFrame
        See :func:`serlab.deployment.evidence.left_out`.
    estimates : DataFrame
        See :func:`serlab.deployment.evidence.estimate_table`.
    """

    name: str
    family: str
    features: str
    features_digest: str
    features_licence: str
    scheme: str
    classes: tuple[str, ...]
    sources: tuple[Source, ...]
    left_out_are: str
    created: str
    serlab: str
    forms: Mapping[str, Form] = field(repr=False)
    members: Mapping[str, Mapping[str, Form]] = field(repr=False)
    space: familiar.Space = field(repr=False)
    distances: np.ndarray = field(repr=False)
    heard: familiar.Range = field(repr=False)
    windows: Windows
    left_out: pd.DataFrame = field(repr=False)
    estimates: pd.DataFrame = field(repr=False)

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that it has heard, as far as its corpora say, sorted."""
        heard = {language for source in self.sources for language in source.languages}
        return tuple(sorted(heard - {UNKNOWN_LANGUAGE}))

    @property
    def n_features(self) -> int:
        """Of a recording."""
        return self.space.components.shape[1]

    def predict(self, recordings: Recordings, **options: Any) -> Predicted:
        """Ask it about recordings, see :func:`serlab.deployment.predicting.predict`."""
        from serlab.deployment import predicting

        return predicting.predict(self, recordings, **options)

    def estimate(self, predicted: Predicted, *, seed: int = 0) -> pd.DataFrame:
        """Expected UAR on recordings without labels, see :func:`serlab.deployment.unlabelled.estimate`."""
        from serlab.deployment import unlabelled

        return unlabelled.estimate(self, predicted, seed=seed)

    def of_form(self, form: str) -> pd.DataFrame:
        """Rows of :attr:`left_out` of one form."""
        return self.left_out[self.left_out["form"] == form]
