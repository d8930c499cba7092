"""Sequences of frames, as :func:`serlab.features.extract` returns them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab import samples
from serlab.sequences import Sequences


@dataclass(frozen=True, kw_only=True, eq=False)
class Frames:
    """Features of utterances, frame by frame.

    Attributes
    ----------
    index : Index
        The utterances.
    columns : tuple of str
        Feature names.
    sequences : Sequences
        Frames of each utterance, those of a large corpus on disk; see :mod:`serlab.sequences`.
    frame_shift : float
        Seconds from one frame to the next; frame i is centred at
        ``i * frame_shift``.
    """

    index: pd.Index
    columns: tuple[str, ...]
    sequences: Sequences
    frame_shift: float

    def __post_init__(self) -> None:
        n, _, d = self.shape
        if (n, d) != (len(self.index), len(self.columns)):
            raise ValueError(
                f"values of shape {self.shape} do not fit {len(self.index)} utterances and "
                f"{len(self.columns)} features"
            )

    @classmethod
    def of_dense(
        cls, values: np.ndarray, *, index: pd.Index, columns: tuple[str, ...], frame_shift: float
    ) -> Frames:
        """Of an array (n, t, d) with NaN after the end of an utterance."""
        return cls(
            index=index, columns=columns, sequences=Sequences.of_dense(values), frame_shift=frame_shift
        )

    def __len__(self) -> int:
        return len(self.index)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Utterances, frames of the longest, features."""
        return self.sequences.shape

    @property
    def values(self) -> np.ndarray:
        """Dense, (n, t, d) of float32: made anew, and as large as the longest utterance makes it.

        All features are NaN after the end of an utterance; see :func:`serlab.samples.frames`.
        """
        return self.sequences.dense()

    def to_numpy(self, dtype: np.dtype | type | None = None) -> np.ndarray:
        """The same, of another type if asked for."""
        return self.values if dtype is None else self.values.astype(dtype, copy=False)

    def select(self, index: Iterable) -> Frames:
        """Some of the utterances, in the order asked for; the number of frames stays.

        Raises
        ------
        KeyError
            Naming an utterance that is not here.
        """
        index = pd.Index(index, name=self.index.name)
        rows = self.index.get_indexer(index)
        if (rows < 0).any():
            raise KeyError(f"no frames of utterance {index[rows < 0][0]!r}")
        return Frames(
            index=index, columns=self.columns, sequences=self.sequences[rows], frame_shift=self.frame_shift
        )

    def statistics(self) -> pd.DataFrame:
        """Mean and standard deviation of each feature over the frames; see :func:`serlab.samples.statistics`.

        Returns
        -------
        DataFrame of float32, shape (n, 2 d)
            Columns "<name>_mean" for all features, then "<name>_sd".
        """
        columns = [f"{name}_{function}" for function in ("mean", "sd") for name in self.columns]
        return pd.DataFrame(samples.statistics(self.sequences), index=self.index, columns=columns)
