"""The systems that Zhou & Beigi compare with (table 3): RNN-ELM, Conv-LSTM, CTC-BLSTM.

Each has its own features and its own loss; the scenarios are those of
:mod:`serlab.methods.scenarios`, so that all of them meet on the same splits.
Classes weigh the same in all of them, which is ours: they are compared by UAR.
What is known of each from the literature stands in its module of
:mod:`serlab.models`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax
from torch import Tensor, nn
from torch.nn.functional import nll_loss

from serlab import training
from serlab.methods.base import MethodSpec, spread_proba
from serlab.methods.building import of_preset, trained
from serlab.methods.deep import Network, as_labels
from serlab.methods.scenarios import Pooled, SourceOnly, TargetOnly
from serlab.models.conv_lstm import ConvLSTM
from serlab.models.ctc_blstm import CTCBLSTM
from serlab.models.rnn_elm import ELM, FramePosteriors
from serlab.samples import Labelled
from serlab.training import Fitting, Settings
from serlab.training.epochs import Loss
from serlab.training.objectives.base import Batch

#: Hidden units of the extreme learning machine (Han et al. 2014), and its ridge (ours).
ELM_UNITS, ELM_RIDGE = 120, 1e-3

#: ``paper`` has the sizes of the literature as far as they are known; ``quick`` and ``demo``
#: have fewer steps and kernels. Optimiser, rate and epochs are ours throughout. ``quick`` was looked at
#: on held-out speakers within a corpus, one seed: EmoDB (4 classes, 2 speakers) .96, .86 and .81 in this
#: order, RAVDESS (8 classes, 6 speakers) .43 for CTC-BLSTM, where half the epochs with a dropout of .5
#: gave .83 and .32.
RNN_ELM_SETTINGS: dict[str, dict[str, Any]] = {
    "demo": {"sizes": {"units": 16, "n_layers": 1, "averaged": 2}, "settings": (15, 16, 1e-2)},
    "quick": {"sizes": {"units": 64, "averaged": 4}, "settings": (20, 32, 2e-3)},
    "paper": {"sizes": {"units": 64}, "settings": (50, 32, 1e-3)},
}
CONV_LSTM_SETTINGS: dict[str, dict[str, Any]] = {
    "demo": {
        "sizes": {"channels": (4, 8), "kernels": ((3, 4), (3, 4)), "units": 16, "averaged": 2},
        "settings": (12, 16, 5e-3),
    },
    "quick": {
        "sizes": {
            "channels": (16, 24, 32),
            "kernels": ((3, 4), (3, 3), (3, 3)),
            "units": 64,
            "averaged": 4,
        },
        "settings": (20, 32, 1e-3),
    },
    "paper": {"sizes": {}, "settings": (50, 32, 1e-3)},
}
CTC_BLSTM_SETTINGS: dict[str, dict[str, Any]] = {
    "demo": {"sizes": {"units": 16, "n_layers": 1}, "settings": (15, 16, 1e-2)},
    "quick": {"sizes": {}, "settings": (30, 32, 2e-3)},
    "paper": {"sizes": {"units": 128}, "settings": (100, 32, 1e-3)},
}


def likelihood(
    module: nn.Module, batch: Batch, cross_entropy: nn.CrossEntropyLoss, progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of a module whose outputs are log-likelihoods already: CTC and the like.

    They are not normalised over classes: what is left is the share of the
    labellings that mean no class or several.
    """
    scores = module(batch.source)
    return scores, {"likelihood": nll_loss(scores, batch.y, weight=cross_entropy.weight)}


