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

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from serlab import data, downloads
from serlab.corpora.base import Corpus
from serlab.errors import CorpusError, DownloadError
from serlab.progress import Progress


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
    with _as_corpus_errors(folder):
        archives.mkdir(parents=True, exist_ok=True)
    with _as_corpus_errors(folder), _alone(corpus, archives):
        if corpus.is_installed(root):  # by another process, until a moment ago
            raise CorpusError(f"{folder} is already there; move it away to download {corpus.title} again")
        paths = [
            downloads.fetch(url, archives / name, expected=expected, progress=progress, cancel=cancel)
            for name, (url, expected) in files.items()
        ]
        with tempfile.TemporaryDirectory(prefix="unpacked-", dir=archives) as temporary:
            unpacked = Path(temporary) / corpus.name
            for path in paths:
                downloads.unpack(path, unpacked, cancel=cancel)
            if corpus.reader(unpacked).empty:
                raise corpus.foreign(unpacked)
            os.replace(unpacked, folder)
        shutil.rmtree(archives)
    return folder


def _hash(corpus: Corpus, name: str, published: str, known: str | None) -> str:
    """Hash to check a file against."""
    if published and known:
        raise CorpusError(f"the publisher states the hash of {name}; leave yours out")
    if not published and not known:
        raise CorpusError(
            f"the publisher of {corpus.title} states no hash for {name}, and unchecked archives are not "
            f"unpacked. Pass the hash of a copy that you trust (sha256:...), or: {corpus.how_to_get}"
        )
    try:
        return downloads.known_hash(published or known)
    except DownloadError as error:
        raise CorpusError(str(error)) from error


@contextmanager
def _alone(corpus: Corpus, archives: Path) -> Iterator[None]:
    """Keep a second download of the same corpus off."""
    path = archives / "lock"
    try:
        with FileLock(path, timeout=0):
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
    except Timeout:
        raise CorpusError(f"{corpus.title} is being downloaded already; wait for that to end") from None


@contextmanager
def _as_corpus_errors(folder: Path) -> Iterator[None]:
    """Errors of the network, of an archive and of the disk as those of a corpus."""
    try:
        yield
    except DownloadError as error:
        raise CorpusError(str(error)) from error
    except OSError as error:
        raise CorpusError(
            f"cannot write {folder} ({error.strerror}); check permissions and free space, or choose another "
            "data root"
        ) from error
