"""Some unsafe and damaged archives; ``make fuzz`` has thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import archives, run


@pytest.mark.parametrize("target", archives.TARGETS, ids=lambda target: target.name)
def test_archives_unpack_into_their_folder_or_are_refused(target, tmp_path: Path):
    outcome = run(target, n=60, folder=tmp_path)
    assert not outcome.failures, "\n".join(outcome.failures)
    assert outcome.counts["refused"] and outcome.counts["read"]
