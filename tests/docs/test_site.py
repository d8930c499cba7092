"""What the site is built with: lists from the package, pages of the API, and what makes a build fail.

That the whole builds without a warning is for ``make docs``.
"""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from tests.docs.pages import DOCS

pytest.importorskip("sphinx")
pytest.importorskip("numpydoc")


@pytest.fixture(scope="module")
def extension():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS / "_ext")
        yield importlib.import_module


def test_every_list_has_a_page_and_every_page_its_list(extension):
    lists: ModuleType = extension("generated")
    pages = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.glob("**/*.md"))
    for name, make in lists.LISTS.items():
        assert f"```{{generated}} {name}\n" in pages, name
        assert make().strip(), name


def test_lists_say_what_the_registries_say(extension):
    lists = extension("generated")
    from serlab import corpora, methods

    rows = [row for row in lists.method_list().splitlines() if row.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(methods.METHODS)
    assert all(corpus.license.split()[0] in lists.corpus_list() for corpus in corpora.CORPORA.values())


@pytest.mark.parametrize(
    ("text", "suffix", "n"),
    [
        ('<script src="https://cdn.example/a.js"></script>', ".html", 1),
        ('<link rel="stylesheet" href="//fonts.example/b.css">', ".html", 1),
        ('<a href="https://example.org">read on</a><img src="_images/a.png">', ".html", 0),
        ("@import url(https://fonts.example/c.css);", ".css", 1),
        ("src: url(../fonts/d.woff2)", ".css", 0),
    ],
)
def test_what_a_browser_would_fetch_is_found(extension, text: str, suffix: str, n: int):
    assert len(extension("offline").fetched(text, suffix)) == n


def test_names_in_docstrings_are_looked_up(extension):
    api = extension("api")
    from serlab.protocols import SplitProtocol

    assert api.find("serlab.protocols.SplitProtocol") is SplitProtocol
    assert api.find("serlab.protocols.Split.train").name == "train"
    assert api.find("serlab.Parameters").__module__.startswith("serlab.experiment")
    for wrong in ("serlab.protocols.Splitt", "serlab.nowhere"):
        with pytest.raises((ImportError, AttributeError)):
            api.find(wrong)


def test_every_package_has_a_floor_on_the_site(extension):
    listed = (DOCS / "reference" / "api" / "index.md").read_text(encoding="utf-8")
    for floor in extension("api").floors():
        assert f"floor-{floor or 'root'}\n" in listed
