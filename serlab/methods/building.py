"""What families share: scenarios of one classifier, and builders of networks.

A *classifier* here is a function ``classifier(stage, *, n_classes, seed, preset, fitting, **options)``
that makes what has ``fit(part)`` and ``predict_proba(X)``; ``stage`` says what it is to learn from, for the
history. Nothing that computes is imported before a builder is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from serlab.errors import ParameterError
from serlab.methods.base import Access, Adds, Method, MethodSpec
from serlab.training import Fitting, Settings
from serlab.training.objectives import ObjectiveSpec

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from serlab.methods.learners.adaptation import AdaptedNetwork, Renormalized, SupervisedAdaptation
    from serlab.methods.learners.deep import FineTuned, Network
    from serlab.training.epochs import Loss

PRESETS: tuple[str, ...] = ("demo", "quick", "paper")

#: Reference of z-scores by corpus or speaker.
SCHULLER = "Schuller et al. 2010, Cross-corpus acoustic emotion recognition"
#: Reference of z-scores by speaker that may not be made.
VOICES = "ours, see serlab.voices; z-scores by speaker as in Schuller et al. 2010"


def of_preset(settings: Mapping[str, Any], preset: str) -> Any:
    """Settings of a preset.

    Raises
    ------
    ParameterError
    """
    if preset not in settings:
        raise ParameterError(f"unknown preset {preset!r}; known: {', '.join(PRESETS)}")
    return settings[preset]


# --- one classifier in several scenarios -------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """On what a classifier is trained, and on whose scale.

    Attributes
    ----------
    title : str
    access : str
        See :class:`serlab.methods.base.MethodSpec`.
    normalization : str
        Empty: as all of the family.
    control : str
        Scenario that lacks the one thing which this one adds; empty for none.
    adds : str
        That thing.
    further_controls : mapping of str to str
        What else it adds -> scenario that lacks that.
    """

    title: str
    access: Access
    normalization: str = ""
    control: str = ""
    adds: Adds = ""
    further_controls: Mapping[Adds, str] = field(default_factory=dict)


SCENARIOS: Mapping[str, Scenario] = {
    "target": Scenario(title="target only", access="target-only"),
    "source": Scenario(title="source only", access="none"),
    "pooled": Scenario(title="source + target", access="few-shot", control="target", adds="source"),
    "source-z": Scenario(
        title="source only, per-corpus z",
        access="unlabelled",
        normalization="corpus",
        control="source",
        adds="unlabelled target",
    ),
    "source-voices": Scenario(
        title="source only, per-speaker z where voices allow",
        access="unlabelled",
        normalization="voices",
        control="source-z",
        adds="unlabelled target",
    ),
    "pooled-z": Scenario(
        title="source + target, per-corpus z",
        access="semi-supervised",
        normalization="corpus",
        control="source-z",
        adds="labels",
        further_controls={"source": "target-z"},
    ),
    "pooled-voices": Scenario(
        title="source + target, per-speaker z where voices allow",
        access="semi-supervised",
        normalization="voices",
        control="source-voices",
        adds="labels",
        further_controls={"source": "target-voices", "unlabelled target": "pooled-z"},
    ),
    "target-voices": Scenario(
        title="target only, per-speaker z where voices allow",
        access="target-semi-supervised",
        normalization="voices",
        control="target-z",
        adds="unlabelled target",
    ),
    "target-z": Scenario(
        title="target only, per-corpus z",
        access="target-semi-supervised",
        normalization="corpus",
        control="target",
        adds="unlabelled target",
    ),
    "target-speaker-z": Scenario(
        title="target only, per-speaker z",
        access="target-semi-supervised",
        normalization="speaker",
        control="target",
        adds="unlabelled target",
    ),
}

#: What of a history and of checkpoints is named after.
_STAGES: Mapping[Access, str] = {
    "none": "source",
    "unlabelled": "source",
    "few-shot": "pooled",
    "semi-supervised": "pooled",
    "target-only": "target",
    "target-semi-supervised": "target",
}


def grid(
    name: str,
    title: str,
    classifier: Callable[..., Any],
    references: Mapping[str, str],
    *,
    normalization: str = "source",
    **fields: Any,
) -> tuple[MethodSpec, ...]:
    """One classifier in some of :data:`SCENARIOS`.

    Parameters
    ----------
    name, title : str
        Of the classifier; those of the scenario follow.
    classifier : callable
    references : mapping
        Scenario -> reference, in the order of the specs.
    normalization : str
        Where the scenario leaves it open.
    **fields
        Of :class:`serlab.methods.base.MethodSpec`, for all of them.
    """
    return tuple(
        MethodSpec(
            name=f"{name}-{key}",
            title=f"{title}, {scenario.title}",
            access=scenario.access,
            normalization=scenario.normalization or normalization,
            build=trained(scenario.access, classifier),
            control=f"{name}-{scenario.control}" if scenario.control else "",
            adds=scenario.adds,
            further_controls={
                what: f"{name}-{lacks}"
                for what, lacks in scenario.further_controls.items()
                if lacks in references
            },
            reference=reference,
            **fields,
        )
        for key, reference in references.items()
        for scenario in (SCENARIOS[key],)
    )


def trained(
    access: Access,
    classifier: Callable[..., Any],
    *,
    align: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> Callable[..., Method]:
    """Builder of a classifier that is trained once, on all that its access gives.

    ``align`` as in :class:`serlab.methods.learners.scenarios.Adapted`.
    """

    def build(**settings: Any) -> Method:
        from serlab.methods.learners import scenarios

        more = {} if align is None else {"align": align}
        return scenarios.BY_ACCESS[access](classifier(_STAGES[access], **settings), **more)

    return build


def coral(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Rows of the source as :func:`serlab.methods.learners.alignment.coral` moves them."""
    from serlab.methods.learners import alignment

    return alignment.coral(source, target)


