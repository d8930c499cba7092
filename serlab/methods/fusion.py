"""Several feature sets together: functionals and an encoder, prosody and spectrum.

Which, the parameter ``fused`` says: ``egemaps+encoder-speech:whisper-tiny``. Early: one ridge regression of
all features, in which each set has the same part; late: one a set, and the mean or the product of what they
answer. The control has the first set alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from serlab import features
from serlab.errors import ParameterError
from serlab.methods.base import Method, MethodSpec
from serlab.methods.building import SCHULLER, VOICES, grid, trained
from serlab.methods.options import Option
from serlab.methods.weighting import WEIGHTS
from serlab.training import Fitting

if TYPE_CHECKING:
    from serlab.methods.learners.fusion import OneASet
    from serlab.methods.learners.self_training import BalancedRidge

_KITTLER = "Kittler, Hatef, Duin & Matas 1998, On combining classifiers"


def fused(options: Mapping[str, Any]) -> str:
    """Feature set of :attr:`MethodSpec.features`: those that are fused.

    Raises
    ------
    ParameterError
        If fewer than two are named.
    """
    name = options.get("fused", "")
    if not features.get(name).parts if name else True:
        raise ParameterError(
            f"parameter 'fused' is {name!r}: name two feature sets of vectors or more with + between them "
            "(egemaps+librosa), or leave out the methods that fuse"
        )
    return str(name)


def _widths(name: str) -> tuple[int, ...]:
    return tuple(part.n_features for part in features.get(name).parts) if name else ()


def _ridge(n_classes: int, weigh: Any, **fields: Any) -> BalancedRidge:
    from serlab.methods.learners.self_training import BalancedRidge

    return BalancedRidge(n_classes, weigh=weigh, **fields)


def _early(
    stage: str,
    *,
    n_classes: int,
    seed: int,
    preset: str,
    fitting: Fitting,
    fused: str = "",
    source_weights: Any = None,
) -> BalancedRidge:
    from serlab.methods.learners.fusion import Balance

    return _ridge(n_classes, source_weights, scale=Balance(_widths(fused)))


def _late(how: str, sets: tuple[int, ...] | None = None) -> Callable[..., OneASet]:
    def classifier(
        stage: str,
        *,
        n_classes: int,
        seed: int,
        preset: str,
        fitting: Fitting,
        fused: str = "",
        source_weights: Any = None,
    ) -> OneASet:
        from serlab.methods.learners.fusion import OneASet

        return OneASet(lambda: _ridge(n_classes, source_weights), _widths(fused), how, sets)

    return classifier


_FIELDS: dict[str, Any] = {
    "stochastic": False,
    "features": fused,
    "options": ("fused", WEIGHTS.name),
}


def _spec(name: str, title: str, build: Callable[..., Method], *, voices: bool, reference: str) -> MethodSpec:
    scale = "voices" if voices else "z"
    said = "per-speaker z where voices allow" if voices else "per-corpus z"
    return MethodSpec(
        name=f"fused-{name}-{scale}",
        title=f"{title}, {said}",
        access="unlabelled",
        normalization="voices" if voices else "corpus",
        build=build,
        control=f"fused-first-source-{scale}",
        adds="combination",
        reference=reference,
        **_FIELDS,
    )


SPECS: tuple[MethodSpec, ...] = (
    *grid(
        "fused-first",
        "Ridge, the first feature set",
        _late("mean", (0,)),
        {"source": "ridge regression", "source-z": SCHULLER, "source-voices": VOICES},
        **_FIELDS,
    ),
    *(
        _spec(name, title, trained("unlabelled", classifier), voices=voices, reference=reference)
        for voices in (False, True)
        for name, title, classifier, reference in (
            (
                "early",
                "Ridge, feature sets beside each other",
                _early,
                "early fusion, each set of equal part",
            ),
            ("mean", "Ridge, mean of one a feature set", _late("mean"), _KITTLER),
            ("product", "Ridge, product of one a feature set", _late("product"), _KITTLER),
        )
    ),
)

GROUPS: dict[str, tuple[str, ...]] = {"fused": tuple(spec.name for spec in SPECS)}


def _check(value: str) -> None:
    if value:
        fused({"fused": value})


OPTIONS: tuple[Option, ...] = (
    Option(
        name="fused",
        default="",
        empty="none",
        title="fused feature sets",
        help="Feature sets that fusing methods put together, with + between them: egemaps+librosa.",
        check=_check,
        describe=lambda value, provided: f"Fused: {value.replace('+', ' and ')}." if value else "",
    ),
)
