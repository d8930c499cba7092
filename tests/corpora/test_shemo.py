"""ShEMO: fields; F is a woman, or fear."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("shemo").loc["shemo/F21F01"]
    assert row[["speaker", "sex", "native_label", "native_emotion"]].to_list() == [
        "shemo/F21",
        "female",
        "F",
        "fear",
    ]


def test_unknown_speaker(tmp_path: Path):
    (tmp_path / "shemo").mkdir()
    (tmp_path / "shemo/F32A01.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match="speakers F01 to F31 and M01 to M56, not F32"):
        corpora.get("shemo").read(tmp_path)
