"""Methods of vectors, on what frozen convolutions make of mel spectrograms.

The vectors are z-scored: what many random layers with ReLU give is positive and
nearly the same for all utterances, and a network would first have to learn that.
"""

from __future__ import annotations

import copy
import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import files, samples, training
from serlab.errors import ParameterError
from serlab.methods.base import Access, Method
from serlab.models.vgg16 import VGG16
from serlab.progress import stop_if
from serlab.samples import Labelled, Unlabelled
from serlab.training import Fitting
from serlab.training.checkpoints import content

#: Utterances between two looks at whether the user has cancelled.
_AT_A_TIME = 64


@dataclass
class _OnConvolutions:
    """A method of vectors, on what frozen convolutions make of mel spectrograms.

    Attributes
    ----------
    network : VGG16
        Its convolutions are used.
    method : Method
    fitting : serlab.training.Fitting
        Vectors are kept in its folder of checkpoints, for other folds and methods.
    """

    network: VGG16
    method: Method
    fitting: Fitting
    _scale: _Scale | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.fitting.augment is not None:
            raise ParameterError(
                "masked batches (specaugment) need convolutions that learn; leave it out, or choose the "
                "preset 'paper'"
            )
        self._store = _Store.of(self.network, self.fitting.checkpoints)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.method.predict_proba(self._seen(X))

    def history(self) -> pd.DataFrame:
        return self.method.history()

    def embed(self, X: np.ndarray) -> np.ndarray:
        return self.method.embed(self._seen(X))

    def layers(self, X: np.ndarray) -> dict[str, np.ndarray]:
        return self.method.layers(self._seen(X))

    def _seen(self, X: np.ndarray) -> np.ndarray:
        return self._scale.apply(self._vectors(X))

    def _vectors(self, X: np.ndarray) -> np.ndarray:
        return self._store.vectors(X, network=self.network, fitting=self.fitting)

    def _scaled(self, part: Unlabelled) -> Unlabelled:
        """Vectors of a part, z-scored by itself; rows that are predicted later, by the last such part."""
        vectors = self._vectors(part.X)
        if len(vectors) > 1 or self._scale is None:  # a single row has no deviation
            self._scale = _Scale.of(vectors)
        return replace(part, X=self._scale.apply(vectors))


@dataclass(frozen=True)
class _Scale:
    """Mean and deviation of vectors, shape (k,)."""

    mean: np.ndarray
    sd: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray) -> _Scale:
        sd = vectors.std(axis=0)
        # A unit that hardly ever fires here must not drown the others elsewhere.
        return cls(vectors.mean(axis=0), np.maximum(sd, 0.1 * sd.mean() + np.finfo(np.float32).tiny))

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        return (vectors - self.mean) / self.sd


class SourceOnConvolutions(_OnConvolutions):
    """Of a method that sees nothing of the target."""

    def fit(self, *, source: Labelled) -> SourceOnConvolutions:
        self.method.fit(source=self._scaled(source))
        return self


class TargetOnConvolutions(_OnConvolutions):
    """Of a method that learns from the labelled target alone."""

    def fit(self, *, target_train: Labelled) -> TargetOnConvolutions:
        self.method.fit(target_train=self._scaled(target_train))
        return self


class _AcrossCorpora(_OnConvolutions):
    """Of a method that sees both corpora: each is z-scored by itself."""

    def as_source(self) -> _AcrossCorpora:
        """The same for rows of the source."""
        view = copy.copy(self)
        view._scale = self._source_scale
        return view

    def _scaled_source(self, source: Labelled) -> Labelled:
        scaled = self._scaled(source)
        self._source_scale = self._scale
        return scaled


class AdaptedOnConvolutions(_AcrossCorpora):
    """Of a method that sees the target without labels."""

    def fit(self, *, source: Labelled, adapt: Unlabelled) -> AdaptedOnConvolutions:
        self.method.fit(source=self._scaled_source(source), adapt=self._scaled(adapt))
        return self


class FewShotOnConvolutions(_AcrossCorpora):
    """Of a method that learns from the source, once for all folds, and from the labelled target."""

    def fit(self, *, source: Labelled, target_train: Labelled) -> FewShotOnConvolutions:
        return self.fit_source(source=source).fit_target(target_train=target_train)

    def fit_source(self, *, source: Labelled) -> FewShotOnConvolutions:
        self.method.fit_source(source=self._scaled_source(source))
        return self

    def fit_target(self, *, target_train: Labelled) -> FewShotOnConvolutions:
        # A copy: what was fitted for another fold keeps its own.
        self.method = copy.copy(self.method).fit_target(target_train=self._scaled(target_train))
        return self


#: What learns from the vectors that frozen convolutions give, by what it sees of the target.
ON_CONVOLUTIONS: Mapping[Access, type[_OnConvolutions]] = {
    "none": SourceOnConvolutions,
    "target-only": TargetOnConvolutions,
    "unlabelled": AdaptedOnConvolutions,
    "few-shot": FewShotOnConvolutions,
}


class _Store:
    """Vectors of utterances that went through the convolutions before, in memory and on disk.

    Parameters
    ----------
    path : Path or None
        Read now, and written whole whenever there are new ones.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[bytes, np.ndarray] = {}
        if path is not None and path.is_file():
            try:
                with np.load(path, allow_pickle=False) as found:
                    names = found["names"].astype("S32").tolist()
                    self._known = dict(zip(names, found["vectors"], strict=True))
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                pass  # damaged: made again

    @classmethod
    def of(cls, network: VGG16, folder: Path | None) -> _Store:
        """Store of these convolutions and images."""
        if folder is None:
            return cls(None)
        what = (network.image_size, network.span, network.avgpool.output_size)
        weights = content(network.features.state_dict().values())
        digest = hashlib.blake2b(f"{what} {weights}".encode(), digest_size=8).hexdigest()
        return cls(folder / f"convolved-{digest}.npz")

    def vectors(self, X: np.ndarray, *, network: VGG16, fitting: Fitting) -> np.ndarray:
        """What the convolutions give, shape (n, k), for sequences (n, t, bands), NaN after their end.

        Raises
        ------
        Cancelled
        """
        names = [samples.digest(utterance).encode() for utterance in X]
        # Each of them once, though augmentation or another fold repeats it.
        rows = list({name: row for row, name in enumerate(names) if name not in self._known}.values())
        for first in range(0, len(rows), _AT_A_TIME):
            stop_if(fitting.cancel, "convolution of the utterances was cancelled")
            part = rows[first : first + _AT_A_TIME]
            with training.threads(fitting.n_jobs, cancel=fitting.cancel):
                values = training.predict(
                    network, X[part], function=network.convolved, batch_size=_AT_A_TIME, fitting=fitting
                )
            self._known.update(zip([names[row] for row in part], values, strict=True))
        if rows:
            self._write()
        return np.stack([self._known[name] for name in names])

    def _write(self) -> None:
        if self._path is None:
            return
        names, vectors = np.array(list(self._known)), np.stack(list(self._known.values()))
        files.write_arrays(self._path, {"names": names, "vectors": vectors})
