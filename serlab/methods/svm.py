"""Linear support vector machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serlab.methods.base import MethodSpec
from serlab.methods.building import SCHULLER, VOICES, coral, grid, trained
from serlab.training import Fitting

if TYPE_CHECKING:
    from serlab.methods.learners.scenarios import Classifier


def linear_svm(
    stage: str,
    *,
    n_classes: int,
    seed: int,
    preset: str,
    fitting: Fitting,
    C: float = 1e-3,
    balanced: bool = True,
) -> Classifier:
    """Linear support vector machine of balanced classes, one against one; C as is usual for z-scored sets."""
    from sklearn.svm import SVC

    from serlab.methods.learners.scenarios import Classifier

    # libsvm has no random part here.
    return Classifier(SVC(kernel="linear", C=C, class_weight="balanced" if balanced else None), n_classes)


_LINEAR = "linear support vector machine, one against one"

SPECS: tuple[MethodSpec, ...] = (
    *grid(
        "svm",
        "SVM",
        linear_svm,
        {
            "source": _LINEAR,
            "target": _LINEAR,
            "pooled": _LINEAR,
            "source-z": SCHULLER,
            "source-voices": VOICES,
            "target-speaker-z": SCHULLER,
        },
        stochastic=False,
    ),
    MethodSpec(
        name="svm-coral",
        title="SVM, CORAL",
        access="unlabelled",
        normalization="corpus",
        build=trained("unlabelled", linear_svm, align=coral),
        control="svm-source-z",
        adds="alignment",
        stochastic=False,
        reference="Sun, Feng & Saenko 2016",
    ),
)
