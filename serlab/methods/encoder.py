"""Emotion from the layers of a pretrained speech encoder.

Three kinds, all on mean and deviation of each layer over an utterance's speech:

- ``probe``: a linear classifier of all layers together;
- ``encoder``: a small network that learns how much of each layer to take, with
  the adaptation losses of :mod:`serlab.training.objectives` on its hidden layer;
- ``layer2``: the second layer alone, what a first trial would do;

and ``top``, which trains the uppermost blocks of the encoder itself further.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from serlab.errors import ParameterError
from serlab.features import Frames
from serlab.methods.base import Access, MethodSpec
from serlab.methods.building import adapted, fine_tuned, linear_svm, of_preset, renormalized, trained
from serlab.methods.deep import FineTuned, Network
from serlab.methods.options import Option
from serlab.methods.scenarios import Adapted, Pooled, SourceOnly, TargetOnly
from serlab.methods.self_training import BalancedRidge, SelfTrained, SemiSupervised
from serlab.models.layer_weighting import LayerWeighting
from serlab.pretrained import encoders
from serlab.samples import Labelled
from serlab.training import Fitting, Settings
from serlab.training.objectives import adversarial, distance, mmd

#: Columns of the second layer in the feature set :func:`pooled`.
LAYER_2 = r"^layer2\."
#: Blocks that ``top`` trains.
N_TOP = 2

#: Ours: as for the light network (:mod:`serlab.methods.light`), with fewer steps.
SETTINGS: dict[str, dict[str, Settings]] = {
    preset: {
        stage: Settings(
            epochs=n_epochs, batch_size=batch_size, learning_rate=1e-3, weight_decay=1e-2, optimizer="adamw"
        )
        for stage, n_epochs in (("alone", epochs), ("second", second))
    }
    for preset, batch_size, epochs, second in (
        ("demo", 16, 20, 8),
        ("quick", 32, 30, 10),
        ("paper", 32, 60, 30),
    )
}

#: Pretrained weights move slowly; the new ones above them have learned before, see :class:`_Top`.
TOP_SETTINGS: dict[str, Settings] = {
    preset: Settings(epochs=epochs, batch_size=16, learning_rate=1e-4, weight_decay=1e-2, optimizer="adamw")
    for preset, epochs in (("demo", 2), ("quick", 5), ("paper", 20))
}


def pooled(options: Mapping[str, Any]) -> str:
    """Feature set of :attr:`MethodSpec.features`: mean and deviation of each layer of the encoder.

    Parameters
    ----------
    options : mapping
        With ``encoder``, see :func:`serlab.pretrained.encoders.find`.

    Raises
    ------
    ParameterError
        If it is empty.
    """
    return f"encoder-speech:{_required(options)}"


def second_layer(options: Mapping[str, Any]) -> str:
    """The same; which columns of it, the method says."""
    return pooled(options)


def below_top(options: Mapping[str, Any]) -> str:
    """Feature set of :attr:`MethodSpec.features`: frames of the layer that enters the blocks of ``top``.

    As :func:`pooled`; raises :class:`serlab.errors.ParameterError` where the encoder cannot be read, too.
    """
    encoder = _required(options)
    return f"encoder-frames:{encoder}@{_below_top(encoder)}"


#: To be told apart where features are kept by what a method asks for.
POOLED, SECOND_LAYER, BELOW_TOP = pooled, second_layer, below_top


def feature_set(name: str | Callable[[Mapping[str, Any]], str], encoder: str) -> str:
    """Feature set that a method asks for, in an experiment with an encoder."""
    return name({"encoder": encoder}) if callable(name) else name


def _required(options: Mapping[str, Any]) -> str:
    """The encoder of the options."""
    encoder = options.get("encoder", "")
    if not encoder:
        raise ParameterError(
            "parameter 'encoder' is empty: name the folder of a pretrained speech encoder, or a name of the "
            "hub such as openai/whisper-tiny, or leave out the methods that need one"
        )
    return encoder


def _below_top(encoder: str) -> int:
    """The layer that enters the blocks of ``top``."""
    return max(0, encoders.look(_required({"encoder": encoder})).n_layers - N_TOP)


def chosen_columns(
    name: str | Callable[[Mapping[str, Any]], str], X: pd.DataFrame | Frames
) -> pd.DataFrame | Frames:
    """What of an encoder's feature set is one of this module: all, or a layer."""
    return X.filter(regex=LAYER_2) if name is second_layer else X


