"""Files from the network: checked before they are used, archives unpacked safely.

A file is downloaded under a temporary name and gets its own when its hash is
the expected one. Nothing in an archive is trusted: only plain files and folders
inside the target are written.
"""

from __future__ import annotations

import hashlib
import stat
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from serlab.errors import DownloadError
from serlab.progress import Progress, stop_if

#: Bytes that one archive may unpack to. The largest open corpus has 0.6 GB.
MOST_BYTES = 10 * 2**30
_CHUNK = 2**18


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
        If the network fails or the hash is wrong; nothing is kept.
    Cancelled
    """
    # Late: both take a while to import, and most of what imports this module downloads nothing.
    import pooch
    import requests

    downloader = pooch.HTTPDownloader(progressbar=_Bar(path.name, progress, cancel), chunk_size=_CHUNK)
    try:
        pooch.retrieve(url, expected, fname=path.name, path=path.parent, downloader=downloader)
    except requests.RequestException as error:
        raise DownloadError(
            f"{url} cannot be downloaded ({error}); check the address and the network, then call again"
        ) from error
    except ValueError as error:  # pooch, of a wrong hash
        raise DownloadError(
            f"{url} does not have the hash {expected}: it was cut short, changed by its publisher, or "
            "tampered with. Nothing was kept"
        ) from error
    return path


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
    if zipfile.is_zipfile(archive):
        members = _zip_members
    elif tarfile.is_tarfile(archive):
        members = _tar_members
    else:
        raise DownloadError(f"{archive.name} is neither a ZIP nor a TAR archive")
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
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError) as error:
        raise DownloadError(f"{archive.name} is damaged ({error}); not unpacked") from error


class _Bar:
    """What pooch wants of a progress bar, turned into our callback."""

    def __init__(self, text: str, progress: Progress | None, cancel: threading.Event | None) -> None:
        self.total, self._done = 0, 0
        self._text, self._progress, self._cancel = text, progress, cancel

    def update(self, n: int) -> None:
        stop_if(self._cancel, "the download was cancelled")
        self._done = min(self._done + n, self.total)
        if self._progress:
            self._progress(self._done, self.total, self._text)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        pass


def _safe(name: str, archive: Path) -> Path:
    """Relative path of a member, refused where it could leave the folder on any system."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if not name or posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
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
