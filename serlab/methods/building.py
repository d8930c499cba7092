"""What builders of methods share: see the attribute ``build`` of :class:`serlab.methods.base.MethodSpec`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.svm import SVC

from serlab.errors import ParameterError
from serlab.methods.adaptation import AdaptedNetwork, Renormalized, SupervisedAdaptation
from serlab.methods.base import Method
from serlab.methods.deep import FineTuned, Network
from serlab.methods.scenarios import Classifier
from serlab.training import Fitting
from serlab.training.objectives.base import Objective

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


def linear_svm(*, n_classes: int, seed: int, preset: str, fitting: Fitting, C: float = 1e-3) -> Classifier:
    """Linear support vector machine of balanced classes, one against one; C as is usual for z-scored sets."""
    # libsvm has no random part here.
    return Classifier(SVC(kernel="linear", C=C, class_weight="balanced"), n_classes)


def fine_tuned(
    network: Callable[..., Network], settings: Mapping[str, Any], *, start: tuple[str, ...] | None = None
) -> Callable[..., FineTuned]:
    """Builder of a network that learns from the source, then from the labelled target.

    Parameters
    ----------
    network : callable
        ``network(stage, preset=..., ...)``.
    settings : mapping
        Preset -> its settings; "second" are those of the second stage.
    start : tuple of str, optional
        See :class:`serlab.methods.deep.FineTuned`.
    """

    def build(*, preset: str, **options: Any) -> FineTuned:
        source = network("source", preset=preset, **options)
        return FineTuned(source, on_target=of_preset(settings, preset)["second"], start=start)

    return build


def renormalized(network: Callable[..., Network]) -> Callable[..., Renormalized]:
    """Builder of a network that learns from the source, and takes the statistics of the target."""
    return lambda **options: Renormalized(network("source", **options))


def adapted(
    network: Callable[..., Network],
    settings: Mapping[str, Any],
    objective: Callable[..., Objective],
    *,
    kind: type[AdaptedNetwork | SupervisedAdaptation] = AdaptedNetwork,
) -> Callable[..., AdaptedNetwork | SupervisedAdaptation]:
    """Builder of a network that learns from the source, then from both by an objective with a trade-off.

    ``network`` and ``settings`` as in :func:`fine_tuned`.
    """

    def build(
        *, preset: str, trade_off: float = 1.0, **options: Any
    ) -> AdaptedNetwork | SupervisedAdaptation:
        source = network("source", preset=preset, **options)
        return kind(source, objective(trade_off=trade_off), of_preset(settings, preset)["second"])

    return build
