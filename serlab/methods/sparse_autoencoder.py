"""Feature transfer by sparse autoencoders, then a linear SVM: what Durrani & Arshad compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serlab.methods.base import MethodSpec
from serlab.methods.building import grid, of_preset
from serlab.methods.svm import linear_svm
from serlab.training import Fitting

if TYPE_CHECKING:
    from serlab.methods.learners.autoencoder import AutoencoderSVM, Reconstructed

#: Not printed in the papers that compare with it; see :class:`serlab.models.sparse_autoencoder.Sparsity`.
SPARSITY: dict[str, dict[str, Any]] = {
    "demo": {"n_hidden": 50, "iterations": 20},
    "quick": {},
    "paper": {},
}


def _classifier(stage: str, *, n_classes: int, seed: int, preset: str, fitting: Fitting) -> AutoencoderSVM:
    from serlab.methods.learners.autoencoder import AutoencoderSVM
    from serlab.models.sparse_autoencoder import Sparsity

    svm = linear_svm(
        stage,
        n_classes=n_classes,
        seed=seed,
        preset=preset,
        fitting=fitting,
        balanced=preset != "paper",  # whoever compares with it mentions no weights
    )
    return AutoencoderSVM(svm, Sparsity(**of_preset(SPARSITY, preset)), seed, fitting)


def _reconstructed(**settings: Any) -> Reconstructed:
    from serlab.methods.learners.autoencoder import Reconstructed

    return Reconstructed(_classifier("pooled", **settings))


_DENG = "Deng et al. 2013"

SPECS: tuple[MethodSpec, ...] = (
    MethodSpec(
        name="sae-svm",
        title="Sparse autoencoder + SVM",
        access="few-shot",
        build=_reconstructed,
        control="sae-svm-target",
        adds="source",
        reference=f"Durrani & Arshad, section 4.3; {_DENG}",
    ),
    *grid(
        "sae-svm",
        "Sparse autoencoder + SVM",
        _classifier,
        {
            "target": f"Durrani & Arshad, section 4.1; {_DENG}",
            "source": f"Durrani & Arshad, section 4.2; {_DENG}",
        },
    ),
)
