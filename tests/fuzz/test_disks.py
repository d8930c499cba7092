"""A disk that is really full: a named error, nothing half-written, and the same answers with more space."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from serlab.errors import SerlabError
from serlab.experiment import Parameters, Session
from tests.fuzz import disks


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = tmp_path / "disk"
    if not disks.mount(place, 4096 * 1000):
        pytest.skip("no disk can be mounted here")
    monkeypatch.setenv("SERLAB_CACHE", str(place / "cache"))
    yield place
    disks.unmount(place)


def test_a_session_goes_on_when_the_disk_has_space_again(small_corpora: Path, disk: Path) -> None:
    parameters = Parameters(
        target="far", sources=("near",), features="logmel26", methods=("majority", "ridge-target"),
        baseline="ridge-target", preset="demo", data=str(small_corpora),
    )  # fmt: skip
    undisturbed = Session(parameters, folder=disk / "undisturbed", units=disk / "others").run()

    def run() -> pd.DataFrame:
        return Session(parameters, folder=disk / "run", units=disk / "units").run().predictions

    ballast = disk / "ballast"
    ends = []
    for pages in (1, 12, 40):  # in the middle of this file or that one
        fill(disk, ballast, free=4096 * pages)
        try:
            run()
            ends.append("done")
        except SerlabError as error:
            assert "No space left" in str(error)
            ends.append("named")
        except OSError as error:
            assert error.errno == errno.ENOSPC  # which the command line puts into words
            ends.append("named")
    assert "named" in ends
    ballast.unlink()
    pd.testing.assert_frame_equal(run(), undisturbed.predictions)
    assert not list(disk.rglob("*.tmp"))


def fill(disk: Path, ballast: Path, *, free: int) -> None:
    """Leave so many bytes of a disk."""
    ballast.unlink(missing_ok=True)
    ballast.write_bytes(bytes(max(shutil.disk_usage(disk).free - free, 0)))
