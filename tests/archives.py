"""Archives in memory, safe and unsafe ones."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path


def zip_of(members: dict[str, bytes], *, mode: int = 0) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            zipped.writestr(member, content)
    return file.getvalue()


def tar_of(name: str, kind: bytes = tarfile.REGTYPE, *, size: int = 1) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        member.size = size if kind == tarfile.REGTYPE else 0
        tar.addfile(member, io.BytesIO(b"x" * size))
    return file.getvalue()


def tar_with(members: dict[str, bytes], mode: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def left_behind(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
