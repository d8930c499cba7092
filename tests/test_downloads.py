"""Archives that nobody vouches for: what leaves its folder, links, devices, bombs, damage."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from serlab.downloads import unpack
from serlab.errors import DownloadError
from tests.archives import left_behind, tar_of, zip_of


def try_to_unpack(content: bytes, tmp_path: Path, **settings) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.archive").write_bytes(content)
    unpack(tmp_path / "in/a.archive", tmp_path / "in/out", **settings)
    return tmp_path / "in/out"


@pytest.mark.parametrize("make", [lambda name: zip_of({name: b"x"}), tar_of], ids=["zip", "tar"])
@pytest.mark.parametrize(
    "name",
    ["../escaped", "ok/../../escaped", "/escaped", "C:/escaped", "C:escaped", "..\\escaped", "\\escaped"],
)
def test_paths_that_leave_the_folder(tmp_path: Path, make, name: str):
    with pytest.raises(DownloadError, match="which leaves its folder; not unpacked"):
        try_to_unpack(make(name), tmp_path)
    assert left_behind(tmp_path) == ["in/a.archive"]


@pytest.mark.parametrize(
    "content",
    [
        tar_of("link", tarfile.SYMTYPE),
        tar_of("link", tarfile.LNKTYPE),
        tar_of("pipe", tarfile.FIFOTYPE),
        tar_of("device", tarfile.CHRTYPE),
        zip_of({"link": b"/etc/passwd"}, mode=0o120777),
        zip_of({"device": b""}, mode=0o020666),
    ],
    ids=["symlink", "hard link", "pipe", "device", "zip symlink", "zip device"],
)
def test_links_and_devices(tmp_path: Path, content: bytes):
    with pytest.raises(DownloadError, match="which is a link"):
        try_to_unpack(content, tmp_path)
    assert left_behind(tmp_path) == ["in/a.archive"]


def test_more_bytes_than_allowed(tmp_path: Path):
    with pytest.raises(DownloadError, match="unpacks to more than 1000 bytes"):
        try_to_unpack(zip_of({"bomb": bytes(10**6)}), tmp_path, most_bytes=1000)


def test_damaged_archives(tmp_path: Path):
    zipped = zip_of({"a.txt": bytes(range(256)) * 100})
    middle = len(zipped) // 3
    with pytest.raises(DownloadError, match="damaged"):
        try_to_unpack(zipped[:middle] + bytes(40) + zipped[middle + 40 :], tmp_path)
    (tmp_path / "tar").mkdir()
    with pytest.raises(DownloadError, match="damaged"):
        try_to_unpack(tar_of("a.txt", size=100_000)[:-60], tmp_path / "tar")


def test_no_archive_at_all(tmp_path: Path):
    with pytest.raises(DownloadError, match="neither a ZIP nor a TAR"):
        try_to_unpack(b"<html>", tmp_path)


def test_tar_and_zip_unpack(tmp_path: Path):
    out = try_to_unpack(tar_of("Angry/x y ü.wav"), tmp_path)
    assert (out / "Angry/x y ü.wav").read_bytes() == b"x"
    (tmp_path / "z.zip").write_bytes(zip_of({"folder/": b"", "folder/b": b"2"}, mode=0o100777))
    unpack(tmp_path / "z.zip", tmp_path / "zipped")
    assert (tmp_path / "zipped/folder/b").read_bytes() == b"2"
    assert not (tmp_path / "zipped/folder/b").stat().st_mode & 0o111
