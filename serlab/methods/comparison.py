"""Networks and inputs that Baklouti et al. compare with (table 4), trained on the source alone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from torch import nn

from serlab.methods.base import MethodSpec
from serlab.methods.building import of_preset, trained
from serlab.methods.deep import Network
from serlab.methods.light import SETTINGS
from serlab.methods.scenarios import SourceOnly
from serlab.models.cnn_lstm import CNNLSTM
from serlab.models.tdnn_classifier import TDNN
from serlab.training import Fitting


def _network(kind: type[nn.Module], *, n_classes: int, seed: int, preset: str, fitting: Fitting) -> Network:
    """Trained for as many epochs as the light network."""

    def architecture(n_frames: int, n_features: int) -> nn.Module:
        return kind(n_features, n_classes)

    settings = of_preset(SETTINGS, preset)["alone"]
    fitting = replace(fitting, n_jobs=1)  # as the light network
    return Network(architecture, n_classes, seed, settings, balanced=True, fitting=fitting, stage="source")


def _spec(name: str, title: str, kind: type[nn.Module], reference: str, features: str = "") -> MethodSpec:
    return MethodSpec(
        name=name,
        title=title,
        access="none",
        input="frames",
        features=features,
        build=trained(SourceOnly, partial(_network, kind)),
        reference=reference,
    )


SPECS: tuple[MethodSpec, ...] = (
    _spec("cnnlstm-source", "CNN-LSTM, source only", CNNLSTM, "Baklouti et al., table 4; Parry et al. 2019"),
    _spec("mfsc-source", "MFSC, source only", TDNN, "Baklouti et al., table 4; Singh et al. 2021", "mfsc"),
    _spec("cqt-source", "CQT, source only", TDNN, "Baklouti et al., table 4; Singh et al. 2021", "cqt"),
)
