"""Emotion from the layers of a pretrained speech encoder.

Three kinds, all on mean and deviation of each layer over an utterance's speech:

- ``probe``: a linear classifier of all layers together;
- ``encoder``: a small network that learns how much of each layer to take, with
  the adaptation losses of :mod:`serlab.training.objectives` on its hidden layer;
- ``layer2``: the second layer alone, what a first trial would do;

and ``top``, which trains the uppermost blocks of the encoder itself further.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from serlab.errors import ParameterError
from serlab.methods.adapters import adapter, objective, unaligned
from serlab.methods.base import MethodSpec
from serlab.methods.building import (
    SCHULLER,
    VOICES,
    Recipe,
    fine_tuned,
    grid,
    network,
    networks,
    of_preset,
    renormalized,
)
from serlab.methods.options import Option
from serlab.methods.ridge import balanced_ridge
from serlab.methods.svm import linear_svm
from serlab.methods.weighting import WEIGHTS
from serlab.training import Fitting, Settings

if TYPE_CHECKING:
    from torch import nn

    from serlab.methods.learners.deep import Network
    from serlab.methods.learners.encoder_top import Top
    from serlab.methods.learners.scenarios import Classifier
    from serlab.methods.learners.self_training import (
        CautiouslySelfTrained,
        SelfTrained,
        SemiSupervised,
    )

#: Columns of the second layer in the feature set :func:`pooled`.
LAYER_2 = r"^layer2\."
#: Blocks that ``top`` trains.
N_TOP = 2

#: Ours: as for the light network (:mod:`serlab.methods.light`), with fewer steps.
RECIPES: dict[str, Recipe] = {
    preset: Recipe(
        **{
            stage: Settings(
                epochs=n_epochs,
                batch_size=batch_size,
                learning_rate=1e-3,
                weight_decay=1e-2,
                optimizer="adamw",
            )
            for stage, n_epochs in (("alone", epochs), ("second", second))
        }
    )
    for preset, batch_size, epochs, second in (
        ("demo", 16, 20, 8),
        ("quick", 32, 30, 10),
        ("paper", 32, 60, 30),
    )
}

#: Pretrained weights move slowly; the new ones above them have learned before, see
#: :class:`serlab.methods.learners.encoder_top.Top`.
TOP_RECIPES: dict[str, Recipe] = {
    preset: Recipe(
        alone=Settings(
            epochs=epochs, batch_size=16, learning_rate=1e-4, weight_decay=1e-2, optimizer="adamw"
        ),
        one_thread=False,
    )
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
    return f"encoder-speech:{encoder_of(options)}"


def below_top(options: Mapping[str, Any]) -> str:
    """Feature set of :attr:`MethodSpec.features`: frames of the layer that enters the blocks of ``top``.

    As :func:`pooled`; raises :class:`serlab.errors.ParameterError` where the encoder cannot be read, too.
    """
    encoder = encoder_of(options)
    return f"encoder-frames:{encoder}@{_below_top(encoder)}"


def encoder_of(options: Mapping[str, Any]) -> str:
    """The encoder of the options.

    Raises
    ------
    ParameterError
        If it is empty.
    """
    encoder = options.get("encoder", "")
    if not encoder:
        raise ParameterError(
            "parameter 'encoder' is empty: name the folder of a pretrained speech encoder, or a name of the "
            "hub such as openai/whisper-tiny, or leave out the methods that need one"
        )
    return encoder


def _below_top(encoder: str) -> int:
    """The layer that enters the blocks of ``top``."""
    from serlab.pretrained import encoders

    return max(0, encoders.look(encoder_of({"encoder": encoder})).n_layers - N_TOP)


# --- classifiers; those of one vector do not know which encoder it is from ---------


def _self_trained(**settings: Any) -> SelfTrained:
    from serlab.methods.learners.self_training import SelfTrained

    return SelfTrained(balanced_ridge("source", **settings))


def cautious(**settings: Any) -> CautiouslySelfTrained:
    """A ridge regression that learns from its own answers only where the source alone agrees."""
    from serlab.methods.learners.self_training import CautiouslySelfTrained

    return CautiouslySelfTrained(balanced_ridge("source", **settings))


def _semi_supervised(**settings: Any) -> SemiSupervised:
    from serlab.methods.learners.self_training import SemiSupervised

    return SemiSupervised(balanced_ridge("pooled", **settings))


def _svm(stage: str, *, encoder: str = "", **settings: Any) -> Classifier:
    return linear_svm(stage, **settings)


def _architecture(shape: tuple[int, ...], n_classes: int, *, n_layers: int, units: int | None) -> nn.Module:
    from serlab.models.layer_weighting import LayerWeighting

    return LayerWeighting(shape[-1], n_classes, n_layers=n_layers, units=units)


_layer_weighting = networks(_architecture, RECIPES)


def _weighted(stage: str, *, encoder: str = "", units: int | None = 128, **settings: Any) -> Network:
    """Layer weights, hidden layer, output; of one layer if no encoder says how many there are."""
    from serlab.pretrained import encoders

    n_layers = encoders.look(encoder).n_layers + 1 if encoder else 1
    return _layer_weighting(stage, n_layers=n_layers, units=units, **settings)


def _linear(stage: str, **settings: Any) -> Network:
    return _weighted(stage, units=None, **settings)


def _top(stage: str, *, n_classes: int, seed: int, preset: str, fitting: Fitting, encoder: str = "") -> Top:
    from serlab.methods.learners.encoder_top import Top, pretrained_top

    layer = _below_top(encoder)

    def architecture(n_frames: int, n_features: int) -> nn.Module:
        return pretrained_top(encoder, layer, n_classes)

    recipe = of_preset(TOP_RECIPES, preset)
    return network(
        architecture,
        recipe.alone,
        stage=stage,
        n_classes=n_classes,
        seed=seed,
        fitting=fitting,
        one_thread=recipe.one_thread,
        kind=Top,
        new_layers=of_preset(RECIPES, preset).further,
    )


# --- methods ----------------------------------------------------------------------

_SUPERB = "Yang et al. 2021, SUPERB: weighted layers"
_RIDGE = "ridge regression on all layers"
_ZOU = "Zou et al. 2018, class-balanced self-training"
_WANG = "fine-tuning as in Wang et al. 2021, A fine-tuned wav2vec 2.0/HuBERT benchmark"

_ON_ENCODER: dict[str, Any] = {"requires": "transformers", "options": ("encoder",), "features": pooled}
#: Fields of a method that is linear in all layers.
PROBE: dict[str, Any] = {**_ON_ENCODER, "stochastic": False, "options": ("encoder", WEIGHTS.name)}
_LAYER_2: dict[str, Any] = {**_ON_ENCODER, "stochastic": False, "columns": LAYER_2}
_TOP: dict[str, Any] = {
    **_ON_ENCODER,
    "features": below_top,
    "input": "frames",
    "normalization": "none",  # the blocks go on from what the ones below give
}
_WEIGHTED = "Encoder, weighted layers"
_TOP_TITLE = f"Encoder, top {N_TOP} blocks trained"

#: Objectives that are tried on the network of layer weights: a distance of each kind, and an adversary.
TRIED: tuple[str, ...] = ("mmd", "lmmd", "coral", "dann", "mdann", "mmmd")

_ADAPTED: tuple[MethodSpec, ...] = tuple(
    adapter(
        spec,
        _weighted,
        RECIPES,
        name=f"encoder-{spec.name}",
        title=f"{_WEIGHTED}, {spec.title}, per-corpus z",
        control="encoder-unaligned",
        reference=spec.reference,
        normalization="corpus",
        **_ON_ENCODER,
    )
    for spec in map(objective, TRIED)
)

SPECS: tuple[MethodSpec, ...] = (
    *grid(
        "probe",
        "Encoder, linear",
        balanced_ridge,
        {
            "target": _RIDGE,
            "source": _RIDGE,
            "source-z": SCHULLER,
            "source-voices": VOICES,
            "pooled-z": SCHULLER,
            "target-z": SCHULLER,
            "target-voices": VOICES,
            "pooled-voices": VOICES,
        },
        **PROBE,
    ),
    MethodSpec(
        name="probe-selftrained",
        title="Encoder, linear, self-training, per-corpus z",
        access="unlabelled",
        normalization="corpus",
        build=_self_trained,
        control="probe-source-z",
        adds="unlabelled target",
        reference=_ZOU,
        **PROBE,
    ),
    MethodSpec(
        name="probe-selftrained-pooled",
        title="Encoder, linear, self-training, source + target, per-corpus z",
        access="semi-supervised",
        normalization="corpus",
        build=_semi_supervised,
        control="probe-pooled-z",
        adds="unlabelled target",
        reference=_ZOU,
        **PROBE,
    ),
    *grid(
        "layer2",
        "Encoder, layer 2, SVM",
        _svm,
        {"source": "linear support vector machine", "source-z": SCHULLER},
        **_LAYER_2,
    ),
    *grid(
        "encoder",
        _WEIGHTED,
        _weighted,
        {
            "target": _SUPERB,
            "source": _SUPERB,
            "source-z": SCHULLER,
            "pooled-z": SCHULLER,
            "target-z": SCHULLER,
        },
        **_ON_ENCODER,
    ),
    *grid(
        "encoder-linear",
        f"{_WEIGHTED}, no hidden layer",
        _linear,
        {"target": _SUPERB, "source": _SUPERB},
        **_ON_ENCODER,
    ),
    MethodSpec(
        name="encoder-adabn",
        title=f"{_WEIGHTED}, target statistics",
        access="unlabelled",
        build=renormalized(_weighted),
        control="encoder-source",
        adds="unlabelled target",
        reference="Li et al. 2016 (AdaBN)",
        **_ON_ENCODER,
    ),
    *_ADAPTED,
    unaligned(
        _ADAPTED[0],
        title=f"{_WEIGHTED}, second stage without alignment, per-corpus z",
        control="encoder-source-z",
    ),
    MethodSpec(
        name="encoder-finetuned",
        title=f"{_WEIGHTED}, fine-tuned, per-corpus z",
        access="semi-supervised",
        normalization="corpus",
        build=fine_tuned(_weighted, RECIPES, on_scale=True),
        control="encoder-source-z",
        adds="labels",
        further_controls={"source": "encoder-target-z"},
        reference=_SUPERB,
        **_ON_ENCODER,
    ),
    *grid("top", _TOP_TITLE, _top, {"target": _WANG, "source": _WANG}, **_TOP),
    MethodSpec(
        name="top-finetuned",
        title=f"{_TOP_TITLE}, source, then target",
        access="few-shot",
        build=fine_tuned(_top, TOP_RECIPES),
        control="top-target",
        adds="source",
        reference=_WANG,
        **_TOP,
    ),
)

GROUPS: dict[str, tuple[str, ...]] = {
    # Slow without a GPU: the encoder itself learns.
    "encoder-top": ("top-target", "top-source", "top-finetuned"),
}


def _described(value: str, provided: str) -> str:
    if not value:
        return ""
    from serlab.pretrained import encoders, heard

    return f"Encoder: {heard.sentence(heard.of(value, encoders.find_folder(value)))}."


OPTIONS: tuple[Option, ...] = (
    Option(
        name="encoder",
        default="",
        empty="none",
        title="encoder",
        help="Pretrained speech encoder, for the methods that need one: a folder of Whisper, wav2vec 2.0, "
        "HuBERT, WavLM, w2v-BERT or emotion2vec, its name under SERLAB_MODELS, or a name of the hub such as "
        "openai/whisper-tiny.",
        describe=_described,
        is_path=True,
    ),
)
