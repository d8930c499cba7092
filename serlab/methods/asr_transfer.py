"""Zhou & Beigi: emotion from the layers of a network that learned to recognise speech.

Four ways to use the TDNN of an :class:`serlab.asr.acoustic_model.AcousticModel`:

- ``frozen``: its layers stay as they are, and a classifier of frames learns;
- ``tuned``: they go on to learn with the classifier;
- ``scratch``: the control of ``tuned``, the same network with fresh weights;
- ``random``: the control of ``frozen``, fresh weights that stay frozen.

The paper calls the layers bottleneck features (section 4.3) and says that the
network is fine-tuned (section 1), so that both are here.
"""

from __future__ import annotations

import copy
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from serlab import files, samples, training
from serlab.errors import Cancelled, ParameterError
from serlab.methods.adaptation import Renormalized
from serlab.methods.base import Access, Method, MethodSpec
from serlab.methods.building import of_preset
from serlab.methods.deep import FineTuned, Network
from serlab.methods.options import Asked, Option
from serlab.methods.scenarios import SourceOnly, TargetOnly
from serlab.models.corpus_norm import take_statistics
from serlab.models.frame_classifier import EmotionTDNN, FrameClassifier, frame_classification, mean_layers
from serlab.samples import Labelled, Unlabelled
from serlab.training import Fitting, Settings, batches
from serlab.training.devices import resolve_device

if TYPE_CHECKING:
    from serlab.asr.acoustic_model import AcousticModel

Weights = Literal["frozen", "tuned", "scratch", "random"]

#: Utterances that go through the TDNN at once, and between two looks at whether the user has cancelled.
_AT_A_TIME = 32


@dataclass(frozen=True, kw_only=True)
class TransferSettings:
    """Sizes of the classifier of a preset and how to train.

    Attributes
    ----------
    units : int
        Of the dense layer.
    dropout : float
    frozen, tuned, scratch : serlab.training.Settings
        Of training on one corpus: the classifier alone, with a pretrained
        network, with one of fresh weights.
    further : serlab.training.Settings
        Of going on to the labelled target.
    """

    units: int
    dropout: float
    frozen: Settings
    tuned: Settings
    scratch: Settings
    further: Settings


def _settings(epochs: int, rate: float, batch_size: int) -> Settings:
    return Settings(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=rate,
        weight_decay=1e-4,
        optimizer="adamw",
        clip=5.0,
    )


#: Ours: the paper prints neither the width of the dense layer nor how it is trained. Rate and epochs of
#: ``frozen`` were chosen on held-out speakers of EmoDB alone, with layers pretrained on RAVDESS: 15 epochs at
#: .001 had UAR .51, 15 at .003 .54, 40 at .003 .62. The others were not tuned.
SETTINGS: dict[str, TransferSettings] = {
    preset: TransferSettings(
        units=units,
        dropout=0.3,
        frozen=_settings(on_frozen, 3e-3, batch_size),
        tuned=_settings(epochs, rate, batch_size),
        scratch=_settings(2 * epochs, rate, batch_size),
        further=_settings(epochs, rate, batch_size),
    )
    for preset, units, on_frozen, epochs, batch_size, rate in (
        ("demo", 32, 20, 10, 16, 1e-2),
        ("quick", 128, 40, 15, 16, 1e-3),
        ("paper", 256, 40, 30, 32, 1e-3),
    )
}


@dataclass
class _Inputs:
    """What a network that learns as a whole sees: MFCC and i-vector of each frame."""

    model: AcousticModel

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return self.model.inputs(X)

    def embedded(self, seen: np.ndarray) -> dict[str, np.ndarray]:
        """None: the network shows its own layers."""
        return {}