def of_segments(
    module: ConvLSTM, batch: Batch, cross_entropy: nn.CrossEntropyLoss, progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross-entropy of segments, each labelled as its utterance; the logits are the utterances'."""
    logits, owner = module.segment_logits(batch.source)
    return module.joined(logits, owner, len(batch.source)), {
        "segments": cross_entropy(logits, batch.y[owner])
    }


@dataclass
class NetworkWithLoss(Network):
    """A network that is trained by another loss than the cross-entropy of its outputs.

    Attributes
    ----------
    loss : callable
        See :data:`serlab.training.epochs.Loss`.
    """

    loss: Loss

    def fit(self, part: Labelled) -> NetworkWithLoss:
        return self.train(self.untrained(*part.X.shape[1:]), part, loss=self.loss)


@dataclass
class RNNELM:
    """Frame posteriors of a network, and an extreme learning machine on their statistics.

    Attributes
    ----------
    network : NetworkWithLoss
        Of :class:`serlab.models.rnn_elm.FramePosteriors`.
    """

    network: NetworkWithLoss

    def fit(self, part: Labelled) -> RNNELM:
        """Train the network, then the extreme learning machine on the same rows.

        Raises
        ------
        ProtocolError
            If there are fewer than two classes.
        """
        self.network.fit(part)
        self._classes, codes = np.unique(part.y, return_inverse=True)
        weight = training.balanced_weight(as_labels(part.y), self.network.n_classes).numpy()
        self._elm = ELM.fit(
            self.network.embed(part.X),
            2.0 * np.eye(len(self._classes))[codes] - 1,
            n_hidden=ELM_UNITS,
            ridge=ELM_RIDGE,
            seed=self.network.seed,
            weight=weight[part.y],
        )
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Softmax of the outputs: right in order, not calibrated."""
        proba = softmax(self._elm(self.network.embed(X)), axis=1)
        return spread_proba(proba, self._classes, self.network.n_classes)

    def history(self) -> pd.DataFrame:
        return self.network.history()

    def attention(self, X: np.ndarray) -> None:
        return None

    def embed(self, X: np.ndarray) -> np.ndarray:
        """What the extreme learning machine sees."""
        return self.network.embed(X)

    def layers(self, X: np.ndarray) -> dict[str, np.ndarray]:
        return self.network.layers(X)


def _network(
    module: Callable[..., nn.Module],
    table: dict[str, dict[str, Any]],
    loss: Loss,
    stage: str,
    *,
    n_classes: int,
    seed: int,
    preset: str,
    fitting: Fitting,
) -> NetworkWithLoss:
    chosen = of_preset(table, preset)
    epochs, batch_size, rate = chosen["settings"]

    def architecture(n_frames: int, n_features: int) -> nn.Module:
        return module(n_features, n_classes, **chosen["sizes"])

    return NetworkWithLoss(
        architecture,
        n_classes,
        seed,
        Settings(epochs=epochs, batch_size=batch_size, learning_rate=rate, clip=5.0),
        balanced=True,
        fitting=replace(fitting, n_jobs=1) if preset != "paper" else fitting,
        stage=stage,
        loss=loss,
    )


_CONV_LSTM = partial(_network, ConvLSTM, CONV_LSTM_SETTINGS, of_segments)
_CTC_BLSTM = partial(_network, CTCBLSTM, CTC_BLSTM_SETTINGS, likelihood)


def _rnn_elm(stage: str, **settings: Any) -> RNNELM:
    return RNNELM(_network(FramePosteriors, RNN_ELM_SETTINGS, likelihood, stage, **settings))


def _specs(
    name: str, title: str, features: str, classifier: Callable[..., Any], reference: str
) -> tuple[MethodSpec, ...]:
    return tuple(
        MethodSpec(
            name=f"{name}-{stage}",
            title=f"{title}, {learns_from}",
            access=access,
            input="frames",
            features=features,
            build=trained(scenario, partial(classifier, stage)),
            reference=f"{reference}; Zhou & Beigi, table 3",
        )
        for stage, learns_from, access, scenario in (
            ("target", "target only", "target-only", TargetOnly),
            ("source", "source only", "none", SourceOnly),
            ("pooled", "source + target", "few-shot", Pooled),
        )
    )


#: Entries of :data:`serlab.methods.METHODS`.
SPECS: tuple[MethodSpec, ...] = (
    *_specs("rnnelm", "RNN-ELM", "voice32", _rnn_elm, "Lee & Tashev 2015"),
    *_specs("convlstm", "Conv-LSTM", "spectrogram200", _CONV_LSTM, "Satt et al. 2017"),
    *_specs("ctcblstm", "CTC-BLSTM", "shortterm34", _CTC_BLSTM, "Chernykh et al. 2017"),
)
