"""A hash is of what a file holds now, whatever its size and times say."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest

from serlab import contents
from serlab.errors import Cancelled


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were just written are remembered, too."""
    monkeypatch.setattr(contents, "UNSETTLED", -1)


def test_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"first")
    found = contents.digests([str(path), str(tmp_path / "none")], cache=tmp_path)
    assert found.digests == {str(path): hashlib.blake2b(b"first", digest_size=16).hexdigest()}
    assert isinstance(found.failed[str(tmp_path / "none")], FileNotFoundError)


def test_what_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    """It may change again in the same tick of the clock."""
    (tmp_path / "a").write_bytes(b"first")
    contents.digests([str(tmp_path / "a")], cache=tmp_path)
    assert contents.remembered(tmp_path, [str(tmp_path / "a")]) == {}


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, settled: None) -> None:
    path = str(tmp_path / "a")
    Path(path).write_bytes(b"first")
    contents.digests([path], cache=tmp_path)
    again = contents.digests([path], cache=tmp_path, read=lambda path: pytest.fail("read again"))
    assert again.digests[path] == contents.of_file(path)


@pytest.mark.parametrize("how", ["written over", "replaced"])
def test_a_changed_file_of_the_same_size_and_time_is_read_again(
    tmp_path: Path, settled: None, how: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"first")
    before = contents.digests([str(path)], cache=tmp_path).digests
    modified = path.stat().st_mtime_ns
    time.sleep(0.02)  # longer than a tick of the file system's clock
    changed = path if how == "written over" else tmp_path / "b"
    changed.write_bytes(b"other")
    os.utime(changed, ns=(modified, modified))  # as a copying program does
    changed.replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (5, modified)
    after = contents.digests([str(path)], cache=tmp_path).digests
    assert after[str(path)] == contents.of_file(path) != before[str(path)]


@pytest.mark.parametrize("damaged", [b'{"damaged', b"[]", b"\xff"])
def test_a_damaged_memory_is_forgotten(tmp_path: Path, settled: None, damaged: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"first")
    contents.digests([str(path)], cache=tmp_path)
    (tmp_path / "contents").write_bytes(damaged)
    assert contents.remembered(tmp_path, [str(path)]) == {}
    assert contents.digests([str(path)], cache=tmp_path).digests


def test_reading_can_be_cancelled(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"first")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        contents.digests([str(tmp_path / "a")], cache=tmp_path, cancel=cancel)


def test_files_that_are_named_count_by_what_they_hold_wherever_they_lie(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "model").mkdir(parents=True)
        (tmp_path / name / "model/weights").write_bytes(b"first")

    def of(*names: str) -> str:
        return contents.of_paths([str(tmp_path / name) if name else "" for name in names], cache=tmp_path)

    assert of("", "none") == ""
    assert of("one/model") == of("two/model") != of("one/model/weights")
    (tmp_path / "two/model/weights").write_bytes(b"other")
    assert of("one/model") != of("two/model")
    (tmp_path / "one/model/further").touch()
    assert len({of("one/model"), of("two/model"), of("one/model/weights")}) == 3
