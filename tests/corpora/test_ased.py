"""ASED: fields, numbers of two speakers, sentences of one emotion."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("ased").loc["ased/a5-03-01-02-50"]
    assert row[["speaker", "sex", "native_label", "text_id", "repetition"]].to_list() == [
        "ased/M50",
        "male",
        "a",
        "ased/a03",
        1,
    ]


def test_a_number_given_twice_is_two_speakers(full):
    assert {"ased/F09", "ased/M09"} <= {*full("ased")["speaker"]}


def test_common_sentences_are_one_in_all_states(full):
    table = full("ased")
    states = table.groupby("text_id")["native_label"].nunique()
    assert states.loc[["ased/01", "ased/02"]].eq(5).all() and states.drop(["ased/01", "ased/02"]).eq(1).all()


def test_a_capital_is_no_other_label(full):
    table = full("ased")
    assert table.loc[table["path"].str.contains("/S4-"), "native_label"].to_list() == ["s"]


def test_letter_and_number_disagree(tmp_path: Path):
    (tmp_path / "ased").mkdir()
    (tmp_path / "ased/a4-03-01-02-50.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match="'a' is number 5 in ASED, not 4"):
        corpora.get("ased").read(tmp_path)
