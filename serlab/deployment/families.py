"""Which methods can be kept, and in which forms they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from serlab.errors import ParameterError, meant

#: Between the names of a set of corpora.
AND = " + "

#: Form -> what it needs to know of the recordings that it is asked about.
FORMS: Mapping[str, str] = {
    "as-is": "nothing: each recording for itself, on the scale of the corpora that were learned from",
    "adapted": "further recordings of the same kind, without labels: their mean and deviation",
    "voices": "the same, and who speaks in each",
}


@dataclass(frozen=True, kw_only=True)
class Family:
    """One classifier, learned in several forms.

    Attributes
    ----------
    name, title : str
    methods : mapping of str to str
        Form -> name of :data:`serlab.methods.METHODS` that is learned for it.
    reason : str
        Why one would take it.
    """

    name: str
    title: str
    methods: Mapping[str, str]
    reason: str


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family(
            name="ridge",
            title="ridge regression, every class of every corpus of equal weight",
            methods={"as-is": "ridge-source", "adapted": "ridge-source-z", "voices": "ridge-source-voices"},
            reason="small, fast, and the best of those that need no label of the target",
        ),
        Family(
            name="nested",
            title="ridge regression that learns from the recordings it adapts to, in the way that is best on "
            "sources left out",
            methods={"as-is": "ridge-source", "adapted": "ridge-nested-z", "voices": "ridge-nested"},
            reason="the best where thirty recordings of a kind are at hand; keeps the sources' features",
        ),
        Family(
            name="cautious",
            title="ridge regression that learns from its own answers where the sources alone agree",
            methods={"as-is": "ridge-source", "adapted": "ridge-cautious", "voices": "ridge-cautious-voices"},
            reason="the way that sources have mostly preferred, without the time of choosing",
        ),
        Family(
            name="svm",
            title="linear support vector machine",
            methods={"as-is": "svm-source", "adapted": "svm-source-z", "voices": "svm-source-voices"},
            reason="what most of the literature takes",
        ),
        Family(
            name="rf",
            title="random forest",
            methods={"as-is": "rf-source", "adapted": "rf-source-z"},
            reason="features need no scale",
        ),
    )
}


def get(name: str) -> Family:
    """Family by name.

    Raises
    ------
    ParameterError
        Listing the known families.
    """
    if name not in FAMILIES:
        raise ParameterError(
            f"method {name!r} cannot be kept as a model; those that can: "
            f"{', '.join(FAMILIES)}{meant(name, FAMILIES)}"
        )
    return FAMILIES[name]
