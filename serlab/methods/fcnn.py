"""The fully connected network of Andova & Lustrek, whose output layer alone learns from the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serlab.methods.base import MethodSpec
from serlab.methods.building import PRESETS, Recipe, networks, trained
from serlab.training import Fitting, Settings

if TYPE_CHECKING:
    from torch import nn

    from serlab.methods.learners.neural import FCNN

#: The paper prints neither optimiser nor epochs. Ours, for every preset: Adam
#: with a small learning rate and a fixed number of epochs on the whole source,
#: chosen on held-out speakers within source corpora (EmoDB, RAVDESS), never on
#: a target. The training loss is below .001 after them; more epochs did not
#: raise the held-out UAR.
SETTINGS: dict[str, Settings] = {
    "on_source": Settings(epochs=20, learning_rate=1e-4, weight_decay=1e-4),
    "on_target": Settings(epochs=100, learning_rate=1e-3, weight_decay=1e-4),
}


def _fcnn(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> FCNN:
    from serlab.methods.learners.neural import FCNN

    # The paper mentions no weights of the classes. Without them a network of few utterances may give the
    # commonest class.
    return FCNN(n_classes, seed, **SETTINGS, balanced=preset != "paper", fitting=fitting)


def _architecture(shape: tuple[int, ...], n_classes: int) -> nn.Module:
    from serlab.models.fcnn import fcnn

    return fcnn(shape[-1], n_classes)


#: Without a source all layers learn from the target, for as long as the output layer does with one.
_network = networks(
    _architecture,
    {preset: Recipe(alone=SETTINGS["on_target"], balanced=preset != "paper") for preset in PRESETS},
)


SPECS: tuple[MethodSpec, ...] = (
    MethodSpec(
        name="fcnn-target",
        title="FCNN, target only",
        access="target-only",
        build=trained("target-only", _network),
        reference="control of the transfer",
    ),
    MethodSpec(
        name="fcnn",
        title="FCNN, output layer fine-tuned",
        access="few-shot",
        build=_fcnn,
        control="fcnn-target",
        adds="source",
        reference="Andova & Lustrek, section 3.2",
    ),
)
