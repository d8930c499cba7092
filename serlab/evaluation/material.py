"""Utterances and their features, and what methods are fed from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from serlab.errors import ProtocolError
from serlab.evaluation import compact
from serlab.features import Frames
from serlab.methods.base import MethodSpec
from serlab.samples import Labelled, Unlabelled, stacked, statistics
from serlab.sequences import Sequences

#: One vector an utterance, or a sequence of them.
Features: TypeAlias = pd.DataFrame | Frames


@dataclass(frozen=True)
class Samples:
    """Features and labels of all utterances, from which the parts of a split are taken.

    Attributes
    ----------
    X : ndarray of float32, shape (n, d), or Sequences, shape (n, t, d)
    y : ndarray of int, shape (n,)
    corpus, speaker : ndarray of str, shape (n,)
    copies : tuple of the same
        Features of augmented audio.
    """

    X: np.ndarray | Sequences
    y: np.ndarray
    corpus: np.ndarray
    speaker: np.ndarray
    copies: tuple[np.ndarray | Sequences, ...] = ()

    @classmethod
    def of(cls, features: Sequence[Features], utterances: pd.DataFrame) -> Samples:
        """Of features, those of augmented audio behind them, and an utterance table with ``emotion``."""
        X, *copies = (
            part.sequences if isinstance(part, Frames) else part.to_numpy(dtype=np.float32)
            for part in features
        )
        return cls(
            X=X,
            y=utterances["emotion"].cat.codes.to_numpy().astype(np.int64),
            corpus=utterances["corpus"].to_numpy(dtype=str),
            speaker=utterances["speaker"].to_numpy(dtype=str),
            copies=tuple(copies),
        )

    def as_input(self, spec: MethodSpec) -> Samples:
        """Vectors for a method of vectors, frames for one of frames.

        Raises
        ------
        ProtocolError
            If a method needs frames and there are none.
        """
        if spec.input == "frames" and self.X.ndim != 3:
            raise ProtocolError(
                f"{spec.name} needs frames, and the chosen feature set has one vector an utterance; "
                "choose a feature set of frames such as logmel26"
            )
        return self.statistics if spec.input == "vectors" and self.X.ndim == 3 else self

    @cached_property
    def statistics(self) -> Samples:
        """Mean and SD over frames, computed once."""
        return replace(self, X=statistics(self.X), copies=tuple(statistics(copy) for copy in self.copies))

    def labelled(self, rows: np.ndarray) -> Labelled | None:
        """Rows to learn from, with their augmented copies; None without a row."""
        if len(rows) == 0:
            return None
        n = 1 + len(self.copies)
        return Labelled(
            X=stacked([X[rows] for X in (self.X, *self.copies)]) if self.copies else self.X[rows],
            corpus=np.tile(self.corpus[rows], n),
            speaker=np.tile(self.speaker[rows], n),
            row=np.tile(rows, n),
            y=np.tile(self.y[rows], n),
        )

    def unlabelled(self, rows: np.ndarray) -> Unlabelled | None:
        """Rows without their labels; None without a row."""
        if len(rows) == 0:
            return None
        return Unlabelled(X=self.X[rows], corpus=self.corpus[rows], speaker=self.speaker[rows], row=rows)


@dataclass(frozen=True, kw_only=True)
class Material:
    """Utterances and every feature set that some method is fed.

    Attributes
    ----------
    utterances : DataFrame
        With ``emotion`` as an ordered categorical.
    features : mapping of str to tuple of Features
        Name of a feature set -> features in the row order of ``utterances``, and behind them those of
        augmented audio. ``""`` is the experiment's own, for methods that bring none.

    Raises
    ------
    ValueError
        If the rows differ.
    """

    utterances: pd.DataFrame
    features: Mapping[str, tuple[Features, ...]]
    _made: dict[tuple[str, str], Samples] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for parts in self.features.values():
            for features in parts:
                if not features.index.equals(self.utterances.index):
                    raise ValueError("features and utterances must have the same rows in the same order")

    @property
    def classes(self) -> list[str]:
        """Classes in order."""
        return list(self.utterances["emotion"].cat.categories)

    @cached_property
    def names(self) -> pd.Categorical:
        """Names of the utterances, for tables of answers (:mod:`serlab.evaluation.compact`)."""
        return compact.column(self.utterances.index)

    @property
    def neutral(self) -> int | None:
        """Code of neutral speech, for normalisation by it; None where it is not a class."""
        return self.classes.index("neutral") if "neutral" in self.classes else None

    def of(self, spec: MethodSpec, values: Mapping[str, Any]) -> Samples:
        """What a method is fed, given the values of its family's options.

        Raises
        ------
        ProtocolError
            If its feature set was not prepared, or it needs frames and there are none.
        """
        key = (spec.feature_set(values), spec.columns)
        if key[0] not in self.features:
            raise ProtocolError(
                f"{spec.name} needs the feature set {key[0]!r}, which was not prepared; "
                "put the method among those of the parameters"
            )
        if key not in self._made:
            parts = self.features[key[0]]
            if spec.columns:
                parts = tuple(part.filter(regex=spec.columns) for part in parts)
            self._made[key] = Samples.of(parts, self.utterances)
        return self._made[key].as_input(spec)
