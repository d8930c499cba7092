"""Some of the damaged audio files; ``make fuzz`` has thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import audio, run


@pytest.mark.parametrize("target", audio.TARGETS, ids=lambda target: target.name)
def test_damaged_audio_is_read_or_refused(target, tmp_path: Path):
    outcome = run(target, n=40, folder=tmp_path)
    assert not outcome.failures, "\n".join(outcome.failures)
    assert outcome.counts["refused"]
