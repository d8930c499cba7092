"""Ridge regression that has many sources, or a target whose classes and recordings are others.

Each on the features of the experiment (``ridge``) and on all layers of a pretrained encoder (``probe``):

- shares of the target's classes found without labels, and answers adjusted to them (``em``, ``bbse``);
- test-time adaptation of the linear classifier (``t3a``, ``tent``, ``shot``);
- cautious self-training with each voice on its own scale (``cautious-voices``);
- ``nested``: of these ways the one that is best on sources left out, see
  :mod:`serlab.methods.learners.nested`;
- ``softmax``: as good as can be on average over the corpora, or for the worst of them (``dro``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from serlab.methods import encoder
from serlab.methods.base import MethodSpec
from serlab.methods.building import SCHULLER, grid, trained
from serlab.methods.ridge import RIDGE, balanced_ridge, one_a_source
from serlab.methods.weighting import WEIGHTS
from serlab.training import Fitting

if TYPE_CHECKING:
    from serlab.methods.learners.group_robust import SoftmaxOfCorpora
    from serlab.methods.learners.label_shift import ShiftedPriors
    from serlab.methods.learners.nested import NestedChoice
    from serlab.methods.learners.self_training import CautiouslySemiSupervised
    from serlab.methods.learners.test_time import AffineAdapted, Prototypes


def _em(*, encoder: str = "", **settings: Any) -> ShiftedPriors:
    from serlab.methods.learners.label_shift import ShiftedPriors

    return ShiftedPriors(balanced_ridge("source", **settings), how="em")


def _bbse(*, encoder: str = "", **settings: Any) -> ShiftedPriors:
    from serlab.methods.learners.label_shift import ShiftedPriors

    return ShiftedPriors(balanced_ridge("source", **settings), how="bbse")


def _t3a(*, encoder: str = "", **settings: Any) -> Prototypes:
    from serlab.methods.learners.test_time import Prototypes

    return Prototypes(balanced_ridge("source", **settings))


def _tent(*, encoder: str = "", **settings: Any) -> AffineAdapted:
    from serlab.methods.learners.test_time import AffineAdapted

    return AffineAdapted(balanced_ridge("source", **settings))


def _shot(*, encoder: str = "", **settings: Any) -> AffineAdapted:
    from serlab.methods.learners.test_time import AffineAdapted

    return AffineAdapted(balanced_ridge("source", **settings), diverse=True)


def _cautious_pooled(*, encoder: str = "", **settings: Any) -> CautiouslySemiSupervised:
    from serlab.methods.learners.self_training import CautiouslySemiSupervised

    return CautiouslySemiSupervised(balanced_ridge("pooled", **settings))


def _nested(
    *, n_classes: int, seed: int, preset: str, fitting: Fitting, encoder: str = "", source_weights: Any = None
) -> NestedChoice:
    from serlab.methods.learners.nested import NestedChoice

    return NestedChoice(n_classes, weigh=source_weights)


def _softmax(
    stage: str, *, n_classes: int, seed: int, preset: str, fitting: Fitting, encoder: str = ""
) -> SoftmaxOfCorpora:
    from serlab.methods.learners.group_robust import SoftmaxOfCorpora

    return SoftmaxOfCorpora(n_classes)


def _dro(stage: str, *, n_classes: int, encoder: str = "", **settings: Any) -> SoftmaxOfCorpora:
    from serlab.methods.learners.group_robust import SoftmaxOfCorpora

    return SoftmaxOfCorpora(n_classes, robust=True)


#: Name, title, builder, scenario whose classifier it changes, reference.
_WAYS: tuple[tuple[str, str, Callable[..., Any], str, str], ...] = (
    ("em-z", "shares of classes by EM, per-corpus z", _em, "source-z", "Saerens et al. 2002"),
    ("bbse-z", "shares of classes by BBSE, per-corpus z", _bbse, "source-z", "Lipton et al. 2018"),
    ("t3a-z", "T3A, per-corpus z", _t3a, "source-z", "Iwasawa & Matsuo 2021"),
    ("tent-z", "TENT, per-corpus z", _tent, "source-z", "Wang et al. 2021, Tent"),
    ("shot-z", "SHOT, per-corpus z", _shot, "source-z", "Liang et al. 2020"),
    (
        "cautious",
        "cautious self-training, per-corpus z",
        encoder.cautious,
        "source-z",
        "ours, after Zou et al. 2018; see docs/choices.md",
    ),
    (
        "cautious-voices",
        "cautious self-training, per-speaker z where voices allow",
        encoder.cautious,
        "source-voices",
        "ours, after Zou et al. 2018; see docs/choices.md",
    ),
    (
        "nested-z",
        "chosen on sources left out, per-corpus z",
        _nested,
        "source-z",
        "ours; each way its own reference, see serlab.methods.learners.nested",
    ),
    (
        "nested",
        "chosen on sources left out, per-speaker z where voices allow",
        _nested,
        "source-voices",
        "ours; each way its own reference, see serlab.methods.learners.nested",
    ),
)


def _family(name: str, title: str, softmax_title: str, **fields: Any) -> tuple[MethodSpec, ...]:
    """All of them with one kind of features."""
    softmax = f"{name}-softmax"
    # Corpora weigh the same in it, or as its game finds.
    plain = {**fields, "options": tuple(option for option in fields["options"] if option != WEIGHTS.name)}
    return (
        *(
            MethodSpec(
                name=f"{name}-{way}",
                title=f"{title}, {said}",
                access="unlabelled",
                normalization="voices" if scenario == "source-voices" else "corpus",
                build=build,
                control=f"{name}-{scenario}",
                adds="unlabelled target",
                reference=reference,
                **fields,
            )
            for way, said, build, scenario, reference in _WAYS
        ),
        MethodSpec(
            name=f"{name}-cautious-pooled",
            title=f"{title}, cautious self-training, source + target, per-speaker z where voices allow",
            access="semi-supervised",
            normalization="voices",
            build=_cautious_pooled,
            control=f"{name}-pooled-voices",
            adds="unlabelled target",
            reference="ours, after Zou et al. 2018; see docs/choices.md",
            **fields,
        ),
        *grid(
            softmax,
            softmax_title,
            _softmax,
            {"source": "multinomial logistic regression", "source-z": SCHULLER},
            **plain,
        ),
        MethodSpec(
            name=f"{softmax}-dro-z",
            title=f"{softmax_title}, group DRO over corpora, per-corpus z",
            access="unlabelled",
            normalization="corpus",
            build=trained("unlabelled", _dro),
            control=f"{softmax}-source-z",
            adds="combination",
            reference="Sagawa et al. 2020",
            **plain,
        ),
    )


SPECS: tuple[MethodSpec, ...] = (
    *_family("ridge", "Ridge", "Softmax", **RIDGE),
    *_family("probe", "Encoder, linear", "Encoder, linear softmax", **encoder.PROBE),
    MethodSpec(
        name="probe-averaged-z",
        title="Encoder, linear, mean of one a source, per-corpus z",
        access="unlabelled",
        normalization="corpus",
        build=trained("unlabelled", one_a_source),
        control="probe-source-z",
        adds="combination",
        reference="Schuller et al. 2011, Using multiple databases for training: agglomeration or voting",
        **encoder.PROBE,
    ),
)

GROUPS: dict[str, tuple[str, ...]] = {
    # What many sources and an unlabelled target allow, each beside its control.
    f"many-{name}": tuple(
        f"{name}-{way}"
        for way in (
            "source-z", "source-voices", "averaged-z", "em-z", "bbse-z", "t3a-z", "tent-z", "shot-z",
            "softmax-source-z", "softmax-dro-z", "cautious-voices", "nested",
        )
    )
    for name in ("ridge", "probe")
}  # fmt: skip
