"""Methods on the layers of an acoustic model: what they see of it, and what learns from that."""

from __future__ import annotations

import copy
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from serlab import data, files, samples, training
from serlab.methods.base import Method
from serlab.methods.learners.deep import Network
from serlab.models.corpus_norm import take_statistics
from serlab.models.frame_classifier import mean_layers
from serlab.progress import stop_if
from serlab.samples import Labelled, Unlabelled
from serlab.sequences import Sequences, Writer
from serlab.training import Fitting, batches
from serlab.training.devices import resolve_device
from serlab.training.objectives.base import Batch

if TYPE_CHECKING:
    from serlab.asr.acoustic_model import AcousticModel

#: Utterances that go through the TDNN at once, and between two looks at whether the user has cancelled.
_AT_A_TIME = 32


@dataclass
class Inputs:
    """What a network that learns as a whole sees: MFCC and i-vector of each frame."""

    model: AcousticModel

    def __call__(self, X: np.ndarray | Sequences) -> Sequences:
        utterances = X if isinstance(X, Sequences) else Sequences.of_dense(X)
        inputs = (self.model.inputs(frames[None])[0] for frames in utterances)
        return _sequences(inputs, width=len(self.model.centre), longest=X.shape[1])

    def embedded(self, seen: Sequences) -> dict[str, np.ndarray]:
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

    def __call__(self, X: np.ndarray | Sequences) -> Sequences:
        """Frames of the layer, shape (n, t', width).

        Raises
        ------
        Cancelled
        """
        names = [samples.digest(utterance) for utterance in X]
        longest, width = self._tdnn.n_frames(X.shape[1], self.layer), self._tdnn.width(self.layer)
        # Each of them once, though another row repeats it.
        once = {name: row for row, name in enumerate(names)}
        writer, place = Writer(width, folder=data.cache_root()), {}
        for name in once:
            if (frames := self._read(name)) is not None:
                place[name] = writer.append(frames)
        missing = [row for name, row in once.items() if name not in place]
        for rows, found in self._passed(X, missing, self._frames):
            for row, own in zip(rows, found, strict=True):
                place[names[row]] = writer.append(self._keep(names[row], own[~np.isnan(own[:, 0])]))
        return Sequences.of_store(writer.store(), np.array([place[name] for name in names]), longest=longest)

    def embedded(self, seen: Sequences) -> dict[str, np.ndarray]:
        """Mean over frames of the layer, by its name, (n, width); ``seen`` are its frames."""
        return {self.layer: np.stack([frames.mean(axis=0) for frames in seen])}

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
        X = batches.as_rows(X)
        lengths = batches.lengths(X)
        order = np.array(sorted(rows, key=lengths.tolist().__getitem__), dtype=int)
        for first in range(0, len(order), _AT_A_TIME):
            stop_if(self.fitting.cancel, "embedding the utterances was cancelled")
            part = order[first : first + _AT_A_TIME]
            inputs = self.model.inputs(batches.take(X, torch.from_numpy(part), lengths).numpy())
            with torch.inference_mode(), training.threads(self.fitting.n_jobs, cancel=self.fitting.cancel):
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

    seen: Inputs | Embeddings
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


def _sequences(utterances: Iterable[np.ndarray], *, width: int, longest: int) -> Sequences:
    writer = Writer(width, folder=data.cache_root())
    for utterance in utterances:
        writer.append(utterance)
    return Sequences.of_store(writer.store(), longest=longest)


class FrameNetwork(Network):
    """A network that learns from frames."""

    def train(self, module: nn.Module, part: Labelled, **beside: Any) -> Network:
        super().train(module, part, **beside)
        # Few utterances are few steps, after which running means lie behind: those of the data instead.
        X = batches.on_device(batches.as_rows(part.X), next(module.parameters()).device)
        with training.threads(self.fitting.n_jobs, cancel=self.fitting.cancel):
            take_statistics(module, X, batch_size=_AT_A_TIME)
        return self


def frame_classification(
    module: nn.Module, batch: Batch, cross_entropy: Callable[[Tensor, Tensor], Tensor], progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross-entropy of all frames of a batch (Zhou & Beigi, section 3.4).

    A loss of :func:`serlab.training.train`. Every frame weighs the same, and so a
    long utterance more than a short one.
    """
    logits, inside = module.frame_logits(batch.source)
    labels = batch.y[:, None].expand(inside.shape)[inside]
    return module.joined(logits, inside), {"classification": cross_entropy(logits, labels)}
