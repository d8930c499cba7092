"""Some damaged folders of models; `make fuzz` has thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="the optional extra encoders is not installed")

from tests.fuzz import Target, models, run

CASES = 12


@pytest.mark.parametrize("target", models.TARGETS, ids=lambda target: target.name)
def test_damaged_models_are_refused_or_compute(target: Target, tmp_path: Path):
    outcome = run(target, n=CASES, folder=tmp_path)
    assert not outcome.failures, "\n".join(outcome.failures)
    assert outcome.counts["refused"]
