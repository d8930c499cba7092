"""Adapters of feature vectors from the library skada, then a linear SVM.

See :mod:`serlab.methods.learners.vector_adaptation` for what they do, and for
references. skada is an optional extra: ``pip install "serlab[adaptation]"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from serlab.methods.base import MethodSpec
from serlab.methods.svm import linear_svm
from serlab.training import Fitting

if TYPE_CHECKING:
    from serlab.methods.learners.vector_adaptation import VectorAdaptation


def _spec(name: str, title: str, adapter: str, reference: str, *, C: float = 1e-3) -> MethodSpec:
    """``adapter``: of :data:`serlab.methods.learners.vector_adaptation.ADAPTERS`."""

    def build(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> VectorAdaptation:
        from serlab.methods.learners import vector_adaptation

        vector_adaptation.skada()  # missing: say so before anything is computed
        svm = linear_svm("source", n_classes=n_classes, seed=seed, preset=preset, fitting=fitting, C=C)
        return vector_adaptation.VectorAdaptation(vector_adaptation.ADAPTERS[adapter], svm)

    return MethodSpec(
        name=f"svm-{name}",
        title=f"SVM, {title}",
        access="unlabelled",
        normalization="source",
        build=build,
        control="svm-source-z",  # they z-score each corpus by itself, too
        adds="alignment",
        stochastic=False,
        requires="skada",
        reference=f"{reference}; skada",
    )


SPECS: tuple[MethodSpec, ...] = (
    _spec("skada-coral", "CORAL (skada)", "coral", "Sun, Feng & Saenko 2016"),
    # Components have a mean squared norm of 1, z-scored features one of hundreds.
    _spec("tca", "TCA", "transfer components", "Pan et al. 2011", C=10.0),
    _spec("subspace", "subspace alignment", "subspace alignment", "Fernando et al. 2013"),
    _spec("ot", "optimal transport", "optimal transport", "Courty et al. 2017"),
)
