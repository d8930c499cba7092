"""What a feature set is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Literal

import numpy as np

from serlab import audio

#: Samples at 16 kHz, shape (n,) -> features, shape (d,) or (t, d).
Extractor = Callable[[np.ndarray], np.ndarray]

#: Licence of sets that librosa, NumPy and SciPy compute.
FREE = "free: librosa (ISC), NumPy and SciPy (BSD-3-Clause)"


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureSet:
    """A named way to turn an utterance into a vector of fixed length, or into one a frame.

    Attributes
    ----------
    name : str
        Key of :data:`serlab.features.FEATURE_SETS`.
    title : str
        For tables.
    version : str
        Raise it whenever the same audio gives other numbers: what is cached
        under another version is never used.
    license : str
        Terms under which features of this set may be computed and used.
    reference : str
        Paper or manual that defines it.
    settings : mapping
        Everything else that decides the numbers (JSON values): frame lengths, weights.
    n_features : int
        Of a vector, or of a frame; said here because asking the library takes a second.
    load : callable
        Returns the feature names and the extractor; called once, on first use,
        because loading a library may take a second. The extractor must be safe
        to call from several threads at once.
    kind : {"vectors", "frames"}
        One vector an utterance, or a sequence of frames.
    frame_shift : float or None
        Seconds from one frame to the next; None for vectors.
    libraries : tuple of str
        Packages that compute it; their versions are settings too.
    in_processes : bool
        Whether threads that extract wait for each other most of the time (much of the
        work is Python's), so that many files are shared out to processes.
    require : callable, optional
        Raises :class:`~serlab.errors.ParameterError` where a library is not
        installed; called before the first of them is used.
    parts : tuple of FeatureSet
        Sets that it is put together from, see :mod:`serlab.features.composite`: each has its own cache.
    """

    name: str
    title: str
    version: str
    license: str
    reference: str
    settings: Mapping[str, str | int | float]
    n_features: int
    load: Callable[[], tuple[tuple[str, ...], Extractor]] = field(repr=False)
    kind: Literal["vectors", "frames"] = "vectors"
    frame_shift: float | None = None
    libraries: tuple[str, ...] = ()
    in_processes: bool = False
    require: Callable[[], None] | None = field(default=None, repr=False)
    parts: tuple[FeatureSet, ...] = ()

    @cached_property
    def _loaded(self) -> tuple[tuple[str, ...], Extractor]:
        if self.require is not None:
            self.require()
        return self.load()

    def __getstate__(self) -> dict[str, object]:
        # To another process, which loads its libraries itself.
        return {name: value for name, value in vars(self).items() if name != "_loaded"}

    def load_library(self) -> None:
        """Load now what the first use would load."""
        _ = self._loaded

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of :meth:`extract`."""
        return self._loaded[0]

    def extract(self, samples: np.ndarray) -> np.ndarray:
        """Features of one utterance.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,)
            At 16 kHz, peak below 1, as :func:`serlab.audio.load` returns them.

        Returns
        -------
        ndarray of float32, shape (len(names),) or (frames, len(names))
        """
        return self._loaded[1](samples)

    @cached_property
    def digest(self) -> str:
        """Short hash of name, version, settings, versions of libraries and the way audio is read."""
        if self.require is not None:
            self.require()
        settings = {**self.settings, **{library: version(library) for library in self.libraries}}
        identity = [self.name, self.version, settings, audio.VERSION]
        return hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=8).hexdigest()
