"""Features: from utterances to a matrix, or to sequences of frames, once.

Besides the named sets there are those of pretrained models: "encoder:<model>",
"encoder-speech:<model>", "encoder-frames:<model>@<layer>" and
"speaker-encoder:<model>", where a model is a folder, its name under
``SERLAB_MODELS``, or a name of the Hugging Face hub.

>>> extract(utterances, features="is10").X.shape  # doctest: +SKIP
(339, 1582)
>>> extract(utterances, features="logmel26", seconds=7.5).X.shape  # doctest: +SKIP
(339, 750, 26)
"""

from serlab.features.base import FeatureSet
from serlab.features.extraction import Extraction, extract, progress_bar
from serlab.features.frames import Frames
from serlab.features.registry import FEATURE_SETS, PREFIXES, describe, get
from serlab.features.spectral import log_mel

__all__ = [
    "FEATURE_SETS",
    "PREFIXES",
    "Extraction",
    "FeatureSet",
    "Frames",
    "describe",
    "extract",
    "get",
    "log_mel",
    "progress_bar",
]
