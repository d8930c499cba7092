"""Several feature sets of one utterance, one behind the other: ``egemaps+encoder-speech:whisper-tiny``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serlab.errors import ParameterError
from serlab.features.base import Extractor, FeatureSet

#: Between the names of the sets.
AND = "+"


def composite(name: str, parts: Sequence[FeatureSet]) -> FeatureSet:
    """A feature set whose vectors are those of others, in order.

    Parameters
    ----------
    name : str
    parts : sequence of FeatureSet
        Two or more, of vectors, none twice.

    Raises
    ------
    ParameterError
        If one is of frames, or named twice.
    """
    names = [part.name for part in parts]
    framed = [part.name for part in parts if part.kind != "vectors"]
    if framed:
        raise ParameterError(
            f"feature set {name!r}: {framed[0]} has a vector a frame; only sets of one vector an utterance "
            "can be put together"
        )
    if len(set(names)) < len(names):
        raise ParameterError(f"feature set {name!r} names a set twice; name each once")

    def load() -> tuple[tuple[str, ...], Extractor]:
        def extract(samples: np.ndarray) -> np.ndarray:
            return np.concatenate([part.extract(samples) for part in parts])

        return columns(parts), extract

    def require() -> None:
        for part in parts:
            if part.require is not None:
                part.require()

    return FeatureSet(
        name=name,
        title=", ".join(part.title for part in parts),
        version=AND.join(part.version for part in parts),
        license="; ".join(dict.fromkeys(part.license for part in parts)),
        reference="; ".join(dict.fromkeys(part.reference for part in parts)),
        settings={f"{part.name}: {key}": value for part in parts for key, value in part.settings.items()},
        n_features=sum(part.n_features for part in parts),
        load=load,
        libraries=tuple(dict.fromkeys(library for part in parts for library in part.libraries)),
        require=require,
        parts=tuple(parts),
    )


def columns(parts: Sequence[FeatureSet]) -> tuple[str, ...]:
    """Names of all features, each with that of its set, for two sets may have features of one name."""
    return tuple(f"{part.name}: {column}" for part in parts for column in part.names)
