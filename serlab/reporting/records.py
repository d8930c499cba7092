"""What a run folder says of itself (run.json), and the lock that keeps a second process off it."""

from __future__ import annotations

import errno
import json
import os
import socket
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from serlab import files
from serlab.errors import ParameterError, SerlabError
from serlab.files import write_text


class DamagedRecord(SerlabError):
    """run.json is there, and no record of a run."""


def read(folder: Path) -> dict[str, Any]:
    """run.json of a folder; empty where there is none.

    Raises
    ------
    DamagedRecord
        If it is cut, or says something else than a run does.
    """
    path = folder / "run.json"
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        _require_record(record)
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedRecord(
            f"{path} is damaged ({error}); delete its folder, and the same command makes the run again"
        ) from None
    return record


#: What readers of a record rely on: name -> its types.
_NEEDED: dict[str, type | tuple[type, ...]] = {
    "state": str, "notebook": str, "title": str, "digest": str, "parameters": dict, "synthetic": bool,
    "headline": str, "error": (dict, type(None)), "started": str, "seconds": (int, float, type(None)),
    "provenance": dict,
}  # fmt: skip
_STATES = ("running", "complete", "failed", "interrupted", "killed")


def _require_record(record: Any) -> None:
    """Raise ValueError for what is no record of a run."""
    if not isinstance(record, dict):
        raise ValueError("it is not an object")
    for name, kind in _NEEDED.items():
        if name not in record:
            raise ValueError(f"it has no {name!r}")
        if not isinstance(record[name], kind):
            raise ValueError(f"its {name!r} is {type(record[name]).__name__}")
    if record["state"] not in _STATES:
        raise ValueError(f"its state is {record['state']!r}")
    sources = record["parameters"].get("sources", [])
    if not isinstance(sources, list) or not all(isinstance(name, str) for name in sources):
        raise ValueError("its 'sources' are no list of names")
    for where, value in (
        ("protocol", record["parameters"].get("protocol", "")),
        ("badge", record.get("badge", "")),
    ):
        if not isinstance(value, str | None):
            raise ValueError(f"its {where!r} is {type(value).__name__}")
    for name in ("cell", "code", "name", "message"):
        if record["error"] and name not in record["error"]:
            raise ValueError(f"its 'error' has no {name!r}")
    datetime.fromisoformat(record["started"])


def readable(paths: Iterable[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Folder and record of each run.json that is one; a warning for each that is not.

    Parameters
    ----------
    paths : iterable of Path
        Of run.json, or of anything beside it.
    """
    for path in paths:
        try:
            record = read(path.parent)
        except DamagedRecord as error:
            warnings.warn(f"left out: {error}", stacklevel=3)
            continue
        if record and path.parent.suffix not in (".old", ".damaged"):
            yield path.parent, record


def read_or_set_aside(folder: Path) -> dict[str, Any]:
    """The same for who is to make the run: a folder with a damaged record makes way, with a warning."""
    try:
        return read(folder)
    except DamagedRecord:
        files.set_aside(folder, "a run whose run.json is damaged, the run is made again")
        return {}


def write(folder: Path, record: dict[str, Any]) -> None:
    """Write run.json."""
    write_text(folder / "run.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def headline(folder: Path) -> str:
    """Headline that the notebook left in its run folder, if it got that far."""
    return str(_left(folder).get("headline", ""))


def badge(folder: Path) -> str:
    """What the notebook says to print beside every number of its run; empty where none is due."""
    return str(_left(folder).get("badge", ""))


def _left(folder: Path) -> dict[str, Any]:
    path = folder / "headline.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


@contextmanager
def locked(out: Path, digest: str) -> Iterator[None]:
    """Keep a second process off the same run; the system frees it with the process.

    Raises
    ------
    SerlabError
        If another process has it, saying which.
    ParameterError
        If ``out`` cannot be written.
    """
    try:
        (out / ".locks").mkdir(parents=True, exist_ok=True)
        # Who only looks whether it is taken, takes it for a moment.
        lock = FileLock(out / ".locks" / digest, timeout=1)
        lock.acquire()
    except Timeout:
        raise SerlabError(
            f"another process{_holder(out, digest)} is at work on this run ({digest}); wait for it or end it"
        ) from None
    except OSError as error:
        raise unwritable(out, error) from None
    try:
        holder = f"{os.getpid()} on {socket.gethostname()} since {now()}"
        with suppress(OSError):  # a courtesy to others; the disk may be full
            write_text(_holder_path(out, digest), holder)
        yield
    finally:
        _holder_path(out, digest).unlink(missing_ok=True)
        lock.release()


def _holder_path(out: Path, digest: str) -> Path:
    return out / ".locks" / f"{digest}.by"


def _holder(out: Path, digest: str) -> str:
    """Who has a lock, as it has said itself; empty where it has not got that far."""
    try:
        said = _holder_path(out, digest).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    return f" ({said})" if said.isprintable() and len(said) < 200 else ""


def is_locked(out: Path, digest: str) -> bool:
    """Whether a process is at work on a run."""
    path = out / ".locks" / digest
    if not path.is_file():  # nobody ever was
        return False
    lock = FileLock(path, timeout=0)
    try:
        with lock:
            return False
    except (Timeout, OSError):
        return True


def unwritable(out: Path, error: OSError) -> SerlabError:
    """What to say where reports cannot be written: no wrong choice where the disk is full."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SerlabError(
            f"cannot write reports to {out}: {error.strerror}; free some space, or choose another folder "
            "(--out); what is finished is kept"
        )
    return ParameterError(f"cannot write reports to {out}: {error.strerror}; choose another folder (--out)")


def now() -> str:
    """Time of day as run.json has it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_since(started: str) -> float:
    """Seconds from a time of :func:`now` until now."""
    return (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds()
