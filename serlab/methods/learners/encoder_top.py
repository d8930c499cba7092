"""Blocks of a pretrained speech encoder that go on to learn, or adapters beside blocks that do not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import nn

from serlab import extras, training
from serlab.methods.learners.deep import Network, as_labels
from serlab.models.encoder_top import EncoderTop
from serlab.models.tuned_blocks import Kind, TunedBlocks
from serlab.pretrained import encoders
from serlab.samples import Labelled
from serlab.training import Settings, batches


@dataclass(kw_only=True)
class Top(Network):
    """Blocks with new layers above them, which learn first, while the blocks stay.

    New layers are far from anything useful: what they would ask of the blocks
    at first is noise (Kumar et al. 2022, Fine-tuning can distort pretrained
    features), and at the rate of the blocks they hardly move. As long as the blocks stay, what they
    give is computed once.

    Attributes
    ----------
    new_layers : serlab.training.Settings
        Of the time before the blocks learn, too; not in the history.
    """

    #: An encoder wants memory: of all blocks' inner layers, and of attention.
    AT_ONCE: ClassVar[int] = 16

    new_layers: Settings

    def fit(self, part: Labelled) -> Top:
        module = self.untrained(*part.X.shape[1:])
        above, pooled = module.head(), replace(part, X=self._pooled(module, part.X))
        # What changes frames has nothing to change in vectors.
        replace(self, settings=self.new_layers, fitting=replace(self.fitting, augment=None)).train(
            above, pooled
        )
        module.blocks.requires_grad_(True)
        if any(weight.requires_grad for weight in module.blocks.parameters()) or self.fitting.augment:
            self.train(module, part)
        else:
            self.train(above, pooled)
            self.keep(module, self._history)
        return self

    def _pooled(self, module: nn.Module, X: Any) -> np.ndarray:
        """What the blocks give of each utterance before they learn."""
        with training.threads(self.fitting.n_jobs, cancel=self.fitting.cancel):
            return training.predict(
                module, X, function=module.pooled, batch_size=self.AT_ONCE, fitting=self.fitting
            )


@dataclass(kw_only=True)
class Tuned(Top):
    """Adapters beside blocks that stay, and new layers above; both stop by speakers who are held out.

    Those speakers are of the part that is learned from, never of what is tested: where it has corpora,
    one in :data:`HELD_OUT` of the speakers of each. A part with fewer than three speakers, or whose
    others lack a class, is learned from whole, for all epochs. ``new_layers`` needs patience, too: what the
    blocks are stopped by, the layers above must not have learned.
    """

    def train(self, module: nn.Module, part: Labelled, **beside: Any) -> Network:
        held_out = speakers_held_out(part, seed=self.seed) if self.settings.patience is not None else None
        if held_out is None:
            whole = replace(self, settings=replace(self.settings, patience=None))
            Network.train(whole, module, part, **beside)
            return self.keep(whole.module, whole._history)
        rows = np.arange(len(part))
        learned, validated = part.take(rows[~held_out]), part.take(rows[held_out])
        validation = (batches.as_rows(validated.X), as_labels(validated.y))
        return super().train(module, learned, validation=validation, **beside)


#: One of so many speakers of each corpus is held out.
HELD_OUT = 5


def speakers_held_out(part: Labelled, *, seed: int) -> np.ndarray | None:
    """Which rows are by speakers who are held out; None where that leaves too little.

    Parameters
    ----------
    part : Labelled
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of bool, shape (n,), or None
    """
    rng = np.random.default_rng(seed)
    chosen: list[str] = []
    for corpus in np.unique(part.corpus):
        speakers = np.unique(part.speaker[part.corpus == corpus])
        if len(speakers) >= 3:
            chosen.extend(rng.choice(speakers, max(1, len(speakers) // HELD_OUT), replace=False))
    held_out = np.isin(part.speaker, chosen)
    if not held_out.any() or set(part.y[~held_out]) != set(part.y):
        return None
    return held_out


def pretrained_tuned(
    name: str,
    n_classes: int,
    *,
    kind: Kind,
    units: int = 128,
    dropout: float = 0.3,
    rank: int = 8,
    recompute: bool = False,
    root: Path | str | None = None,
) -> EncoderTop:
    """Network on the frames of "encoder-frames:<name>@0", with all blocks of the model and adapters.

    Parameters
    ----------
    name : str
        See :func:`serlab.pretrained.encoders.find`.
    n_classes, units, dropout
        See :class:`serlab.models.encoder_top.EncoderTop`.
    kind, rank, recompute
        See :class:`serlab.models.tuned_blocks.TunedBlocks`.
    root : path, optional

    Raises
    ------
    ParameterError
        If there is no such model, or peft is not installed.
    """
    extras.require("peft", extra="encoders", purpose="adapters of an encoder")
    folder = encoders.look(name, root=root)
    blocks = TunedBlocks(encoders.load(folder).blocks.above(0), kind, rank=rank, recompute=recompute)
    return EncoderTop(blocks, folder.width, n_classes, units=units, dropout=dropout)


def pretrained_top(
    name: str,
    layer: int,
    n_classes: int,
    *,
    units: int = 128,
    dropout: float = 0.3,
    root: Path | str | None = None,
) -> EncoderTop:
    """Network on the frames of "encoder-frames:<name>@<layer>", with the weights of the model.

    Parameters
    ----------
    name : str
        See :func:`serlab.pretrained.encoders.find`.
    layer, n_classes, units, dropout
        See :class:`serlab.models.encoder_top.EncoderTop`.
    root : path, optional

    Raises
    ------
    ParameterError
        If there is no such model or layer.
    """
    folder = encoders.look(name, root=root)
    encoders.require_layer(folder, layer)
    blocks = encoders.load(folder).blocks.above(layer)
    return EncoderTop(blocks, folder.width, n_classes, layer=layer, units=units, dropout=dropout)
