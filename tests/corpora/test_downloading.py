"""Corpora from a local server: good, wrong, interrupted. Unsafe archives: tests/test_downloads.py."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from serlab import corpora
from serlab.corpora.base import Corpus, Download
from serlab.corpora.downloading import download
from serlab.errors import Cancelled, CorpusError
from tests.archives import left_behind, zip_of
from tests.corpora import trees


class Server:
    """Files by name, what was asked for, and after how many bytes to hang up."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.hang_up_after: int | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                content = outer.files.get(self.path.lstrip("/"))
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: outer.hang_up_after])

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """ZIP of a small URDU in a folder on top, as GitHub makes it."""
    folder = tmp_path_factory.mktemp("archive") / "URDU-Dataset-master"
    trees.urdu.tree(folder, every=20, distinct=True)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for path in sorted(folder.rglob("*")):
            zipped.write(path, path.relative_to(folder.parent))
    return file.getvalue()


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def urdu(server: Server, known: str) -> Corpus:
    """URDU, published on the local server with a hash."""
    return replace(
        corpora.get("urdu"), download=Download(files={"master.zip": (f"{server.url}/master.zip", known)})
    )


def test_good(server: Server, archive: bytes, tmp_path: Path):
    server.files["master.zip"] = archive
    seen = []
    folder = download(
        urdu(server, sha256(archive)), tmp_path / "new", progress=lambda *step: seen.append(step)
    )
    assert folder == tmp_path / "new/urdu"
    assert len(corpora.get("urdu").read(tmp_path / "new")) == 20
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["urdu"]
    assert seen[-1] == (len(archive), len(archive), "master.zip")


def test_mirror(server: Server, archive: bytes, tmp_path: Path):
    server.files["speech/master.zip"] = archive
    elsewhere = replace(urdu(server, sha256(archive)), how_to_get="")
    download(elsewhere, tmp_path, base_url=f"{server.url}/speech/")
    assert server.asked == ["/speech/master.zip"]


def test_wrong_hash_is_never_unpacked(server: Server, archive: bytes, tmp_path: Path):
    server.files["master.zip"] = archive
    with pytest.raises(CorpusError, match=r"master.zip does not have the hash sha256:0000.*Nothing was kept"):
        download(urdu(server, "sha256:" + 64 * "0"), tmp_path)
    assert left_behind(tmp_path) == []


def test_a_hash_is_required_where_the_publisher_states_none(server: Server, archive: bytes, tmp_path: Path):
    server.files["master.zip"] = archive
    unstated = urdu(server, "")
    with pytest.raises(CorpusError, match=r"states no hash for master.zip.*sha256:\.\.\..*github"):
        download(unstated, tmp_path)
    with pytest.raises(CorpusError, match=r"'sha257:12' is no hash"):
        download(unstated, tmp_path, known_hash="sha257:12")
    assert server.asked == []
    download(unstated, tmp_path, known_hash=hashlib.sha256(archive).hexdigest().upper())
    with pytest.raises(CorpusError, match="leave yours out"):
        download(urdu(server, sha256(archive)), tmp_path / "2", known_hash=sha256(archive))


def test_interrupted_then_again(server: Server, archive: bytes, tmp_path: Path):
    server.files["master.zip"] = archive
    server.hang_up_after = len(archive) // 2
    with pytest.raises(CorpusError, match=r"cannot be downloaded|does not have the hash"):
        download(urdu(server, sha256(archive)), tmp_path)
    assert left_behind(tmp_path) == []
    server.hang_up_after = None
    download(urdu(server, sha256(archive)), tmp_path)
    assert len(corpora.get("urdu").read(tmp_path)) == 20


def test_cancelled_then_again(server: Server, archive: bytes, tmp_path: Path):
    server.files["master.zip"] = archive
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        download(urdu(server, sha256(archive)), tmp_path, progress=lambda *_: cancel.set(), cancel=cancel)
    assert not (tmp_path / "urdu").exists()
    download(urdu(server, sha256(archive)), tmp_path)
    assert len(corpora.get("urdu").read(tmp_path)) == 20


def test_what_was_checked_is_not_downloaded_twice(server: Server, archive: bytes, tmp_path: Path):
    (tmp_path / ".urdu-download").mkdir()
    (tmp_path / ".urdu-download/master.zip").write_bytes(archive)
    download(urdu(server, sha256(archive)), tmp_path)
    assert server.asked == []


def test_archive_of_something_else(server: Server, tmp_path: Path):
    content = zip_of({"readme.txt": b"moved"})
    server.files["master.zip"] = content
    with pytest.raises(CorpusError, match="holds nothing that looks like URDU"):
        download(urdu(server, sha256(content)), tmp_path)
    assert not (tmp_path / "urdu").exists()


def test_not_found_and_no_server(server: Server, tmp_path: Path):
    with pytest.raises(CorpusError, match=r"cannot be downloaded \(404"):
        download(urdu(server, 64 * "0"), tmp_path)
    with pytest.raises(CorpusError, match="check the address and the network"):
        download(urdu(server, 64 * "0"), tmp_path, base_url="http://127.0.0.1:9")
    assert left_behind(tmp_path) == []


def test_downloads_at_once_of_one_corpus(server: Server, archive: bytes, tmp_path: Path):
    """One of them brings it; the others are told, and break nothing."""
    server.files["master.zip"] = archive
    said: list[object] = []

    def bring() -> None:
        try:
            said.append(download(urdu(server, sha256(archive)), tmp_path))
        except CorpusError as error:
            said.append(str(error))

    threads = [threading.Thread(target=bring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count(tmp_path / "urdu") == 1
    assert all("already" in text for text in said if isinstance(text, str))
    assert len(corpora.get("urdu").read(tmp_path)) == 20
    assert [path.name for path in tmp_path.iterdir()] == ["urdu"]


def test_installed_already(server: Server, tmp_path: Path):
    (tmp_path / "urdu").mkdir()
    (tmp_path / "urdu/note.txt").write_text("mine")
    with pytest.raises(CorpusError, match="already there; move it away"):
        download(urdu(server, 64 * "0"), tmp_path)
    assert server.asked == [] and left_behind(tmp_path) == ["urdu/note.txt"]


def test_no_open_address(tmp_path: Path):
    for name in ("emovo", "savee", "iemocap"):
        with pytest.raises(CorpusError, match=r"no open address.*<data>"):
            download(corpora.get(name), tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_to_write(server: Server, archive: bytes, tmp_path: Path):
    server.files["master.zip"] = archive
    tmp_path.chmod(0o500)
    with pytest.raises(CorpusError, match=r"cannot write .*urdu \(Permission denied\)"):
        download(urdu(server, sha256(archive)), tmp_path)


def test_data_root_that_is_a_file(server: Server, archive: bytes, tmp_path: Path):
    server.files["master.zip"] = archive
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match=r"cannot write .*file/urdu"):
        download(urdu(server, sha256(archive)), tmp_path / "file")


def test_published_addresses_are_checked_ones():
    """Whoever adds an address also decides about its hash."""
    stated = {name: dict(c.download.files) for name, c in corpora.CORPORA.items() if c.download}
    assert set(stated) == {"emodb", "ravdess", "urdu"}
    assert stated["ravdess"]["Audio_Speech_Actors_01-24.zip"][1] == "md5:bc696df654c87fed845eb13823edef8a"
