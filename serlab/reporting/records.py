"""What a run folder says of itself (run.json), and the lock that keeps a second process off it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from serlab.errors import ParameterError, SerlabError
from serlab.files import write_text


def read(folder: Path) -> dict[str, Any]:
    """run.json of a folder; empty where there is none."""
    path = folder / "run.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write(folder: Path, record: dict[str, Any]) -> None:
    """Write run.json."""
    write_text(folder / "run.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def headline(folder: Path) -> str:
    """Headline that the notebook left in its run folder, if it got that far."""
    path = folder / "headline.json"
    return str(json.loads(path.read_text(encoding="utf-8"))["headline"]) if path.is_file() else ""


@contextmanager
def locked(out: Path, digest: str) -> Iterator[None]:
    """Keep a second process off the same run; the system frees it with the process.

    Raises
    ------
    SerlabError
        If another process has it.
    ParameterError
        If ``out`` cannot be written.
    """
    try:
        (out / ".locks").mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".locks" / digest, timeout=0)
        lock.acquire()
    except Timeout:
        raise SerlabError(
            f"another process is at work on this run ({digest}); wait for it or end it"
        ) from None
    except OSError as error:
        raise unwritable(out, error) from None
    try:
        yield
    finally:
        lock.release()


def is_locked(out: Path, digest: str) -> bool:
    """Whether a process is at work on a run."""
    try:
        with locked(out, digest):
            return False
    except SerlabError:
        return True


def unwritable(out: Path, error: OSError) -> ParameterError:
    """What to say where reports cannot be written."""
    return ParameterError(f"cannot write reports to {out}: {error.strerror}; choose another folder (--out)")


def now() -> str:
    """Time of day as run.json has it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_since(started: str) -> float:
    """Seconds from a time of :func:`now` until now."""
    return (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds()
