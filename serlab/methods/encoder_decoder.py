"""The encoder-decoder of Durrani & Arshad, and which of its parts are taken from the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serlab.methods.base import MethodSpec
from serlab.methods.building import Recipe, fine_tuned, grid, networks, trained
from serlab.training import Settings

if TYPE_CHECKING:
    from serlab.models.encoder_decoder import EncoderDecoder

#: Durrani & Arshad print neither sizes nor optimiser. Chosen by
#: ``benchmarks/choose_encoder_decoder.py`` on held-out speakers of EmoDB and of
#: RAVDESS, each by itself: 64 units, rate .003 and 50 epochs had the best mean
#: UAR (``paper``). 32 units, rate .001 and 20 epochs lose .05 and .02 for a
#: sixth of the time (``quick``). URDU was not looked at.
RECIPES: dict[str, Recipe] = {
    preset: Recipe(
        sizes={"units": units},
        balanced=preset != "paper",
        alone=Settings(epochs=epochs, batch_size=batch_size, learning_rate=rate, clip=5.0),
    )
    for preset, units, epochs, batch_size, rate in (
        ("demo", 16, 6, 64, 1e-2),
        ("quick", 32, 20, 32, 1e-3),
        ("paper", 64, 50, 32, 3e-3),
    )
}


def _architecture(shape: tuple[int, ...], n_classes: int, *, units: int) -> EncoderDecoder:
    from serlab.models.encoder_decoder import EncoderDecoder

    return EncoderDecoder(shape[-1], n_classes, channels=units, units=units)


_network = networks(_architecture, RECIPES)

_PAPER = "Durrani & Arshad"

#: Most labelled utterances of the target in the paper's transfer.
LIMIT = 320


def _transfer(
    name: str,
    title: str,
    section: str,
    *,
    start: tuple[str, ...] | None = None,
    update: tuple[str, ...] | None = None,
) -> MethodSpec:
    """``start`` and ``update`` as in :class:`serlab.methods.learners.deep.FineTuned`."""
    return MethodSpec(
        name=f"encdec-{name}",
        title=f"Encoder-decoder, {title}",
        access="few-shot",
        input="frames",
        target_limit=LIMIT,
        build=fine_tuned(_network, RECIPES, start=start, update=update),
        control="encdec-target-320",
        adds="source",
        reference=f"{_PAPER}, {section}",
    )


SPECS: tuple[MethodSpec, ...] = (
    *grid(
        "encdec",
        "Encoder-decoder",
        _network,
        {
            "target": f"{_PAPER}, section 4.1",
            "source": f"{_PAPER}, section 4.2",
            "pooled": f"{_PAPER}, section 4.3",
        },
        input="frames",
    ),
    MethodSpec(
        name="encdec-target-320",
        title="Encoder-decoder, target only, 320 labels",
        access="target-only",
        input="frames",
        target_limit=LIMIT,  # the same ones, drawn by fold and seed
        build=trained("target-only", _network),
        reference="control of the transfer",
    ),
    _transfer("transfer", "encoder fine-tuned", "section 2", update=("encoder",)),
    _transfer("from-encoder", "encoder from source", "section 5", start=("encoder",)),
    _transfer(
        "from-encoder-attention",
        "encoder + attention from source",
        "section 5",
        start=("encoder", "attention"),
    ),
    _transfer("from-decoder", "decoder from source", "section 5", start=("decoder",)),
    _transfer("from-all", "all from source", "section 5"),
)
