"""URDU: fields, and files in the wrong folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("urdu").loc["urdu/SM4_F3_A055"]
    assert row[["speaker", "sex", "native_label", "clip"]].to_list() == ["urdu/M4", "male", "Angry", 3]


def test_misplaced_file(tmp_path: Path):
    trees.urdu.tree(tmp_path / "urdu", every=20)
    (tmp_path / "urdu/Sad/SM1_F10_A010.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match=r"file name says 'A' but the folder says 'Sad'"):
        corpora.get("urdu").read(tmp_path)


@pytest.mark.shared
def test_urdu(shared: Path):
    table = corpora.get("urdu").read(shared / "corpora")
    assert len(table) == 400 and table["speaker"].nunique() == 29
