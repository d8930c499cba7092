"""Baklouti et al.: VGG16 trained on a source and adapted to a target by MMD.

With the preset ``paper`` everything learns. The others freeze the
convolutions, so that every utterance goes through them once and only the
fully connected layers are trained, on vectors.

These vectors are z-scored, which the paper does not do: what many random layers
with ReLU give is positive and nearly the same for all utterances, and a network
would first have to learn that. Methods that see the target z-score each corpus
by itself, as AdaBN does (Li et al. 2016), because convolutions that do not learn
cannot follow a channel. ``vgg16-source-z`` shows what that does without MMD.
"""

from __future__ import annotations

import copy
import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab import files, samples, training
from serlab.errors import Cancelled, ParameterError, ProtocolError
from serlab.methods.adaptation import AdaptedNetwork, SupervisedAdaptation
from serlab.methods.base import Access, Method, MethodSpec
from serlab.methods.building import of_preset, trained
from serlab.methods.deep import FineTuned, Network
from serlab.methods.options import Asked, Option
from serlab.methods.scenarios import Adapted, SourceOnly, TargetOnly
from serlab.models.vgg16 import FROM_IMAGENET, VGG16, Top
from serlab.pretrained import imagenet
from serlab.pretrained.imagenet import Weights
from serlab.samples import Labelled, Unlabelled
from serlab.training import Fitting, Settings
from serlab.training.checkpoints import content
from serlab.training.objectives.distance import Distance

#: Utterances between two looks at whether the user has cancelled.
_AT_A_TIME = 64


@dataclass(frozen=True, kw_only=True)
class VGGSettings:
    """Sizes of a preset and how to train.

    Attributes
    ----------
    image_size, pooled, hidden : int
        See :class:`serlab.models.vgg16.VGG16`.
    frozen : bool
        Convolutions do not learn.
    alone, on_target : serlab.training.Settings
        Of training on one corpus, and of the second stage: adaptation or fine-tuning.
    """

    image_size: int
    pooled: int
    hidden: int
    frozen: bool
    alone: Settings
    on_target: Settings


