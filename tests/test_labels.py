"""The vocabulary, and what becomes of a label that nobody thought of."""

from __future__ import annotations

import pandas as pd
import pytest

from serlab import data, labels
from serlab.corpora import CORPORA
from serlab.corpora.base import binary_counts
from serlab.errors import LabelError


def table(corpus: str, native: list[str | None], **columns: list) -> pd.DataFrame:
    rows = [
        {"utterance": f"{corpus}/{n:02d}", "corpus": corpus, "native_label": v} for n, v in enumerate(native)
    ]
    utterances = data.utterances(pd.DataFrame(rows).assign(**columns))
    return CORPORA[corpus].labelled(utterances) if corpus in CORPORA else utterances


@pytest.mark.parametrize("corpus", [name for name, corpus in CORPORA.items() if corpus.labels])
def test_every_native_label_is_a_word_of_the_vocabulary(corpus: str):
    native = CORPORA[corpus].labels
    found = labels.emotions(table(corpus, list(native)))
    assert found.to_list() == list(native.values())
    assert set(found) <= set(labels.EMOTIONS)


@pytest.mark.parametrize("scheme", labels.SCHEMES.values(), ids=str)
def test_schemes_decide_about_every_emotion(scheme: labels.LabelScheme):
    assert set(scheme.mapping) == set(labels.EMOTIONS)
    assert set(scheme.mapping.values()) - {None} == set(scheme.classes)


def test_unknown_label_raises_and_names_the_utterance():
    with pytest.raises(LabelError, match=r"emodb/01: unknown label 'X' of corpus 'emodb' \(1 utt.*known.*W"):
        labels.emotions(table("emodb", ["W", "X"]))


def test_a_corpus_without_a_mapping_must_use_the_vocabulary():
    assert labels.emotions(table("mine", ["anger"])).to_list() == ["anger"]
    with pytest.raises(LabelError, match="mine/00: unknown label 'Wut'"):
        labels.emotions(table("mine", ["Wut"]))
    said = table("mine", ["Wut"]).assign(native_emotion="anger")
    assert labels.emotions(said).to_list() == ["anger"]


def test_unknown_scheme_lists_the_known():
    with pytest.raises(LabelError, match="unknown label scheme 'five'; known: four"):
        labels.scheme("five")


def test_a_scheme_cannot_name_a_foreign_emotion_or_class():
    with pytest.raises(LabelError, match="'rage' is not in"):
        labels.LabelScheme(name="x", classes=("a",), mapping={"rage": "a"})
    with pytest.raises(LabelError, match="'b' is not one of its classes"):
        labels.LabelScheme(name="x", classes=("a",), mapping={"anger": "b"})


def test_an_emotion_the_scheme_forgot_raises():
    scheme = labels.LabelScheme(name="x", classes=("a",), mapping={"anger": "a"})
    with pytest.raises(LabelError, match=r"emodb/00: scheme 'x' says nothing about 'neutral'"):
        scheme.apply(table("emodb", ["N", "W"]))


def test_left_out_on_purpose_is_declared_and_counted():
    four = labels.scheme("four")
    assert "boredom" in four.left_out and "anger" not in four.left_out
    before = table("emodb", ["W", "L", "L", "N"])
    kept = four.apply(before)
    assert kept["emotion"].to_list() == ["anger", "neutral"]
    assert list(kept["emotion"].cat.categories) == list(four.classes)
    assert four.left_out_counts(before).to_dict() == {("emodb", "boredom"): 2}
    assert "emotion" not in before.columns


def test_excitement_is_joy_only_where_the_recipe_says_so():
    before = table("iemocap", ["hap", "exc"])
    kept = {n: list(labels.scheme(n).apply(before)["native_label"]) for n in ("four", "four-merged")}
    assert kept == {"four": ["hap"], "four-merged": ["hap", "exc"]}
    assert list(labels.scheme("four-excited").apply(before)["native_label"]) == ["exc"]


