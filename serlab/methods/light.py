"""Adaptation methods on one light network: what differs between them is the loss.

Baklouti et al. (section 3.2, table 4) and what a reader would set beside it.
The second stage of all of them begins with the same network, trained on the
source, and takes the same number of epochs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn

from serlab.methods.adaptation import AdaptedNetwork, SupervisedAdaptation
from serlab.methods.base import MethodSpec
from serlab.methods.building import adapted, fine_tuned, of_preset, renormalized, trained
from serlab.methods.deep import Network
from serlab.methods.scenarios import Adapted, Pooled, SourceOnly, TargetOnly
from serlab.models.light_cnn import LightCNN
from serlab.training import Fitting, Settings
from serlab.training.objectives import adversarial, distance, mmd
from serlab.training.objectives.base import Objective

#: Ours; rate and epochs were chosen on held-out speakers of EmoDB and RAVDESS,
#: each by itself, never on a target. Batches of ``demo`` are small: on synthetic
#: corpora of 160 utterances twice the steps brought back, in other voices than the
#: source's, .7 instead of .4 of what a channel costs DANN, and .4 instead of .15 of ADDi.
SETTINGS: dict[str, dict[str, Any]] = {
    preset: {
        "channels": channels,
        **{
            stage: Settings(
                epochs=n_epochs,
                batch_size=batch_size,
                learning_rate=1e-3,
                weight_decay=1e-4,
                optimizer="adamw",
            )
            for stage, n_epochs in (("alone", epochs), ("second", second))
        },
    }
    for preset, channels, batch_size, epochs, second in (
        ("demo", 64, 16, 20, 10),
        ("quick", 128, 32, 20, 8),
        ("paper", 128, 32, 100, 50),
    )
}


def network(
    stage: str,
    *,
    n_classes: int,
    seed: int,
    preset: str,
    fitting: Fitting,
    kind: Callable[[int, int], nn.Module] | None = None,
) -> Network:
    """The light network, to be trained on one part; or another, ``kind(n_features, n_classes)``, likewise."""
    chosen = of_preset(SETTINGS, preset)
    make = kind or partial(LightCNN, channels=chosen["channels"])

    def architecture(n_frames: int, n_features: int) -> nn.Module:
        return make(n_features, n_classes)

    # One thread: its matrices are too small to be shared, and numbers repeat whatever the cores.
    fitting = replace(fitting, n_jobs=1)
    return Network(
        architecture, n_classes, seed, chosen["alone"], balanced=True, fitting=fitting, stage=stage
    )


def _adapter(
    name: str,
    title: str,
    objective: Callable[..., Objective],
    reference: str,
    *,
    normalization: str = "source",
    kind: type = AdaptedNetwork,
) -> MethodSpec:
    return MethodSpec(
        name=f"light-{name}",
        title=f"Light CNN, {title}",
        access="unlabelled" if kind is AdaptedNetwork else "few-shot",
        normalization=normalization,
        input="frames",
        build=adapted(network, SETTINGS, objective, kind=kind),
        options=("trade_off",),
        reference=reference,
    )


def _plain(name: str, title: str, access: str, build: Callable, reference: str, **more: Any) -> MethodSpec:
    return MethodSpec(
        name=f"light-{name}",
        title=f"Light CNN, {title}",
        access=access,
        input="frames",
        build=build,
        reference=reference,
        **more,
    )


_BAKLOUTI = "Baklouti et al."
_MMD = partial(distance.Distance, distance="mmd")

SPECS: tuple[MethodSpec, ...] = (
    _plain(
        "target", "target only", "target-only", trained(TargetOnly, partial(network, "target")), "control"
    ),
    _plain("source", "source only", "none", trained(SourceOnly, partial(network, "source")), "control"),
    _plain("pooled", "source + target", "few-shot", trained(Pooled, partial(network, "pooled")), "control"),
    _plain(
        "source-z", "source only, per-corpus z", "unlabelled", trained(Adapted, partial(network, "source")),
        "Schuller et al. 2010, Cross-corpus acoustic emotion recognition", normalization="corpus",
    ),
    _plain(
        "adabn", "target statistics", "unlabelled", renormalized(network),
        "Li et al. 2016, Revisiting batch normalization for practical domain adaptation (AdaBN)",
    ),
    _plain(
        "finetuned", "fine-tuned", "few-shot", fine_tuned(network, SETTINGS),
        f"{_BAKLOUTI}, table 6: transfer learning",
    ),
    _adapter("mmd", "MMD", _MMD, f"{_BAKLOUTI}, equations 1 and 2; labels of the source only"),
    _adapter(
        "mmd-supervised", "MMD, source + target labels", _MMD,
        f"{_BAKLOUTI}, equations 1 and 2, with labels of both", kind=SupervisedAdaptation,
    ),
    _plain(
        "finetuned-head", "fine-tuned, target head", "few-shot",
        fine_tuned(network, SETTINGS, start=("convolutions", "norm", "dense")),
        f"{_BAKLOUTI}, table 6: transfer learning; label sets may differ",
    ),
    _adapter(
        "mmd-head", "MMD, target head", partial(_MMD, target_head=True),
        f"{_BAKLOUTI}, equations 1 and 2, with labels of both; label sets may differ",
        kind=SupervisedAdaptation,
    ),
    _adapter(
        "mkmmd", "multi-kernel MMD", partial(distance.Distance, distance="multi-kernel mmd"),
        "Long et al. 2015, Learning transferable features with deep adaptation networks",
    ),
    _adapter(
        "lmmd", "local MMD", mmd.LocalMMD,
        "Zhu et al. 2021, Deep subdomain adaptation network",
    ),
    _adapter(
        "jmmd", "joint MMD", mmd.JointMMD,
        "Long et al. 2017, Deep transfer learning with joint adaptation networks",
    ),
    _adapter(
        # Differences of covariances of bounded units are small: brought to the size of the others.
        "coral", "deep CORAL", partial(distance.Distance, distance="coral", scale=1000.0),
        "Sun & Saenko 2016, Deep CORAL",
    ),
    _adapter(
        "dann", "DANN", adversarial.DomainAdversarial,
        "Ganin et al. 2016, Domain-adversarial training of neural networks",
    ),
    _adapter("gan", "GAN", adversarial.GAN, "Latif et al. 2019"),
    _adapter("addi", "ADDi", adversarial.ADDi, "Latif et al. 2022"),
    _adapter("saddi", "sADDi", adversarial.SADDi, "Latif et al. 2022"),
    _adapter(
        "mmd-z", "MMD, per-corpus z", _MMD, f"{_BAKLOUTI}, equations 1 and 2; Schuller et al. 2010",
        normalization="corpus",
    ),
)  # fmt: skip
