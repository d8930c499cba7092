"""Archives that nobody vouches for: names that climb out, links, devices, bombs, damage."""

from __future__ import annotations

import io
import os
import random
import stat
import tarfile
import warnings
import zipfile
from functools import partial
from pathlib import Path

from serlab.downloads import unpack
from tests.fuzz import Target, damaged, hostile

#: Bytes that an archive may unpack to, here.
MOST = 200_000
MODES = ("zip", "w", "w:gz", "w:bz2", "w:xz")

#: Paths that lead elsewhere on one system or another, or nowhere.
PATHS = (
    "../escaped", "a/../../escaped", "/tmp/escaped", "C:/escaped", "..\\escaped", "\\\\host\\escaped",
    "./a", "a//b",
    "a/./b", "", ".", "/", "a/", "d/" * 60 + "a", "x" * 300, "a/" + "y" * 300, "CON", "a\0b", "~/escaped",
    "out/../a",
)  # fmt: skip
KINDS = (
    tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE,
    tarfile.BLKTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE,
)  # fmt: skip


def name(draw: random.Random) -> str:
    kind = draw.random()
    if kind < 0.4:
        return f"folder/{draw.randrange(4)}.txt"
    return draw.choice(PATHS) if kind < 0.7 else hostile.string(draw, without="\ud800")


def content(draw: random.Random) -> bytes:
    """Little; or, for once, more than an archive may hold, packed into little."""
    return bytes(10 * MOST) if draw.random() < 0.05 else draw.randbytes(draw.randrange(2000))


def packed(mode: str, draw: random.Random, *, sound: bool = False) -> bytes:
    """An archive of a few members."""
    out = io.BytesIO()
    names = [f"folder/{number}.txt" if sound else name(draw) for number in range(draw.randint(1, 5))]
    if mode == "zip":
        with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
            warnings.simplefilter("ignore")  # that a name is there twice
            for one in names:
                member = zipfile.ZipInfo(one.replace("\0", "") or "x")
                member.filename = one
                kind = draw.choice((0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR))
                member.external_attr = 0 if sound or draw.random() < 0.6 else (kind | 0o4777) << 16
                zipped.writestr(member, content(draw))
        return out.getvalue()
    with tarfile.open(
        fileobj=out, mode=mode, format=draw.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT))
    ) as tar:
        for one in names:
            member = tarfile.TarInfo(one)
            member.type = tarfile.REGTYPE if sound or draw.random() < 0.6 else draw.choice(KINDS)
            member.linkname, member.mode = draw.choice(("/etc/passwd", "../escaped", "folder/0.txt")), 0o4777
            data = content(draw) if member.type == tarfile.REGTYPE else b""
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def damage(folder: Path, draw: random.Random, *, mode: str) -> str:
    sound = draw.random() < 0.4
    whole, told = packed(mode, draw, sound=sound), "sound members" if sound else "hostile members"
    if draw.random() < 0.5:
        whole, faults = damaged(whole, draw)
        told += f", {faults}"
    (folder / "a.archive").write_bytes(whole)
    return told


def read(folder: Path) -> Path:
    """Unpack; whether or not it is refused, nothing lies elsewhere."""
    try:
        unpack(folder / "a.archive", folder / "out", most_bytes=MOST)
    finally:
        there = sorted(path.name for path in folder.iterdir())
        assert there in (["a.archive"], ["a.archive", "out"]), there
        assert not Path("/tmp/escaped").exists() and not (folder.parent / "escaped").exists()
        check(folder / "out")
    return folder / "out"


def check(out: Path) -> None:
    """Plain files and folders alone, none of them executable, and no more bytes than allowed."""
    total = 0
    for above, folders, files in os.walk(out):
        for one in (*folders, *files):
            status = (Path(above) / one).lstat()
            assert stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode), one
            if stat.S_ISREG(status.st_mode):
                assert not status.st_mode & 0o7111, f"{one} may be executed"
                total += status.st_size
    assert total <= MOST, total


TARGETS: tuple[Target, ...] = tuple(
    Target(
        name=f"archives: {mode.replace('w:', 'tar.').replace('w', 'tar')}", write=lambda folder: None,
        damage=partial(damage, mode=mode), read=read, check=check,
    )
    for mode in MODES
)  # fmt: skip
