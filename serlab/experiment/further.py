"""What a notebook may ask beside its methods: curves, sweeps and probes, each of them a choice.

They take longer than the methods themselves, often with fits of their own; so they have names, for the
parameter ``studies``. What they compute is in :mod:`serlab.studies`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Study:
    """One question beside the methods.

    Attributes
    ----------
    title : str
        What it shows, in a few words.
    kept : tuple of str
        Beginnings of the names under which a session keeps its work, for how long it took.
    """

    title: str
    kept: tuple[str, ...]


STUDIES: dict[str, Study] = {
    "few-shot": Study("UAR by number of labelled target utterances", ("few-shot",)),
    "random-split": Study("the same with a random split, as printed", ("random-split",)),
    "speaker-probe": Study("what a random split rests on: two probes of the speaker", ("confounds",)),
    "trade-off": Study("lambda, chosen without target labels", ("sweep",)),
    "target-head": Study("an output layer for the target's own classes", ("target-head",)),
    "source-stage": Study("each source by itself, as printed", ("source-stage",)),
    "layer-probes": Study("what each layer of a pretrained network carries", ("probes", "verification")),
    "layer-weights": Study("which layers of an encoder a classifier takes", ("layer-weights",)),
    "source-sets": Study("every set of sources, and what is known of each before", ("sources",)),
    "calibration": Study("probabilities with a temperature from held-out speakers", ("calibration",)),
    "model": Study("a model of the sources that is kept, and asked about recordings", ("model",)),
    "robustness": Study("test recordings by telephone, in rooms, among voices", ("robustness",)),
}
