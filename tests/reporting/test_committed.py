"""What of reports is committed: enough to make everything again, small, and nobody else's business."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from serlab.experiment import Parameters, Session
from serlab.experiment.kept import Kept
from serlab.reporting import records, results

ROOT = Path(__file__).parents[2]
RUNS = sorted(path.parent for path in (ROOT / "reports").glob("*/*/*/kept.json"))

pytestmark = pytest.mark.skipif(not RUNS, reason="reports are in a checkout only")


def committed() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "reports"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a checkout")
    return [ROOT / name for name in listed.stdout.splitlines()]


def test_they_are_few_and_small() -> None:
    files = committed()
    assert sum(path.stat().st_size for path in files if path.exists()) < 22e6
    assert len([path for path in files if path.name == "report.html"]) <= 3
    assert not [path for path in files if path.suffix in (".csv", ".ipynb", ".wav", ".pt")]


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: f"{folder.parts[-3]}-{folder.parts[-2]}")
def test_a_committed_run_is_complete_and_no_demo_on_synthetic_corpora(folder: Path) -> None:
    record = records.read(folder)
    if record["synthetic"]:
        pytest.skip("made here, not committed")
    assert record["state"] == "complete"
    assert not record["provenance"]["commit"].endswith("+"), "made by code that was edited"
    session = Session(Parameters.from_names(Kept(folder).facts["parameters"]), folder=folder)
    assert session.finished
    assert session.run().headline == record["headline"]


def test_the_page_of_results_is_what_predictions_give() -> None:
    page = ROOT / "docs" / "results.md"
    assert page.read_text(encoding="utf-8") == results.text(ROOT / "reports"), (
        "serlab results --out docs/results.md"
    )
