"""The one vocabulary of emotions, and the one place where labels map.

Two steps, kept apart:

1. :data:`NATIVE` turns a publisher's label (``"W"``, ``"Happy"``, ``"dis"``)
   into a word of :data:`EMOTIONS`.
2. A :class:`LabelScheme` turns a word of the vocabulary into a class of an
   experiment, or into None where it is left out on purpose.

A label in neither raises: nothing is dropped because nobody thought of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from serlab.errors import LabelError

#: Every emotion word serlab knows. "ambiguous" is IEMOCAP's "xxx" (the
#: annotators did not agree), "other" is a category outside this list.
EMOTIONS: tuple[str, ...] = (
    "neutral", "calm", "anger", "joy", "excitement", "sadness", "fear", "disgust",
    "surprise", "boredom", "frustration", "other", "ambiguous",
)  # fmt: skip

_SAME_WORDS = {emotion: emotion for emotion in EMOTIONS}

#: corpus -> native label -> emotion. A corpus that is not listed (a user's
#: CSV) must use the words of :data:`EMOTIONS` or bring its own mapping.
NATIVE: dict[str, dict[str, str]] = {
    # Third character from the end of the file name, German initials.
    "emodb": {
        "W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "joy",
        "T": "sadness", "N": "neutral",
    },
    # Italian abbreviations: neutro, disgusto, gioia, paura, rabbia, sorpresa, tristezza.
    "emovo": {
        "neu": "neutral", "dis": "disgust", "gio": "joy", "pau": "fear", "rab": "anger",
        "sor": "surprise", "tri": "sadness",
    },
    "savee": {
        "a": "anger", "d": "disgust", "f": "fear", "h": "joy", "n": "neutral",
        "sa": "sadness", "su": "surprise",
    },
    "ravdess": {
        "01": "neutral", "02": "calm", "03": "joy", "04": "sadness", "05": "anger",
        "06": "fear", "07": "disgust", "08": "surprise",
    },
    "urdu": {"Angry": "anger", "Happy": "joy", "Neutral": "neutral", "Sad": "sadness"},
    "iemocap": {
        "ang": "anger", "hap": "joy", "exc": "excitement", "sad": "sadness", "fru": "frustration",
        "fea": "fear", "sur": "surprise", "neu": "neutral", "dis": "disgust", "oth": "other",
        "xxx": "ambiguous",
    },
}  # fmt: skip


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
        Where a corpus carries this rating, the rating decides instead of the
        category.
    thresholds : mapping of str to float
        Corpus -> rating above which the second class starts; the rating at
        the threshold belongs to the first (Neumann & Vu, table 1).
    source : str
        Where the mapping comes from.
    """

    name: str
    classes: tuple[str, ...]
    mapping: Mapping[str, str | None]
    dimension: str | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
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

    def apply(
        self, table: pd.DataFrame, *, native: Mapping[str, Mapping[str, str]] | None = None
    ) -> pd.DataFrame:
        """Add the column ``emotion`` and keep the rows that have a class.

        Parameters
        ----------
        table : DataFrame
            Utterances.
        native : mapping, optional
            Further corpus -> native label -> emotion mappings, as for a CSV
            corpus; they win over :data:`NATIVE`.

        Returns
        -------
        DataFrame
            A copy with ``emotion`` (ordered categorical over ``classes``).
            Left-out rows are gone; count them with :meth:`left_out_counts`.

        Raises
        ------
        LabelError
            Naming the first utterance whose label is unknown.
        """
        classes = self._classes_of(table, native)
        kept = table.loc[classes.notna()].copy()
        kept["emotion"] = pd.Categorical(classes[classes.notna()], categories=list(self.classes))
        return kept

    def left_out_counts(
        self, table: pd.DataFrame, *, native: Mapping[str, Mapping[str, str]] | None = None
    ) -> pd.Series:
        """Utterances left out on purpose, counted by corpus and emotion."""
        out = table.loc[self._classes_of(table, native).isna()]
        words = emotions(out, native=native)
        return out.groupby([out["corpus"], words.rename("emotion")]).size()

    def _classes_of(self, table: pd.DataFrame, native: Mapping | None) -> pd.Series:
        words = emotions(table, native=native)
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
            threshold = table["corpus"].map(self.thresholds)
            rated = rating.notna() & threshold.notna()
            low, high = self.classes
            classes[rated & (rating <= threshold)] = low
            classes[rated & (rating > threshold)] = high
        return classes


def emotions(table: pd.DataFrame, *, native: Mapping[str, Mapping[str, str]] | None = None) -> pd.Series:
    """Word of :data:`EMOTIONS` for each utterance.

    Raises
    ------
    LabelError
        Naming the first utterance whose native label is unknown.
    """
    known = {**NATIVE, **(native or {})}

    def word(corpus: str, label: str | None) -> str | None:
        if label is None or pd.isna(label):
            return None  # an utterance with ratings only
        return known.get(corpus, _SAME_WORDS).get(label)

    words = pd.Series(
        [word(corpus, label) for corpus, label in zip(table["corpus"], table["native_label"], strict=True)],
        index=table.index, dtype=object,
    )  # fmt: skip
    unknown = table.index[words.isna() & table["native_label"].notna()]
    if len(unknown):
        row = table.loc[unknown[0]]
        valid = ", ".join(known.get(row["corpus"], _SAME_WORDS))
        raise LabelError(
            f"{unknown[0]}: unknown label {row['native_label']!r} of corpus {row['corpus']!r} "
            f"({len(unknown)} utterances with unknown labels); known labels: {valid}"
        )
    return words


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
            name="arousal",
            classes=("low", "high"),
            mapping=_mapping(
                neutral="low", calm="low", anger="high", joy="high", excitement="high", sadness="low",
                fear="high", disgust="low", surprise="high", boredom="low", frustration="high",
            ),
            dimension="arousal",
            thresholds={"iemocap": 2.5},
            source="ratings: Neumann & Vu, table 1; categories: halves of Russell's circumplex as "
            "Schuller et al. (2010, Cross-corpus acoustic emotion recognition) assign them",
        ),
        LabelScheme(
            name="valence",
            classes=("negative", "positive"),
            mapping=_mapping(
                neutral="positive", calm="positive", anger="negative", joy="positive",
                excitement="positive", sadness="negative", fear="negative", disgust="negative",
                surprise="positive", boredom="negative", frustration="negative",
            ),
            dimension="valence",
            thresholds={"iemocap": 2.5},
            source="ratings: Neumann & Vu, table 1; categories: halves of Russell's circumplex as "
            "Schuller et al. (2010, Cross-corpus acoustic emotion recognition) assign them",
        ),
    )
}  # fmt: skip


def scheme(name: str) -> LabelScheme:
    """Label scheme by name.

    Raises
    ------
    LabelError
        Listing the known schemes.
    """
    if name not in SCHEMES:
        raise LabelError(f"unknown label scheme {name!r}; known: {', '.join(SCHEMES)}")
    return SCHEMES[name]
