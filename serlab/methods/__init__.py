"""The methods an experiment compares, by name: :data:`METHODS`.

A method is three choices: a classifier, what of the target it sees, and how
its features are normalised. Each family has a module here that ends in
``SPECS``, with the settings of its presets, ``GROUPS`` and ``OPTIONS`` where it
has any; what computes is in :mod:`serlab.methods.learners`, and is imported
when a method is built.

Presets: ``"demo"`` takes seconds, ``"quick"`` minutes (fewer epochs than the
paper's, smaller networks where those take longer), ``"paper"`` has what the paper
prints. Where a paper prints no value, the family says which we chose.
"""

from __future__ import annotations

from collections.abc import Iterable

from serlab import extras
from serlab.errors import ParameterError
from serlab.methods import (
    acnn,
    adapters,
    asr_transfer,
    comparison,
    dbn,
    encoder,
    encoder_decoder,
    encoder_tuned,
    fcnn,
    forest,
    fusion,
    groups,
    light,
    majority,
    many_sources,
    ridge,
    sparse_autoencoder,
    speech_rivals,
    svm,
    vector_adaptation,
    vgg,
    weighting,
)
from serlab.methods.base import FIT_ARGUMENTS, Access, Adds, Method, MethodSpec
from serlab.methods.building import PRESETS
from serlab.methods.options import Asked, Option

__all__ = [
    "FAMILIES",
    "FIT_ARGUMENTS",
    "GROUPS",
    "METHODS",
    "OPTIONS",
    "PRESETS",
    "PRIMARY",
    "REPEATS",
    "Access",
    "Adds",
    "Asked",
    "Method",
    "MethodSpec",
    "Option",
    "controls",
    "get",
    "repeats",
    "require_installed",
]

#: In the order of listings.
FAMILIES = (
    majority,
    forest,
    svm,
    ridge,
    dbn,
    fcnn,
    acnn,
    encoder_decoder,
    sparse_autoencoder,
    light,
    comparison,
    vector_adaptation,
    vgg,
    asr_transfer,
    speech_rivals,
    encoder,
    encoder_tuned,
    many_sources,
    fusion,
)

METHODS: dict[str, MethodSpec] = {spec.name: spec for family in FAMILIES for spec in family.SPECS}

#: Names for several methods at once, wherever methods are chosen.
GROUPS: dict[str, tuple[str, ...]] = {
    name: members
    for module in (groups, acnn, light, vgg, encoder, encoder_tuned, ridge, many_sources, fusion)
    for name, members in module.GROUPS.items()
}

PRIMARY: dict[str, tuple[str, ...]] = groups.PRIMARY

#: What families ask a person for, by name; :attr:`MethodSpec.options` says which method asks.
OPTIONS: dict[str, Option] = {
    option.name: option
    for module in (acnn, adapters, vgg, encoder, asr_transfer, weighting, fusion)
    for option in module.OPTIONS
}

#: How often a method's paper repeats each experiment; of other methods nobody prints more than one run.
REPEATS: dict[str, int] = {
    spec.name: module.REPEATS for module in (acnn, light, comparison, vgg) for spec in module.SPECS
}

#: Library that a method may need -> extra of this package that brings it.
EXTRAS: dict[str, str] = {"skada": "adaptation", "transformers": "encoders", "peft": "encoders"}


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


def repeats(names: Iterable[str], preset: str) -> int:
    """How often stochastic methods are run where nobody says: with the preset ``paper`` as the papers do.

    Examples
    --------
    >>> repeats(["acnn-target", "rf-target"], "paper"), repeats(["acnn-target"], "quick")
    (5, 1)
    """
    return max([1, *(REPEATS.get(name, 1) for name in names if preset == "paper")])


def controls(name: str) -> tuple[MethodSpec, ...]:
    """The control of a method, the control of that, and so on, each with one thing less.

    Raises
    ------
    ParameterError
    """
    found = []
    spec = get(name)
    while spec.control:
        spec = get(spec.control)
        found.append(spec)
    return tuple(found)


def require_installed(spec: MethodSpec) -> None:
    """Refuse a method whose optional library is not there.

    Raises
    ------
    ParameterError
        Saying what to install.
    """
    if spec.requires:
        extras.require(spec.requires, extra=EXTRAS[spec.requires], purpose=f"the method {spec.name!r}")
