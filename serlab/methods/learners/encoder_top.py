"""The uppermost blocks of a pretrained speech encoder, which go on to learn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from serlab.methods.learners.deep import Network
from serlab.models.encoder_top import EncoderTop
from serlab.pretrained import encoders
from serlab.samples import Labelled
from serlab.training import Settings


@dataclass(kw_only=True)
class Top(Network):
    """Blocks with new layers above them, which learn first, while the blocks stay.

    New layers are far from anything useful: what they would ask of the blocks
    at first is noise (Kumar et al. 2022, Fine-tuning can distort pretrained
    features), and at the rate of the blocks they hardly move.

    Attributes
    ----------
    new_layers : serlab.training.Settings
        Of the time before the blocks learn, too; not in the history.
    """

    new_layers: Settings

    def fit(self, part: Labelled) -> Top:
        module = self.untrained(*part.X.shape[1:])
        module.blocks.requires_grad_(False)
        replace(self, settings=self.new_layers).train(module, part)
        module.blocks.requires_grad_(True)
        self.train(module, part)
        return self


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
