"""Ridge regression in which every class of every corpus weighs the same: the plain way to use many sources.

Takes any feature set of vectors. :mod:`serlab.methods.encoder` has the same on layers of a
pretrained encoder. ``averaged`` asks one classifier a source and takes the mean of their
answers, instead of one that has learned from all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serlab.methods.base import MethodSpec
from serlab.methods.building import SCHULLER, VOICES, grid, trained
from serlab.methods.weighting import WEIGHTS
from serlab.training import Fitting

if TYPE_CHECKING:
    from serlab.methods.learners.many_sources import OneASource
    from serlab.methods.learners.self_training import BalancedRidge


def balanced_ridge(
    stage: str,
    *,
    n_classes: int,
    seed: int,
    preset: str,
    fitting: Fitting,
    encoder: str = "",
    source_weights: Any = None,
) -> BalancedRidge:
    """Penalty chosen on held-out speakers of what it learns from; nothing in it is random."""
    from serlab.methods.learners.self_training import BalancedRidge

    return BalancedRidge(n_classes, weigh=source_weights)


def one_a_source(
    stage: str,
    *,
    n_classes: int,
    seed: int,
    preset: str,
    fitting: Fitting,
    encoder: str = "",
    source_weights: Any = None,
) -> OneASource:
    """One such classifier for each corpus, and the mean of their answers."""
    from serlab.methods.learners.many_sources import OneASource
    from serlab.methods.learners.self_training import BalancedRidge

    return OneASource(n_classes, make=lambda: BalancedRidge(n_classes, weigh=source_weights))


#: Fields of a method that is a ridge regression.
RIDGE: dict[str, Any] = {"stochastic": False, "options": (WEIGHTS.name,)}
_RIDGE = "ridge regression, classes and corpora of equal weight"

SPECS: tuple[MethodSpec, ...] = (
    *grid(
        "ridge",
        "Ridge",
        balanced_ridge,
        {
            "target": _RIDGE,
            "source": _RIDGE,
            "pooled": _RIDGE,
            "source-z": SCHULLER,
            "source-voices": VOICES,
            "target-z": SCHULLER,
            "pooled-z": SCHULLER,
            "target-voices": VOICES,
            "pooled-voices": VOICES,
        },
        **RIDGE,
    ),
    MethodSpec(
        name="ridge-averaged-z",
        title="Ridge, mean of one a source, per-corpus z",
        access="unlabelled",
        normalization="corpus",
        build=trained("unlabelled", one_a_source),
        control="ridge-source-z",
        adds="combination",
        **RIDGE,
        reference="Schuller et al. 2011, Using multiple databases for training: agglomeration or voting",
    ),
)

GROUPS: dict[str, tuple[str, ...]] = {
    # One classifier: the source as it is, on the scale of the target, by voices; and one a source.
    "sources": ("ridge-source", "ridge-source-z", "ridge-source-voices", "ridge-averaged-z"),
}
