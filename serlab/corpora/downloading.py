"""Fetch a corpus from its publisher: checked, unpacked safely, all or nothing.

An archive is downloaded under a temporary name and checked against a known
hash before anything in it is looked at. It is unpacked into a temporary folder
that gets its name when the corpus in it can be read. Whatever fails on the way
leaves no half corpus behind, and the same call starts again.

Where a publisher states no hash, serlab has none either: it would be worth
nothing. Then the user passes the hash of a copy that the lab trusts, or
downloads and unpacks by hand, following ``corpus.how_to_get``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

import pooch
import requests

from serlab import data
from serlab.corpora.base import Corpus
from serlab.errors import Cancelled, CorpusError
from serlab.progress import Progress

#: Bytes that one archive may unpack to. The largest open corpus has 0.6 GB.
MOST_BYTES = 10 * 2**30
_CHUNK = 2**18


def download(
    corpus: Corpus,
    root: Path | str | None = None,
    *,
    known_hash: str | None = None,
    base_url: str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """Download and unpack a corpus below the data root.

    Parameters
    ----------
    corpus : Corpus
        One with :attr:`~serlab.corpora.base.Corpus.download`.
    root : path, optional
        Data root, see :func:`serlab.data.data_root`.
    known_hash : str, optional
        ``algorithm:hexdigest`` (sha256 without algorithm) of the archive;
        needed, and only allowed, where its publisher states none.
    base_url : str, optional
        Mirror that holds the same file names, instead of the publisher.
    progress : callable, optional
        ``progress(done_bytes, total_bytes, file_name)``.
    cancel : Event, optional
        Checked between blocks of data.

    Returns
    -------
    Path
        The new folder of the corpus.

    Raises
    ------
    CorpusError
        If there is no open address, the corpus is already there, the network
        fails, the hash is wrong or unknown, or the archive is unsafe or holds
        something else.
    Cancelled
    """
    if corpus.download is None:
        raise CorpusError(f"{corpus.title} has no open address to download from. {corpus.how_to_get}")
    folder = corpus.folder(root)
    if corpus.is_installed(root):
        raise CorpusError(f"{folder} is already there; move it away to download {corpus.title} again")
    files = {
        name: (
            f"{base_url.rstrip('/')}/{name}" if base_url else url,
            _hash(corpus, name, published, known_hash),
        )
        for name, (url, published) in corpus.download.files.items()
    }
    # Beside the target, so that renaming works; kept until all is done, so that a
    # second call need not download again what the first one had checked.
    archives = data.data_root(root) / f".{corpus.name}-download"
    with _writable(folder):
        archives.mkdir(parents=True, exist_ok=True)
        paths = [
            fetch(url, archives / name, expected, progress, cancel) for name, (url, expected) in files.items()
        ]
        with tempfile.TemporaryDirectory(prefix="unpacked-", dir=archives) as temporary:
            unpacked = Path(temporary) / corpus.name
            for path in paths:
                unpack(path, unpacked, cancel=cancel)
            if corpus.reader(unpacked).empty:
                raise corpus.foreign(unpacked)
            os.replace(unpacked, folder)
        shutil.rmtree(archives)
    return folder


def unpack(
    archive: Path, folder: Path, *, most_bytes: int = MOST_BYTES, cancel: threading.Event | None = None
) -> None:
    """Unpack a ZIP or TAR archive that nobody vouches for.

    Only plain files and folders that stay inside ``folder`` are written, with
    default permissions; nothing is overwritten.

    Raises
    ------
    CorpusError
        If a member is absolute, climbs out, is a link, a device or encrypted,
        occurs twice, or if more than ``most_bytes`` come out. What was
        written before that stays; the caller removes the folder.
    """
    if zipfile.is_zipfile(archive):
        members = _zip_members
    elif tarfile.is_tarfile(archive):
        members = _tar_members
    else:
        raise CorpusError(f"{archive.name} is neither a ZIP nor a TAR archive")
    left = most_bytes
    try:
        for name, content in members(archive):
            target = folder / _safe(name, archive)
            if content is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("xb") as file:
                # Counted here: the sizes that an archive states may be lies.
                while block := content.read(_CHUNK):
                    if cancel is not None and cancel.is_set():
                        raise Cancelled("unpacking was cancelled")
                    left -= len(block)
                    if left < 0:
                        raise CorpusError(
                            f"{archive.name} unpacks to more than {most_bytes} bytes; not unpacked"
                        )
                    file.write(block)
    except FileExistsError as error:
        raise CorpusError(f"{archive.name} holds {error.filename} twice; not unpacked") from None
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError) as error:
        raise CorpusError(f"{archive.name} is damaged ({error}); not unpacked") from error


def _hash(corpus: Corpus, name: str, published: str, known: str | None) -> str:
    """Hash to check a file against."""
    if published and known:
        raise CorpusError(f"the publisher states the hash of {name}; leave yours out")
    if not published and not known:
        raise CorpusError(
            f"the publisher of {corpus.title} states no hash for {name}, and unchecked archives are not "
            f"unpacked. Pass the hash of a copy that you trust (sha256:...), or: {corpus.how_to_get}"
        )
    algorithm, _, digest = (published or known).rpartition(":")
    if (algorithm or "sha256") not in hashlib.algorithms_available or not digest.isalnum():
        raise CorpusError(f"{known!r} is no hash; write it as sha256:0123... or md5:0123...")
    return f"{algorithm or 'sha256'}:{digest.lower()}"


class _Bar:
    """What pooch wants of a progress bar, turned into our callback."""

    def __init__(self, text: str, progress: Progress | None, cancel: threading.Event | None) -> None:
        self.total, self._done = 0, 0
        self._text, self._progress, self._cancel = text, progress, cancel

    def update(self, n: int) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled("the download was cancelled")
        self._done = min(self._done + n, self.total)
        if self._progress:
            self._progress(self._done, self.total, self._text)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        pass


def fetch(
    url: str, path: Path, expected: str, progress: Progress | None, cancel: threading.Event | None
) -> Path:
    """Download one file, unless it is there already with the right hash.

    Raises
    ------
    CorpusError
        If the network fails or the hash is wrong; nothing is kept.
    Cancelled
    """
    downloader = pooch.HTTPDownloader(progressbar=_Bar(path.name, progress, cancel), chunk_size=_CHUNK)
    try:
        pooch.retrieve(url, expected, fname=path.name, path=path.parent, downloader=downloader)
    except requests.RequestException as error:
        raise CorpusError(
            f"{url} cannot be downloaded ({error}); check the address and the network, then call again"
        ) from error
    except ValueError as error:  # pooch, of a wrong hash
        raise CorpusError(
            f"{url} does not have the hash {expected}: it was cut short, changed by its publisher, or "
            "tampered with. Nothing was kept"
        ) from error
    return path


def _safe(name: str, archive: Path) -> Path:
    """Relative path of a member, refused where it could leave the folder on any system."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if not name or posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise CorpusError(f"{archive.name} holds the path {name!r}, which leaves its folder; not unpacked")
    return Path(*windows.parts)


def _zip_members(archive: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """Name and content of each member; None for a folder."""
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or member.flag_bits & 1:
                raise CorpusError(
                    f"{archive.name} holds {member.filename!r}, which is a link, a device or encrypted; "
                    "not unpacked"
                )
            yield member.filename, None if member.is_dir() else file.open(member)


def _tar_members(archive: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """Name and content of each member; None for a folder."""
    with tarfile.open(archive) as file:
        for member in file:
            if not (member.isreg() or member.isdir()):
                raise CorpusError(
                    f"{archive.name} holds {member.name!r}, which is a link or a device; not unpacked"
                )
            yield member.name, None if member.isdir() else file.extractfile(member)


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Say which folder it was when the operating system refuses to write."""
    try:
        yield
    except OSError as error:
        raise CorpusError(
            f"cannot write {folder} ({error.strerror}); check permissions and free space, or choose another "
            "data root"
        ) from error
