"""A pretrained speech encoder whose blocks stay as they are, with adapters beside them that learn.

``lora`` (Hu et al. 2022) and ``ia3`` (Liu et al. 2022) beside all blocks, and ``head``, their control: the
same network whose blocks nothing is added to. Training stops by speakers of the source who are held out.
The input are the frames below the first block, computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from serlab.methods.base import MethodSpec
from serlab.methods.building import Recipe, fine_tuned, grid, network, of_preset
from serlab.methods.encoder import RECIPES as NEW_LAYERS
from serlab.methods.encoder import encoder_of
from serlab.training import Fitting, Settings

if TYPE_CHECKING:
    from torch import nn

    from serlab.methods.learners.encoder_top import Tuned

#: Ours. Adapters begin as nothing and bear a higher rate than pretrained weights; the source says when
#: to stop, so the epochs are an upper bound.
RECIPES: dict[str, Recipe] = {
    preset: Recipe(
        alone=Settings(
            epochs=epochs,
            batch_size=16,
            learning_rate=1e-3,
            weight_decay=1e-2,
            optimizer="adamw",
            patience=patience,
            accumulate=accumulate,
        ),
        one_thread=False,
    )
    for preset, epochs, patience, accumulate in (("demo", 2, 1, 1), ("quick", 8, 2, 1), ("paper", 40, 5, 2))
}


def below_all(options: Mapping[str, Any]) -> str:
    """Feature set of :attr:`MethodSpec.features`: frames of the layer that enters the first block.

    Raises
    ------
    ParameterError
        If no encoder is named.
    """
    return f"encoder-frames:{encoder_of(options)}@0"


def _tuned(
    stage: str, *, kind: str, n_classes: int, seed: int, preset: str, fitting: Fitting, encoder: str = ""
) -> Tuned:
    from serlab.methods.learners.encoder_top import Tuned, pretrained_tuned

    def architecture(n_frames: int, n_features: int) -> nn.Module:
        return pretrained_tuned(encoder, n_classes, kind=kind, recompute=preset == "paper")

    recipe = of_preset(RECIPES, preset)
    return network(
        architecture,
        recipe.alone,
        stage=stage,
        n_classes=n_classes,
        seed=seed,
        fitting=fitting,
        one_thread=recipe.one_thread,
        kind=Tuned,
        # The same speakers are held out from them: what is validated on is learned from by no layer.
        new_layers=replace(of_preset(NEW_LAYERS, preset).further, patience=recipe.alone.patience),
    )


_head: Callable[..., Tuned] = partial(_tuned, kind="none")
_lora: Callable[..., Tuned] = partial(_tuned, kind="lora")
_ia3: Callable[..., Tuned] = partial(_tuned, kind="ia3")

_HU = "Hu et al. 2022, LoRA: Low-rank adaptation of large language models"
_LIU = "Liu et al. 2022, Few-shot parameter-efficient fine-tuning (IA3)"
_FIELDS: dict[str, Any] = {
    "requires": "peft",
    "options": ("encoder",),
    "features": below_all,
    "input": "frames",
    "normalization": "none",  # the blocks go on from what the convolutions give
}


def _against_head(specs: tuple[MethodSpec, ...]) -> tuple[MethodSpec, ...]:
    """The same methods, with the network whose blocks nothing is added to as control."""
    return tuple(
        replace(spec, control=f"head-{spec.name.partition('-')[2]}", adds="tuned encoder") for spec in specs
    )


SPECS: tuple[MethodSpec, ...] = (
    *grid("head", "Encoder, head trained", _head, {"target": "control", "source": "control"}, **_FIELDS),
    *_against_head(grid("lora", "Encoder, LoRA", _lora, {"target": _HU, "source": _HU}, **_FIELDS)),
    *_against_head(grid("ia3", "Encoder, IA3", _ia3, {"source": _LIU}, **_FIELDS)),
    MethodSpec(
        name="lora-finetuned",
        title="Encoder, LoRA, source, then target",
        access="few-shot",
        build=fine_tuned(_lora, RECIPES),
        control="lora-target",
        adds="source",
        reference=_HU,
        **_FIELDS,
    ),
)

GROUPS: dict[str, tuple[str, ...]] = {
    # Slow without a GPU: the gradient goes through the whole encoder.
    "encoder-adapters": ("lora-target", "lora-source", "ia3-source", "lora-finetuned"),
}
