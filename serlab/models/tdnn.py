"""The time-delay network of Zhou & Beigi (2020): 13 layers that learned to recognise speech.

Zhou & Beigi, A transfer learning method for speech emotion recognition from
automatic speech recognition, section 3.3. Printed: 13 layers of 1024, time
strides of 0 (1st, 5th), 1 (2nd to 4th) and 3 (from the 6th), a fully connected
prefinal layer of 1024. Not printed: ReLU, then batch normalisation, as the
Kaldi recipes that the paper follows have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from serlab.errors import ParameterError
from serlab.models import masking
from serlab.models.corpus_norm import CorpusNorm

#: Share of a factored layer's input that is added to its output, as in the Kaldi recipes.
BYPASS = 0.66
#: Number of the layer that computes fewer steps than the one below.
_SUBSAMPLING = 4


@dataclass(frozen=True)
class TDNNLayer:
    """One layer of a :class:`TDNN`.

    Attributes
    ----------
    width : int
        Nodes.
    stride : int
        s: the layer sees frames t - s, t and t + s of the layer below; 0: only
        t. In frames of the network's input, however far apart the steps are
        that are computed.
    bottleneck : int or None
        Factored layer (Povey et al. 2018, Semi-orthogonal low-rank matrix
        factorization for deep neural networks): t - s and t through so many
        linear nodes, t and t + s of these through the layer; with a bypass
        where the width stays. The constraint to semi-orthogonal factors is left out.
    subsample : int
        Of the steps of the layer below, only every n-th is computed. What the
        next layers compute there is what they would compute anyway.
    """

    width: int
    stride: int
    bottleneck: int | None = None
    subsample: int = 1


@dataclass(frozen=True)
class Architecture:
    """Layers of a :class:`TDNN`, and the width of its prefinal layer."""

    layers: tuple[TDNNLayer, ...]
    prefinal: int


def _thirteen(width: int, *, bottleneck: int | None = None, subsample: int = 1) -> Architecture:
    """The paper's strides; time is subsampled by the 4th layer, after which all strides are 3 or 0."""
    strides = (0, 1, 1, 1, 0, *(3,) * 8)
    return Architecture(
        layers=tuple(
            TDNNLayer(
                width,
                stride,
                bottleneck=bottleneck if number > 1 else None,
                subsample=subsample if number == _SUBSAMPLING else 1,
            )
            for number, stride in enumerate(strides, start=1)
        ),
        prefinal=width,
    )


#: "paper" as printed; "quick" trains on two cores in minutes; "demo" in seconds.
ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "paper": _thirteen(1024),
        "quick": _thirteen(256, bottleneck=64, subsample=3),
        "demo": _thirteen(64, bottleneck=32, subsample=3),
    }
)


