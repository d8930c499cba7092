"""The methods an experiment compares, by name: :data:`METHODS`.

A method is three choices: a classifier, what of the target it sees, and how
its features are normalised. The table at the end of this module is all there
is to read to know which method is which.

Presets: ``"demo"`` takes seconds, ``"quick"`` has the paper's sizes with few
epochs, ``"paper"`` the paper's sizes with more. Where a paper prints no value,
the table here says which we chose.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from serlab.errors import ParameterError
from serlab.methods import (
    adapters,
    asr_transfer,
    comparison,
    encoder,
    light,
    speech_rivals,
    vector_adaptation,
    vgg,
)
from serlab.methods.alignment import coral
from serlab.methods.autoencoder import AutoencoderSVM, Reconstructed
from serlab.methods.base import FIT_ARGUMENTS, Access, Method, MethodSpec
from serlab.methods.building import PRESETS, linear_svm, of_preset, trained
from serlab.methods.deep import FineTuned, Network
from serlab.methods.forest import MultiTask, forest
from serlab.methods.neural import DBN, FCNN, DBNClassifier
from serlab.methods.options import Asked, Option
from serlab.methods.scenarios import Adapted, Classifier, Majority, Pooled, SourceOnly, TargetOnly
from serlab.models.acnn import ACNN
from serlab.models.dbn import Pretraining
from serlab.models.encoder_decoder import EncoderDecoder
from serlab.models.sparse_autoencoder import Sparsity
from serlab.training import Fitting, Settings

__all__ = [
    "FIT_ARGUMENTS",
    "GROUPS",
    "METHODS",
    "OPTIONS",
    "PRESETS",
    "Access",
    "Asked",
    "Method",
    "MethodSpec",
    "Option",
    "get",
    "require_installed",
]

#: Library that a method may need -> extra of this package that brings it.
EXTRAS: dict[str, str] = {"skada": "adaptation", "transformers": "encoders"}

#: Andova & Lustrek, section 3: 1000 trees.
TREES: dict[str, int] = {"demo": 50, "quick": 1000, "paper": 1000}

#: The paper prints neither optimiser nor epochs. Ours, for every preset: Adam
#: with a small learning rate and a fixed number of epochs on the whole source,
#: chosen on held-out speakers within source corpora (EmoDB, RAVDESS), never on
#: a target. The training loss is below .001 after them; more epochs did not
#: raise the held-out UAR.
FCNN_SETTINGS: dict[str, Settings] = {
    "on_source": Settings(epochs=20, learning_rate=1e-4, weight_decay=1e-4),
    "on_target": Settings(epochs=100, learning_rate=1e-3, weight_decay=1e-4),
}

#: Hidden units: see :class:`serlab.methods.neural.DBN`; the rest was chosen like the FCNN's.
#: ``alone`` is for a target without a source: with 20 epochs on held-out speakers
#: of EmoDB the UAR was .71, with 60 it was .79.
DBN_SETTINGS: dict[str, dict[str, Any]] = {
    preset: {
        "hidden": hidden,
        "first": Pretraining(epochs=epochs, learning_rate=1e-3),
        "further": Pretraining(epochs=epochs, learning_rate=0.05),
        "settings": Settings(epochs=epochs, learning_rate=rate, weight_decay=1e-4),
        "alone": Settings(epochs=alone, learning_rate=rate, weight_decay=1e-4),
    }
    for preset, hidden, epochs, alone, rate in (
        ("demo", (100, 100, 200), 40, 80, 1e-3),
        ("quick", (1000, 1000, 2000), 20, 60, 1e-4),
        ("paper", (1000, 1000, 2000), 50, 60, 1e-4),
    )
}

#: Neumann & Vu, section 4: Adam, batches of 32, 200 kernels, 50 epochs, 10 for
#: fine-tuning; ``quick`` has fewer epochs. No learning rate is printed: Adam's
#: default. No class weights and no early stopping: the paper has neither.
ACNN_SETTINGS: dict[str, dict[str, Any]] = {
    preset: {
        "n_kernels": n_kernels,
        "settings": Settings(epochs=epochs, learning_rate=1e-3),
        "fine_tuning": Settings(epochs=10, learning_rate=1e-3),
    }
    for preset, n_kernels, epochs in (("demo", 50, 10), ("quick", 200, 20), ("paper", 200, 50))
}

#: Durrani & Arshad print neither sizes nor optimiser. Chosen by
#: ``benchmarks/choose_encoder_decoder.py`` on held-out speakers of EmoDB and of
#: RAVDESS, each by itself: 64 units, rate .003 and 50 epochs had the best mean
#: UAR (``paper``). 32 units, rate .001 and 20 epochs lose .05 and .02 for a
#: sixth of the time (``quick``). URDU was not looked at.
ENCODER_DECODER_SETTINGS: dict[str, dict[str, Any]] = {
    preset: {
        "units": units,
        "settings": Settings(epochs=epochs, batch_size=batch_size, learning_rate=rate, clip=5.0),
    }
    for preset, units, epochs, batch_size, rate in (
        ("demo", 16, 6, 64, 1e-2),
        ("quick", 32, 20, 32, 1e-3),
        ("paper", 64, 50, 32, 3e-3),
    )
}

#: Not printed in the papers that compare with it; see :class:`Sparsity`.
SPARSITY: dict[str, Sparsity] = {
    "demo": Sparsity(n_hidden=50, iterations=20),
    "quick": Sparsity(),
    "paper": Sparsity(),
}


def get(name: str) -> MethodSpec:
    """Method by name.

    Raises
    ------
    ParameterError
        Listing the known methods.

    Examples
    --------
    >>> get("rf-source-z").access, get("rf-source-z").normalization
    ('unlabelled', 'corpus')
    """
    if name not in METHODS:
        raise ParameterError(f"unknown method {name!r}; known: {', '.join(METHODS)}")
    return METHODS[name]


def require_installed(spec: MethodSpec) -> None:
    """Refuse a method whose optional library is not there.

    Raises
    ------
    ParameterError
        Saying what to install.
    """
    if spec.requires and importlib.util.find_spec(spec.requires) is None:
        raise ParameterError(
            f"method {spec.name!r} needs the library {spec.requires}: "
            f"pip install 'serlab[{EXTRAS[spec.requires]}]'"
        )


def _random_forest(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> Classifier:
    return Classifier(forest(n_trees=of_preset(TREES, preset), seed=seed, n_jobs=fitting.n_jobs), n_classes)


def _majority(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> Majority:
    return Majority(n_classes)


def _multi_task(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> MultiTask:
    return MultiTask(
        forest(n_trees=of_preset(TREES, preset), seed=seed, n_jobs=fitting.n_jobs), n_classes, seed
    )


def _fcnn(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> FCNN:
    return FCNN(n_classes, seed, **FCNN_SETTINGS, fitting=fitting)


def _dbn_classifier(stage: str, *, n_classes: int, seed: int, preset: str, fitting: Fitting) -> DBNClassifier:
    chosen = of_preset(DBN_SETTINGS, preset)
    return DBNClassifier(
        n_classes,
        seed,
        hidden=chosen["hidden"],
        first=chosen["first"],
        further=chosen["further"],
        settings=chosen["alone" if stage == "target" else "settings"],
        fitting=fitting,
        stage=stage,
    )


def _dbn(**settings: Any) -> DBN:
    source = _dbn_classifier("source", **settings)
    return DBN(source, on_target=source.settings)


def _sae_svm(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> AutoencoderSVM:
    svm = linear_svm(n_classes=n_classes, seed=seed, preset=preset, fitting=fitting)
    return AutoencoderSVM(svm, of_preset(SPARSITY, preset), seed, fitting)


def _acnn(stage: str, *, n_classes: int, seed: int, preset: str, fitting: Fitting) -> Network:
    chosen = of_preset(ACNN_SETTINGS, preset)

    def architecture(n_frames: int, n_features: int) -> ACNN:
        # The paper's 7.5 s where no utterance is as long, too; more where one is longer.
        return ACNN(n_features, n_classes, n_frames=max(750, n_frames), n_kernels=chosen["n_kernels"])

    return Network(
        architecture, n_classes, seed, chosen["settings"], balanced=False, fitting=fitting, stage=stage
    )


def _acnn_fine_tuned(*, preset: str, **settings: Any) -> FineTuned:
    source = _acnn("source", preset=preset, **settings)
    return FineTuned(source, on_target=ACNN_SETTINGS[preset]["fine_tuning"])


def _encoder_decoder(stage: str, *, n_classes: int, seed: int, preset: str, fitting: Fitting) -> Network:
    chosen = of_preset(ENCODER_DECODER_SETTINGS, preset)

    def architecture(n_frames: int, n_features: int) -> EncoderDecoder:
        return EncoderDecoder(n_features, n_classes, channels=chosen["units"], units=chosen["units"])

    # One thread: its matrices are too small to be shared, and threads that wait for each other cost more.
    fitting = replace(fitting, n_jobs=1)
    return Network(
        architecture, n_classes, seed, chosen["settings"], balanced=True, fitting=fitting, stage=stage
    )


def _encoder_decoder_transfer(**parts: tuple[str, ...]) -> Callable[..., FineTuned]:
    """Builder; ``start`` and ``update`` as in :class:`serlab.methods.deep.FineTuned`."""

    def build(**settings: Any) -> FineTuned:
        source = _encoder_decoder("source", **settings)
        return FineTuned(source, on_target=source.settings, **parts)

    return build


_PAPER = "Andova & Lustrek"
_NEUMANN_VU = "Neumann & Vu"
_DURRANI_ARSHAD = "Durrani & Arshad"

METHODS: dict[str, MethodSpec] = {
    spec.name: spec
    for spec in (
        MethodSpec(
            name="majority",
            title="Majority",
            access="target-only",
            normalization="none",
            build=_majority,
            stochastic=False,
            reference=f"{_PAPER}, section 4",
        ),
        MethodSpec(
            name="rf-source",
            title="RF, source only",
            access="none",
            normalization="none",
            build=trained(SourceOnly, _random_forest),
            reference=f"{_PAPER}, section 4, scenario 1",
        ),
        MethodSpec(
            name="rf-target",
            title="RF, target only",
            access="target-only",
            normalization="none",
            build=trained(TargetOnly, _random_forest),
            reference=f"{_PAPER}, section 4, scenario 2",
        ),
        MethodSpec(
            name="rf-pooled",
            title="RF, source + target",
            access="few-shot",
            normalization="none",
            build=trained(Pooled, _random_forest),
            reference=f"{_PAPER}, section 4, scenario 3",
        ),
        MethodSpec(
            name="dbn",
            title="DBN, fine-tuned",
            access="few-shot",
            normalization="source",
            build=_dbn,
            reference=f"{_PAPER}, section 3.1; Latif et al. 2018",
        ),
        MethodSpec(
            name="fcnn",
            title="FCNN, output layer fine-tuned",
            access="few-shot",
            normalization="source",
            build=_fcnn,
            reference=f"{_PAPER}, section 3.2",
        ),
        MethodSpec(
            name="rf-multitask",
            title="RF, multi-task",
            access="few-shot",
            normalization="none",
            build=_multi_task,
            reference=f"{_PAPER}, section 3.3",
        ),
        MethodSpec(
            name="rf-neutral",
            title="RF, neutral-speech normalisation",
            access="few-shot",
            normalization="neutral",
            build=trained(Pooled, _random_forest),
            reference=f"{_PAPER}, section 3.4",
        ),
        MethodSpec(
            name="rf-distribution",
            title="RF, distribution normalisation",
            access="few-shot",
            normalization="distribution",
            build=trained(Pooled, _random_forest),
            reference=f"{_PAPER}, section 3.5",
        ),
        MethodSpec(
            name="rf-source-z",
            title="RF, source only, per-corpus z",
            access="unlabelled",
            normalization="corpus",
            build=trained(Adapted, _random_forest),
            reference="Schuller et al. 2010, Cross-corpus acoustic emotion recognition",
        ),
        MethodSpec(
            name="rf-pooled-z",
            title="RF, source + target, per-corpus z",
            access="few-shot",
            normalization="corpus",
            build=trained(Pooled, _random_forest),
            reference="Schuller et al. 2010, Cross-corpus acoustic emotion recognition",
        ),
        MethodSpec(
            name="svm-source",
            title="SVM, source only",
            access="none",
            normalization="source",
            build=trained(SourceOnly, linear_svm),
            stochastic=False,
            reference="linear support vector machine, one against one",
        ),
        MethodSpec(
            name="svm-target",
            title="SVM, target only",
            access="target-only",
            normalization="source",
            build=trained(TargetOnly, linear_svm),
            stochastic=False,
            reference="linear support vector machine, one against one",
        ),
        MethodSpec(
            name="svm-pooled",
            title="SVM, source + target",
            access="few-shot",
            normalization="source",
            build=trained(Pooled, linear_svm),
            stochastic=False,
            reference="linear support vector machine, one against one",
        ),
        MethodSpec(
            name="svm-source-z",
            title="SVM, source only, per-corpus z",
            access="unlabelled",
            normalization="corpus",
            build=trained(Adapted, linear_svm),
            stochastic=False,
            reference="Schuller et al. 2010, Cross-corpus acoustic emotion recognition",
        ),
        MethodSpec(
            name="svm-target-speaker-z",
            title="SVM, target only, per-speaker z",
            access="target-only",
            normalization="speaker",
            build=trained(TargetOnly, linear_svm),
            stochastic=False,
            reference="Schuller et al. 2010, Cross-corpus acoustic emotion recognition",
        ),
        MethodSpec(
            name="rf-coral",
            title="RF, CORAL",
            access="unlabelled",
            normalization="corpus",
            build=trained(Adapted, _random_forest, align=coral),
            reference="Sun, Feng & Saenko 2016",
        ),
        MethodSpec(
            name="svm-coral",
            title="SVM, CORAL",
            access="unlabelled",
            normalization="corpus",
            build=trained(Adapted, linear_svm, align=coral),
            stochastic=False,
            reference="Sun, Feng & Saenko 2016",
        ),
        MethodSpec(
            name="acnn-target",
            title="ACNN, target only",
            access="target-only",
            normalization="source",
            input="frames",
            build=trained(TargetOnly, partial(_acnn, "target")),
            reference=f"{_NEUMANN_VU}, section 4, experiment a",
        ),
        MethodSpec(
            name="acnn-pooled",
            title="ACNN, source + target",
            access="few-shot",
            normalization="source",
            input="frames",
            build=trained(Pooled, partial(_acnn, "pooled")),
            reference=f"{_NEUMANN_VU}, section 4, experiment b",
        ),
        MethodSpec(
            name="acnn-source",
            title="ACNN, source only",
            access="none",
            normalization="source",
            input="frames",
            build=trained(SourceOnly, partial(_acnn, "source")),
            reference=f"{_NEUMANN_VU}, section 4, experiment c",
        ),
        MethodSpec(
            name="acnn-finetuned",
            title="ACNN, fine-tuned",
            access="few-shot",
            normalization="source",
            input="frames",
            target_limit=100,
            build=_acnn_fine_tuned,
            reference=f"{_NEUMANN_VU}, section 4, experiment d",
        ),
        MethodSpec(
            name="acnn-source-z",
            title="ACNN, source only, per-corpus z",
            access="unlabelled",
            normalization="corpus",
            input="frames",
            build=trained(Adapted, partial(_acnn, "source")),
            reference="Schuller et al. 2010, Cross-corpus acoustic emotion recognition",
        ),
        MethodSpec(
            name="encdec-target",
            title="Encoder-decoder, target only",
            access="target-only",
            normalization="source",
            input="frames",
            build=trained(TargetOnly, partial(_encoder_decoder, "target")),
            reference=f"{_DURRANI_ARSHAD}, section 4.1",
        ),
        MethodSpec(
            name="encdec-source",
            title="Encoder-decoder, source only",
            access="none",
            normalization="source",
            input="frames",
            build=trained(SourceOnly, partial(_encoder_decoder, "source")),
            reference=f"{_DURRANI_ARSHAD}, section 4.2",
        ),
        MethodSpec(
            name="encdec-pooled",
            title="Encoder-decoder, source + target",
            access="few-shot",
            normalization="source",
            input="frames",
            build=trained(Pooled, partial(_encoder_decoder, "pooled")),
            reference=f"{_DURRANI_ARSHAD}, section 4.3",
        ),
        MethodSpec(
            name="encdec-transfer",
            title="Encoder-decoder, encoder fine-tuned",
            access="few-shot",
            normalization="source",
            input="frames",
            target_limit=320,
            build=_encoder_decoder_transfer(update=("encoder",)),
            reference=f"{_DURRANI_ARSHAD}, section 2",
        ),
        MethodSpec(
            name="encdec-from-encoder",
            title="Encoder-decoder, encoder from source",
            access="few-shot",
            normalization="source",
            input="frames",
            target_limit=320,
            build=_encoder_decoder_transfer(start=("encoder",)),
            reference=f"{_DURRANI_ARSHAD}, section 5",
        ),
        MethodSpec(
            name="encdec-from-encoder-attention",
            title="Encoder-decoder, encoder + attention from source",
            access="few-shot",
            normalization="source",
            input="frames",
            target_limit=320,
            build=_encoder_decoder_transfer(start=("encoder", "attention")),
            reference=f"{_DURRANI_ARSHAD}, section 5",
        ),
        MethodSpec(
            name="encdec-from-decoder",
            title="Encoder-decoder, decoder from source",
            access="few-shot",
            normalization="source",
            input="frames",
            target_limit=320,
            build=_encoder_decoder_transfer(start=("decoder",)),
            reference=f"{_DURRANI_ARSHAD}, section 5",
        ),
        MethodSpec(
            name="encdec-from-all",
            title="Encoder-decoder, all from source",
            access="few-shot",
            normalization="source",
            input="frames",
            target_limit=320,
            build=_encoder_decoder_transfer(),
            reference=f"{_DURRANI_ARSHAD}, section 5",
        ),
        MethodSpec(
            name="dbn-target",
            title="DBN, target only",
            access="target-only",
            normalization="source",
            build=trained(TargetOnly, partial(_dbn_classifier, "target")),
            reference=f"{_DURRANI_ARSHAD}, section 4.1; Latif et al. 2018",
        ),
        MethodSpec(
            name="dbn-source",
            title="DBN, source only",
            access="none",
            normalization="source",
            build=trained(SourceOnly, partial(_dbn_classifier, "source")),
            reference=f"{_DURRANI_ARSHAD}, section 4.2; Latif et al. 2018",
        ),
        MethodSpec(
            name="sae-svm",
            title="Sparse autoencoder + SVM",
            access="few-shot",
            normalization="source",
            build=trained(Reconstructed, _sae_svm),
            reference=f"{_DURRANI_ARSHAD}, section 4.3; Deng et al. 2013",
        ),
        MethodSpec(
            name="sae-svm-target",
            title="Sparse autoencoder + SVM, target only",
            access="target-only",
            normalization="source",
            build=trained(TargetOnly, _sae_svm),
            reference=f"{_DURRANI_ARSHAD}, section 4.1; Deng et al. 2013",
        ),
        MethodSpec(
            name="sae-svm-source",
            title="Sparse autoencoder + SVM, source only",
            access="none",
            normalization="source",
            build=trained(SourceOnly, _sae_svm),
            reference=f"{_DURRANI_ARSHAD}, section 4.2; Deng et al. 2013",
        ),
        *light.SPECS,
        *comparison.SPECS,
        *vector_adaptation.SPECS,
        *vgg.SPECS,
        *asr_transfer.SPECS,
        *speech_rivals.SPECS,
        *encoder.SPECS,
    )
}

#: Names for several methods at once, wherever methods are chosen.
GROUPS: dict[str, tuple[str, ...]] = {
    # The paper's columns, in the order of its tables 2 and 3.
    "andova-lustrek": (
        "majority", "rf-source", "rf-target", "rf-pooled", "dbn", "fcnn", "rf-multitask", "rf-neutral",
        "rf-distribution",
    ),
    # What a reader of the paper would ask for next to them.
    "further": (
        "rf-source-z", "rf-pooled-z", "rf-coral", "svm-source", "svm-target", "svm-pooled", "svm-source-z",
        "svm-coral",
    ),
    # Experiments a to d, and c with what is known of the unlabelled target.
    "neumann-vu": ("acnn-target", "acnn-pooled", "acnn-source", "acnn-finetuned", "acnn-source-z"),
    # The paper's network and ablation, then what it compares with.
    "durrani-arshad": (
        "encdec-target", "encdec-source", "encdec-pooled", "encdec-transfer", "encdec-from-encoder",
        "encdec-from-encoder-attention", "encdec-from-decoder", "encdec-from-all", "dbn-target", "dbn-source",
        "dbn", "sae-svm-target", "sae-svm-source", "sae-svm",
    ),
    # Controls, adapters on one network, the networks and inputs of table 4, adapters of vectors.
    "baklouti": (
        "light-target", "light-source", "light-source-z", "light-adabn", "light-mmd", "light-mmd-z",
        "light-mkmmd", "light-lmmd", "light-jmmd", "light-coral", "light-dann", "light-gan", "light-addi",
        "light-saddi", "light-finetuned", "light-mmd-supervised", "cnnlstm-source", "mfsc-source",
        "cqt-source", "dbn-source", "sae-svm-source", "svm-source", "svm-source-z", "svm-coral", "svm-tca",
        "svm-subspace", "svm-ot",
    ),
    # Of these, an adapter of each kind with its controls: what a demonstration has time for.
    "adaptation": (
        "light-target", "light-source", "light-adabn", "light-mmd", "light-lmmd", "light-coral", "light-dann",
        "light-saddi", "light-finetuned", "light-mmd-supervised", "svm-source", "svm-coral", "svm-tca",
    ),
    # The paper's own network, in both readings of equation 1.
    "vgg16": (
        "vgg16-target", "vgg16-source", "vgg16-source-z", "vgg16-finetuned", "vgg16-mmd",
        "vgg16-mmd-supervised",
    ),
    # What takes minutes: frozen layers, their control, and what the target adds.
    "tdnn": (
        "tdnn-frozen-target", "tdnn-frozen-13-target", "tdnn-frozen-prefinal-target", "tdnn-random-target",
        "tdnn-frozen-source", "tdnn-frozen-source-z", "tdnn-random-source", "tdnn-frozen-finetuned",
        "rf-target", "rf-source", "rf-source-z",
    ),
    # The paper's network in its layers and ways of training, with controls; the systems of its table 3;
    # and functionals with a forest.
    "zhou-beigi": (
        "tdnn-frozen-target", "tdnn-frozen-13-target", "tdnn-frozen-prefinal-target", "tdnn-random-target",
        "tdnn-tuned-target", "tdnn-scratch-target", "rnnelm-target", "convlstm-target", "ctcblstm-target",
        "tdnn-frozen-source", "tdnn-frozen-source-z", "tdnn-random-source", "tdnn-tuned-source",
        "tdnn-scratch-source", "tdnn-frozen-finetuned", "rf-target", "rf-source-z",
    ),
    # On a pretrained encoder: linear, with learned weights of its layers, adapted; and the same forest.
    "encoders": (
        "probe-target", "probe-source", "probe-source-z", "probe-selftrained", "probe-pooled-z",
        "probe-selftrained-pooled",
        "layer2-source", "layer2-source-z", "encoder-target", "encoder-linear-target", "encoder-source",
        "encoder-source-z", "encoder-adabn", "encoder-mmd", "encoder-lmmd", "encoder-coral", "encoder-dann",
        "encoder-finetuned", "rf-target", "rf-source", "rf-source-z",
    ),
    # Slow without a GPU: the encoder itself learns.
    "encoder-top": ("top-target", "top-source", "top-finetuned"),
    # For corpora with different label sets.
    "target-head": ("light-target", "light-finetuned-head", "light-mmd-head"),
}  # fmt: skip

#: What families of methods ask a person for, by name; :attr:`MethodSpec.options` says which method asks.
OPTIONS: dict[str, Option] = {
    option.name: option for family in (adapters, vgg, encoder, asr_transfer) for option in family.OPTIONS
}
