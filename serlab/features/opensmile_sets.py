"""Feature sets computed by openSMILE: the field's reference.

openSMILE is free for research and teaching only; a product needs a licence of
audEERING. The set ``librosa`` carries no such condition.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from serlab.audio import SAMPLE_RATE
from serlab.errors import ParameterError
from serlab.features.base import Extractor, FeatureSet

LICENSE = "openSMILE: research, teaching and personal use only, not for products (audEERING Research License)"


def _version() -> str:
    try:
        return version("opensmile")
    except PackageNotFoundError:
        return "not installed"


def _load(config: str) -> tuple[tuple[str, ...], Extractor]:
    """Names and extractor of one of openSMILE's own configurations."""
    try:
        import opensmile  # takes a second
    except ImportError as error:
        raise ParameterError(
            "the feature sets is10 and egemaps need openSMILE, which is for research and teaching only: "
            "pip install 'serlab[opensmile]'; or choose the feature set librosa, which is free for any use"
        ) from error

    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet[config], feature_level=opensmile.FeatureLevel.Functionals
    )

    def extract(samples: np.ndarray) -> np.ndarray:
        # Every call builds its own native component graph, so one Smile serves all threads.
        return smile(samples, SAMPLE_RATE).ravel().astype(np.float32, copy=False)

    return tuple(smile.feature_names), extract


IS10 = FeatureSet(
    name="is10",
    title="INTERSPEECH 2010 Paralinguistic Challenge (emobase2010), 1582 functionals",
    version="1",
    license=LICENSE,
    reference="Schuller et al. (2010), The INTERSPEECH 2010 Paralinguistic Challenge; "
    "the set of Andova & Lustrek, section 3",
    settings={"opensmile": _version(), "config": "IS10"},
    load=partial(_load, "IS10"),
)

EGEMAPS = FeatureSet(
    name="egemaps",
    title="extended Geneva Minimalistic Acoustic Parameter Set v02, 88 functionals",
    version="1",
    license=LICENSE,
    reference="Eyben et al. (2016), The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for Voice "
    "Research and Affective Computing",
    settings={"opensmile": _version(), "config": "eGeMAPSv02"},
    load=partial(_load, "eGeMAPSv02"),
)
