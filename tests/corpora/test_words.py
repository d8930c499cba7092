"""Synonyms are of one emotion each."""

from __future__ import annotations

from collections import Counter

from serlab.corpora import words
from serlab.labels import EMOTIONS


def test_each_word_means_one_thing():
    assert set(words.SYNONYMS) <= set(EMOTIONS)
    every = [*EMOTIONS, *(other for others in words.SYNONYMS.values() for other in others)]
    assert max(Counter(every).values()) == 1
    assert all(word == words.plain(word) and len(word) > 1 for word in every)
    assert {words.find(word.upper(), words.EMOTIONS_BY_WORD) for word in every} == set(EMOTIONS)


def test_what_is_not_listed_is_not_guessed():
    assert words.find("sadist", words.EMOTIONS_BY_WORD) is None
    assert words.find("N", words.EMOTIONS_BY_WORD) is None
