"""What errors carry, from process to process."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from serlab.audio.containers import Truncated
from serlab.errors import AudioError, SerlabError, TrainingError
from serlab.reporting.matrix import MatrixIncomplete
from serlab.reporting.notebooks import NotebookError
from serlab.reporting.runs import RunFailed

ERRORS = (
    AudioError("cut", "truncated"),
    Truncated("cut", problem="truncated"),
    TrainingError("no number", rows=[3, 4]),
    NotebookError(cell=3, code="1 / 0", name="ZeroDivisionError", message="division", traceback="..."),
    RunFailed("failed", Path("run")),
    MatrixIncomplete("two failed", Path("matrix.html")),
    SerlabError("one", 2),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_in_another_process(error: SerlabError) -> None:
    """Made with keywords, or with more than a message: else it would be made with its message alone."""
    again = copy.deepcopy(error)  # by what pickle asks for, too
    assert type(again) is type(error) and str(again) == str(error) and again.args == error.args
    assert vars(again) == vars(error)
