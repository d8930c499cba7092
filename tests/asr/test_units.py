"""Units: characters and phones, there and back."""

from __future__ import annotations

import pandas as pd
import pytest

from serlab.asr.units import Units, characters, normalize, phones
from serlab.errors import CorpusError, ParameterError

LEXICON = {"red": "R EH D", "read": "R EH D", "Door": ["D", "AO", "R"]}


def test_normalize():
    assert normalize("  Don\u2019t -- SIT,\n by the door. ") == "don't sit by the door"
    assert normalize("Mu\u0308de") == "m\u00fcde"


def test_characters_there_and_back():
    units = characters(["Kids are talking by the door.", "a"])
    assert units.symbols[0] == " " and units.separator == 0
    assert units.blank == len(units) == 16
    numbers = units.encode("The door")
    assert [units.symbols[number] for number in numbers] == list("the door")
    assert units.decode((units.separator, *numbers, units.separator)) == "the door"
    assert units.decode([]) == ""


def test_phones_there_and_back():
    units = phones(LEXICON)
    assert units.symbols == (" ", "AO", "D", "EH", "R")
    numbers = units.encode("Red door!")
    assert [units.symbols[number] for number in numbers] == ["R", "EH", "D", " ", "D", "AO", "R"]
    assert units.decode(numbers) == "red door"
    assert units.decode((0, *numbers[:2], 0, 0, *numbers[4:], 0)) == "R-EH door"


@pytest.mark.parametrize("units", [characters(["grün", "ja"]), phones(LEXICON)])
def test_json_there_and_back(units):
    assert Units.from_json(units.to_json()) == units


@pytest.mark.parametrize("text", ["", "[]", '{"symbols": [" ", "a"]}', '{"symbols": 3, "lexicon": null}'])
def test_foreign_json_is_refused(text):
    with pytest.raises(ParameterError, match="no inventory of units"):
        Units.from_json(text)


def test_characters_outside_the_units_are_named():
    units = characters(["abc"])
    with pytest.raises(CorpusError, match=r"utterance 'x/1': the character 'é' \(U\+00E9\)"):
        units.encode("ab é", "x/1")
    with pytest.raises(CorpusError, match="x/1"):
        units.encode_all({"x/0": "ab", "x/1": "é"})
    with pytest.raises(CorpusError, match="the word 'window' is not in the lexicon"):
        phones(LEXICON).encode("red window")


def test_characters_outside_the_units_are_replaced_and_counted():
    units = characters(["a b c"])
    texts = pd.Series({"1": "a1c", "2": "é 11 b 1", "3": "abc"})
    left_out = units.encode_all(texts, replacement="")
    assert {u: units.decode(target) for u, target in left_out.targets.items()} == {
        "1": "ac",
        "2": "b",
        "3": "abc",
    }
    assert left_out.replaced == {"1": 4, "é": 1}
    stand_in = units.encode_all(texts, replacement="a")
    assert units.decode(stand_in.targets["2"]) == "a aa b a"
    spoken = phones(LEXICON).encode_all({"1": "red window door window"}, replacement="AO")
    assert phones(LEXICON).decode(spoken.targets["1"]) == "red AO door AO"
    assert spoken.replaced == {"window": 2}
    with pytest.raises(ParameterError, match="'z' is not among the units"):
        units.encode_all(texts, replacement="z")


def test_empty_transcripts_are_refused():
    units = characters(["abc"])
    for text in ("", " ... "):
        with pytest.raises(CorpusError, match="'x' has no word"):
            units.encode(text, "x")
    with pytest.raises(CorpusError, match="'x' has no word"):
        units.encode_all({"x": "12"}, replacement="")
    with pytest.raises(CorpusError, match="no character"):
        characters(["", "."])


@pytest.mark.parametrize(
    ("symbols", "lexicon", "complaint"),
    [
        ((" ", "a", "a"), None, "several"),
        (("a", "b"), None, "separator"),
        ((" ", "ab"), None, "one character"),
        ((" ", "A"), {"be": ("B",)}, "'be'"),
        ((" ", "A"), {"a": ()}, "one phone at least"),
    ],
)
def test_impossible_units_are_refused(symbols, lexicon, complaint):
    with pytest.raises(ParameterError, match=complaint):
        Units(symbols, lexicon)
