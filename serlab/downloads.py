"""Files from the network: checked before they are used, archives unpacked safely.

A file is downloaded under a temporary name and gets its own when its hash is
the expected one. Nothing in an archive is trusted: only plain files and folders
inside the target are written.
"""

from __future__ import annotations

import errno
import hashlib
import lzma
import stat
import struct
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, TYPE_CHECKING

from serlab.errors import DownloadError
from serlab.progress import Progress, stop_if

if TYPE_CHECKING:
    from urllib3 import HTTPResponse

#: Bytes that one archive may unpack to. The largest open corpus has 0.6 GB.
MOST_BYTES = 10 * 2**30
#: Seconds after which a silent server is given up.
PATIENCE = 60.0
#: Bytes a second, below which one is silent.
SLOWEST = 100
_CHUNK = 2**18
_DEEPEST = 50  # folders in each other
#: What libraries raise for archives that are not what they say.
_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError,
    RuntimeError, ValueError, IndexError, KeyError, TypeError, OverflowError, struct.error, MemoryError,
)  # fmt: skip


def known_hash(text: str) -> str:
    """A hash as pooch wants it: ``algorithm:hexdigest`` in lower case, sha256 where no algorithm is named.

    Raises
    ------
    DownloadError
        If it is no hash.
    """
    algorithm, _, digest = text.rpartition(":")
    if (algorithm or "sha256") not in hashlib.algorithms_available or not digest.isalnum():
        raise DownloadError(f"{text!r} is no hash; write it as sha256:0123... or md5:0123...")
    return f"{algorithm or 'sha256'}:{digest.lower()}"


def fetch(
    url: str,
    path: Path,
    *,
    expected: str,
    most_bytes: int = MOST_BYTES,
    patience: float = PATIENCE,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """Download one file, unless it is there already with the right hash.

    Parameters
    ----------
    url : str
    path : Path
        Where it goes.
    expected : str
        Its hash, see :func:`known_hash`.
    most_bytes : int
        More are not taken, whatever the server sends.
    patience : float
        Seconds in which something has to come, and :data:`SLOWEST` bytes for each of them on average.
    progress : callable, optional
        ``progress(done_bytes, total_bytes, file_name)``.
    cancel : Event, optional
        Checked between blocks of data.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    DownloadError
        If the network fails, is too slow, or the hash is wrong; nothing is kept.
    Cancelled
    """
    # Late: both take a while to import, and most of what imports this module downloads nothing.
    import pooch
    import requests
    import urllib3

    def download(url: str, output: str, _: object) -> None:
        with requests.get(url, stream=True, timeout=patience) as answer, Path(output).open("wb") as file:
            answer.raise_for_status()
            total = int(answer.headers.get("Content-Length", 0))
            for done, block in _blocks(answer.raw, patience, cancel):
                if done > most_bytes:
                    raise DownloadError(f"{url} sends more than {most_bytes} bytes; nothing was kept")
                file.write(block)
                if progress:
                    progress(done, max(total, done), path.name)

    try:
        pooch.retrieve(url, expected, fname=path.name, path=path.parent, downloader=download)
    except (requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError) as error:
        # What a library tells of a host that does not answer is five lines of its own objects.
        silent = isinstance(error, requests.ConnectionError | requests.Timeout)
        said = "no answer" if silent else str(error)
        raise DownloadError(
            f"{url} cannot be downloaded ({said}); check the address and the network, then call again"
        ) from error
    except ValueError as error:  # pooch, of a wrong hash
        raise DownloadError(
            f"{url} does not have the hash {expected}: it was cut short, changed by its publisher, or "
            "tampered with. Nothing was kept"
        ) from error
    return path


def _blocks(
    raw: HTTPResponse, patience: float, cancel: threading.Event | None
) -> Iterator[tuple[int, bytes]]:
    """What has come until now, and a block of it as soon as it comes.

    Raises
    ------
    TimeoutError
        If hardly anything comes: a server that sends a byte now and then never runs into the timeout
        of a socket.
    """
    done, at_last_look, looked = 0, 0, time.monotonic()
    while block := raw.read1(_CHUNK, decode_content=True):
        stop_if(cancel, "the download was cancelled")
        done += len(block)
        waited = time.monotonic() - looked
        if waited >= patience:
            if done - at_last_look < SLOWEST * waited:
                raise TimeoutError(f"{done - at_last_look} bytes in {waited:.0f} s")
            at_last_look, looked = done, time.monotonic()
        yield done, block


def unpack(
    archive: Path, folder: Path, *, most_bytes: int = MOST_BYTES, cancel: threading.Event | None = None
) -> None:
    """Unpack a ZIP or TAR archive that nobody vouches for.

    Only plain files and folders that stay inside ``folder`` are written, with
    default permissions; nothing is overwritten.

    Raises
    ------
    DownloadError
        If a member is absolute, climbs out, is a link, a device or encrypted,
        occurs twice, or if more than ``most_bytes`` come out. What was
        written before that stays; the caller removes the folder.
    """
    members = _reader(archive)
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
                    stop_if(cancel, "unpacking was cancelled")
                    left -= len(block)
                    if left < 0:
                        raise DownloadError(
                            f"{archive.name} unpacks to more than {most_bytes} bytes; not unpacked"
                        )
                    file.write(block)
    except FileExistsError as error:
        raise DownloadError(f"{archive.name} holds {error.filename} twice; not unpacked") from None
    except _DAMAGE as error:
        raise DownloadError(f"{archive.name} is damaged ({error}); not unpacked") from error
    except OSError as error:
        # Of the disk, where the system says so; else of a decompressor that met nonsense.
        if error.errno in (None, errno.EINVAL):
            raise DownloadError(f"{archive.name} is damaged ({error}); not unpacked") from error
        raise DownloadError(
            f"{archive.name} cannot be unpacked into {folder}: {error.strerror}; check free space, "
            "permissions and the length of names in it"
        ) from error


def _reader(archive: Path) -> Callable[[Path], Iterator[tuple[str, IO[bytes] | None]]]:
    try:
        if zipfile.is_zipfile(archive):
            return _zip_members
        if tarfile.is_tarfile(archive):
            return _tar_members
    except _DAMAGE as error:
        raise DownloadError(f"{archive.name} is damaged ({error}); not unpacked") from error
    raise DownloadError(f"{archive.name} is neither a ZIP nor a TAR archive")


def _safe(name: str, archive: Path) -> Path:
    """Relative path of a member, refused where it could leave the folder on any system."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if len(windows.parts) > _DEEPEST or "\0" in name:
        raise DownloadError(f"{archive.name} holds a path of {len(windows.parts)} folders; not unpacked")
    if not windows.parts or posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise DownloadError(f"{archive.name} holds the path {name!r}, which leaves its folder; not unpacked")
    return Path(*windows.parts)


def _zip_members(archive: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """Name and content of each member; None for a folder."""
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or member.flag_bits & 1:
                raise DownloadError(
                    f"{archive.name} holds {member.filename!r}, which is a link, a device or encrypted; "
                    "not unpacked"
                )
            yield member.filename, None if member.is_dir() else file.open(member)


def _tar_members(archive: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """Name and content of each member; None for a folder."""
    with tarfile.open(archive) as file:
        for member in file:
            if not (member.isreg() or member.isdir()):
                raise DownloadError(
                    f"{archive.name} holds {member.name!r}, which is a link or a device; not unpacked"
                )
            yield member.name, None if member.isdir() else file.extractfile(member)
