"""The one vocabulary of emotions, and the classes that experiments make of it.

Two steps, kept apart:

1. A corpus turns its publisher's label (``"W"``, ``"Happy"``, ``"dis"``) into a
   word of :data:`EMOTIONS` when it is read: the column ``native_emotion``.
2. A :class:`LabelScheme` turns a word of the vocabulary into a class of an
   experiment, or into None where it is left out on purpose.

A label in neither raises: nothing is dropped because nobody thought of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from serlab.errors import LabelError

#: Every emotion word serlab knows. "ambiguous" is IEMOCAP's "xxx" (the
#: annotators did not agree), "other" is a category outside this list. From
#: "anxiety" on, words of one corpus each (JL), which no scheme of basic emotions takes.
EMOTIONS: tuple[str, ...] = (
    "neutral", "calm", "anger", "joy", "excitement", "sadness", "fear", "disgust",
    "surprise", "boredom", "frustration", "anxiety", "apology", "assertiveness", "concern",
    "encouragement", "other", "ambiguous",
)  # fmt: skip

#: Stands for the emotion of an utterance that has neither category nor rating.
UNLABELLED = "(no label)"


@dataclass(frozen=True)
class LabelScheme:
    """Classes of an experiment and how the vocabulary maps onto them.

    Attributes
    ----------
    name : str
    classes : tuple of str
        In fixed order: class ``i`` is column ``p_<classes[i]>`` of predictions.
    mapping : mapping of str to (str or None)
        Emotion -> class, None where the emotion is left out on purpose.
        An emotion that is not a key raises.
    dimension : {"arousal", "valence"} or None
        Where a corpus carries this rating, it decides instead of the emotion;
        a rating at the threshold (column ``<dimension>_threshold``) belongs to
        the first class. A rating without a threshold is refused.
    source : str
        Where the mapping comes from.
    """

    name: str
    classes: tuple[str, ...]
    mapping: Mapping[str, str | None]
    dimension: str | None = None
    source: str = ""

    def __post_init__(self) -> None:
        for emotion, target in self.mapping.items():
            if emotion not in EMOTIONS:
                raise LabelError(f"scheme {self.name!r}: {emotion!r} is not in serlab.labels.EMOTIONS")
            if target is not None and target not in self.classes:
                raise LabelError(f"scheme {self.name!r}: {target!r} is not one of its classes {self.classes}")

    @property
    def left_out(self) -> tuple[str, ...]:
        """Emotions this scheme leaves out on purpose."""
        return tuple(emotion for emotion, target in self.mapping.items() if target is None)

    def apply(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add the column ``emotion`` and keep the rows that have a class.

        Parameters
        ----------
        table : DataFrame
            Utterances.

        Returns
        -------
        DataFrame
            A copy with ``emotion`` (ordered categorical over ``classes``).
            Left-out rows are gone; count them with :meth:`left_out_counts`.

        Raises
        ------
        LabelError
            Naming the first utterance whose label is unknown, or whose rating has no stated scale.
        """
        classes = self._classes_of(table)
        kept = table.loc[classes.notna()].copy()
        kept["emotion"] = pd.Categorical(classes[classes.notna()], categories=list(self.classes))
        return kept

    def left_out_counts(self, table: pd.DataFrame) -> pd.Series:
        """Utterances without a class, counted by corpus and emotion (or :data:`UNLABELLED`)."""
        out = table.loc[self._classes_of(table).isna()]
        words = emotions(out).fillna(UNLABELLED)
        return out.groupby([out["corpus"], words.rename("emotion")]).size()

    def counts(self, table: pd.DataFrame) -> pd.DataFrame:
        """Utterances of each corpus (rows) in each class (columns), and "left out"."""
        classes = self._classes_of(table).fillna("left out")
        found = pd.crosstab(table["corpus"], classes)
        return found.reindex(columns=[*self.classes, "left out"], fill_value=0).rename_axis(columns=None)

    def _classes_of(self, table: pd.DataFrame) -> pd.Series:
        words = emotions(table)
        unmapped = sorted(set(words.dropna()) - set(self.mapping))
        if unmapped:
            first = words.index[words == unmapped[0]][0]
            raise LabelError(
                f"{first}: scheme {self.name!r} says nothing about {unmapped[0]!r}; "
                "map it to a class, or to None to leave it out"
            )
        classes = words.map(lambda word: self.mapping[word] if pd.notna(word) else None).astype(object)
        if self.dimension is not None:
            rating = table[self.dimension]
            threshold = table.get(f"{self.dimension}_threshold", pd.Series(np.nan, index=table.index))
            self._require_scale(table, rating.notna() & threshold.isna())
            rated = rating.notna()
            low, high = self.classes
            classes[rated & (rating <= threshold)] = low
            classes[rated & (rating > threshold)] = high
        return classes

    def _require_scale(self, table: pd.DataFrame, unscaled: pd.Series) -> None:
        """Refuse ratings of which nobody said where their upper half starts: is 6.5 high, or low?"""
        if unscaled.any():
            row, dimension = table.loc[unscaled[unscaled].index[0]], self.dimension
            raise LabelError(
                f"{row.name}: {dimension} is {row[dimension]:g}, and corpus {row['corpus']!r} does not say "
                f"on which scale ({unscaled.sum()} such ratings), so scheme {self.name!r} cannot cut them in "
                f'two. Add "[scale]\\n{dimension} = [lowest, highest]" to corpus.toml beside corpus.csv, or '
                f"a column {dimension}_threshold; or leave the ratings out, then labels decide"
            )


