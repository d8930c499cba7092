"""Corpora made to cheat: nobody expresses what the labels say, and something else gives them away.

Whoever recognises "emotion" in one of them recognises the giveaway: a telephone, a room, a sentence,
a voice. They are for learning to look for it; see :mod:`serlab.evaluation.giveaways` for what finds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from serlab.corpora import synthesis, variants
from serlab.corpora.synthesis import Shift
from serlab.errors import ParameterError

#: Raise it with every change of who gets which label, or of what a telephone does.
VERSION = 1

#: What a cheating corpus gives its labels away by.
CHEATS: Mapping[str, str] = MappingProxyType(
    {
        "nothing": "labels are shuffled among the utterances of each speaker, and nothing else is done",
        "telephone": "so, and then all utterances of one label are sent through a telephone",
        "rooms": "so, and then each label is recorded in a room of its own",
        "sentences": "most utterances of a sentence have the same label",
        "voices": "most utterances of a speaker have the same label",
    }
)
#: Share of the utterances of a sentence, or of a speaker, that have its label; the others have any.
SHARE = 0.8
#: Ways of shuffling that are tried; what is kept goes least with the true emotion and the sentence.
_SHUFFLES = 200
#: Channels of the rooms in turn, see :class:`serlab.corpora.synthesis.Shift`.
ROOMS: tuple[float, ...] = (0.0, 0.4, -0.4, 0.8)
#: Pass band of a telephone, Hz.
TELEPHONE = (300.0, 3400.0)


def cheating(
    utterances: pd.DataFrame, cheat: str, *, name: str, folder: Path, seed: int = 0, label: str = ""
) -> pd.DataFrame:
    """Make a corpus in which nobody expresses what its labels say; see :data:`CHEATS`.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``. Of one corpus; for "sentences" with ``text_id``.
    cheat : str
        Key of :data:`CHEATS`.
    name, folder, seed
        As for :func:`serlab.corpora.variants.recorded`.
    label : str
        The one that is sent through the telephone; the last one if empty.

    Returns
    -------
    DataFrame
        Utterances; their names say nothing about the true emotion.

    Raises
    ------
    ParameterError
        If there is no such cheat or label, or too few sentences are known.
    """
    if cheat not in CHEATS:
        raise ParameterError(f"{cheat!r} is no way to cheat; there are {', '.join(CHEATS)}")
    classes = list(utterances["emotion"].cat.remove_unused_categories().cat.categories)
    if label and label not in classes:
        raise ParameterError(f"no utterance is {label!r}; there are {', '.join(classes)}")
    rng = np.random.default_rng([seed, 1])
    deal = {"sentences": _by_sentence, "voices": _by_speaker}.get(cheat, _shuffled)
    labels = deal(utterances, classes, rng)
    recorders: dict[str, variants.Recorder] = dict.fromkeys(classes, partial(variants.through, shift=Shift()))
    if cheat == "telephone":
        recorders[label or classes[-1]] = _telephone
    if cheat == "rooms":
        for number, one in enumerate(classes):
            room = Shift(channel=ROOMS[number % len(ROOMS)])
            recorders[one] = partial(variants.through, shift=room)
    rows = utterances.assign(label=labels)
    order = rng.permutation(len(rows))  # else the number of an utterance says what it was
    rows = rows.iloc[order]
    rows.index = pd.Index([f"{name}/u{number + 1:04d}" for number in range(len(rows))], name="utterance")
    return variants.again(
        rows, recorders, name=name, folder=folder, made=["cheating", VERSION, cheat, label], seed=seed
    )


def _shuffled(utterances: pd.DataFrame, classes: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """Labels of each speaker, dealt anew among this speaker's utterances.

    Of a few hundred utterances one shuffle may by chance go with what was said or meant, and would be
    a giveaway of its own: the best of many is kept.
    """
    true = pd.Categorical(utterances["emotion"].astype(str), categories=classes).codes.astype(int)
    text = pd.factorize(utterances["text_id"])[0]
    speakers = pd.factorize(utterances["speaker"])[0]
    own = [np.flatnonzero(speakers == one) for one in range(speakers.max() + 1)]
    best, least = true, np.inf
    for _ in range(_SHUFFLES):
        codes = true.copy()
        for rows in own:
            codes[rows] = true[rng.permutation(rows)]
        found = _dependence(codes, true) + _dependence(codes, text)
        if found < least:
            best, least = codes, found
    return np.array(classes, dtype=object)[best]


def _dependence(codes: np.ndarray, other: np.ndarray) -> float:
    """Chi squared of two codings; what is not known (-1) does not count."""
    known = other >= 0
    if not known.any():
        return 0.0
    counts = np.zeros((codes.max() + 1, other.max() + 1))
    np.add.at(counts, (codes[known], other[known]), 1)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return float(((counts - expected) ** 2 / np.maximum(expected, 1e-9)).sum())


def _by_sentence(utterances: pd.DataFrame, classes: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """The label of the sentence, and in some utterances any."""
    texts = utterances["text_id"]
    if texts.isna().any() or texts.nunique() < 2:
        raise ParameterError(
            "labels by sentence need two sentences or more, known for all utterances (column text_id)"
        )
    return _by(texts, classes, rng)


def _by_speaker(utterances: pd.DataFrame, classes: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """The label of the speaker, and in some utterances any."""
    return _by(utterances["speaker"], classes, rng)


def _by(column: pd.Series, classes: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """Labels in turn for the values of a column; some utterances have any label."""
    words = np.array(classes, dtype=object)
    own = words[pd.factorize(column, sort=True)[0] % len(words)]
    return np.where(rng.random(len(own)) < SHARE, own, rng.choice(words, len(own)))


def _telephone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The band of a telephone, in the 8 bits of G.711 (mu-law)."""
    from scipy import fft

    spectrum = fft.rfft(samples.astype(float))
    hertz = fft.rfftfreq(len(samples), 1 / synthesis.SAMPLE_RATE)
    edge = 1 / (1 + (TELEPHONE[0] / np.maximum(hertz, 1)) ** 8) / (1 + (hertz / TELEPHONE[1]) ** 16)
    narrow = np.clip(fft.irfft(spectrum * edge, len(samples)), -1, 1)
    compressed = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    steps = np.round(compressed * 127) / 127
    return (np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255).astype(np.float32)
