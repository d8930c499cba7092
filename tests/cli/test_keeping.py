"""`serlab units` and `serlab features-cache`: what is there, and what is removed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from serlab.cli import main

DAY = 24 * 3600.0


def aged(path: Path, days: float, size: int = 1000) -> Path:
    """A file that was last used so many days ago, its folders too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    for one in (path, path.parent):
        os.utime(one, (time.time() - days * DAY,) * 2)
    return path


def test_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, young = aged(tmp_path / "ab" / "abc" / "0.zip", 40), aged(tmp_path / "cd" / "cde" / "0.zip", 2)
    asked = ["units", "--units", str(tmp_path)]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "2, 2.0 KB" in said and "longer ago" in said and "this week" in said and "today" not in said
    assert main([*asked, "--prune", "--older-than", "30"]) == 0  # first, it is said
    assert "--yes removes it" in capsys.readouterr().out and old.exists()
    assert main([*asked, "--prune", "--older-than", "30", "--yes"]) == 0
    assert "removed: 1, 1.0 KB; left: 1.0 KB" in capsys.readouterr().out
    assert young.exists() and not old.parent.parent.exists()


def test_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path))
    large = aged(tmp_path / "features" / "is10-1" / "names", 3, size=5000)
    small = aged(tmp_path / "features" / "egemaps-2" / "names", 1)
    aged(tmp_path / "features" / "partial" / "x", 9)
    aged(tmp_path / "lessons" / "answers.json", 90)  # a person's, and no feature
    assert main(["features-cache", "--prune", "--above", "2KB", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "is10-1" in said and "egemaps-2" not in said
    assert not large.exists() and small.exists() and (tmp_path / "lessons" / "answers.json").exists()


@pytest.mark.parametrize(
    "wrong", [["--yes"], ["--older-than", "3"], ["--prune"], ["--prune", "--above", "much"]]
)
def test_wrong_usage(wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aged(tmp_path / "ab" / "abc" / "0.zip", 40)
    assert main(["units", "--units", str(tmp_path), *wrong]) == 2
    assert "serlab: " in capsys.readouterr().err
