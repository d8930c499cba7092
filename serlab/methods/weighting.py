"""How much corpora, classes and speakers weigh in linear classifiers of many sources: ``source_weights``."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from serlab.errors import ParameterError
from serlab.methods.options import Asked, Option

#: What may weigh the same within a corpus.
_EQUAL = ("classes", "speakers", "utterances")


def parse(text: str) -> tuple[str, dict[str, float]]:
    """What weighs the same within a corpus, and corpora of another weight than 1.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> parse("")
    ('classes', {})
    >>> parse("speakers, emodb=2, urdu=0.5")
    ('speakers', {'emodb': 2.0, 'urdu': 0.5})
    """
    equal, corpora = "classes", {}
    for word in (word.strip() for word in text.split(",") if word.strip()):
        name, sign, number = word.partition("=")
        if not sign and word in _EQUAL:
            equal = word
            continue
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not (sign and name.strip() and 0 < weight < math.inf):
            raise ParameterError(
                f"parameter 'source_weights': {word!r} is neither {', '.join(_EQUAL)} nor a corpus with its "
                "weight above 0 (emodb=2)"
            )
        corpora[name.strip()] = weight
    return equal, corpora


def _provide(asked: Asked) -> Any:
    if not asked.value:
        return None
    from serlab.methods.learners.weighting import weights

    equal, corpora = parse(asked.value)
    unknown = set(corpora) - {*asked.sources, asked.target}
    if unknown:
        raise ParameterError(
            f"parameter 'source_weights' names {', '.join(sorted(unknown))}, neither a source nor the target"
        )
    return partial(weights, equal=equal, corpora=corpora)


def _check(value: str) -> None:
    parse(value)


def _described(value: str, provided: Any) -> str:
    if not value:
        return ""
    equal, corpora = parse(value)
    said = ", ".join(f"{name} {weight:g} times" for name, weight in corpora.items())
    said = f" ({said})" if said else ""
    return f"In ridge regressions corpora weigh the same{said}, and so do {equal} in each."


WEIGHTS = Option(
    name="source_weights",
    default="",
    empty="all the same",
    title="weights of sources",
    help="Of ridge regressions: what weighs the same in a corpus (classes, speakers or utterances), and "
    "corpora of another weight than 1: speakers,emodb=2.",
    check=_check,
    provide=_provide,
    describe=_described,
)

OPTIONS: tuple[Option, ...] = (WEIGHTS,)
