"""Some sets of parameters of every type; ``make fuzz`` has thousands."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz import parameters, run


def test_parameters_of_any_type_are_accepted_or_refused(tmp_path: Path):
    (target,) = parameters.TARGETS
    outcome = run(target, n=300, folder=tmp_path)
    assert not outcome.failures, "\n".join(outcome.failures)
    assert outcome.counts["refused"] and outcome.counts["read"]
