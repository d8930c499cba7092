"""``corpus.toml``: what is true of a whole corpus, beside its table.

::

    name = "Our corpus of Dutch actors"   # in full
    language = "nl"                       # BCP 47: nl, fr-CA
    license = "CC BY 4.0"
    citation = "A. Author: Our corpus. 2026."
    channel = "mix"                       # of two channels: mix, left or right
    annotators = "majority"               # one line an annotator: majority, or mean of ratings

    [labels]                              # your label = serlab's word
    "boos" = "anger"

    [scale]                               # lowest and highest possible rating
    arousal = [1, 5]
    valence = [1, 5]

Every key may be left out. The upper half of a scale starts above its midpoint,
here 3; a rating at the midpoint belongs to the lower half.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serlab import audio
from serlab.corpora import texts, words
from serlab.errors import CorpusError, meant

FILE_NAME = "corpus.toml"
RATINGS: tuple[str, ...] = ("arousal", "valence", "dominance")
#: How several lines of one recording become one; see :mod:`serlab.corpora.annotators`.
ANNOTATORS: tuple[str, ...] = ("majority", "mean")

_TEXTS = ("name", "language", "license", "citation", "channel", "annotators")
_KEYS = (*_TEXTS, "labels", "scale")
#: Language, script, region, variants and private parts of BCP 47; "x-..." alone is private.
_LANGUAGE = re.compile(
    r"(x(-[a-z0-9]{1,8})+|[a-z]{2,3}(-[a-z]{3}){0,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?"
    r"(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*(-[a-wyz0-9](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a ``corpus.toml`` says; empty where it says nothing.

    Attributes
    ----------
    name, language, license, citation : str
    channel : {"", "mix", "left", "right"}
    annotators : {"", "majority", "mean"}
    labels : mapping of str to str
        Label -> word of :data:`serlab.labels.EMOTIONS`.
    scale : mapping of str to (float, float)
        Rating -> its lowest and highest value.
    """

    name: str = ""
    language: str = ""
    license: str = ""
    citation: str = ""
    channel: str = ""
    annotators: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def thresholds(self) -> dict[str, float]:
        """Rating -> midpoint of its scale, above which the upper half starts."""
        return {rating: (low + high) / 2 for rating, (low, high) in self.scale.items()}


def is_language(tag: str) -> bool:
    """Whether a tag has the form of BCP 47.

    Examples
    --------
    >>> [is_language(tag) for tag in ("de", "fr-CA", "zh-Hant-TW", "x-a", "german", "d")]
    [True, True, True, True, False, False]
    """
    return _LANGUAGE.fullmatch(tag) is not None


def beside(table: Path) -> Settings:
    """Settings in the folder of a table, as of ``corpus.csv``; empty ones where there is no file.

    Raises
    ------
    CorpusError
        Naming the key that is unknown or has a value it cannot have.
    """
    path = table.with_name(FILE_NAME)
    return read(path) if path.is_symlink() or path.exists() else Settings()


def read(path: Path) -> Settings:
    """Read a ``corpus.toml``.

    Raises
    ------
    CorpusError
        If it is not there or malformed, or naming the key that is unknown or
        has a value it cannot have.
    """
    text = texts.read(path)
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise CorpusError(f"{path}: no TOML ({error}); see serlab.corpora.settings for an example") from None
    found = {("license" if key == "licence" else key): value for key, value in found.items()}
    for key in found:
        if key not in _KEYS:
            raise CorpusError(f"{path}: unknown key {key!r}{meant(key, _KEYS)}; known: {', '.join(_KEYS)}")
    values: dict[str, Any] = {key: _text(path, key, found[key]) for key in _TEXTS if key in found}
    _refuse(path, "channel", values, audio.CHANNELS)
    _refuse(path, "annotators", values, ANNOTATORS)
    if (tag := values.get("language")) and not is_language(tag):
        raise CorpusError(f"{path}: language {tag!r} is no BCP 47 tag, such as nl, fr-CA or zh-Hant")
    return Settings(
        **values, labels=_labels(path, found.get("labels", {})), scale=_scale(path, found.get("scale", {}))
    )


def render(settings: Settings) -> str:
    """Settings as the text of a ``corpus.toml``; :func:`read` gives them back."""
    lines = [f"{key} = {_quoted(getattr(settings, key))}" for key in _TEXTS if getattr(settings, key)]
    if settings.labels:
        lines += ["", "[labels]", *(f"{_quoted(k)} = {_quoted(v)}" for k, v in settings.labels.items())]
    if settings.scale:
        lines += ["", "[scale]", *(f"{k} = [{low!r}, {high!r}]" for k, (low, high) in settings.scale.items())]
    return "\n".join(lines).strip() + "\n"


def _quoted(text: str) -> str:
    # The escapes of JSON are among those of TOML, but for the one control character that JSON leaves.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _text(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise CorpusError(f"{path}: {key} is {value!r}; write a text in quotation marks")
    return value.strip()


def _refuse(path: Path, key: str, values: Mapping[str, str], known: tuple[str, ...]) -> None:
    value = values.get(key)
    if value and value not in known:
        raise CorpusError(f"{path}: {key} {value!r}{meant(value, known)} is not one of {', '.join(known)}")


def _labels(path: Path, labels: object) -> dict[str, str]:
    if not isinstance(labels, dict):
        raise CorpusError(f"{path}: labels is {labels!r}; write [labels] and a line for each label below it")
    found = {}
    for label, word in labels.items():
        known = words.find(word, words.EMOTIONS_BY_WORD) if isinstance(word, str) else None
        if known is None:
            raise CorpusError(
                f"{path}: label {label!r} stands for {word!r}, which is none of {', '.join(words.SYNONYMS)}"
            )
        found[label.strip()] = known
    return found


def _scale(path: Path, scale: object) -> dict[str, tuple[float, float]]:
    if not isinstance(scale, dict):
        raise CorpusError(f"{path}: scale is {scale!r}; write [scale] and below it: arousal = [1, 5]")
    found = {}
    for rating, ends in scale.items():
        if rating not in RATINGS:
            raise CorpusError(
                f"{path}: scale of {rating!r}{meant(rating, RATINGS)}; known: {', '.join(RATINGS)}"
            )
        numbers = isinstance(ends, list) and len(ends) == 2 and all(type(end) in (int, float) for end in ends)
        if not numbers or not (-math.inf < ends[0] < ends[1] < math.inf):
            raise CorpusError(
                f"{path}: scale of {rating} is {ends!r}; write its lowest and highest rating: [1, 5]"
            )
        found[rating] = (float(ends[0]), float(ends[1]))
    return found
