"""Baklouti et al.: VGG16 trained on a source and adapted to a target by MMD.

With the preset ``paper`` everything learns. The others freeze the
convolutions, so that every utterance goes through them once and only the
fully connected layers are trained, on vectors.

These vectors are z-scored, which the paper does not do, see
:mod:`serlab.methods.learners.convolutions`. Methods that see the target z-score each corpus
by itself, as AdaBN does (Li et al. 2016), because convolutions that do not learn
cannot follow a channel. ``vgg16-source-z`` shows what that does without MMD, and
``vgg16-unaligned*`` with the second stage, too: with the preset ``paper`` these alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serlab.errors import ParameterError, ProtocolError
from serlab.methods.adapters import adapter, objective, unaligned
from serlab.methods.base import Method, MethodSpec
from serlab.methods.building import Recipe, fine_tuned, grid, networks, of_preset, trained
from serlab.methods.options import Asked, Option
from serlab.training import Settings

if TYPE_CHECKING:
    from torch import nn

    from serlab.models.vgg16 import VGG16
    from serlab.pretrained.imagenet import Weights

#: ``paper``: section 4.2 (Adam, 1e-4, batches of 16, 400 epochs) and 4.3.2 (50
#: epochs). The others have smaller images and layers, and frozen convolutions;
#: rate and epochs of ``quick`` do on held-out speakers of EmoDB (UAR .75) and of
#: RAVDESS (.62), each by itself, what 40 epochs at 1e-4 do in a third of the time.
#: Sizes: see :class:`serlab.models.vgg16.VGG16`; ``frozen``: convolutions do not learn.
RECIPES: dict[str, Recipe] = {
    preset: Recipe(
        sizes={"image_size": image_size, "pooled": pooled, "hidden": hidden, "frozen": preset != "paper"},
        alone=Settings(epochs=epochs, batch_size=batch_size, learning_rate=rate),
        second=Settings(epochs=further, batch_size=batch_size, learning_rate=rate),
        balanced=False,  # as printed, with every preset
        one_thread=False,
    )
    for preset, image_size, pooled, hidden, batch_size, rate, epochs, further in (
        ("demo", 32, 1, 128, 32, 1e-3, 15, 10),
        ("quick", 64, 2, 512, 32, 3e-4, 20, 10),
        ("paper", 224, 7, 4096, 16, 1e-4, 400, 50),
    )
}


def _architecture(
    shape: tuple[int, ...], n_classes: int, *, frozen: bool, weights: Weights | None, **sizes: int
) -> nn.Module:
    """VGG16; with frozen convolutions its fully connected part, which begins with random weights."""
    from serlab.models.vgg16 import FROM_IMAGENET, Top

    if frozen:
        return Top(shape[-1], n_classes, hidden=sizes["hidden"])
    return _vgg16(n_classes, weights, only=FROM_IMAGENET, frozen=False, **sizes)


def _vgg16(
    n_classes: int, weights: Weights | None, *, only: tuple[str, ...], frozen: bool, **sizes: int
) -> VGG16:
    from serlab.models.vgg16 import VGG16
    from serlab.pretrained import imagenet

    network = VGG16(n_classes, freeze_convolutions=frozen, **sizes)
    if weights is not None:
        imagenet.load_into(network, imagenet.read(weights), only=only)
    return network


_network = networks(_architecture, RECIPES)


def _source_z(*, preset: str, **settings: Any) -> Method:
    if not of_preset(RECIPES, preset).sizes["frozen"]:
        raise ProtocolError(
            "vgg16-source-z z-scores what frozen convolutions give, and with the preset 'paper' they learn; "
            "choose vgg16-source, or another preset"
        )
    return trained("unlabelled", _network)(preset=preset, **settings)


def _of_images(spec: MethodSpec) -> MethodSpec:
    """The same on images: with frozen convolutions, on what they give."""

    def build(*, weights: Weights | None = None, **settings: Any) -> Method:
        sizes = of_preset(RECIPES, settings["preset"]).sizes
        method = spec.build(weights=weights, **settings)
        if not sizes["frozen"]:
            return method
        from serlab import training
        from serlab.methods.learners.convolutions import ON_CONVOLUTIONS

        with training.seeded(settings["seed"]):
            network = _vgg16(settings["n_classes"], weights, only=("features",), **sizes)
        return ON_CONVOLUTIONS[spec.access](network, method, settings["fitting"])

    return replace(
        spec,
        normalization="none",  # an image has its own scale
        input="frames",
        features="logmel64",  # and is made of decibels
        build=build,
        options=("weights", *spec.options),
    )


def _spec(name: str, title: str, build: Callable[..., Method], reference: str, **fields: Any) -> MethodSpec:
    return MethodSpec(
        name=f"vgg16-{name}",
        title=f"VGG16, {title}",
        build=build,
        reference=f"Baklouti et al., {reference}",
        **fields,
    )


def _mmd(
    name: str,
    title: str,
    control: str,
    reference: str = "",
    *,
    arguments: Mapping[str, Any] | None = None,
    **fields: Any,
) -> MethodSpec:
    """With the preset ``paper`` lambda is the same throughout, as equation 1 is written; else it rises."""
    rising, constant = (
        adapter(
            objective("mmd"),
            _network,
            RECIPES,
            name=f"vgg16-{name}",
            title=f"VGG16, {title}",
            control=f"vgg16-{control}",
            reference=reference and f"Baklouti et al., {reference}",
            arguments={**(arguments or {}), "rises": rises},
            **fields,
        )
        for rises in (True, False)
    )

    def build(*, preset: str, **settings: Any) -> Method:
        return (constant if preset == "paper" else rising).build(preset=preset, **settings)

    return replace(rising, build=build)


def _unaligned(aligned: MethodSpec, control: str, said: str = "", **fields: Any) -> MethodSpec:
    title = f"VGG16, second stage without alignment{said}"
    return unaligned(aligned, title=title, control=f"vgg16-{control}", **fields)


_MMD = _mmd("mmd", "MMD", "unaligned", swept=True)
_SUPERVISED = _mmd(
    "mmd-supervised",
    "MMD, source + target labels",
    "unaligned-supervised",
    "equations 1 and 2, with labels of both",
    labelled=True,
)
_HEADED = _mmd(
    "mmd-head",
    "MMD, target head",
    "unaligned-head",
    "equations 1 and 2, with labels of both; label sets may differ",
    labelled=True,
    arguments={"target_head": True},
)

#: Section 4.3.2: each experiment is repeated ten times.
REPEATS = 10

#: ``trade_off`` is lambda of equation 1.
SPECS: tuple[MethodSpec, ...] = tuple(
    _of_images(spec)
    for spec in (
        *grid(
            "vgg16",
            "VGG16",
            _network,
            {"target": "Baklouti et al., section 4.3.1", "source": "Baklouti et al., section 3.1"},
        ),
        _spec(
            "source-z",
            "source only, per-corpus z",
            _source_z,
            "control of the MMD",
            access="unlabelled",
            control="vgg16-source",
            adds="unlabelled target",
        ),
        _spec(
            "finetuned",
            "fine-tuned",
            fine_tuned(_network, RECIPES),
            "table 5: transfer learning",
            access="few-shot",
            control="vgg16-target",
            adds="source",
        ),
        _MMD,
        _unaligned(_MMD, "source-z"),
        _SUPERVISED,
        _unaligned(_SUPERVISED, "finetuned", ", source + target labels"),
        _HEADED,
        # With an output layer of its own; fine-tuned it has the source's.
        _unaligned(_HEADED, "target", ", target head", adds="source"),
    )
)

GROUPS: dict[str, tuple[str, ...]] = {
    # The paper's own network, in both readings of equation 1.
    "vgg16": (
        "vgg16-target", "vgg16-source", "vgg16-source-z", "vgg16-finetuned", "vgg16-unaligned", "vgg16-mmd",
        "vgg16-unaligned-supervised", "vgg16-mmd-supervised",
    ),
}  # fmt: skip


def _provided(asked: Asked) -> Weights | None:
    """None for random initialisation, also where published weights were downloaded before."""
    from serlab.pretrained import imagenet

    if not asked.value:
        return None
    download = asked.value == "download"
    return imagenet.find(
        "" if download else asked.value, download=download, progress=asked.progress, cancel=asked.cancel
    )


def _look(value: str) -> None:
    if value not in ("", "download") and not Path(value).expanduser().is_file():
        raise ParameterError(f"there is no file of weights {value}; give its path, 'download', or nothing")


def _described(value: str, weights: Weights | None) -> str:
    from serlab.pretrained import imagenet

    return f"VGG16 begins with {imagenet.describe(weights)}."


#: ``weights`` is given to builders as :class:`serlab.pretrained.imagenet.Weights`, or None.
OPTIONS: tuple[Option, ...] = (
    Option(
        name="weights",
        default="",
        empty="random",
        title="VGG16 weights",
        help="ImageNet weights for VGG16: a local file, 'download', or empty for random initialisation.",
        look=_look,
        provide=_provided,
        describe=_described,
        is_path=True,
    ),
)
