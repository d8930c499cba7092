"""``serlab app``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from serlab import cli


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[list[str], list[str]]]:
    """Arguments of Voila, which does not start, and the names beside the notebook."""
    app = pytest.importorskip("voila.app")
    calls: list[tuple[list[str], list[str]]] = []
    monkeypatch.chdir(tmp_path)
    for variable in ("SERLAB_DATA", "SERLAB_MODELS", "SERLAB_APPLICATION", "JUPYTER_PATH"):
        monkeypatch.setenv(variable, "")  # so that it is put back
    monkeypatch.setattr(
        app.Voila,
        "launch_instance",
        lambda argv: calls.append((argv, [path.name for path in Path(argv[0]).parent.iterdir()])),
    )
    return calls


def test_a_copy_is_shown_to_who_has_the_token(shown, tmp_path: Path) -> None:
    assert cli.main(["app", "1", "--no-browser", "--port", "9999", "--voila=--theme=dark"]) == 0
    ((arguments, beside),) = shown
    assert beside == ["01_feature_transfer.ipynb"], "nothing else is served"
    assert not Path(arguments[0]).exists(), "the copy goes when the server does"
    assert arguments[1:] == [
        "--Voila.ip=127.0.0.1", "--Voila.auto_token=True", "--strip_sources=True",
        "--template=serlab", "--VoilaConfiguration.extension_denylist=@jupyter/nbgrader", "--no-browser",
        "--port=9999", "--theme=dark",
    ]  # fmt: skip
    assert os.environ["SERLAB_DATA"] == str(tmp_path / "data")


def test_its_page_asks_for_nothing_from_elsewhere(shown) -> None:
    assert cli.main(["app", "1"]) == 0
    paths = pytest.importorskip("voila.paths").collect_template_paths(["voila", "nbconvert"], "serlab")
    pages = [Path(path) / "index.html.j2" for path in paths if (Path(path) / "index.html.j2").is_file()]
    own, theirs = (path.read_text(encoding="utf-8") for path in pages[:2])
    assert "voila/templates/lab/index.html.j2" in own
    # What is taken out there is all that Voila's page fetches from elsewhere.
    fetched = 'rel="stylesheet" href="https:'
    assert (
        f"replace('{fetched}'" in own and theirs.count('<link rel="stylesheet') == theirs.count(fetched) > 0
    )


def test_what_cannot_be_shown(shown, monkeypatch, capsys) -> None:
    assert cli.main(["app", "99"]) == 2
    monkeypatch.setitem(sys.modules, "voila.app", None)
    assert cli.main(["app", "01"]) == 1
    assert "pip install 'serlab[app]'" in capsys.readouterr().err
    assert not shown
