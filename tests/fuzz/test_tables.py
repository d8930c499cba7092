"""Some damaged tables and trees for each reader; `make fuzz` has thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab.errors import CorpusError
from tests.fuzz import FAULTS, SECONDS, Target, run, tables

CASES = 40


@pytest.mark.parametrize("target", tables.TARGETS, ids=lambda target: target.name)
def test_damaged_tables_are_read_or_refused(target: Target, tmp_path: Path):
    outcome = run(target, n=CASES, folder=tmp_path)
    assert not outcome.failures, "\n".join(outcome.failures)
    assert outcome.counts["refused"] and outcome.counts["read"]


def test_the_frame_tells_what_fails_and_what_takes_too_long(tmp_path: Path):
    def target(read) -> Target:
        return Target(name="t", write=lambda folder: None, damage=lambda folder, draw: "so", read=read)

    def refuse(folder: Path):
        raise CorpusError("no")

    def for_ever(folder: Path):
        while True:
            pass

    def wrong(folder: Path):
        raise KeyError("x")

    assert run(target(refuse), n=2, folder=tmp_path).counts == {"refused": 2}
    (slow,) = run(target(for_ever), n=1, folder=tmp_path, seconds=0.05).failures
    assert slow == "t, case 0 (so): more than 0.05 s"
    (failed,) = run(target(wrong), n=1, first=7, folder=tmp_path).failures
    assert failed.startswith("t, case 7 (so):") and "KeyError" in failed
    assert SECONDS > 1 and len(FAULTS) > 5