@pytest.mark.parametrize("dimension", ["arousal", "valence"])
@pytest.mark.parametrize(
    ("corpus", "ratings"), [("iemocap", [1.0, 2.5, 2.5001]), ("recola", [-1.0, 0.0, 0.0001])]
)
def test_a_rating_at_the_threshold_belongs_to_the_lower_class(
    dimension: str, corpus: str, ratings: list[float]
):
    scheme = labels.scheme(dimension)
    rated = table(corpus, [None] * 3, **{dimension: ratings})
    low, high = scheme.classes
    assert scheme.apply(rated)["emotion"].to_list() == [low, low, high]
    counts = binary_counts(rated, corpus, {dimension: (5, 6)}, CORPORA[corpus].thresholds)
    assert counts["found"].to_list() == [2, 1] and counts["published"].to_list() == [5, 6]


def test_a_rating_wins_over_the_category_and_the_category_fills_in():
    arousal = labels.scheme("arousal")
    angry = table("iemocap", ["ang", "ang"], arousal=[1.5, float("nan")])
    assert arousal.apply(angry)["emotion"].to_list() == ["low", "high"]


def test_a_rating_without_a_scale_is_not_guessed_at():
    """6.5 was low, because nobody had said that the scale ends at 7."""
    mine = table("mine", ["anger", "joy"], arousal=[6.5, float("nan")])
    with pytest.raises(LabelError, match=r"arousal is 6\.5.*does not say on which scale.*\[scale\]"):
        labels.scheme("arousal").apply(mine)
    assert len(labels.scheme("four").apply(mine)) == 2, "other schemes do without"
    assert len(labels.scheme("valence").apply(mine)) == 2
    scaled = mine.assign(arousal_threshold=4.0)
    assert labels.scheme("arousal").apply(scaled)["emotion"].to_list() == ["high", "high"]


def test_neither_rating_nor_category_is_left_out_and_counted():
    valence = labels.scheme("valence")
    unrated = table("iemocap", ["xxx", "neu"])
    assert valence.apply(unrated)["native_label"].to_list() == ["neu"]
    assert valence.left_out_counts(unrated).to_dict() == {("iemocap", "ambiguous"): 1}
    unlabelled = table("recola", [None, None], valence=[0.5, float("nan")])
    assert valence.left_out_counts(unlabelled).to_dict() == {("recola", labels.UNLABELLED): 1}


def test_counts_of_classes_by_corpus_lose_nobody():
    both = data.concatenate(
        [table("emodb", ["W", "N", "E"]), table("recola", [None] * 2, arousal=[0.3, float("nan")])]
    )
    counts = labels.scheme("arousal").counts(both)
    assert counts.to_dict("index") == {
        "emodb": {"low": 2, "high": 1, "left out": 0},
        "recola": {"low": 0, "high": 1, "left out": 1},
    }
    assert labels.scheme("four").counts(both)["left out"].to_dict() == {"emodb": 1, "recola": 2}


class TestQuadrants:
    def test_every_emotion_has_a_place_or_none_and_a_source(self):
        quadrants = labels.quadrant_table()
        assert list(quadrants.columns) == ["emotion", "arousal", "valence", "source"]
        assert sorted(quadrants["emotion"]) == sorted(labels.EMOTIONS)
        assert quadrants["source"].str.len().gt(0).all()
        nowhere = quadrants[quadrants["arousal"].isna()]
        secondary = {"anxiety", "apology", "assertiveness", "concern", "encouragement"}
        assert set(nowhere["emotion"]) == {"other", "ambiguous"} | secondary
        assert nowhere["valence"].isna().all()

    def test_schemes_follow_the_table(self):
        for row in labels.quadrant_table().itertuples():
            for dimension in ("arousal", "valence"):
                half = labels.scheme(dimension).mapping[row.emotion]
                assert half == (getattr(row, dimension) if pd.notna(getattr(row, dimension)) else None)

    def test_emodb_as_schuller_et_al_cluster_it(self):
        quadrants = labels.quadrant_table().set_index("emotion")
        emodb = quadrants.loc[list(CORPORA["emodb"].labels.values())]
        assert set(emodb.index[emodb["arousal"] == "high"]) == {"anger", "fear", "joy"}
        assert set(emodb.index[emodb["valence"] == "positive"]) == {"joy", "neutral"}

    def test_classes_of_ravdess(self):
        native = table("ravdess", ["02", "03", "07", "08"])  # calm, happy, disgust, surprised
        assert list(labels.scheme("arousal").apply(native)["emotion"]) == ["low", "high", "low", "high"]
        assert list(labels.scheme("valence").apply(native)["emotion"]) == [
            "positive", "positive", "negative", "positive",
        ]  # fmt: skip
