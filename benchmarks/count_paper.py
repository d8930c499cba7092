"""What the preset ``paper`` computes, counted: multiplications of its networks, and hours on a device.

    python benchmarks/count_paper.py [--teraflops 10]

Counted is one utterance through each network (torch's own counter of operations, which leaves out what is
no product of matrices), three times as much where it learns, times what the papers print: epochs, repeats,
folds, copies of the speech. Not counted are features, i-vectors, and the sums over paths of LF-MMI, which
wait for each other frame by frame: ``bench_lfmmi.py`` times those. ``--teraflops`` is what a device does of
such work in a second, not what its sheet says: 10 is cautious for a data-centre GPU of this decade.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from serlab.asr.settings import PRESETS
from serlab.methods import acnn, vgg
from serlab.models.acnn import ACNN
from serlab.models.tdnn import TDNN, architecture, subsampled
from serlab.models.vgg16 import VGG16
from serlab.papers import baklouti, neumann_vu, zhou_beigi

FRAMES = 100  # a second
UNITS = 28  # letters, apostrophe and blank between words
#: A step forward, and twice that backward.
LEARNING = 3
#: Speech of TED-LIUM 2 that is learned from.
HOURS = zhou_beigi.HOURS


@dataclass(frozen=True)
class Work:
    """One training as a paper prints it.

    Attributes
    ----------
    what : str
    parameters : int
    operations : float
        Of one utterance (or second of speech), forward.
    passes : float
        Of one utterance (or second), forward and backward, over the whole experiment.
    """

    what: str
    parameters: int
    operations: float
    passes: float

    @property
    def total(self) -> float:
        """Operations of the whole experiment."""
        return LEARNING * self.operations * self.passes


def operations(module: nn.Module, X: Tensor, forward: Callable[[Tensor], object] | None = None) -> float:
    """Floating-point operations of a forward pass; a multiplication and an addition are two."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        (forward or module)(X)
    return float(counter.get_total_flops())


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def tdnn() -> Work:
    chosen = PRESETS["paper"]
    preset = subsampled(architecture(chosen.architecture), chosen.subsampling)
    network = TDNN(40 + chosen.rank, 2 * UNITS, layers=preset.layers, prefinal=preset.prefinal).eval()
    seconds = 10
    per_second = operations(network, torch.zeros(1, seconds * FRAMES, 40 + chosen.rank)) / seconds
    heard = HOURS * 3600 * (1 + sum(1 / speed for speed in chosen.speed))
    return Work(f"TDNN, TED-LIUM 2 ({HOURS} h)", size(network), per_second, heard * chosen.epochs)


def vgg16(source: str, target: str) -> Work:
    """Ten repeats: the source once each, then in five folds as many utterances of the target beside it."""
    recipe, printed = vgg.RECIPES["paper"], baklouti.PAPER.protocol
    sizes = {name: value for name, value in recipe.sizes.items() if name != "frozen"}
    network = VGG16(7, **sizes).eval()
    one = operations(network, torch.zeros(1, 300, 64))
    learned, repeats, folds = printed.utterances[source], printed.repeats, printed.splits[""].folds
    first, second = recipe.alone.epochs * learned, recipe.second.epochs * folds * 2 * learned
    return Work(
        f"VGG16, {source} to {target}, {repeats} repeats", size(network), one, repeats * (first + second)
    )


def attentive() -> Work:
    recipe, printed = acnn.RECIPES["paper"], neumann_vu.PAPER.protocol
    network = ACNN(26, 2, n_kernels=recipe.sizes["n_kernels"], padding="zeros").eval()
    one = operations(network, torch.zeros(1, 750, 26))
    both = sum(printed.utterances.values())
    folds = printed.splits[""].folds
    passes = recipe.alone.epochs * folds * both
    return Work(
        f"ACNN, conditions a and b, {printed.repeats} repeats",
        size(network),
        one,
        printed.repeats * 2 * passes,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teraflops", type=float, default=10.0)
    rate = parser.parse_args().teraflops * 1e12
    print(f"{'':44} parameters   forward      in all   hours at {rate / 1e12:g} TFLOP/s")
    for work in (attentive(), vgg16("ravdess", "emodb"), vgg16("iemocap", "emodb"), tdnn()):
        print(
            f"{work.what:44} {work.parameters / 1e6:8.1f} M {work.operations / 1e9:7.2f} G"
            f" {work.total / 1e15:9.1f} P {work.total / rate / 3600:9.1f}"
        )


if __name__ == "__main__":
    main()
