"""What stands in for a panel where nobody can click."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from serlab import progress, widgets
from serlab.experiment import Parameters
from serlab.widgets import headless, showing


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def parameters(tmp_path: Path) -> Parameters:
    return Parameters(
        target="synthetic-b",
        sources=("synthetic-a",),
        features="librosa",
        methods=("rf-source", "rf-target"),
        seeds=(0, 1),
        preset="demo",
        data=str(tmp_path / "data"),
    )


def test_headless_there_are_no_widgets(parameters, monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr(showing, "display", shown.append)
    fixed = widgets.show(parameters, run_folder=str(tmp_path))
    assert shown == [fixed]
    assert fixed.parameters == parameters
    assert fixed.session.folder == str(tmp_path) and fixed.session is fixed.session
    fixed.session.progress(1, 2, "half")
    assert (tmp_path / progress.FILE_NAME).is_file(), "for the command that waits"
    assert "synthetic-a" in fixed.installed
    bundle = fixed._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" not in bundle
    assert "rf-source, rf-target" in bundle["text/html"]


def test_without_a_screen_ipywidgets_are_not_needed(tmp_path):
    """The base of the package runs notebooks headless; pickers are an extra."""
    code = (
        "import sys; sys.modules['ipywidgets'] = None\n"
        "from serlab import widgets\n"
        "from serlab.experiment import Parameters\n"
        "chosen = Parameters(target='synthetic-b', sources=('synthetic-a',), features='librosa')\n"
        f"print(type(widgets.show(chosen, run_folder={str(tmp_path)!r})).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("Fixed")


def test_what_a_cell_asks_for_is_offered_and_what_is_usual_goes_first():
    assert headless.usual_studies("01") == ()
    assert headless.offered_studies("01") == ("calibration", "robustness")
    usual = headless.usual_studies("02")
    offered = headless.offered_studies("02")
    assert offered[: len(usual)] == usual and {"calibration", "robustness"} < set(offered)


def test_the_command_names_a_study_that_is_not_usual_and_is_silent_otherwise():
    parameters = Parameters(target="synthetic-b", sources=("synthetic-a",))
    assert "studies" not in headless.command(parameters, "01")
    chosen = parameters.with_values(studies=("robustness",))
    assert "studies=robustness" in headless.command(chosen, "01")
