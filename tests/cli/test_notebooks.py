"""``serlab notebooks`` and ``serlab lab``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from serlab import cli
from serlab.reporting import notebooks


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty working folder, without what another test has set."""
    monkeypatch.chdir(tmp_path)
    for variable in ("SERLAB_DATA", "SERLAB_MODELS"):
        monkeypatch.setenv(variable, "")  # so that it is put back
    return tmp_path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Arguments of JupyterLab, which does not start."""
    from jupyterlab.labapp import LabApp

    calls: list[list[str]] = []
    monkeypatch.setattr(LabApp, "launch_instance", lambda argv: calls.append(argv))
    return calls


def test_notebooks_are_copied_and_changed_ones_kept(here: Path, capsys) -> None:
    assert cli.main(["notebooks", "mine"]) == 0
    own = notebooks.own_folder()
    copies = sorted(path.relative_to("mine") for path in Path("mine").rglob("*.ipynb"))
    # Lessons have a command of their own, that leaves solutions out.
    sources = own.glob("[0-9]*.ipynb")
    assert copies == sorted(path.relative_to(own) for path in sources)
    assert capsys.readouterr().out.count("copied") == len(copies)

    changed = Path("mine/01_feature_transfer.ipynb")
    changed.write_text("{}", encoding="utf-8")
    assert cli.main(["notebooks", "mine"]) == 1
    printed = capsys.readouterr()
    assert printed.err == "serlab: 01_feature_transfer.ipynb: changed, and kept; --force replaces\n"
    assert (printed.out.count("same"), printed.out.count("kept")) == (len(copies) - 1, 1)
    assert changed.read_text(encoding="utf-8") == "{}"

    assert cli.main(["notebooks", "mine", "--force"]) == 0
    assert changed.read_bytes() == (own / changed.name).read_bytes()


#: Lets a panel's button run the cells below it; and no news from a network, nor the question for them.
GIVEN = [
    "--LabApp.expose_app_in_browser=True",
    f"--LabApp.app_settings_dir={Path(cli.__file__).parent / 'jupyterlab'}",
]


def test_lab_opens_copies_and_says_where_data_are(here: Path, opened: list, monkeypatch) -> None:
    monkeypatch.setenv("SERLAB_MODELS", "/elsewhere")
    assert cli.main(["lab"]) == 0
    assert opened == [["--notebook-dir=notebooks", *GIVEN]]
    assert (here / "notebooks" / "00_start_here.ipynb").is_file()
    assert os.environ["SERLAB_DATA"] == str(here / "data"), "a kernel works in the notebook's folder"
    assert os.environ["SERLAB_MODELS"] == "/elsewhere"


def test_lab_shows_no_menus_that_are_for_graders() -> None:
    config = pytest.importorskip("jupyterlab_server.config")
    found = config.get_page_config([], app_settings_dir=GIVEN[1].partition("=")[2])
    assert found["disabledExtensions"] == ["@jupyter/nbgrader", "@voila-dashboards/jupyterlab-preview"]


def test_lab_leaves_the_notebooks_of_a_folder_alone(here: Path, opened: list) -> None:
    (here / "own").mkdir()
    (here / "own" / "mine.ipynb").write_text("{}", encoding="utf-8")
    assert cli.main(["lab", "own", "--no-browser", "--port", "9999", "--jupyter=--ip=0.0.0.0"]) == 0
    assert cli.main(["lab", "own", "--allow-root"]) == 0
    assert opened == [
        ["--notebook-dir=own", *GIVEN, "--no-browser", "--port=9999", "--ip=0.0.0.0"],
        ["--notebook-dir=own", *GIVEN, "--allow-root"],
    ]
    assert [path.name for path in (here / "own").iterdir()] == ["mine.ipynb"]
    assert cli.main(["lab", "own/mine.ipynb"]) == 2


def test_without_jupyterlab_the_error_names_the_extra(here: Path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    assert cli.main(["lab"]) == 1
    assert capsys.readouterr().err == "serlab: JupyterLab is not installed: pip install 'serlab[lab]'\n"
    assert not (here / "notebooks").exists()
