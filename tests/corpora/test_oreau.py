"""Oréau: fields, the slip in names, sentences of one emotion."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("oreau").loc["oreau/10a01Ja"]
    assert row[["speaker", "sex", "native_label", "text_id"]].to_list() == [
        "oreau/10",
        "female",
        "J",
        "oreau/J01",
    ]


def test_a_slip_is_no_other_speaker(full):
    table = full("oreau")
    slips = table[table["path"].str.contains(r"/07z")]
    assert len(slips) and (slips["speaker"] == "oreau/07").all()


def test_misplaced_file(tmp_path: Path):
    (tmp_path / "oreau/f/sessc").mkdir(parents=True)
    (tmp_path / "oreau/f/sessc/10a01Ja.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match=r"file name says 'J' but the folder says 'c'"):
        corpora.get("oreau").read(tmp_path)
