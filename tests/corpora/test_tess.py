"""TESS: fields, the name that lacks a letter, the copy that holds everything twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("tess").loc["tess/YAF_aa_ps"]
    assert row[["speaker", "sex", "native_label", "native_emotion", "text_id"]].to_list() == [
        "tess/YAF",
        "female",
        "ps",
        "surprise",
        "tess/aa",
    ]


def test_a_name_that_lacks_a_letter_is_the_older_speaker(full):
    table = full("tess")
    (name,) = table.index[table["path"].str.contains("/OA_")]
    assert name.startswith("tess/OAF_") and table.loc[name, "speaker"] == "tess/OAF"


def test_the_copy_that_holds_all_twice_is_refused(tmp_path: Path):
    trees.tess.tree(tmp_path / "tess", every=900)
    trees.tess.tree(tmp_path / "tess/TESS Toronto emotional speech set data", every=900)
    with pytest.raises(CorpusError, match="occurs twice"):
        corpora.get("tess").read(tmp_path)
