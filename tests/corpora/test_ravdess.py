"""RAVDESS: fields, and files that are not of its speech part."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.corpora import ravdess
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("ravdess").loc["ravdess/03-01-05-02-01-02-12"]
    fields = ["speaker", "sex", "native_label", "intensity", "text_id", "repetition"]
    assert row[fields].to_list() == ["ravdess/12", "female", "05", "strong", "ravdess/01", 2]


def test_publishers_folder_on_top_and_song_and_video_beside(tmp_path: Path):
    top = tmp_path / "ravdess/Audio_Speech_Actors_01-24"
    trees.ravdess.tree(top, every=60)
    for name in ("Actor_01/03-02-01-01-01-01-01.wav", "Actor_01/01-01-01-01-01-01-01.mp4"):
        (tmp_path / "ravdess" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ravdess" / name).write_bytes(trees.noise(".wav"))
    assert len(corpora.get("ravdess").read(tmp_path)) == 24


def test_impossible_name(tmp_path: Path):
    trees.ravdess.tree(tmp_path / "ravdess", every=60)
    (tmp_path / "ravdess/Actor_01/03-01-01-02-01-01-01.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match="no published RAVDESS speech file has this name"):
        corpora.get("ravdess").read(tmp_path)  # neutral has no strong intensity


def test_1440_names():
    assert len(ravdess.expected_names(Path())) == 1440


@pytest.mark.shared
def test_ravdess(shared: Path):
    table = corpora.get("ravdess").read(shared / "corpora")
    assert set(table.index) == ravdess.expected_names(Path())


@pytest.mark.shared
def test_ravdess_in_its_original_format(shared: Path):
    table = ravdess.read(shared / "corpora/ravdess-original-sample")
    assert len(table) == 6 and table["duration"].between(2, 6).all()
