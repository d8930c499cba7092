"""The methods an experiment compares, by name: :data:`METHODS`.

A method is three choices: a classifier, what of the target it sees, and how
its features are normalised. The table at the end of this module is all there
is to read to know which method is which.

Presets: ``"demo"`` takes seconds, ``"quick"`` has the paper's sizes with few
epochs, ``"paper"`` the paper's sizes with more. Where a paper prints no value,
the table here says which we chose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.svm import SVC

from serlab.errors import ParameterError
from serlab.methods.alignment import coral
from serlab.methods.base import FIT_ARGUMENTS, Access, Method, MethodSpec
from serlab.methods.forest import MultiTask, forest
from serlab.methods.neural import DBN, FCNN
from serlab.methods.scenarios import Adapted, Classifier, Majority, Pooled, SourceOnly, TargetOnly
from serlab.models.dbn import Pretraining
from serlab.training import Fitting, Settings

__all__ = ["FIT_ARGUMENTS", "GROUPS", "METHODS", "PRESETS", "Access", "Method", "MethodSpec", "get"]

PRESETS: tuple[str, ...] = ("demo", "quick", "paper")

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
DBN_SETTINGS: dict[str, dict[str, Any]] = {
    preset: {
        "hidden": hidden,
        "first": Pretraining(epochs=epochs, learning_rate=1e-3),
        "further": Pretraining(epochs=epochs, learning_rate=0.05),
        "on_source": Settings(epochs=epochs, learning_rate=rate, weight_decay=1e-4),
        "on_target": Settings(epochs=epochs, learning_rate=rate, weight_decay=1e-4),
    }
    for preset, hidden, epochs, rate in (
        ("demo", (100, 100, 200), 40, 1e-3),
        ("quick", (1000, 1000, 2000), 20, 1e-4),
        ("paper", (1000, 1000, 2000), 50, 1e-4),
    )
}


def get(name: str) -> MethodSpec:
    """Method by name.

    Raises
    ------
    ParameterError
        Listing the known methods.
    """
    if name not in METHODS:
        raise ParameterError(f"unknown method {name!r}; known: {', '.join(METHODS)}")
    return METHODS[name]


def _random_forest(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> Classifier:
    return Classifier(forest(n_trees=_of(TREES, preset), seed=seed, n_jobs=fitting.n_jobs), n_classes)


def _linear_svm(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> Classifier:
    # libsvm has no random part here. C as is usual for z-scored openSMILE sets.
    return Classifier(SVC(kernel="linear", C=1e-3, class_weight="balanced"), n_classes)


def _majority(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> Majority:
    return Majority(n_classes)


def _multi_task(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> MultiTask:
    return MultiTask(forest(n_trees=_of(TREES, preset), seed=seed, n_jobs=fitting.n_jobs), n_classes, seed)


def _fcnn(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> FCNN:
    return FCNN(n_classes, seed, **FCNN_SETTINGS)


def _dbn(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> DBN:
    return DBN(n_classes, seed, **_of(DBN_SETTINGS, preset))


def _of(settings: dict[str, Any], preset: str) -> Any:
    if preset not in settings:
        raise ParameterError(f"unknown preset {preset!r}; known: {', '.join(PRESETS)}")
    return settings[preset]


def _trained(scenario: Callable[..., Method], classifier: Callable[..., Classifier], **options: Any):
    """Builder of a classifier in a scenario."""
    return lambda **settings: scenario(classifier(**settings), **options)


_PAPER = "Andova & Lustrek"

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
            build=_trained(SourceOnly, _random_forest),
            reference=f"{_PAPER}, section 4, scenario 1",
        ),
        MethodSpec(
            name="rf-target",
            title="RF, target only",
            access="target-only",
            normalization="none",
            build=_trained(TargetOnly, _random_forest),
            reference=f"{_PAPER}, section 4, scenario 2",
        ),
        MethodSpec(
            name="rf-pooled",
            title="RF, source + target",
            access="few-shot",
            normalization="none",
            build=_trained(Pooled, _random_forest),
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
            build=_trained(Pooled, _random_forest),
            reference=f"{_PAPER}, section 3.4",
        ),
        MethodSpec(
            name="rf-distribution",
            title="RF, distribution normalisation",
            access="few-shot",
            normalization="distribution",
            build=_trained(Pooled, _random_forest),
            reference=f"{_PAPER}, section 3.5",
        ),
        MethodSpec(
            name="rf-source-z",
            title="RF, source only, per-corpus z",
            access="unlabelled",
            normalization="corpus",
            build=_trained(Adapted, _random_forest),
            reference="Schuller et al. 2010, Cross-corpus acoustic emotion recognition",
        ),
        MethodSpec(
            name="rf-pooled-z",
            title="RF, source + target, per-corpus z",
            access="few-shot",
            normalization="corpus",
            build=_trained(Pooled, _random_forest),
            reference="Schuller et al. 2010, Cross-corpus acoustic emotion recognition",
        ),
        MethodSpec(
            name="svm-source",
            title="SVM, source only",
            access="none",
            normalization="source",
            build=_trained(SourceOnly, _linear_svm),
            stochastic=False,
            reference="linear support vector machine, one against one",
        ),
        MethodSpec(
            name="svm-target",
            title="SVM, target only",
            access="target-only",
            normalization="source",
            build=_trained(TargetOnly, _linear_svm),
            stochastic=False,
            reference="linear support vector machine, one against one",
        ),
        MethodSpec(
            name="svm-pooled",
            title="SVM, source + target",
            access="few-shot",
            normalization="source",
            build=_trained(Pooled, _linear_svm),
            stochastic=False,
            reference="linear support vector machine, one against one",
        ),
        MethodSpec(
            name="svm-source-z",
            title="SVM, source only, per-corpus z",
            access="unlabelled",
            normalization="corpus",
            build=_trained(Adapted, _linear_svm),
            stochastic=False,
            reference="Schuller et al. 2010, Cross-corpus acoustic emotion recognition",
        ),
        MethodSpec(
            name="svm-target-speaker-z",
            title="SVM, target only, per-speaker z",
            access="target-only",
            normalization="speaker",
            build=_trained(TargetOnly, _linear_svm),
            stochastic=False,
            reference="Schuller et al. 2010, Cross-corpus acoustic emotion recognition",
        ),
        MethodSpec(
            name="rf-coral",
            title="RF, CORAL",
            access="unlabelled",
            normalization="corpus",
            build=_trained(Adapted, _random_forest, align=coral),
            reference="Sun, Feng & Saenko 2016",
        ),
        MethodSpec(
            name="svm-coral",
            title="SVM, CORAL",
            access="unlabelled",
            normalization="corpus",
            build=_trained(Adapted, _linear_svm, align=coral),
            stochastic=False,
            reference="Sun, Feng & Saenko 2016",
        ),
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
}  # fmt: skip
