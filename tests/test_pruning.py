"""What is removed from a folder of things that can be made again, and what is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from filelock import FileLock

from serlab import pruning
from serlab.errors import ParameterError
from serlab.experiment.work import Store

DAY = 24 * 3600.0


def items(*ages: float) -> list[pruning.Item]:
    """Items of 10 bytes that were last used so many days ago, at day 100."""
    return [
        pruning.Item(path=Path(f"/{n}"), title=str(n), size=10, n_files=1, used=(100 - age) * DAY)
        for n, age in enumerate(ages)
    ]


@pytest.mark.parametrize(
    ("older_than", "above", "going"),
    [
        (5, None, ["3", "1"]),
        (None, 20, ["3", "1"]),
        (None, 40, []),
        (50, 20, ["3", "1"]),
        (0, None, ["3", "1", "2"]),  # what was used within the hour stays
        (None, 0, ["3", "1", "2"]),
    ],
)
def test_the_oldest_go_first(older_than: float | None, above: int | None, going: list[str]) -> None:
    found = pruning.chosen(items(0.01, 7, 2, 60), older_than=older_than, above=above, now=100 * DAY)
    assert [item.title for item in found] == going


def test_nothing_goes_by_itself() -> None:
    for values in ({"older_than": None, "above": None}, {"older_than": -1, "above": None}):
        with pytest.raises(ParameterError, match="--older-than"):
            pruning.chosen(items(1), **values)


@pytest.mark.parametrize("text", ["", "GB", "1 PB", "five", "-1", "1e9"])
def test_no_size(text: str) -> None:
    with pytest.raises(ParameterError, match="no size"):
        pruning.bytes_of(text)


def test_sizes() -> None:
    assert [pruning.bytes_of(text) for text in ("7", "7b", "2k", "3MB", "0.5 gb")] == [
        7, 7, 2000, 3_000_000, 500_000_000,
    ]  # fmt: skip


def test_a_shelf_in_use_stays(tmp_path: Path) -> None:
    def aged(folder: Path) -> Path:
        folder.mkdir(parents=True)
        (folder / "0.zip").write_bytes(b"1234")
        for path in (folder / "0.zip", folder):
            os.utime(path, (time.time() - 9 * DAY,) * 2)
        return folder

    old, busy = aged(tmp_path / "ab" / "abc"), aged(tmp_path / "cd" / "cde")
    fresh, training = aged(tmp_path / "ab" / "abd"), aged(tmp_path / "training" / "x")
    (busy / "unit.lock").touch()
    os.utime(busy, (time.time() - 9 * DAY,) * 2)
    os.utime(busy / "unit.lock", (time.time() - 9 * DAY,) * 2)
    pruning.touched(fresh / "0.zip")
    with FileLock(busy / "unit.lock"):
        found = Store(tmp_path).items()
    assert {item.path: item.in_use for item in found} == {
        old: False,
        busy: True,
        fresh: False,
        training: False,
    }
    going = pruning.chosen(found, older_than=5, above=None)
    assert {item.path for item in going} == {old, training}
    assert pruning.remove(going, root=tmp_path) == (2, 8)
    assert not old.exists() and fresh.exists() and busy.exists() and not (tmp_path / ".removed").exists()
    assert pruning.remove(going, root=tmp_path) == (0, 0)  # they are gone
