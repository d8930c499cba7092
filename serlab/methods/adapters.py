"""Adapters of networks: one method for each objective of :data:`serlab.training.objectives.OBJECTIVES`.

Which networks an objective is tried on, their families say; what a person can
choose for all of them stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from serlab.methods.base import Adds, MethodSpec
from serlab.methods.building import Recipe, adapted
from serlab.methods.options import Option
from serlab.training.objectives import OBJECTIVES, ObjectiveSpec, require_trade_off

#: Objective -> what is said of it where labels of the target are a question.
READINGS: Mapping[str, str] = {"mmd": "Baklouti et al., equations 1 and 2; labels of the source only"}


def objective(name: str) -> ObjectiveSpec:
    """Objective by its name."""
    return next(spec for spec in OBJECTIVES if spec.name == name)


def adapter(
    spec: ObjectiveSpec,
    classifier: Callable[..., Any],
    recipes: Mapping[str, Recipe],
    *,
    name: str,
    title: str,
    control: str,
    reference: str = "",
    labelled: bool = False,
    adds: Adds = "alignment",
    options: tuple[str, ...] = (),
    arguments: Mapping[str, Any] | None = None,
    **fields: Any,
) -> MethodSpec:
    """A network that an objective draws towards the target.

    Parameters
    ----------
    spec : ObjectiveSpec
    classifier, recipes, labelled, arguments
        See :func:`serlab.methods.building.adapted`.
    control, adds : str
        As a rule the same two stages without alignment, see :func:`unaligned`.
    reference : str
        That of the objective if empty.
    options : tuple of str
        Of the network; those of the objective follow.
    **fields
        Of :class:`serlab.methods.base.MethodSpec`.
    """
    return MethodSpec(
        name=name,
        title=title,
        access="few-shot" if labelled else "unlabelled",
        build=adapted(classifier, recipes, spec, labelled=labelled, **(arguments or {})),
        options=(*options, *spec.options),
        control=control,
        adds=adds,
        reference=reference or READINGS.get(spec.name, spec.citation),
        **fields,
    )


def unaligned(aligned: MethodSpec, *, title: str, control: str, adds: Adds = "second stage") -> MethodSpec:
    """The control that an adapter names: itself with lambda 0, so that alignment is all that differs.

    The same stages, epochs, batches, draws and statistics of the target. With lambda 0 every objective
    comes to the same classifier, so that one control serves all adapters of a network that see the same.

    Parameters
    ----------
    aligned : MethodSpec
        From :func:`adapter`.
    title, control, adds : str
        Of the control.
    """
    return replace(
        aligned,
        name=aligned.control,
        title=title,
        build=partial(aligned.build, trade_off=0.0),
        options=tuple(option for option in aligned.options if option != "trade_off"),
        control=control,
        adds=adds,
        swept=False,
        reference="control of the alignment: the same with lambda 0",
    )


OPTIONS: tuple[Option, ...] = (
    # Lambda of Baklouti et al., equation 1.
    Option(
        name="trade_off",
        default=1.0,
        title="lambda",
        help="Weight of what draws source and target together, 0 or more.",
        check=require_trade_off,
        picker="number",
        bounds=(0.0, 1e6),
    ),
)