# --- networks ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network of one preset.

    Attributes
    ----------
    sizes : mapping
        What the architecture is built with.
    alone : serlab.training.Settings
        How it learns from one part.
    second : serlab.training.Settings, optional
        How it goes on where a second stage follows the source; as before if not given.
    balanced : bool
        Whether classes weigh the same. None of the papers says so of its own, so that the preset ``paper``
        leaves them as they are.
    one_thread : bool
        For matrices that are too small to be shared: threads that wait for each other cost more, and
        numbers repeat whatever the cores.
    """

    sizes: Mapping[str, Any] = field(default_factory=dict)
    alone: Settings
    second: Settings | None = None
    balanced: bool = True
    one_thread: bool = True

    @property
    def further(self) -> Settings:
        """Of the second stage."""
        return self.second or self.alone


def network(
    architecture: Callable[..., nn.Module],
    settings: Settings,
    *,
    stage: str,
    n_classes: int,
    seed: int,
    fitting: Fitting,
    balanced: bool = True,
    one_thread: bool = True,
    kind: type[Network] | None = None,
    **fields: Any,
) -> Network:
    """A network with its settings.

    Parameters
    ----------
    architecture, settings, stage, n_classes, seed, fitting, balanced
        See :class:`serlab.methods.learners.deep.Network`.
    one_thread : bool
        See :class:`Recipe`.
    kind : type, optional
        Subclass of Network; ``fields`` are its further fields.
    """
    from serlab.methods.learners.deep import Network

    return (kind or Network)(
        architecture,
        n_classes,
        seed,
        settings,
        balanced=balanced,
        fitting=replace(fitting, n_jobs=1) if one_thread else fitting,
        stage=stage,
        **fields,
    )


def networks(
    architecture: Callable[..., nn.Module],
    recipes: Mapping[str, Recipe],
    *,
    loss: Loss | None = None,
) -> Callable[..., Network]:
    """The classifier of a family of networks.

    Parameters
    ----------
    architecture : callable
        ``architecture(shape, n_classes, **sizes, **options)`` -> module, for utterances of a shape:
        (n_frames, n_features), or (n_features,) of vectors.
    recipes : mapping
        Preset -> recipe.
    loss
        See :class:`serlab.methods.learners.deep.Network`.
    """

    def classifier(
        stage: str, *, n_classes: int, seed: int, preset: str, fitting: Fitting, **options: Any
    ) -> Network:
        recipe = of_preset(recipes, preset)

        def build(*shape: int) -> nn.Module:
            return architecture(shape, n_classes, **recipe.sizes, **options)

        return network(
            build,
            recipe.alone,
            stage=stage,
            n_classes=n_classes,
            seed=seed,
            fitting=fitting,
            balanced=recipe.balanced,
            one_thread=recipe.one_thread,
            loss=loss,
        )

    return classifier


def fine_tuned(
    classifier: Callable[..., Network],
    recipes: Mapping[str, Recipe],
    *,
    start: tuple[str, ...] | None = None,
    update: tuple[str, ...] | None = None,
    on_scale: bool = False,
) -> Callable[..., FineTuned]:
    """Builder of a network that learns from the source, then from the labelled target.

    ``start`` and ``update`` as in :class:`serlab.methods.learners.deep.FineTuned`; ``on_scale``
    where the normalisation reads unlabelled target utterances, so that access is "semi-supervised".
    """

    def build(*, preset: str, **settings: Any) -> FineTuned:
        from serlab.methods.learners.deep import FineTuned, FineTunedOnScale

        source = classifier("source", preset=preset, **settings)
        kind = FineTunedOnScale if on_scale else FineTuned
        return kind(source, on_target=of_preset(recipes, preset).further, start=start, update=update)

    return build


def renormalized(classifier: Callable[..., Network]) -> Callable[..., Renormalized]:
    """Builder of a network that learns from the source, and takes the statistics of the target."""

    def build(**settings: Any) -> Renormalized:
        from serlab.methods.learners.adaptation import Renormalized

        return Renormalized(classifier("source", **settings))

    return build


def adapted(
    classifier: Callable[..., Network],
    recipes: Mapping[str, Recipe],
    objective: ObjectiveSpec,
    *,
    labelled: bool = False,
    **arguments: Any,
) -> Callable[..., AdaptedNetwork | SupervisedAdaptation]:
    """Builder of a network that learns from the source, then from both corpora by an objective.

    Parameters
    ----------
    classifier, recipes
        As in :func:`fine_tuned`.
    objective : ObjectiveSpec
        Its options are taken from those of the experiment.
    labelled : bool
        The second stage sees the labelled target instead of the unlabelled one.
    **arguments
        Of the objective, besides those of its entry.
    """

    def build(*, preset: str, **settings: Any) -> AdaptedNetwork | SupervisedAdaptation:
        from serlab.methods.learners.adaptation import AdaptedNetwork, SupervisedAdaptation

        own = {name: settings.pop(name) for name in objective.options if name in settings}
        kind = SupervisedAdaptation if labelled else AdaptedNetwork
        source = classifier("source", preset=preset, **settings)
        return kind(source, objective.build(**own, **arguments), of_preset(recipes, preset).further)

    return build
