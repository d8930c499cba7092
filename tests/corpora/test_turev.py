"""TurEV-DB: fields, copies that are not read, a word a second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("turev").loc["turev/1984_sk_waa"]
    assert row[["speaker", "sex", "native_label", "native_emotion", "text_id"]].to_list() == [
        "turev/1984",
        None,
        "Calm",
        "calm",
        "turev/waa",
    ]


def test_only_one_folder_of_the_repository_is_read(full):
    assert full("turev")["path"].str.contains("/Sound Source/").all()


def test_a_word_said_again_is_the_same_word(tmp_path: Path):
    folder = tmp_path / "turev/Angry"
    folder.mkdir(parents=True)
    for name in ("1984_kz_ogul", "1984_kz_ogul1"):
        (folder / f"{name}.wav").write_bytes(trees.noise(".wav"))
    assert {*corpora.get("turev").read(tmp_path)["text_id"]} == {"turev/ogul"}


def test_misplaced_file(tmp_path: Path):
    (tmp_path / "turev/Sad").mkdir(parents=True)
    (tmp_path / "turev/Sad/1984_sk_eger.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match=r"file name says 'Calm' \(sk\) but the folder says 'Sad'"):
        corpora.get("turev").read(tmp_path)
