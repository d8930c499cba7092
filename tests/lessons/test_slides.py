"""Slides are one file that needs nobody."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from serlab.lessons import LESSONS, copying
from serlab.lessons.slides import slides


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.sections = 0

    def handle_starttag(self, tag, attributes) -> None:
        self.sections += tag == "section"
        names = dict(attributes)
        if tag in ("script", "link", "img", "iframe", "audio", "video", "source"):
            self.fetched += [names[name] for name in ("src", "href") if name in names]


@pytest.mark.parametrize("plan", LESSONS, ids=lambda plan: plan.name)
def test_slides_load_nothing_and_have_no_solutions(plan) -> None:
    source = json.loads((copying.source_folder() / f"{plan.name}.ipynb").read_text(encoding="utf-8"))
    page = slides(source)
    reader = Reader()
    reader.feed(page)
    assert reader.fetched == [] and not re.search(r"url\(|@import|https?://(?!www\.w3\.org)", page)
    prose = [cell for cell in source["cells"] if cell["cell_type"] == "markdown"]
    headings = [c for c in prose if "nbgrader" not in c["metadata"] and c["source"][0].startswith("#")]
    assert reader.sections >= len(headings) > 3
    assert "SOLUTION" not in page and "YOUR CODE HERE" in page


def test_the_command_writes_a_page_a_lesson(tmp_path: Path) -> None:
    done = copying.copy(tmp_path, slides=True)
    assert [path.name for path in done] == [f"{plan.name}.html" for plan in LESSONS]
    assert set(copying.copy(tmp_path, slides=True).values()) == {"same"}
