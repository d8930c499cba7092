"""CREMA-D: fields, the odd name, lossy copies and pointers."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("cremad").loc["cremad/1001_IEO_ANG_HI"]
    assert row[["speaker", "sex", "native_label", "text_id", "intensity"]].to_list() == [
        "cremad/1001",
        "male",
        "ANG",
        "cremad/IEO",
        "high",
    ]


def test_sex_of_the_actors(full):
    sexes = full("cremad").groupby("speaker")["sex"].first().value_counts()
    assert sexes.to_dict() == {"male": 48, "female": 43}


def test_a_name_that_lacks_an_x_is_the_same_recording(tmp_path: Path):
    folder = tmp_path / "cremad/AudioWAV"
    folder.mkdir(parents=True)
    (folder / "1040_ITH_SAD_X.wav").write_bytes(trees.noise(".wav"))
    assert [*corpora.get("cremad").read(tmp_path).index] == ["cremad/1040_ITH_SAD_XX"]


def test_lossy_copies_are_not_a_second_recording(tmp_path: Path):
    for name in ("AudioWAV", "AudioMP3"):
        (tmp_path / "cremad" / name).mkdir(parents=True)
        (tmp_path / "cremad" / name / "1001_IEO_ANG_HI.wav").write_bytes(trees.noise(".wav"))
    (path,) = corpora.get("cremad").read(tmp_path)["path"]
    assert Path(path).parent.name == "AudioWAV"


def test_unknown_actor(tmp_path: Path):
    (tmp_path / "cremad").mkdir()
    (tmp_path / "cremad/1092_IEO_ANG_HI.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match="CREMA-D has no actor 1092"):
        corpora.get("cremad").read(tmp_path)


def test_pointers_are_told_from_audio(tmp_path: Path):
    trees.cremad.tree(tmp_path / "cremad", every=1000)
    corpus = corpora.get("cremad")
    before = corpus.read(tmp_path)
    assert corpus.remarks(before) == ()
    for path in before["path"].head(2):
        Path(path).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    (remark,) = corpus.remarks(corpus.read(tmp_path))
    assert remark.startswith("2 files are pointers of Git LFS")