def emotions(table: pd.DataFrame) -> pd.Series:
    """Word of :data:`EMOTIONS` for each utterance; None where it has ratings only.

    That is ``native_emotion``, or the label itself where it is such a word.

    Parameters
    ----------
    table : DataFrame
        Utterances.

    Raises
    ------
    LabelError
        Naming the first utterance whose native label is unknown.
    """

    def word(label: Any, emotion: Any) -> str | None:
        if pd.notna(emotion):
            return emotion
        return label if label in EMOTIONS else None

    columns = [table[name] for name in ("native_label", "native_emotion")]
    words = pd.Series([word(*cells) for cells in zip(*columns, strict=True)], index=table.index, dtype=object)
    refuse_unknown(table, words, EMOTIONS)
    return words


def refuse_unknown(table: pd.DataFrame, words: pd.Series, known: Iterable[str]) -> None:
    """Refuse labels that became no word.

    Parameters
    ----------
    table : DataFrame
        Utterances.
    words : Series
        What their native labels became.
    known : iterable of str
        Labels that would have become one, to be listed.

    Raises
    ------
    LabelError
        Naming the first utterance whose native label is unknown.
    """
    unknown = table.index[words.isna() & table["native_label"].notna()]
    if len(unknown):
        row = table.loc[unknown[0]]
        raise LabelError(
            f"{unknown[0]}: unknown label {row['native_label']!r} of corpus {row['corpus']!r} "
            f"({len(unknown)} utterances with unknown labels); known labels: {', '.join(known)}"
        )


_SECONDARY = "a secondary emotion of the JL corpus; not among the words of Schuller et al. or Russell"

#: Emotion -> arousal, valence, and where that stands. Schuller et al. cluster the emotions
#: of their corpora (EmoDB, DES and eNTERFACE among them) into binary arousal and valence
#: ("Acoustic emotion recognition: A benchmark comparison of performances", ASRU 2009;
#: "Cross-corpus acoustic emotion recognition", IEEE Trans. Affective Computing 1, 2010).
#: Russell ("A circumplex model of affect", J. Personality and Social Psychology 39, 1980)
#: places 28 words on a circle of pleasure and arousal. What they do not settle is said.
QUADRANTS: dict[str, tuple[str | None, str | None, str]] = {
    "neutral": (
        "low", "positive",
        "Schuller et al. In Russell's circle it is the centre: both halves are convention, and positive "
        "valence the weaker one",
    ),
    "calm": ("low", "positive", "Russell (calm). A class of RAVDESS only, in no corpus of Schuller et al."),
    "anger": ("high", "negative", "Schuller et al.; Russell (angry)"),
    "joy": ("high", "positive", "Schuller et al.; Russell (happy, delighted)"),
    "excitement": ("high", "positive", "Russell (excited)"),
    "sadness": ("low", "negative", "Schuller et al.; Russell (sad)"),
    "fear": ("high", "negative", "Schuller et al.; Russell (afraid)"),
    "disgust": (
        "low", "negative",
        "Schuller et al. (EmoDB, eNTERFACE). Not among Russell's words: valence is agreed, arousal is the "
        "least certain of this table",
    ),
    "surprise": (
        "high", "positive",
        "Schuller et al. (DES, eNTERFACE); Russell (astonished). Arousal is agreed; surprise can be "
        "unpleasant too",
    ),
    "boredom": ("low", "negative", "Schuller et al. (EmoDB); Russell (bored)"),
    "frustration": (
        "high", "negative",
        "Russell (frustrated: unpleasant, little above the middle of arousal). IEMOCAP's ratings go first",
    ),
    "anxiety": (None, None, _SECONDARY),
    "apology": (None, None, _SECONDARY),
    "assertiveness": (None, None, _SECONDARY),
    "concern": (None, None, _SECONDARY),
    "encouragement": (None, None, _SECONDARY),
    "other": (None, None, "not one emotion"),
    "ambiguous": (None, None, "the annotators did not agree; IEMOCAP's ratings go first"),
}  # fmt: skip


