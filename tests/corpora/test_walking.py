"""Every file below a folder is found once, however it is linked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from serlab.corpora import walking
from serlab.corpora.base import audio_files


def made(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def names(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in walking.files(root)]


def test_links_are_followed_and_cycles_cut(tmp_path: Path):
    made(tmp_path / "disk", "Actor_02/b.wav", "Actor_03/c.wav")
    root = tmp_path / "corpus"
    made(root, "Actor_01/a.wav")
    (root / "Actor_02").symlink_to(tmp_path / "disk/Actor_02")
    (root / "Actor_03").symlink_to(tmp_path / "disk/Actor_03")
    (root / "Actor_01/up").symlink_to(root)
    (root / "Actor_01/again").symlink_to(root / "Actor_01")
    assert names(root) == ["Actor_01/a.wav", "Actor_02/b.wav", "Actor_03/c.wav"]


def test_a_folder_reached_twice_is_read_under_its_own_name(tmp_path: Path):
    made(tmp_path, "z/a.wav")
    (tmp_path / "a").symlink_to(tmp_path / "z")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/link").symlink_to(tmp_path / "z")
    assert names(tmp_path) == ["z/a.wav"]


def test_hidden_and_foreign_things_are_left_out(tmp_path: Path):
    made(tmp_path, "a.wav", "._a.wav", ".git/b.wav", "__MACOSX/c.wav", "@eaDir/d.wav", "x/.hidden/e.wav")
    assert names(tmp_path) == ["a.wav"]


def test_what_is_no_file_is_told_apart(tmp_path: Path):
    made(tmp_path, "a.wav")
    (tmp_path / "gone.wav").symlink_to("nothing")
    (tmp_path / "self.wav").symlink_to("self.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    made(tmp_path, os.fsdecode(b"\xff.wav"))
    kinds = sorted(
        (kind, walking.printable(path.relative_to(tmp_path))) for path, kind in walking.entries(tmp_path)
    )
    assert kinds == [
        ("broken link", "gone.wav"),
        ("broken link", "self.wav"),
        ("file", "a.wav"),
        ("special", "pipe.wav"),
        ("unnameable", "\\xff.wav"),
    ]
    assert [path.name for path in audio_files(tmp_path, "*")] == ["a.wav", "gone.wav", "self.wav"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/*", ["a.wav", "s/b.FLAC", "s/t/c.mp3"]),
        ("*", ["a.wav"]),
        ("*/*", ["s/b.FLAC"]),
        ("**/t/*", ["s/t/c.mp3"]),
    ],
)
def test_globs(tmp_path: Path, pattern: str, found: list[str]):
    made(tmp_path, "a.wav", "s/b.FLAC", "s/t/c.mp3", "s/d.txt")
    assert [path.relative_to(tmp_path).as_posix() for path in audio_files(tmp_path, pattern)] == found


def test_archives(tmp_path: Path):
    assert walking.archives_only(tmp_path / "none") == []
    made(tmp_path, "a.zip", ".DS_Store")
    assert [path.name for path in walking.archives_only(tmp_path)] == ["a.zip"]
    made(tmp_path, "b.txt")
    assert walking.archives_only(tmp_path) == []


def test_label_files_in_linked_folders(tmp_path: Path):
    made(tmp_path / "disk", "docs/labels.tsv")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/linked").symlink_to(tmp_path / "disk")
    assert walking.glob(tmp_path / "corpus", "**/labels.tsv") == [tmp_path / "corpus/linked/docs/labels.tsv"]
    assert walking.glob(tmp_path / "corpus", "labels.tsv") == []