def _ridge(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> BalancedRidge:
    return BalancedRidge(n_classes)


def _self_trained(**settings: Any) -> SelfTrained:
    return SelfTrained(_ridge(**settings))


def _semi_supervised(**settings: Any) -> SemiSupervised:
    return SemiSupervised(_ridge(**settings))


def _network(
    stage: str,
    *,
    n_classes: int,
    seed: int,
    preset: str,
    fitting: Fitting,
    encoder: str = "",
    units: int | None = 128,
) -> Network:
    """Layer weights, hidden layer, output; of one layer if no encoder says how many there are."""
    n_layers = encoders.look(encoder).n_layers + 1 if encoder else 1

    def architecture(n_features: int) -> LayerWeighting:
        return LayerWeighting(n_features, n_classes, n_layers=n_layers, units=units)

    settings = of_preset(SETTINGS, preset)["alone"]
    # One thread: its matrices are too small to be shared, and numbers repeat whatever the cores.
    fitting = replace(fitting, n_jobs=1)
    return Network(architecture, n_classes, seed, settings, balanced=True, fitting=fitting, stage=stage)


@dataclass
class _Top(Network):
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

    def fit(self, part: Labelled) -> _Top:
        module = self.untrained(*part.X.shape[1:])
        module.blocks.requires_grad_(False)
        replace(self, settings=self.new_layers).train(module, part)
        module.blocks.requires_grad_(True)
        self.train(module, part)
        return self


def _top(stage: str, *, n_classes: int, seed: int, preset: str, fitting: Fitting, encoder: str = "") -> _Top:
    layer = _below_top(encoder)

    def architecture(n_frames: int, n_features: int) -> nn.Module:
        from serlab.models.encoder_top import pretrained_top  # transformers is optional

        return pretrained_top(encoder, layer, n_classes)

    return _Top(
        architecture,
        n_classes,
        seed,
        of_preset(TOP_SETTINGS, preset),
        balanced=True,
        fitting=fitting,
        stage=stage,
        new_layers=of_preset(SETTINGS, preset)["second"],
    )


def _top_fine_tuned(*, preset: str, **settings: Any) -> FineTuned:
    return FineTuned(_top("source", preset=preset, **settings), on_target=of_preset(TOP_SETTINGS, preset))


def _fed_by_it(build: Callable[..., Any]) -> Callable[..., Any]:
    """Builder of a method whose features come from the encoder, while the classifier does not know it."""
    return lambda *, encoder="", **settings: build(**settings)


def _spec(
    name: str,
    title: str,
    access: Access,
    build: Callable,
    reference: str,
    *,
    features: Callable[[Mapping[str, Any]], str] = pooled,
    options: tuple[str, ...] = (),
    **more: Any,
) -> MethodSpec:
    return MethodSpec(
        name=name,
        title=title,
        access=access,
        features=features,
        requires="transformers",
        options=("encoder", *options),
        build=build,
        reference=reference,
        **more,
    )


def _probe(name: str, title: str, access: Access, build: Callable, reference: str, **more: Any) -> MethodSpec:
    return _spec(
        f"probe-{name}", f"Encoder, linear, {title}", access, _fed_by_it(build), reference,
        stochastic=False, **more,
    )  # fmt: skip


def _weighted(
    name: str, title: str, access: Access, build: Callable, reference: str, **more: Any
) -> MethodSpec:
    return _spec(f"encoder-{name}", f"Encoder, weighted layers, {title}", access, build, reference, **more)


def _on_top(name: str, title: str, access: Access, build: Callable) -> MethodSpec:
    return _spec(
        f"top-{name}", f"Encoder, top {N_TOP} blocks trained, {title}", access, build,
        "fine-tuning as in Wang et al. 2021, A fine-tuned wav2vec 2.0/HuBERT benchmark",
        features=below_top, input="frames",
        normalization="none",  # the blocks go on from what the ones below give
    )  # fmt: skip


_SUPERB = "Yang et al. 2021, SUPERB: weighted layers"
_SCHULLER = "Schuller et al. 2010, Cross-corpus acoustic emotion recognition"
_LINEAR = "ridge regression on all layers"

SPECS: tuple[MethodSpec, ...] = (
    _probe("target", "target only", "target-only", trained(TargetOnly, _ridge), _LINEAR),
    _probe("source", "source only", "none", trained(SourceOnly, _ridge), _LINEAR),
    _probe(
        "source-z", "source only, per-corpus z", "unlabelled", trained(Adapted, _ridge), _SCHULLER,
        normalization="corpus",
    ),
    _probe(
        "selftrained", "self-training, per-corpus z", "unlabelled", _self_trained,
        "Zou et al. 2018, class-balanced self-training", normalization="corpus",
    ),
    _probe(
        "pooled-z", "source + target, per-corpus z", "few-shot", trained(Pooled, _ridge), _SCHULLER,
        normalization="corpus",
    ),
    _probe(
        "selftrained-pooled", "self-training, source + target, per-corpus z", "semi-supervised",
        _semi_supervised, "Zou et al. 2018, class-balanced self-training", normalization="corpus",
    ),
    _spec(
        "layer2-source", "Encoder, layer 2, SVM, source only", "none",
        _fed_by_it(trained(SourceOnly, linear_svm)),
        "linear support vector machine", features=second_layer, columns=LAYER_2, stochastic=False,
    ),
    _spec(
        "layer2-source-z", "Encoder, layer 2, SVM, source only, per-corpus z", "unlabelled",
        _fed_by_it(trained(Adapted, linear_svm)), _SCHULLER, features=second_layer, columns=LAYER_2,
        normalization="corpus", stochastic=False,
    ),
    _weighted(
        "target", "target only", "target-only", trained(TargetOnly, partial(_network, "target")), _SUPERB
    ),
    _weighted("source", "source only", "none", trained(SourceOnly, partial(_network, "source")), _SUPERB),
    _weighted(
        "linear-target", "no hidden layer, target only", "target-only",
        trained(TargetOnly, partial(_network, "target", units=None)), _SUPERB,
    ),
    _weighted(
        "linear-source", "no hidden layer, source only", "none",
        trained(SourceOnly, partial(_network, "source", units=None)), _SUPERB,
    ),
    _weighted(
        "source-z", "source only, per-corpus z", "unlabelled",
        trained(Adapted, partial(_network, "source")), _SCHULLER, normalization="corpus",
    ),
    _weighted("adabn", "target statistics", "unlabelled", renormalized(_network), "Li et al. 2016 (AdaBN)"),
    *(
        _weighted(
            name, title, "unlabelled", adapted(_network, SETTINGS, objective), reference,
            normalization="corpus", options=("trade_off",),
        )
        for name, title, objective, reference in (
            ("mmd", "MMD, per-corpus z", partial(distance.Distance, distance="mmd"),
             "Baklouti et al., equations 1 and 2"),
            ("lmmd", "local MMD, per-corpus z", mmd.LocalMMD, "Zhu et al. 2021"),
            ("coral", "deep CORAL, per-corpus z",
             partial(distance.Distance, distance="coral", scale=1000.0), "Sun & Saenko 2016"),
            ("dann", "DANN, per-corpus z", adversarial.DomainAdversarial, "Ganin et al. 2016"),
        )
    ),
    _weighted(
        "pooled-z", "source + target, per-corpus z", "few-shot",
        trained(Pooled, partial(_network, "pooled")), _SCHULLER, normalization="corpus",
    ),
    _weighted(
        "finetuned", "fine-tuned, per-corpus z", "few-shot", fine_tuned(_network, SETTINGS), _SUPERB,
        normalization="corpus",
    ),
    _on_top("target", "target only", "target-only", trained(TargetOnly, partial(_top, "target"))),
    _on_top("source", "source only", "none", trained(SourceOnly, partial(_top, "source"))),
    _on_top("finetuned", "source, then target", "few-shot", _top_fine_tuned),
)  # fmt: skip


def _described(value: str, provided: str) -> str:
    if not value:
        return ""
    return f"Encoder: {Path(value).name}, a stranger to languages it was not trained on."


OPTIONS: tuple[Option, ...] = (
    Option(
        name="encoder",
        default="",
        empty="none",
        title="encoder",
        help="Pretrained speech encoder, for the methods that need one: a folder of Whisper, wav2vec 2.0, "
        "HuBERT or WavLM, its name under SERLAB_MODELS, or a name of the hub such as openai/whisper-tiny.",
        describe=_described,
        is_path=True,
    ),
)
