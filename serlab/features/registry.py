"""Feature sets by name."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from serlab.errors import ParameterError, meant
from serlab.features import composite, encoder, speaker_encoder
from serlab.features.base import FeatureSet
from serlab.features.constant_q import CQT, SPEECH_CQT
from serlab.features.librosa_functionals import LIBROSA
from serlab.features.opensmile_sets import EGEMAPS, IS10
from serlab.features.short_term import SHORTTERM34, SPECTROGRAM200, VOICE32
from serlab.features.spectral import HARMONIC, MFCC39, MFCC40, MFSC, SPEECH_MEL, SPEECH_MFSC, log_mel

FEATURE_SETS: dict[str, FeatureSet] = {
    features.name: features
    for features in (
        IS10, EGEMAPS, LIBROSA, log_mel(26), log_mel(40), log_mel(64), SPEECH_MEL, MFSC, SPEECH_MFSC, CQT,
        SPEECH_CQT, MFCC39, MFCC40, HARMONIC, VOICE32, SPECTROGRAM200, SHORTTERM34,
    )
}  # fmt: skip

#: What stands before the colon -> maker of a feature set from what stands behind it.
PREFIXES: dict[str, Callable[[str], FeatureSet]] = {
    "encoder": encoder.encoder,
    "encoder-speech": encoder.encoder_speech,
    "encoder-frames": encoder.frames_by_name,
    "speaker-encoder": speaker_encoder.speaker_encoder,
}


def get(features: str | FeatureSet) -> FeatureSet:
    """Feature set by name, several with + between them; one that is a feature set already is returned.

    Raises
    ------
    ParameterError
        Listing the known feature sets.
    """
    if isinstance(features, FeatureSet):
        return features
    names = features.split(composite.AND)
    if len(names) > 1 and all(_is_known(name) for name in names):
        return composite.composite(features, [get(name) for name in names])
    prefix, colon, model = features.partition(":")
    if colon and prefix in PREFIXES:
        return PREFIXES[prefix](model)
    if features not in FEATURE_SETS:
        known = [*FEATURE_SETS, *(f"{prefix}:<model>" for prefix in PREFIXES)]
        raise ParameterError(
            f"unknown feature set {features!r}{meant(features, FEATURE_SETS)}; known: {', '.join(known)}"
        )
    return FEATURE_SETS[features]


def encoders_of(features: str) -> tuple[str, ...]:
    """Names of the pretrained speech encoders that a feature set is of; nothing is looked for on disk.

    Examples
    --------
    >>> encoders_of("egemaps+encoder-frames:openai/whisper-tiny@2"), encoders_of("egemaps")
    (('openai/whisper-tiny',), ())
    """
    names = features.split(composite.AND)
    if not all(map(_is_known, names)):
        names = [features]
    found = []
    for name in names:
        prefix, _, model = name.partition(":")
        if prefix == "encoder-frames":
            model = model.rpartition("@")[0]
        if prefix.startswith("encoder") and model:
            found.append(model)
    return tuple(dict.fromkeys(found))


def _is_known(name: str) -> bool:
    """Whether a name says which set it is; a folder may have a plus sign in its name."""
    prefix, colon, model = name.partition(":")
    return name in FEATURE_SETS or bool(colon and model and prefix in PREFIXES)


def describe() -> pd.DataFrame:
    """Table of the feature sets: kind, title, version, license and reference, by name."""
    rows = [
        {key: getattr(features, key) for key in ("name", "kind", "title", "version", "license", "reference")}
        for features in FEATURE_SETS.values()
    ]
    return pd.DataFrame(rows).set_index("name")
