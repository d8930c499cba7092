"""Words that people write for an emotion, a sex or a part of a split, and what serlab calls it.

Letters' case, accents' encoding and spaces around are forgiven. What is not
listed is not guessed: a label that is in neither :data:`serlab.labels.EMOTIONS`
nor :data:`EMOTIONS_BY_WORD` needs the user's own word for it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from serlab.labels import EMOTIONS

#: Emotion -> other words for it: adjectives, nouns, and the abbreviations of IEMOCAP, CREMA-D, SAVEE,
#: MSP-Podcast and TESS. One letter alone means different things in different corpora and is not here.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "neutral": ("neu", "neutrality", "neutral state", "no emotion"),
    "calm": ("calmness", "calmly", "cal"),
    "anger": ("angry", "ang", "angrily"),
    "joy": ("happy", "happiness", "hap", "happily", "joyful", "joyfulness", "enjoyment"),
    "excitement": ("excited", "exc"),
    "sadness": ("sad", "sadly"),
    "fear": ("fearful", "fea", "afraid", "scared", "fearfulness"),
    "disgust": ("disgusted", "dis"),
    "surprise": ("surprised", "sur", "surprise-positive", "pleasant surprise", "pleasant_surprise", "ps"),
    "boredom": ("bored", "bor"),
    "frustration": ("frustrated", "fru"),
    "other": ("oth",),
    "ambiguous": ("xxx", "no agreement", "no_agreement", "no-agreement"),
}

#: Any of these words -> word of serlab.labels.EMOTIONS.
EMOTIONS_BY_WORD: dict[str, str] = {
    **{word: word for word in EMOTIONS},
    **{other: word for word, others in SYNONYMS.items() for other in others},
}

SEXES: dict[str, str] = {"female": "female", "f": "female", "male": "male", "m": "male"}

#: Parts of a split that is given with a corpus.
SPLITS: dict[str, str] = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "devel": "validation", "development": "validation",
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip


def plain(text: str) -> str:
    """A word as it is compared: composed letters, no case, no spaces around.

    Examples
    --------
    >>> plain(" Wu\u0308TEND ") == plain("w\u00fctend")
    True
    """
    return unicodedata.normalize("NFC", text).strip().casefold()


def find(text: str, known: Mapping[str, str]) -> str | None:
    """What a word means, or None.

    Examples
    --------
    >>> find("Happy", EMOTIONS_BY_WORD), find("NEU", EMOTIONS_BY_WORD), find("Dev", SPLITS)
    ('joy', 'neutral', 'validation')
    """
    return known.get(text) or known.get(plain(text))
