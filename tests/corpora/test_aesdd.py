"""AESDD: fields, takes, a speaker written 01, unknown sex, no neutral."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("aesdd").loc["aesdd/a03 (4)"]
    assert row[["speaker", "sex", "native_label", "text_id"]].to_list() == [
        "aesdd/4",
        None,
        "anger",
        "aesdd/03",
    ]


def test_a_leading_zero_is_no_other_speaker(full):
    assert full("aesdd").loc["aesdd/f10 (01)", "speaker"] == "aesdd/1"


def test_a_further_take_is_an_utterance(full):
    takes = full("aesdd").loc[["aesdd/a01 (5)", "aesdd/a01 (5)b"]]
    assert takes["text_id"].nunique() == 1 and takes["speaker"].nunique() == 1


def test_misplaced_file(tmp_path: Path):
    (tmp_path / "aesdd/fear").mkdir(parents=True)
    (tmp_path / "aesdd/fear/a03 (4).wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match=r"file name says 'a' but the folder says 'fear'"):
        corpora.get("aesdd").read(tmp_path)
