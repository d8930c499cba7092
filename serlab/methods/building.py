"""What builders of methods share: see the attribute ``build`` of :class:`serlab.methods.base.MethodSpec`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from serlab.errors import ParameterError
from serlab.methods.base import Method

PRESETS: tuple[str, ...] = ("demo", "quick", "paper")


def of_preset(settings: Mapping[str, Any], preset: str) -> Any:
    """Settings of a preset.

    Raises
    ------
    ParameterError
    """
    if preset not in settings:
        raise ParameterError(f"unknown preset {preset!r}; known: {', '.join(PRESETS)}")
    return settings[preset]


def trained(
    scenario: Callable[..., Method], classifier: Callable[..., Any], **options: Any
) -> Callable[..., Method]:
    """Builder of a classifier in a scenario of :mod:`serlab.methods.scenarios`."""
    return lambda **settings: scenario(classifier(**settings), **options)
