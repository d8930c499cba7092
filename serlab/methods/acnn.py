"""The attentive convolutional network of Neumann & Vu: within a corpus, across corpora, fine-tuned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serlab.errors import ParameterError
from serlab.methods.base import MethodSpec
from serlab.methods.building import SCHULLER, Recipe, fine_tuned, grid, networks, trained
from serlab.methods.options import Option
from serlab.training import Settings

if TYPE_CHECKING:
    from serlab.models.acnn import ACNN

#: Neumann & Vu, section 4: Adam, batches of 32, 200 kernels, 50 epochs, 10 for
#: fine-tuning; ``quick`` has fewer epochs. No learning rate is printed: Adam's
#: default. No class weights and no early stopping: the paper has neither. ``paper`` pads with zeros as
#: section 2 says, so that every utterance has eight attention weights; the others mask what was not recorded.
RECIPES: dict[str, Recipe] = {
    preset: Recipe(
        sizes={"n_kernels": n_kernels, "of_preset": padding},
        alone=Settings(epochs=epochs, learning_rate=1e-3),
        second=Settings(epochs=10, learning_rate=1e-3),
        balanced=False,
        one_thread=False,
    )
    for preset, n_kernels, epochs, padding in (
        ("demo", 50, 10, "masked"), ("quick", 200, 20, "masked"), ("paper", 200, 50, "zeros")
    )
}  # fmt: skip

#: What the network sees after the end of an utterance, see :class:`serlab.models.acnn.ACNN`.
PADDINGS: tuple[str, ...] = ("masked", "zeros")


def _architecture(
    shape: tuple[int, ...], n_classes: int, *, n_kernels: int, of_preset: str, padding: str = ""
) -> ACNN:
    from serlab.models.acnn import ACNN

    n_frames, n_features = shape
    # The paper's 7.5 s where no utterance is as long, too; more where one is longer.
    return ACNN(
        n_features,
        n_classes,
        n_frames=max(750, n_frames),
        n_kernels=n_kernels,
        padding=padding or of_preset,
    )


_network = networks(_architecture, RECIPES)

_PAPER = "Neumann & Vu, section 4, experiment"

#: Section 4: all experiments are run five times, and the means reported.
REPEATS = 5

#: Labelled utterances of the target that experiment d fine-tunes with.
LIMIT = 100

SPECS: tuple[MethodSpec, ...] = (
    *grid(
        "acnn",
        "ACNN",
        _network,
        {"target": f"{_PAPER} a", "pooled": f"{_PAPER} b", "source": f"{_PAPER} c", "source-z": SCHULLER},
        input="frames",
        options=("padding",),
    ),
    MethodSpec(
        name="acnn-target-1308",
        title="ACNN, target only, 1308 utterances",
        access="target-only",
        input="frames",
        target_limit=1308,  # as many as RECOLA has: is a small corpus what makes it hard?
        build=trained("target-only", _network),
        options=("padding",),
        reference="Neumann & Vu, section 5",
    ),
    MethodSpec(
        name="acnn-target-100",
        title="ACNN, target only, 100 labels",
        access="target-only",
        input="frames",
        target_limit=LIMIT,  # the same ones, drawn by fold and seed
        build=trained("target-only", _network),
        options=("padding",),
        reference="control of experiment d",
    ),
    MethodSpec(
        name="acnn-finetuned",
        title="ACNN, fine-tuned",
        access="few-shot",
        input="frames",
        target_limit=LIMIT,
        build=fine_tuned(_network, RECIPES),
        options=("padding",),
        control="acnn-target-100",
        adds="source",
        reference=f"{_PAPER} d",
    ),
)

GROUPS: dict[str, tuple[str, ...]] = {
    # Experiments a to d with the control of d, and c with what is known of the unlabelled target.
    "neumann-vu": (
        "acnn-target",
        "acnn-pooled",
        "acnn-source",
        "acnn-finetuned",
        "acnn-target-100",
        "acnn-source-z",
    ),
    # Section 5; of a target that has no more utterances, it is acnn-target once more.
    "neumann-vu-sizes": ("acnn-target", "acnn-target-1308"),
}


def _check_padding(value: str) -> None:
    if value not in ("", *PADDINGS):
        raise ParameterError(f"parameter 'padding': {value!r} is none of {', '.join(PADDINGS)}, or empty")


OPTIONS: tuple[Option, ...] = (
    Option(
        name="padding",
        default="",
        empty="zeros with the preset paper, else masked",
        title="ACNN padding",
        help="What the ACNN sees after the end of an utterance: 'masked' (nothing), 'zeros' (as printed), or "
        "empty for zeros with the preset paper and masked with the others.",
        check=_check_padding,
    ),
)
