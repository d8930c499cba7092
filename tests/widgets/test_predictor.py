"""A kept model in a notebook, without a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from serlab import deployment
from serlab.widgets.predictor import Predictor
from tests.deployment.conftest import kept, recordings

__all__ = ["kept", "recordings"]


@pytest.fixture
def predictor(kept: Path) -> Predictor:
    return Predictor(deployment.load_model(kept))


def test_a_file_that_was_dropped_is_answered(predictor: Predictor, recordings: Path):
    path = sorted(recordings.iterdir())[0]
    dropped = {
        "name": "../x<b>.wav", "type": "audio/wav", "size": path.stat().st_size,
        "content": memoryview(path.read_bytes()), "last_modified": datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    predictor.upload.value = (dropped,)
    predictor.ask()
    assert len(predictor.predicted.table) == 1
    assert "<td>0-x&lt;b&gt;.wav</td>" in predictor.answers.value
    assert "not known which language" in predictor.message.value and not predictor.run.disabled


def test_what_is_wrong_is_said(predictor: Predictor):
    predictor.ask()
    assert "name a recording" in predictor.message.value
    predictor.recordings.value = "nowhere"
    predictor.ask()
    assert "there is no file or folder nowhere" in predictor.message.value and predictor.predicted is None
