"""Zhou & Beigi: emotion from the layers of a network that learned to recognise speech.

Four ways to use the TDNN of an :class:`serlab.asr.acoustic_model.AcousticModel`:

- ``frozen``: its layers stay as they are, and a classifier of frames learns;
- ``tuned``: they go on to learn with the classifier;
- ``scratch``: the control of ``tuned``, the same network with fresh weights;
- ``random``: the control of ``frozen``, fresh weights that stay frozen.

The paper calls the layers bottleneck features (section 4.3) and says that the
network is fine-tuned (section 1), so that both are here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from serlab.errors import ParameterError
from serlab.methods import building
from serlab.methods.base import Adds, MethodSpec
from serlab.methods.building import Scenario, network, of_preset
from serlab.methods.options import Asked, Option
from serlab.training import Fitting, Settings

if TYPE_CHECKING:
    from serlab.asr.acoustic_model import AcousticModel
    from serlab.methods.learners.speech_network import OnSpeechNetwork
    from serlab.models.frame_classifier import EmotionTDNN, FrameClassifier

Weights = Literal["frozen", "tuned", "scratch", "random"]


@dataclass(frozen=True, kw_only=True)
class TransferSettings:
    """Sizes of the classifier of a preset and how to train.

    Attributes
    ----------
    units : int
        Of the dense layer.
    dropout : float
    frozen, tuned, scratch : serlab.training.Settings
        Of training on one corpus: the classifier alone, with a pretrained
        network, with one of fresh weights.
    further : serlab.training.Settings
        Of going on to the labelled target.
    """

    units: int
    dropout: float
    frozen: Settings
    tuned: Settings
    scratch: Settings
    further: Settings


def _settings(epochs: int, rate: float, batch_size: int) -> Settings:
    return Settings(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=rate,
        weight_decay=1e-4,
        optimizer="adamw",
        clip=5.0,
    )


#: Ours: the paper prints neither the width of the dense layer nor how it is trained. Rate and epochs of
#: ``frozen`` were chosen on held-out speakers of EmoDB alone, with layers pretrained on RAVDESS: 15 epochs at
#: .001 had UAR .51, 15 at .003 .54, 40 at .003 .62. The others were not tuned.
SETTINGS: dict[str, TransferSettings] = {
    preset: TransferSettings(
        units=units,
        dropout=0.3,
        frozen=_settings(on_frozen, 3e-3, batch_size),
        tuned=_settings(epochs, rate, batch_size),
        scratch=_settings(2 * epochs, rate, batch_size),
        further=_settings(epochs, rate, batch_size),
    )
    for preset, units, on_frozen, epochs, batch_size, rate in (
        ("demo", 32, 20, 10, 16, 1e-2),
        ("quick", 128, 40, 15, 16, 1e-3),
        ("paper", 256, 40, 30, 32, 1e-3),
    )
}


def _built(
    weights: Weights,
    layer: str,
    scenario: str,
    *,
    n_classes: int,
    seed: int,
    preset: str,
    fitting: Fitting,
    acoustic_model: AcousticModel | None = None,
    pretraining: str = "",
) -> OnSpeechNetwork:
    """Method of one way to use the TDNN, on a layer of it, in a scenario of :data:`SCENARIOS`.

    ``pretraining`` says how the acoustic model was made, if it was made for this experiment.
    """
    from serlab.methods.learners import speech_network
    from serlab.methods.learners.adaptation import Renormalized
    from serlab.methods.learners.deep import FineTuned
    from serlab.methods.learners.scenarios import BY_ACCESS
    from serlab.models.frame_classifier import EmotionTDNN, FrameClassifier

    chosen = of_preset(SETTINGS, preset)
    if acoustic_model is None:
        raise ParameterError(
            f"tdnn-{weights} methods need an acoustic model; make one with `serlab pretrain` and give its "
            "folder as the parameter acoustic_model"
        )
    if fitting.augment is not None:
        raise ParameterError(
            "masked batches (specaugment) are of spectrograms; leave it out for tdnn methods, which take MFCC"
        )
    if layer not in acoustic_model.tdnn.names:
        raise ParameterError(
            f"the acoustic model has no layer {layer!r}; it has {', '.join(acoustic_model.tdnn.names)}"
        )
    if preset != "paper":  # matrices too small to be shared, and numbers repeat whatever the cores
        fitting = replace(fitting, n_jobs=1)
    pretrained = weights in ("frozen", "tuned")
    model = acoustic_model if pretrained else acoustic_model.untrained(seed)
    width = model.tdnn.width(layer)
    learns = weights in ("tuned", "scratch")

    def architecture(n_frames: int, n_features: int) -> EmotionTDNN | FrameClassifier:
        head = FrameClassifier(width, n_classes, units=chosen.units, dropout=chosen.dropout)
        return EmotionTDNN(copy.deepcopy(model.tdnn), layer, head) if learns else head

    learner = network(
        architecture,
        getattr(chosen, weights) if learns else chosen.frozen,
        stage="target" if scenario == "target" else "source",
        n_classes=n_classes,
        seed=seed,
        fitting=fitting,
        balanced=False,
        one_thread=False,  # seen to above: embeddings are computed with as many
        kind=speech_network.FrameNetwork,
        loss=speech_network.frame_classification,
    )
    seen = speech_network.Inputs(model) if learns else speech_network.Embeddings(model, layer, fitting)
    if scenario == "finetuned":
        return speech_network.FineTunedOnSpeechNetwork(seen, FineTuned(learner, on_target=chosen.further))
    if scenario == "source-z":
        return speech_network.RenormalizedOnSpeechNetwork(seen, Renormalized(learner))
    return speech_network.OnSpeechNetwork(seen, BY_ACCESS[SCENARIOS[scenario].access](learner))


#: On what it is trained; ``source-z`` by batch normalisation of its own for each corpus, not by z-scores.
SCENARIOS: Mapping[str, Scenario] = {
    **{name: building.SCENARIOS[name] for name in ("target", "source", "source-z")},
    "finetuned": Scenario(title="source, then target", access="few-shot"),
}

_WEIGHTS: dict[Weights, tuple[str, str]] = {
    "frozen": ("frozen", "Zhou & Beigi, section 3.4"),
    "tuned": ("fine-tuned", "Zhou & Beigi, section 3.4"),
    "scratch": ("from scratch", "control of the pretraining"),
    "random": ("random, frozen", "control of the pretraining"),
}

#: Layer -> how the paper's table 2 calls it.
LAYERS: dict[str, str] = {"tdnn12": "12th layer", "tdnn13": "13th layer", "prefinal": "prefinal layer"}


#: Pretrained -> the same with fresh weights.
_FRESH: dict[Weights, Weights] = {"frozen": "random", "tuned": "scratch"}


def _control(weights: Weights, scenario: str, of_layer: str) -> tuple[str, Adds]:
    """The method without the unlabelled target, with fresh weights (same layer), or without the source."""
    if scenario == "source-z":
        return f"tdnn-{weights}-source", "unlabelled target"
    if weights in _FRESH:
        return f"tdnn-{_FRESH[weights]}{of_layer}-{scenario}", "pretrained weights"
    return (f"tdnn-{weights}-target", "source") if scenario == "finetuned" else ("", "")


def _without_source(weights: Weights, scenario: str) -> Mapping[Adds, str]:
    """The same pretrained network on the same labels, beside the control with fresh weights."""
    return {"source": f"tdnn-{weights}-target"} if weights in _FRESH and scenario == "finetuned" else {}


def _spec(weights: Weights, scenario: str, layer: str = "tdnn12") -> MethodSpec:
    """The 12th layer, which the paper goes on with, is not in the name."""
    chosen = SCENARIOS[scenario]
    kind, reference = _WEIGHTS[weights]
    of_layer = "" if layer == "tdnn12" else f"-{layer.removeprefix('tdnn')}"
    control, adds = _control(weights, scenario, of_layer)
    return MethodSpec(
        name=f"tdnn-{weights}{of_layer}-{scenario}",
        title=f"TDNN {kind}, {LAYERS[layer]}, {chosen.title}",
        access=chosen.access,
        normalization="none",  # the acoustic model has its own
        input="frames",
        features="mfcc40",
        build=partial(_built, weights, layer, scenario),
        options=("acoustic_model", "pretraining"),
        control=control,
        adds=adds,
        further_controls=_without_source(weights, scenario),
        reference=f"{reference}{'' if layer == 'tdnn12' else ', table 2'}",
    )


#: Entries of :data:`serlab.methods.METHODS`. Option ``acoustic_model`` is a
#: :class:`serlab.asr.acoustic_model.AcousticModel`.
SPECS: tuple[MethodSpec, ...] = (
    *(_spec(weights, scenario) for weights in ("frozen", "random") for scenario in SCENARIOS),
    *(
        _spec(weights, scenario)
        for weights in ("tuned", "scratch")
        for scenario in ("target", "source", "finetuned")
    ),
    *(
        _spec(weights, scenario, layer)
        for weights in ("frozen", "random")
        for layer in ("tdnn13", "prefinal")
        for scenario in ("target", "source")
    ),
)


def _provided(asked: Asked) -> AcousticModel:
    from serlab.asr import for_experiments

    return for_experiments.provided(
        asked.value,
        sources=asked.sources,
        preset=asked.preset,
        seed=asked.seed,
        pretraining=asked.options.get("pretraining", ""),
        data_root=asked.data or None,
        device=asked.device,
        progress=asked.progress,
        cancel=asked.cancel,
    )


def _look(value: str) -> None:
    from serlab.pretrained import encoders

    if value and encoders.find_folder(value) is None:
        raise ParameterError(
            f"there is no folder {value!r}, here or under {encoders.models_root()}; `serlab pretrain` makes "
            "one, and with nothing given the TDNN is pretrained on the sources"
        )


def _described(value: str, model: AcousticModel) -> str:
    from serlab.asr import for_experiments

    return f"TDNN pretrained on {for_experiments.describe(model)}."


def _heard(model: AcousticModel) -> Iterable[str]:
    return model.provenance.get("training_audio", ())


def _facts(model: AcousticModel) -> dict[str, Any]:
    return {
        "corpora": list(model.provenance.get("corpora", ["?"])),
        "training_hours": model.provenance.get("training_hours", 0.0),
        "ivectors": model.ivectors is not None,
        "settings": dict(model.settings) | {"loss": model.loss},
    }


def _check_pretraining(value: str) -> None:
    from serlab.asr import settings

    settings.check(value)


OPTIONS: tuple[Option, ...] = (
    Option(
        name="acoustic_model",
        default="",
        empty="pretrained on the sources",
        title="acoustic model",
        help="Folder made by `serlab pretrain`, or its name under SERLAB_MODELS, for the tdnn methods; "
        "empty: pretrained on the sources.",
        look=_look,
        provide=_provided,
        describe=_described,
        heard=_heard,
        facts=_facts,
        reads_audio=lambda folder: not folder,  # it is pretrained on the sources
        is_path=True,
    ),
    Option(
        name="pretraining",
        default="",
        empty="as the preset says",
        title="pretraining",
        help="Settings of the pretraining that are otherwise than the preset's, as in 'epochs=3 leaky=0.1', "
        "where no acoustic model is given; see serlab.asr.settings.",
        check=_check_pretraining,
    ),
)
