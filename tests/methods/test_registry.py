"""The table of methods: families, controls, and that reading it is light."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass

import numpy as np
import pytest

from serlab import methods, normalization
from serlab.methods import FAMILIES, FIT_ARGUMENTS, METHODS, MethodSpec, building, light
from serlab.samples import Labelled, without_labels
from serlab.training import PLAIN
from serlab.training.objectives import OBJECTIVES, ObjectiveSpec
from serlab.training.objectives.base import classified

#: Modules of the folder that are no families.
CONTRACT = {"adapters", "base", "building", "groups", "options", "weighting"}
#: They change the scale of features, which is what they add; skada's adapters z-score by themselves.
ON_ANOTHER_SCALE = {"svm-skada-coral", "svm-tca", "svm-subspace", "svm-ot"}
WITH_CONTROL = [spec for spec in METHODS.values() if spec.control]


def of_target(spec: MethodSpec) -> set[str]:
    """Parts of the target that a method sees in any way."""
    seen = set(FIT_ARGUMENTS[spec.access]) - {"source"}
    return seen | {"adapt"} if normalization.is_transductive(spec.normalization) else seen


def labelled(spec: MethodSpec) -> set[str]:
    return {"source", "target_train"} & set(FIT_ARGUMENTS[spec.access])


# --- families ------------------------------------------------------------------


def test_every_module_is_a_family_and_every_family_is_listed():
    found = {module.name for module in pkgutil.iter_modules(methods.__path__) if not module.ispkg} - CONTRACT
    assert {f"serlab.methods.{name}" for name in found} == {family.__name__ for family in FAMILIES}
    for family in FAMILIES:
        assert family.SPECS and all(isinstance(spec, MethodSpec) for spec in family.SPECS)
        assert family.__doc__


def test_names_are_unique_and_groups_and_options_are_collected():
    assert len(METHODS) == sum(len(family.SPECS) for family in FAMILIES)
    assert len({spec.title for spec in METHODS.values()}) == len(METHODS)
    for name in (module.name for module in pkgutil.iter_modules(methods.__path__)):
        module = importlib.import_module(f"serlab.methods.{name}")
        assert set(getattr(module, "GROUPS", ())) <= set(methods.GROUPS)
        assert {option.name for option in getattr(module, "OPTIONS", ())} <= set(methods.OPTIONS)


def test_of_what_a_method_needs_the_extra_is_known():
    assert {spec.requires for spec in METHODS.values()} - {""} == set(methods.EXTRAS)


# --- controls ------------------------------------------------------------------


@pytest.mark.parametrize("spec", WITH_CONTROL, ids=lambda spec: spec.name)
def test_a_control_lacks_one_thing(spec):
    control = METHODS[spec.control]
    assert control.input == spec.input and control.features == spec.features
    assert control.columns == spec.columns
    assert of_target(control) <= of_target(spec), "a control sees no more of the target"
    sees, lacks = FIT_ARGUMENTS[spec.access], FIT_ARGUMENTS[control.access]
    same_scale = control.normalization == spec.normalization or spec.name in ON_ANOTHER_SCALE
    match spec.adds:
        case "source":
            assert set(sees) - set(lacks) == {"source"} and same_scale
        case "labels":
            assert labelled(spec) - labelled(control) == {"target_train"} and same_scale
        case "unlabelled target":
            assert labelled(spec) == labelled(control) and "adapt" in of_target(spec)
        case "normalisation":
            assert sees == lacks and control.normalization != spec.normalization
        case "alignment" | "second stage" | "combination" | "tuned encoder":
            assert sees == lacks and same_scale
        case "pretrained weights":
            assert sees == lacks and same_scale and spec.options == control.options
        case _:
            pytest.fail("a method with a control says what it adds")


def test_what_has_no_control_adds_nothing():
    assert all(not spec.adds for spec in METHODS.values() if not spec.control)


@pytest.mark.parametrize("name", METHODS)
def test_controls_end(name):
    chain = methods.controls(name)
    names = [name, *(spec.name for spec in chain)]
    assert len(set(names)) == len(names) and not (chain or [METHODS[name]])[-1].control


def test_who_sees_the_unlabelled_target_has_a_control_that_does_not():
    for name, spec in METHODS.items():
        if spec.access == "unlabelled":
            assert any(control.access == "none" for control in methods.controls(name)), name


@pytest.mark.parametrize("spec", METHODS.values(), ids=lambda spec: spec.name)
def test_a_scale_that_needs_unlabelled_target_speech_has_an_access_that_gives_it(spec):
    if normalization.is_transductive(spec.normalization):
        assert "adapt" in FIT_ARGUMENTS[spec.access], f"{spec.normalization} z reads the tested speech"


def test_swept_methods_have_a_trade_off_and_no_label_of_the_target():
    swept = [spec for spec in METHODS.values() if spec.swept]
    assert swept and all(spec.access == "unlabelled" and "trade_off" in spec.options for spec in swept)


# --- grids and adapters --------------------------------------------------------


def test_a_grid_is_one_classifier_in_several_scenarios():
    asked = []

    def classifier(stage, **settings):
        asked.append(stage)
        return object()

    specs = building.grid("toy", "Toy", classifier, dict.fromkeys(building.SCENARIOS, "here"))
    for spec in specs:
        spec.build(n_classes=2, seed=0, preset="demo", fitting=PLAIN)
    assert [spec.name for spec in specs] == [f"toy-{name}" for name in building.SCENARIOS]
    assert asked == [
        "target", "source", "pooled", "source", "source", "pooled", "pooled", "target", "target", "target"
    ]  # fmt: skip
    names = {spec.name for spec in specs}
    assert all(spec.control in names for spec in specs if spec.control)


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """An objective that draws nothing together."""

    trade_off: float = 1.0

    def companions(self, width: int, n_classes: int):
        from torch import nn

        return nn.ModuleDict()

    def __call__(self, network, companions, batch, cross_entropy, progress):
        _, _, logits, terms = classified(network, batch, cross_entropy)
        return logits, terms


def test_an_objective_in_the_table_is_a_method():
    """All that a new one needs besides its module and its entry."""
    toy = ObjectiveSpec(name="nothing", title="nothing", reference="a test", where=f"{__name__}:Nothing")
    *known, spec = light.adapters((*OBJECTIVES, toy))
    assert [METHODS[own.name].title for own in known] == [own.title for own in known]
    assert (spec.name, spec.title, spec.access) == ("light-nothing", "Light CNN, nothing", "unlabelled")
    assert (spec.control, spec.adds, spec.options) == ("light-unaligned", "alignment", ("trade_off",))

    rng = np.random.default_rng(0)
    names = np.full(20, "a")
    part = Labelled(
        X=rng.normal(size=(20, 12, 5)).astype(np.float32), corpus=names, speaker=names, y=np.arange(20) % 2
    )
    method = spec.build(n_classes=2, seed=0, preset="demo", fitting=PLAIN, trade_off=0.5)
    assert method.objective == Nothing(trade_off=0.5)
    assert method.fit(source=part, adapt=without_labels(part)).predict_proba(part.X).shape == (20, 2)
