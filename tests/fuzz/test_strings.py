"""Some hostile names; ``make fuzz`` has thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import hostile, run, strings


@pytest.mark.parametrize("target", strings.TARGETS, ids=lambda target: target.name)
def test_names_mean_nothing_to_who_shows_them(target, tmp_path: Path):
    outcome = run(target, n=4 if "figures" in target.name else 40, folder=tmp_path)
    assert not outcome.failures, "\n".join(outcome.failures)
    assert outcome.counts["read"] and len(set(hostile.STRINGS)) == len(hostile.STRINGS)
