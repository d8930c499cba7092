"""BAVED: levels are arousal and no emotion; one speaker under two numbers."""

from __future__ import annotations

from serlab import labels


def test_levels_are_arousal(full):
    table = full("baved")
    counts = labels.scheme("arousal").counts(table).loc["baved"]
    assert counts.to_dict() == {"low": 585 + 672, "high": 678, "left out": 0}


def test_no_category_comes_of_a_level(full):
    assert labels.scheme("four").apply(full("baved")).empty


def test_one_speaker_under_two_numbers(full):
    table = full("baved")
    again = table[table.index.str.startswith("baved/53-")]
    assert len(again) and (again["speaker"] == "baved/46").all()
