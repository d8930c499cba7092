"""BanglaSER: fields, and RAVDESS, which names its files alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("banglaser").loc["banglaser/03-01-02-01-03-02-25"]
    assert row[["speaker", "sex", "native_label", "native_emotion", "text_id", "repetition"]].to_list() == [
        "banglaser/25",
        "male",
        "02",
        "sadness",
        "banglaser/03",
        2,
    ]


def test_a_folder_that_holds_ravdess_too(tmp_path: Path):
    trees.banglaser.tree(tmp_path / "banglaser", every=50)
    trees.ravdess.tree(tmp_path / "banglaser/RAVDESS", every=30)
    with pytest.raises(CorpusError, match="expected files such as"):
        corpora.get("banglaser").read(tmp_path)