def architecture(name: str | Architecture) -> Architecture:
    """Architecture by name; one that is an architecture already is returned.

    Raises
    ------
    ParameterError
        Listing the known ones.
    """
    if isinstance(name, Architecture):
        return name
    if name not in ARCHITECTURES:
        raise ParameterError(f"unknown architecture {name!r}; known: {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


def subsampled(preset: Architecture, every: int) -> Architecture:
    """The same with an output every so many frames, by the fourth layer: from there all strides are 3 or 0.

    Raises
    ------
    ParameterError
        If it has no fourth layer.
    """
    if len(preset.layers) < _SUBSAMPLING:
        raise ParameterError(f"time is subsampled by the fourth layer, and there are {len(preset.layers)}")
    layers = [replace(layer, subsample=1) for layer in preset.layers]
    layers[_SUBSAMPLING - 1] = replace(layers[_SUBSAMPLING - 1], subsample=every)
    return replace(preset, layers=tuple(layers))


class TDNN(nn.Module):
    """Time-delay layers, a prefinal layer, and a linear output for each step.

    Frames outside an utterance are zeros for every layer and no part of the
    batch normalisation: results do not depend on padding, nor (once trained)
    on the other utterances of a batch.

    Parameters
    ----------
    n_features, n_outputs : int
    layers : sequence of TDNNLayer
        Named "tdnn1", "tdnn2", ...
    prefinal : int
        Nodes of the layer "prefinal".

    Raises
    ------
    ParameterError
        If a stride is no multiple of the steps that the layers below compute.
    """

    def __init__(
        self, n_features: int, n_outputs: int, *, layers: Sequence[TDNNLayer], prefinal: int
    ) -> None:
        super().__init__()
        self.n_features, self.n_outputs = n_features, n_outputs
        self.specs = tuple(layers)
        self.names = (*(f"tdnn{number}" for number in range(1, len(self.specs) + 1)), "prefinal")
        self.widths = (*(spec.width for spec in self.specs), prefinal)
        blocks, width, step = [], n_features, 1
        for name, spec in zip(self.names, self.specs, strict=False):
            if spec.stride % step:
                raise ParameterError(
                    f"{name}: stride {spec.stride} is no multiple of {step}, the frames between the steps "
                    "of the layer below; subsample later or choose another stride"
                )
            block = _Delays if spec.bottleneck is None else _Factored
            blocks.append(block(width, spec, reach=spec.stride // step))
            width, step = spec.width, step * spec.subsample
        blocks.append(_Delays(width, TDNNLayer(prefinal, 0), reach=0))
        self.blocks = nn.ModuleList(blocks)
        self.output = nn.Linear(prefinal, n_outputs)

    def forward(self, X: Tensor) -> Tensor:
        """Outputs, shape (B, t', n_outputs), of sequences (B, t, n_features); NaN after the end in both."""
        maps, mask = self._until("prefinal", X)
        return masking.nan_outside(self.output(maps), mask[:, :, None])

    def frames_at(self, X: Tensor, layer: str) -> Tensor:
        """Output of a layer for each step, computed only up to there.

        Parameters
        ----------
        X : Tensor, shape (B, t, n_features)
            NaN after the end of an utterance.
        layer : str
            Of :attr:`names`.

        Returns
        -------
        Tensor, shape (B, t', width)
            NaN after the end; see :meth:`n_frames`.

        Raises
        ------
        ParameterError
            If there is no such layer.
        """
        maps, mask = self._until(layer, X)
        return masking.nan_outside(maps, mask[:, :, None])

    def all_frames(self, X: Tensor) -> dict[str, Tensor]:
        """:meth:`frames_at` of all layers, in one pass."""
        return {name: masking.nan_outside(maps, mask[:, :, None]) for name, maps, mask in self._outputs(X)}

    def n_frames(self, n: int | Tensor, layer: str = "prefinal") -> int | Tensor:
        """Steps that a layer computes for ``n`` frames of input."""
        step = self.step(layer)
        return -(-n // step)

    def step(self, layer: str = "prefinal") -> int:
        """Frames of input from one step of a layer to the next."""
        step = 1
        for spec in self.specs[: self._number(layer)]:
            step *= spec.subsample
        return step

    def receptive_field(self, layer: str = "prefinal") -> int:
        """Frames of input that one step of a layer depends on."""
        return 1 + 2 * sum(spec.stride for spec in self.specs[: self._number(layer)])

    def width(self, layer: str) -> int:
        """Nodes of a layer."""
        return self.widths[self._number(layer) - 1]

    @property
    def n_parameters(self) -> int:
        """Numbers that are learned."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _number(self, layer: str) -> int:
        """Of a layer, from 1."""
        if layer not in self.names:
            raise ParameterError(f"unknown layer {layer!r}; known: {', '.join(self.names)}")
        return self.names.index(layer) + 1

    def _until(self, layer: str, X: Tensor) -> tuple[Tensor, Tensor]:
        self._number(layer)
        return next((maps, mask) for name, maps, mask in self._outputs(X) if name == layer)

    def _outputs(self, X: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Name, output (0 after the end) and mask of one layer after the other."""
        maps, mask = masking.split(X)
        for name, block in zip(self.names, self.blocks, strict=True):
            maps, mask = block(maps, mask)
            yield name, maps, mask


class _Delays(nn.Module):
    """Dense layer over the steps -reach, 0, reach (or 0 alone), ReLU, batch normalisation."""

    def __init__(self, width: int, spec: TDNNLayer, *, reach: int) -> None:
        super().__init__()
        self.offsets = (-reach, 0, reach) if reach else (0,)
        self.subsample = spec.subsample
        # A convolution as a matrix product: faster on a CPU than a dilated Conv1d.
        self.linear = _he(nn.Linear(len(self.offsets) * width, spec.width))
        self.norm = CorpusNorm(spec.width)

    def forward(self, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        kept = mask[:, :: self.subsample]
        inside = _delayed(maps, self.offsets, self.subsample)[kept]
        return _placed(self.norm(self.linear(inside).relu()), kept), kept


class _Factored(nn.Module):
    """The same through a linear bottleneck, beside a bypass."""

    def __init__(self, width: int, spec: TDNNLayer, *, reach: int) -> None:
        super().__init__()
        self.back, self.ahead = ((-reach, 0), (0, reach)) if reach else ((0,), (0,))
        self.subsample, self.bypass = spec.subsample, BYPASS * (width == spec.width)
        self.factor = nn.Linear(len(self.back) * width, spec.bottleneck, bias=False)
        self.linear = _he(nn.Linear(len(self.ahead) * spec.bottleneck, spec.width))
        nn.init.orthogonal_(self.factor.weight)
        self.norm = CorpusNorm(spec.width)

    def forward(self, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        kept = mask[:, :: self.subsample]
        narrow = _placed(self.factor(_delayed(maps, self.back, 1)[mask]), mask)
        inside = _delayed(narrow, self.ahead, self.subsample)[kept]
        steps = self.norm(self.linear(inside).relu())
        if self.bypass:
            steps = steps + self.bypass * maps[:, :: self.subsample][kept]
        return _placed(steps, kept), kept


def _he(linear: nn.Linear) -> nn.Linear:
    """He's initial weights: what passes 13 layers keeps its size, also before any training."""
    nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
    nn.init.zeros_(linear.bias)
    return linear


def _delayed(maps: Tensor, offsets: tuple[int, ...], subsample: int) -> Tensor:
    """Steps at offsets from every ``subsample``-th, side by side; zeros outside."""
    reach, t = max(map(abs, offsets)), maps.shape[1]
    padded = pad(maps, (0, 0, reach, reach))
    return torch.cat(
        [padded[:, reach + offset : reach + offset + t : subsample] for offset in offsets], dim=2
    )


def _placed(steps: Tensor, mask: Tensor) -> Tensor:
    """Steps (N, w) at the N places where ``mask`` (B, t) is True, zeros elsewhere."""
    maps = steps.new_zeros(*mask.shape, steps.shape[1])
    maps[mask] = steps
    return maps