@dataclass
class Embeddings:
    """What a classifier on frozen layers sees: one layer of a TDNN, computed once for each utterance.

    Attributes
    ----------
    model : AcousticModel
    layer : str
    fitting : serlab.training.Fitting
        Embeddings are kept in its folder of checkpoints, for other folds and
        methods; in memory without one.
    """

    model: AcousticModel
    layer: str
    fitting: Fitting
    _known: dict[str, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self._device = resolve_device(self.fitting.device)
        self._tdnn = copy.deepcopy(self.model.tdnn).eval().to(self._device)
        folder = self.fitting.checkpoints
        self._folder = None if folder is None else folder / f"embedded-{self.model.digest}-{self.layer}"

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Frames of the layer, shape (n, t', width), NaN after the end.

        Raises
        ------
        Cancelled
        """
        names = [samples.digest(utterance) for utterance in X]
        found = {name: self._read(name) for name in set(names)}
        # Each of them once, though another row repeats it.
        missing = {name: row for row, name in enumerate(names) if found[name] is None}
        for rows, frames in self._passed(X, list(missing.values()), self._frames):
            for row, own in zip(rows, frames, strict=True):
                found[names[row]] = self._keep(names[row], own[~np.isnan(own[:, 0])])
        shape = len(X), self._tdnn.n_frames(X.shape[1], self.layer), self._tdnn.width(self.layer)
        E = np.full(shape, np.nan, dtype=np.float32)
        for row, name in enumerate(names):
            E[row, : len(found[name])] = found[name]
        return E

    def embedded(self, seen: np.ndarray) -> dict[str, np.ndarray]:
        """Mean over frames of the layer, by its name, (n, width); ``seen`` are its frames."""
        return {self.layer: np.nanmean(seen, axis=1)}

    def layers(self, X: np.ndarray) -> dict[str, np.ndarray]:
        """Mean over frames of each layer up to it, of MFCC: what no method changes."""
        parts: dict[str, np.ndarray] = {}
        for rows, means in self._passed(X, range(len(X)), self._means):
            for name, values in means.items():
                parts.setdefault(name, np.empty((len(X), values.shape[1]), np.float32))[rows] = values
        return parts

    def _frames(self, inputs: Tensor) -> np.ndarray:
        return self._tdnn.frames_at(inputs, self.layer).cpu().numpy()

    def _means(self, inputs: Tensor) -> dict[str, np.ndarray]:
        means = mean_layers(self._tdnn, inputs, until=self.layer)
        return {name: values.cpu().numpy() for name, values in means.items()}

    def _passed(self, X: np.ndarray, rows: Any, function: Any) -> Iterator[tuple[np.ndarray, Any]]:
        """Rows and what ``function`` makes of their inputs, a batch of similar length at a time."""
        lengths = batches.lengths(torch.from_numpy(X)).numpy()
        order = np.array(sorted(rows, key=lengths.__getitem__), dtype=int)
        for first in range(0, len(order), _AT_A_TIME):
            if self.fitting.cancel is not None and self.fitting.cancel.is_set():
                raise Cancelled("embedding the utterances was cancelled")
            part = order[first : first + _AT_A_TIME]
            inputs = self.model.inputs(X[part, : lengths[part].max()])
            with torch.inference_mode(), training.threads(self.fitting.n_jobs):
                yield part, function(torch.from_numpy(inputs).to(self._device))

    def _read(self, name: str) -> np.ndarray | None:
        if self._folder is None:
            return self._known.get(name)
        try:
            with np.load(self._folder / f"{name}.npz", allow_pickle=False) as found:
                return found["frames"]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None  # not there, or damaged: made again

    def _keep(self, name: str, frames: np.ndarray) -> np.ndarray:
        if self._folder is None:
            self._known[name] = frames
        else:
            files.write_arrays(self._folder / f"{name}.npz", {"frames": frames})
        return frames


@dataclass
class OnSpeechNetwork:
    """A method on what an acoustic model makes of MFCC.

    Attributes
    ----------
    seen : callable
        MFCC (n, t, 40) -> what the method sees; with ``embedded``.
    method : Method
        What it is not to see, its ``fit`` has no argument for.
    """

    seen: _Inputs | Embeddings
    method: Method

    def fit(self, **parts: Labelled | Unlabelled) -> OnSpeechNetwork:
        self.method.fit(**self._seen(parts))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.method.predict_proba(self.seen(X))

    def history(self) -> pd.DataFrame:
        return self.method.history()

    def embed(self, X: np.ndarray) -> np.ndarray:
        """Mean embedding over frames, shape (n, width)."""
        return self.method.embed(self.seen(X))

    def layers(self, X: np.ndarray) -> dict[str, np.ndarray]:
        """Mean over frames of each layer from the embedding on; of a network that learns, of all."""
        seen = self.seen(X)
        return self.seen.embedded(seen) | self.method.layers(seen)

    def _seen(self, parts: dict[str, Labelled | Unlabelled]) -> dict[str, Labelled | Unlabelled]:
        return {name: replace(part, X=self.seen(part.X)) for name, part in parts.items()}


class RenormalizedOnSpeechNetwork(OnSpeechNetwork):
    """Of a method that normalises each corpus by itself."""

    def as_source(self) -> OnSpeechNetwork:
        """The same for rows of the source."""
        return OnSpeechNetwork(self.seen, self.method.as_source())


class FineTunedOnSpeechNetwork(OnSpeechNetwork):
    """Of a method that learns from the source, once for all folds, and from the labelled target."""

    def fit_source(self, *, source: Labelled) -> FineTunedOnSpeechNetwork:
        self.method.fit_source(**self._seen({"source": source}))
        return self

    def fit_target(self, *, target_train: Labelled) -> FineTunedOnSpeechNetwork:
        # A copy: what was fitted for another fold keeps its own.
        self.method = copy.copy(self.method).fit_target(**self._seen({"target_train": target_train}))
        return self


class _FrameNetwork(Network):
    """A network that learns from frames."""

    def train(self, module: nn.Module, part: Labelled, **beside: Any) -> Network:
        super().train(module, part, loss=frame_classification, **beside)
        # Few utterances are few steps, after which running means lie behind: those of the data instead.
        X = torch.from_numpy(part.X).to(next(module.parameters()).device)
        with training.threads(self.fitting.n_jobs):
            take_statistics(module, X, batch_size=_AT_A_TIME)
        return self


def _built(
    weights: Weights,
    layer: str,
    scenario: str,
    *,
    n_classes: int,
    seed: int,
    preset: str,
    fitting: Fitting,
    acoustic_model: AcousticModel | None = None,
) -> OnSpeechNetwork:
    """Method of one way to use the TDNN, on a layer of it, in a scenario of :data:`_SCENARIOS`."""
    chosen = of_preset(SETTINGS, preset)
    if acoustic_model is None:
        raise ParameterError(
            f"tdnn-{weights} methods need an acoustic model; make one with `serlab pretrain` and give its "
            "folder as the parameter acoustic_model"
        )
    if fitting.augment is not None:
        raise ParameterError(
            "masked batches (specaugment) are of spectrograms; leave it out for tdnn methods, which take MFCC"
        )
    if layer not in acoustic_model.tdnn.names:
        raise ParameterError(
            f"the acoustic model has no layer {layer!r}; it has {', '.join(acoustic_model.tdnn.names)}"
        )
    if preset != "paper":  # matrices too small to be shared, and numbers repeat whatever the cores
        fitting = replace(fitting, n_jobs=1)
    pretrained = weights in ("frozen", "tuned")
    model = acoustic_model if pretrained else acoustic_model.untrained(seed)
    width = model.tdnn.width(layer)
    learns = weights in ("tuned", "scratch")

    def architecture(n_frames: int, n_features: int) -> EmotionTDNN | FrameClassifier:
        head = FrameClassifier(width, n_classes, units=chosen.units, dropout=chosen.dropout)
        return EmotionTDNN(copy.deepcopy(model.tdnn), layer, head) if learns else head

    network = _FrameNetwork(
        architecture,
        n_classes,
        seed,
        getattr(chosen, weights) if learns else chosen.frozen,
        balanced=False,
        fitting=fitting,
        stage="target" if scenario == "target" else "source",
    )
    seen = _Inputs(model) if learns else Embeddings(model, layer, fitting)
    if scenario == "finetuned":
        return FineTunedOnSpeechNetwork(seen, FineTuned(network, on_target=chosen.further))
    if scenario == "source-z":
        return RenormalizedOnSpeechNetwork(seen, Renormalized(network))
    return OnSpeechNetwork(seen, {"target": TargetOnly, "source": SourceOnly}[scenario](network))


#: What is trained on -> (title, what is seen of the target)
_SCENARIOS: dict[str, tuple[str, Access]] = {
    "target": ("target only", "target-only"),
    "source": ("source only", "none"),
    "source-z": ("source only, per-corpus z", "unlabelled"),
    "finetuned": ("source, then target", "few-shot"),
}

_WEIGHTS: dict[Weights, tuple[str, str]] = {
    "frozen": ("frozen", "Zhou & Beigi, section 3.4"),
    "tuned": ("fine-tuned", "Zhou & Beigi, section 3.4"),
    "scratch": ("from scratch", "control of the pretraining"),
    "random": ("random, frozen", "control of the pretraining"),
}

#: Layer -> how the paper's table 2 calls it.
LAYERS: dict[str, str] = {"tdnn12": "12th layer", "tdnn13": "13th layer", "prefinal": "prefinal layer"}


def _spec(weights: Weights, scenario: str, layer: str = "tdnn12") -> MethodSpec:
    """The 12th layer, which the paper goes on with, is not in the name."""
    title, access = _SCENARIOS[scenario]
    kind, reference = _WEIGHTS[weights]
    of_layer = "" if layer == "tdnn12" else f"-{layer.removeprefix('tdnn')}"
    return MethodSpec(
        name=f"tdnn-{weights}{of_layer}-{scenario}",
        title=f"TDNN {kind}, {LAYERS[layer]}, {title}",
        access=access,
        normalization="none",  # the acoustic model has its own
        input="frames",
        features="mfcc40",
        build=partial(_built, weights, layer, scenario),
        options=("acoustic_model",),
        reference=f"{reference}{'' if layer == 'tdnn12' else ', table 2'}",
    )


#: Entries of :data:`serlab.methods.METHODS`. Option ``acoustic_model`` is a
#: :class:`serlab.asr.acoustic_model.AcousticModel`.
SPECS: tuple[MethodSpec, ...] = (
    *(_spec(weights, scenario) for weights in ("frozen", "random") for scenario in _SCENARIOS),
    *(
        _spec(weights, scenario)
        for weights in ("tuned", "scratch")
        for scenario in ("target", "source", "finetuned")
    ),
    *(
        _spec("frozen", scenario, layer)
        for layer in ("tdnn13", "prefinal")
        for scenario in ("target", "source")
    ),
)


def _provided(asked: Asked) -> AcousticModel:
    from serlab.asr import for_experiments

    return for_experiments.provided(
        asked.value,
        sources=asked.sources,
        preset=asked.preset,
        seed=asked.seed,
        data_root=asked.data or None,
        device=asked.device,
        progress=asked.progress,
        cancel=asked.cancel,
    )


def _described(value: str, model: AcousticModel) -> str:
    from serlab.asr import for_experiments

    return f"TDNN pretrained on {for_experiments.describe(model)}."


def _heard(model: AcousticModel) -> Iterable[str]:
    return model.provenance.get("training_audio", ())


OPTIONS: tuple[Option, ...] = (
    Option(
        name="acoustic_model",
        default="",
        empty="pretrained on the sources",
        title="acoustic model",
        help="Folder made by `serlab pretrain`, or its name under SERLAB_MODELS, for the tdnn methods; "
        "empty: pretrained on the sources.",
        provide=_provided,
        describe=_described,
        heard=_heard,
        is_path=True,
    ),
)
