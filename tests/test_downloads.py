"""Archives that nobody vouches for: what leaves its folder, links, devices, bombs, damage."""

from __future__ import annotations

import contextlib
import shutil
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from serlab.downloads import fetch, unpack
from serlab.errors import Cancelled, DownloadError
from tests.archives import left_behind, tar_of, tar_with, zip_of


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


def test_paths_that_no_system_has(tmp_path: Path):
    for number, name in enumerate(["/".join("d" * 60), "x" * 300, "."]):
        (tmp_path / str(number)).mkdir()
        with pytest.raises(DownloadError, match=r"folders; not unpacked|length of names|leaves its folder"):
            try_to_unpack(zip_of({name: b"x"}), tmp_path / str(number))


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_mutated_archives_unpack_or_are_refused(tmp_path: Path, mode: str):
    """Bytes changed, cut out, repeated: an archive gives files or a DownloadError, and nothing outside."""
    members = {f"folder/{number}.txt": bytes(range(64)) * number for number in range(6)}
    whole = zip_of(members) if mode == "zip" else tar_with(members, mode)
    rng = np.random.default_rng(0)
    for number in range(60):
        content = mutated(whole, rng)
        (tmp_path / "a.archive").write_bytes(content)
        folder = tmp_path / f"out{number}"
        with contextlib.suppress(DownloadError):
            unpack(tmp_path / "a.archive", folder, most_bytes=100_000)
        shutil.rmtree(folder, ignore_errors=True)
    assert left_behind(tmp_path) == ["a.archive"]


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        place, length = int(rng.integers(len(changed))), int(rng.integers(1, 40))
        match rng.integers(4):
            case 0:
                changed[place] ^= 1 << int(rng.integers(8))
            case 1:
                del changed[place : place + length]
            case 2:
                changed[place:place] = changed[place : place + length]
            case 3:
                changed[place : place + length] = rng.bytes(length)
    return bytes(changed)


class Slow(BaseHTTPRequestHandler):
    """A byte now and then, or without an end."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(400):
                self.wfile.write(b"x" if self.path == "/drops" else bytes(2**14))
                time.sleep(0.02 if self.path == "/drops" else 0)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_that_trickles_is_given_up(slow: str, tmp_path: Path):
    with pytest.raises(DownloadError, match=r"cannot be downloaded \(\d+ bytes in 0 s\)"):
        fetch(f"{slow}/drops", tmp_path / "a", expected="sha256:" + 64 * "0", patience=0.3)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        fetch(f"{slow}/drops", tmp_path / "a", expected="sha256:" + 64 * "0", cancel=cancel)
    assert left_behind(tmp_path) == []


def test_a_server_that_never_ends_is_given_up(slow: str, tmp_path: Path):
    with pytest.raises(DownloadError, match="sends more than 100000 bytes"):
        fetch(f"{slow}/endless", tmp_path / "a", expected="sha256:" + 64 * "0", most_bytes=100_000)
    assert left_behind(tmp_path) == []
