"""Networks and inputs that Baklouti et al. compare with (table 4), trained on the source alone.

For as many epochs as the light network.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from serlab.methods.base import MethodSpec
from serlab.methods.building import trained
from serlab.methods.light import network
from serlab.methods.scenarios import SourceOnly
from serlab.models.cnn_lstm import CNNLSTM
from serlab.models.tdnn_classifier import TDNN


def _spec(name: str, title: str, kind: type[nn.Module], reference: str, features: str = "") -> MethodSpec:
    return MethodSpec(
        name=name,
        title=title,
        access="none",
        input="frames",
        features=features,
        build=trained(SourceOnly, partial(network, "source", kind=kind)),
        reference=reference,
    )


SPECS: tuple[MethodSpec, ...] = (
    _spec("cnnlstm-source", "CNN-LSTM, source only", CNNLSTM, "Baklouti et al., table 4; Parry et al. 2019"),
    _spec("mfsc-source", "MFSC, source only", TDNN, "Baklouti et al., table 4; Singh et al. 2021", "mfsc"),
    _spec("cqt-source", "CQT, source only", TDNN, "Baklouti et al., table 4; Singh et al. 2021", "cqt"),
)