def quadrant_table() -> pd.DataFrame:
    """Arousal and valence of each emotion, for corpora without ratings.

    Returns
    -------
    DataFrame
        Columns emotion, arousal, valence (missing: left out) and source.
    """
    rows = [(emotion, *halves) for emotion, halves in QUADRANTS.items()]
    return pd.DataFrame(rows, columns=["emotion", "arousal", "valence", "source"])


def _mapping(**classes: str) -> dict[str, str | None]:
    """Emotion -> class; every emotion not named is left out on purpose."""
    return {emotion: classes.get(emotion) for emotion in EMOTIONS}


_FOUR = ("neutral", "anger", "joy", "sadness")

SCHEMES: dict[str, LabelScheme] = {
    scheme.name: scheme
    for scheme in (
        LabelScheme(
            name="four",
            classes=_FOUR,
            mapping=_mapping(neutral="neutral", anger="anger", joy="joy", sadness="sadness"),
            source="Andova & Lustrek, section 2: the four emotions that all their corpora share",
        ),
        LabelScheme(
            name="four-merged",
            classes=_FOUR,
            mapping=_mapping(
                neutral="neutral", anger="anger", joy="joy", excitement="joy", sadness="sadness"
            ),
            source="IEMOCAP's 5,531 utterances: happiness and excitement are one class",
        ),
        LabelScheme(
            name="four-excited",
            classes=_FOUR,
            mapping=_mapping(neutral="neutral", anger="anger", excitement="joy", sadness="sadness"),
            source="Zhou & Beigi, table 1: IEMOCAP's 4,936, where excitement stands for joy",
        ),
        LabelScheme(
            name="seven",
            classes=("neutral", "anger", "disgust", "fear", "joy", "sadness", "surprise"),
            mapping=_mapping(
                neutral="neutral", anger="anger", disgust="disgust", fear="fear", joy="joy",
                sadness="sadness", surprise="surprise",
            ),
            source="the six basic emotions and neutral, as in EMOVO and SAVEE",
        ),
        LabelScheme(
            name="eight",
            classes=("neutral", "calm", "anger", "disgust", "fear", "joy", "sadness", "surprise"),
            mapping=_mapping(
                neutral="neutral", calm="calm", anger="anger", disgust="disgust", fear="fear", joy="joy",
                sadness="sadness", surprise="surprise",
            ),
            source="all classes of RAVDESS",
        ),
        LabelScheme(
            name="baklouti",
            classes=(
                "neutral", "calm", "anger", "joy", "excitement", "sadness", "frustration", "fear", "disgust",
                "boredom",
            ),
            mapping=_mapping(
                neutral="neutral", calm="calm", anger="anger", joy="joy", excitement="excitement",
                sadness="sadness", frustration="frustration", fear="fear", disgust="disgust",
                boredom="boredom",
            ),
            source="Baklouti et al., table 1: seven classes a corpus, not the same in each",
        ),
        LabelScheme(
            name="arousal",
            classes=("low", "high"),
            mapping={emotion: arousal for emotion, (arousal, _, _) in QUADRANTS.items()},
            dimension="arousal",
            source="ratings: Neumann & Vu, table 1; categories: Schuller et al. and Russell, see "
            "serlab.labels.QUADRANTS",
        ),
        LabelScheme(
            name="valence",
            classes=("negative", "positive"),
            mapping={emotion: valence for emotion, (_, valence, _) in QUADRANTS.items()},
            dimension="valence",
            source="ratings: Neumann & Vu, table 1; categories: Schuller et al. and Russell, see "
            "serlab.labels.QUADRANTS",
        ),
    )
}  # fmt: skip


def scheme(name: str) -> LabelScheme:
    """Label scheme by name.

    Raises
    ------
    LabelError
        Listing the known schemes.

    Examples
    --------
    >>> four = scheme("four")
    >>> four.classes
    ('neutral', 'anger', 'joy', 'sadness')
    >>> four.mapping["joy"], four.mapping["boredom"]
    ('joy', None)
    """
    if name not in SCHEMES:
        raise LabelError(f"unknown label scheme {name!r}; known: {', '.join(SCHEMES)}")
    return SCHEMES[name]
