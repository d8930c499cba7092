"""Networks and inputs that Baklouti et al. compare with (table 4), trained on the source alone.

For as many epochs as the light network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from serlab.methods import light
from serlab.methods.base import MethodSpec
from serlab.methods.building import Recipe, networks, trained

if TYPE_CHECKING:
    from torch import nn

RECIPES: dict[str, Recipe] = {preset: replace(recipe, sizes={}) for preset, recipe in light.RECIPES.items()}


def _cnn_lstm(shape: tuple[int, ...], n_classes: int) -> nn.Module:
    from serlab.models.cnn_lstm import CNNLSTM

    return CNNLSTM(shape[-1], n_classes)


def _tdnn(shape: tuple[int, ...], n_classes: int) -> nn.Module:
    from serlab.models.tdnn_classifier import TDNN

    return TDNN(shape[-1], n_classes)


def _spec(
    name: str, title: str, architecture: Callable[..., nn.Module], reference: str, features: str = ""
) -> MethodSpec:
    return MethodSpec(
        name=f"{name}-source",
        title=f"{title}, source only",
        access="none",
        input="frames",
        features=features,
        build=trained("none", networks(architecture, RECIPES)),
        reference=f"Baklouti et al., table 4; {reference}",
    )


#: As often as Baklouti et al. repeat theirs, section 4.3.2.
REPEATS = 10

SPECS: tuple[MethodSpec, ...] = (
    _spec("cnnlstm", "CNN-LSTM", _cnn_lstm, "Parry et al. 2019"),
    # With silence and level in them (feature sets "mfsc" and "cqt") both answered one class in another
    # corpus: they get what the light network gets, frames that hold speech.
    _spec("mfsc", "MFSC", _tdnn, "Singh et al. 2021", "speechmfsc"),
    _spec("cqt", "CQT", _tdnn, "Singh et al. 2021", "speechcqt"),
)