#: ``paper``: section 4.2 (Adam, 1e-4, batches of 16, 400 epochs) and 4.3.2 (50
#: epochs). The others have smaller images and layers, and frozen convolutions;
#: rate and epochs of ``quick`` do on held-out speakers of EmoDB (UAR .75) and of
#: RAVDESS (.62), each by itself, what 40 epochs at 1e-4 do in a third of the time.
VGG_SETTINGS: dict[str, VGGSettings] = {
    preset: VGGSettings(
        image_size=image_size,
        pooled=pooled,
        hidden=hidden,
        frozen=preset != "paper",
        alone=Settings(epochs=epochs, batch_size=batch_size, learning_rate=rate),
        on_target=Settings(epochs=further, batch_size=batch_size, learning_rate=rate),
    )
    for preset, image_size, pooled, hidden, batch_size, rate, epochs, further in (
        ("demo", 32, 1, 128, 32, 1e-3, 15, 10),
        ("quick", 64, 2, 512, 32, 3e-4, 20, 10),
        ("paper", 224, 7, 4096, 16, 1e-4, 400, 50),
    )
}


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
ON_CONVOLUTIONS: dict[Access, type[_OnConvolutions]] = {
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
            if fitting.cancel is not None and fitting.cancel.is_set():
                raise Cancelled("convolution of the utterances was cancelled")
            part = rows[first : first + _AT_A_TIME]
            with training.threads(fitting.n_jobs):
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


def _network(
    stage: str,
    *,
    n_classes: int,
    seed: int,
    preset: str,
    fitting: Fitting,
    weights: Weights | None,
) -> Network:
    """VGG16; with frozen convolutions its fully connected part, which begins with random weights."""
    chosen = of_preset(VGG_SETTINGS, preset)

    def architecture(*shape: int) -> VGG16 | Top:
        if chosen.frozen:
            return Top(shape[0], n_classes, hidden=chosen.hidden)
        return _vgg16(chosen, n_classes, weights, only=FROM_IMAGENET)

    return Network(architecture, n_classes, seed, chosen.alone, balanced=False, fitting=fitting, stage=stage)


def _vgg16(chosen: VGGSettings, n_classes: int, weights: Weights | None, *, only: tuple[str, ...]) -> VGG16:
    network = VGG16(
        n_classes, image_size=chosen.image_size, hidden=chosen.hidden, pooled=chosen.pooled,
        freeze_convolutions=chosen.frozen,
    )  # fmt: skip
    if weights is not None:
        imagenet.load_into(network, imagenet.read(weights), only=only)
    return network


def _built(
    access: Access,
    make: Callable[..., Method],
    *,
    weights: Weights | None = None,
    **settings: Any,
) -> Method:
    """What ``make`` makes; with frozen convolutions, on what they give."""
    chosen = of_preset(VGG_SETTINGS, settings["preset"])
    method = make(weights=weights, **settings)
    if not chosen.frozen:
        return method
    with training.seeded(settings["seed"]):
        network = _vgg16(chosen, settings["n_classes"], weights, only=("features",))
    return ON_CONVOLUTIONS[access](network, method, settings["fitting"])


def _fine_tuned(**settings: Any) -> FineTuned:
    source = _network("source", **settings)
    return FineTuned(source, on_target=VGG_SETTINGS[settings["preset"]].on_target)


def _source_z(**settings: Any) -> Adapted:
    if not VGG_SETTINGS[settings["preset"]].frozen:
        raise ProtocolError(
            "vgg16-source-z z-scores what frozen convolutions give, and with the preset 'paper' they learn; "
            "choose vgg16-source, or another preset"
        )
    return Adapted(_network("source", **settings))


def _mmd(
    kind: Callable[..., Method], *, trade_off: float = 1.0, target_head: bool = False, **settings: Any
) -> Method:
    source = _network("source", **settings)
    objective = Distance(distance="mmd", trade_off=trade_off, target_head=target_head)
    return kind(source, objective, VGG_SETTINGS[settings["preset"]].on_target)


def _spec(
    name: str, title: str, access: Access, make: Callable[..., Method], section: str, *options: str
) -> MethodSpec:
    return MethodSpec(
        name=f"vgg16-{name}",
        title=f"VGG16, {title}",
        access=access,
        normalization="none",  # an image has its own scale
        input="frames",
        features="logmel64",  # and is made of decibels
        build=partial(_built, access, make),
        options=("weights", *options),
        reference=f"Baklouti et al., {section}",
    )


#: Entries of :data:`serlab.methods.METHODS`. Option ``weights`` is a
#: :class:`serlab.pretrained.imagenet.Weights` or None, ``trade_off`` is lambda of equation 1.
SPECS: tuple[MethodSpec, ...] = (
    _spec(
        "target", "target only", "target-only",
        trained(TargetOnly, partial(_network, "target")), "section 4.3.1",
    ),
    _spec(
        "source", "source only", "none",
        trained(SourceOnly, partial(_network, "source")), "section 3.1",
    ),
    _spec(
        "source-z", "source only, per-corpus z", "unlabelled", _source_z, "control of the MMD",
    ),
    _spec(
        "finetuned", "fine-tuned", "few-shot",
        _fine_tuned, "table 5: transfer learning",
    ),
    _spec(
        "mmd", "MMD", "unlabelled",
        partial(_mmd, AdaptedNetwork),
        "equations 1 and 2; labels of the source only", "trade_off",
    ),
    _spec(
        "mmd-supervised", "MMD, source + target labels", "few-shot",
        partial(_mmd, SupervisedAdaptation),
        "equations 1 and 2, with labels of both", "trade_off",
    ),
    _spec(
        "mmd-head", "MMD, target head", "few-shot",
        partial(_mmd, SupervisedAdaptation, target_head=True),
        "equations 1 and 2, with labels of both; label sets may differ", "trade_off",
    ),
)  # fmt: skip


def _provided(asked: Asked) -> Weights | None:
    """None for random initialisation, also where published weights were downloaded before."""
    if not asked.value:
        return None
    download = asked.value == "download"
    return imagenet.find(
        "" if download else asked.value, download=download, progress=asked.progress, cancel=asked.cancel
    )


def _described(value: str, weights: Weights | None) -> str:
    return f"VGG16 begins with {imagenet.describe(weights)}."


OPTIONS: tuple[Option, ...] = (
    Option(
        name="weights",
        default="",
        empty="random",
        title="VGG16 weights",
        help="ImageNet weights for VGG16: a local file, 'download', or empty for random initialisation.",
        provide=_provided,
        describe=_described,
        is_path=True,
    ),
)
