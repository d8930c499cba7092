"""A browser and a JupyterLab for all tests of this folder; without a Chromium they are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serlab.lessons import copying
from serlab.reporting import notebooks
from tests.browser import jupyter
from tests.browser.jupyter import Lab

#: "all" as `make browser-test` sets it: every notebook as a whole, and the pictures of the docs.
EXTENT = "SERLAB_BROWSER_TESTS"

#: Folder that screenshots go to; nowhere by default.
SCREENSHOTS = "SERLAB_SCREENSHOTS"

collect_ignore = [] if os.environ.get(EXTENT) == "all" else ["test_notebooks.py"]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    for needed in ("jupyterlab", "anywidget", "ipywidgets"):
        pytest.importorskip(needed)
    path = jupyter.chromium()
    if path is None:
        pytest.skip(f"there is no Chromium; {jupyter.VARIABLE} names one that is elsewhere")
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=path, args=["--no-sandbox", *jupyter.MICROPHONE])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Working folder with copies of all notebooks and lessons, as a student has them."""
    here = tmp_path_factory.mktemp("browser")
    notebooks.copy(here / "work")
    copying.copy(here / "work" / "lessons")
    return here


@pytest.fixture(scope="package")
def address(chromium: Any, folder: Path) -> Iterator[str]:
    """Address of a JupyterLab on these copies."""
    options = ["--port", "{port}", "--jupyter=--IdentityProvider.token={token}"]
    with jupyter.served(["lab", "work"], options=options, folder=folder, cache=folder / "cache") as found:
        yield found


@pytest.fixture
def lab(chromium: Any, address: str) -> Iterator[Lab]:
    """A fresh page of it; the test fails if the console has an error at the end."""
    context = chromium.new_context(viewport=jupyter.LAPTOP)
    opened = Lab(context.new_page(), address)
    yield opened
    context.close()
    assert opened.trouble == []


@pytest.fixture
def picture() -> Any:
    """Keeps a page as a picture for the docs, where one is asked for."""
    place = os.environ.get(SCREENSHOTS)

    def keep(page: Any, name: str) -> None:
        if place:
            from PIL import Image

            path = Path(place) / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=path)
            # A third of the bytes; nothing that is seen.
            Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)

    return keep
