"""Feature sets computed by openSMILE: the field's reference.

openSMILE is free for research and teaching only; a product needs a licence of
audEERING. It is an optional extra of serlab: ``pip install 'serlab[opensmile]'``.
The set ``librosa`` carries no such condition.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from serlab import extras
from serlab.audio import SAMPLE_RATE
from serlab.features.base import Extractor, FeatureSet

LICENSE = "openSMILE: research, teaching and personal use only, not for products (audEERING Research License)"


def _load(config: str) -> tuple[tuple[str, ...], Extractor]:
    """Names and extractor of one of openSMILE's own configurations."""
    import opensmile  # takes a second

    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet[config], feature_level=opensmile.FeatureLevel.Functionals
    )

    def extract(samples: np.ndarray) -> np.ndarray:
        # Every call builds its own native component graph, so one Smile serves all threads.
        return smile(samples, SAMPLE_RATE).ravel().astype(np.float32, copy=False)

    return tuple(smile.feature_names), extract


def _require(name: str) -> None:
    extras.require(
        "opensmile",
        extra="opensmile",
        purpose=f"the feature set {name}",
        instead="Its licence is for research only; the free feature set is librosa: -p features=librosa",
    )


IS10 = FeatureSet(
    name="is10",
    title="INTERSPEECH 2010 Paralinguistic Challenge (emobase2010), 1582 functionals",
    version="1",
    license=LICENSE,
    reference="Schuller et al. (2010), The INTERSPEECH 2010 Paralinguistic Challenge; "
    "the set of Andova & Lustrek, section 3",
    settings={"config": "IS10"},
    libraries=("opensmile",),
    require=partial(_require, "is10"),
    n_features=1582,
    load=partial(_load, "IS10"),
)

EGEMAPS = FeatureSet(
    name="egemaps",
    title="extended Geneva Minimalistic Acoustic Parameter Set v02, 88 functionals",
    version="1",
    license=LICENSE,
    reference="Eyben et al. (2016), The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for Voice "
    "Research and Affective Computing",
    settings={"config": "eGeMAPSv02"},
    libraries=("opensmile",),
    require=partial(_require, "egemaps"),
    n_features=88,
    load=partial(_load, "eGeMAPSv02"),
)
