"""EMOVO: fields and balance."""

from __future__ import annotations

from pathlib import Path

from serlab import corpora
from tests.corpora import trees


def test_without_the_folder_in_between(tmp_path: Path):
    trees.emovo.tree(tmp_path / "here", every=40)
    (tmp_path / "here/EMOVO").rename(tmp_path / "emovo")
    assert corpora.get("emovo").read(tmp_path)["text_id"].str.fullmatch(r"emovo/[blnd]\d").all()


def test_balanced(full):
    table = full("emovo")
    assert (table.groupby(["speaker", "native_label"]).size() == 14).all()
    assert table.loc["emovo/rab-f2-d1", ["sex", "speaker"]].to_list() == ["female", "emovo/f2"]
