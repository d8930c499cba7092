"""Corpora for machines that have none: their files in parts, and a data root made of them there.

All files of a corpus go but archives: recordings, lists of labels, what is said. So a worker reads it as it
is read here, and compares its fingerprint with the one it was asked for.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from serlab import corpora, files
from serlab.corpora import walking
from serlab.errors import CorpusError

#: Bytes that are sent at once; a larger file is sent alone.
PART = 32_000_000
#: Says, in the folder of a corpus that was sent, that all of it is there, and of which state.
_WHOLE = ".sent"


@dataclass(frozen=True)
class Parcel:
    """The files of a corpus as they lie here.

    Attributes
    ----------
    name : str
        Of the corpus.
    folder : Path
    sizes : mapping of str to int
        Path below the folder, with slashes -> bytes.
    digest : str
        Other where a file has another name, size or time of writing.
    """

    name: str
    folder: Path
    sizes: Mapping[str, int]
    digest: str

    @cached_property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(self.sizes.values())

    @property
    def title(self) -> str:
        """For who is told what is sent."""
        return f"{self.name} ({len(self.sizes)} files, {self.size / 1e6:.1f} MB)"

    def parts(self) -> Iterator[dict[str, bytes]]:
        """Contents of the files, some at a time.

        Raises
        ------
        OSError
            If one cannot be read.
        """
        part: dict[str, bytes] = {}
        held = 0
        for name, size in self.sizes.items():
            if part and held + size > PART:
                yield part
                part, held = {}, 0
            part[name] = (self.folder / name).read_bytes()
            held += size
        if part:
            yield part


def parcel(name: str, *, data: str = "") -> Parcel | None:
    """What has to be sent of a corpus; None of one that every machine makes for itself.

    Raises
    ------
    CorpusError
        If it is not installed, or recordings of it lie outside its folder.
    """
    corpus = corpora.get(name, data or None)
    if corpus.embedded:
        return None
    folder = corpus.folder(data or None)
    found = [path for path in walking.files(folder) if path.suffix.lower() not in walking.ARCHIVES]
    known = {str(path) for path in found}
    for path in corpus.read(data or None)["path"].dropna().unique():
        if str(path) not in known:
            raise CorpusError(
                f"corpus {name!r} cannot be sent: {path} is no file in {folder}; put its recordings "
                "there, or share its folder with the workers"
            )
    states = [(path.relative_to(folder).as_posix(), path.stat()) for path in found]
    hashed = hashlib.blake2b(digest_size=10)
    for relative, state in states:
        hashed.update(f"{relative}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return Parcel(name, folder, {relative: state.st_size for relative, state in states}, hashed.hexdigest())


def is_there(root: Path, name: str, digest: str) -> bool:
    """Whether all of a corpus has arrived below a data root; of another state nothing is left there."""
    folder = root / name
    try:
        if (folder / _WHOLE).read_text(encoding="utf-8") == digest:
            return True
    except (OSError, ValueError):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    return False


def unpack(root: Path, name: str, part: Mapping[str, bytes]) -> None:
    """Write some files of a corpus below a data root.

    Raises
    ------
    CorpusError
        If a name leads out of the folder.
    OSError
        If it cannot be written.
    """
    for relative, content in part.items():
        path = PurePosixPath(relative)
        if path.is_absolute() or ".." in path.parts or "\\" in relative:
            raise CorpusError(f"corpus {name!r} was sent with a file that is not its own: {relative!r}")
        with files.whole(root / name / path) as unfinished:
            unfinished.write_bytes(content)


def note_whole(root: Path, name: str, digest: str) -> None:
    """Say that all of a corpus has arrived."""
    files.write_text(root / name / _WHOLE, digest)
