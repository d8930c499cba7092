"""Emozionalmente: fields from tables, the given split, tables that lack something."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("emozionalmente").loc["emozionalmente/1613000000007"]
    assert row[["speaker", "sex", "native_label", "text_id", "split", "age"]].to_list() == [
        "emozionalmente/actor1", "male", "anger", "emozionalmente/frase numero 1", "train", 21,
    ]  # fmt: skip


def test_sex_unknown_stays_unknown(full):
    table = full("emozionalmente")
    assert table.loc[table["speaker"] == "emozionalmente/actor2", "sex"].isna().all()


def test_the_given_split_parts_no_speaker(full):
    table = full("emozionalmente")
    assert {*table["split"]} == {"train", "validation", "test"}
    assert table.groupby("speaker")["split"].nunique().eq(1).all()


def test_without_users_and_splits(tmp_path: Path):
    trees.emozionalmente.tree(tmp_path / "emozionalmente", every=1000)
    for path in (tmp_path / "emozionalmente/metadata").glob("*.csv"):
        if path.name != "samples.csv":
            path.unlink()
    table = corpora.get("emozionalmente").read(tmp_path)
    assert table["sex"].isna().all() and table["split"].isna().all()


def test_without_samples(tmp_path: Path):
    trees.emozionalmente.tree(tmp_path / "emozionalmente", every=1000)
    (tmp_path / "emozionalmente/metadata/samples.csv").unlink()
    with pytest.raises(CorpusError, match=r"has no metadata/samples.csv.*zenodo"):
        corpora.get("emozionalmente").read(tmp_path)


def test_a_column_is_missing(tmp_path: Path):
    trees.emozionalmente.tree(tmp_path / "emozionalmente", every=1000)
    (tmp_path / "emozionalmente/metadata/samples.csv").write_text("file_name,actor\n1.wav,a\n")
    with pytest.raises(CorpusError, match=r"samples.csv, line 1: no column 'emotion_expressed', 'sentence'"):
        corpora.get("emozionalmente").read(tmp_path)


def test_a_file_that_no_row_names(tmp_path: Path):
    trees.emozionalmente.tree(tmp_path / "emozionalmente", every=1000)
    (tmp_path / "emozionalmente/audio/1.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match=r"1.wav: samples.csv has no such file"):
        corpora.get("emozionalmente").read(tmp_path)
