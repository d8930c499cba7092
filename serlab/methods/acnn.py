"""The attentive convolutional network of Neumann & Vu: within a corpus, across corpora, fine-tuned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serlab.methods.base import MethodSpec
from serlab.methods.building import SCHULLER, Recipe, fine_tuned, grid, networks
from serlab.training import Settings

if TYPE_CHECKING:
    from serlab.models.acnn import ACNN

#: Neumann & Vu, section 4: Adam, batches of 32, 200 kernels, 50 epochs, 10 for
#: fine-tuning; ``quick`` has fewer epochs. No learning rate is printed: Adam's
#: default. No class weights and no early stopping: the paper has neither.
RECIPES: dict[str, Recipe] = {
    preset: Recipe(
        sizes={"n_kernels": n_kernels},
        alone=Settings(epochs=epochs, learning_rate=1e-3),
        second=Settings(epochs=10, learning_rate=1e-3),
        one_thread=False,
    )
    for preset, n_kernels, epochs in (("demo", 50, 10), ("quick", 200, 20), ("paper", 200, 50))
}


def _architecture(shape: tuple[int, ...], n_classes: int, *, n_kernels: int) -> ACNN:
    from serlab.models.acnn import ACNN

    n_frames, n_features = shape
    # The paper's 7.5 s where no utterance is as long, too; more where one is longer.
    return ACNN(n_features, n_classes, n_frames=max(750, n_frames), n_kernels=n_kernels)


_network = networks(_architecture, RECIPES, balanced=False)

_PAPER = "Neumann & Vu, section 4, experiment"

#: Section 4: all experiments are run five times, and the means reported.
REPEATS = 5

SPECS: tuple[MethodSpec, ...] = (
    *grid(
        "acnn",
        "ACNN",
        _network,
        {"target": f"{_PAPER} a", "pooled": f"{_PAPER} b", "source": f"{_PAPER} c", "source-z": SCHULLER},
        input="frames",
    ),
    MethodSpec(
        name="acnn-finetuned",
        title="ACNN, fine-tuned",
        access="few-shot",
        input="frames",
        target_limit=100,
        build=fine_tuned(_network, RECIPES),
        control="acnn-target",
        adds="source",
        reference=f"{_PAPER} d",
    ),
)

GROUPS: dict[str, tuple[str, ...]] = {
    # Experiments a to d, and c with what is known of the unlabelled target.
    "neumann-vu": ("acnn-target", "acnn-pooled", "acnn-source", "acnn-finetuned", "acnn-source-z"),
}
