"""Hostile strings as names: in figures, tables, LaTeX, spreadsheets and the pages of other people's runs."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import warnings
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from serlab import plotting
from serlab.files import csv_text, write_table
from serlab.reporting import runs
from tests.fuzz import Target, hostile
from tests.plotting.made import FIGURES, Names

#: What a page of serlab is made of; scripts are its own, in a number that is known.
_TAGS = """
html head meta title style body h1 h2 h3 h4 p a b i em small strong span div section table caption colgroup
thead tbody tr th td ul ol li details summary label select option input button img figure figcaption nav form
header main footer code pre br hr svg script
"""
TAGS = frozenset(_TAGS.split())
#: A record as runs leave it.
RECORD: dict[str, Any] = {
    "state": "complete", "notebook": "01_x", "title": "X", "digest": "aaa", "synthetic": False,
    "headline": "a -> b: no difference shown.", "error": None, "started": "2026-01-01T00:00:00.000Z",
    "seconds": 3671.0, "attempts": [], "provenance": {"code": "c", "corpora": {"a": "1"}},
    "parameters": {"target": "b", "sources": ["a"], "preset": "quick", "seeds": [0], "scheme": "four",
                   "protocol": "loso"},
    "badge": "random split",
}  # fmt: skip


class Page(HTMLParser):
    """Tags of a page, and what would be executed or fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts, self.wrong = 0, list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            address = (value or "").strip().lower()
            if name.startswith("on") or name in ("autofocus", "srcdoc"):
                self.wrong.append(f"<{tag} {name}>")
            if name in ("href", "src") and address.startswith(("javascript:", "//", "http", "data:text")):
                self.wrong.append(f"<{tag} {name}={value!r}>")


# --- pages of other people's runs ---------------------------------------------------------------


def changed(value: Any, draw: random.Random) -> Any:
    """A JSON value with some of its strings, and for once its keys or its kind, replaced."""
    if isinstance(value, dict):
        return {
            hostile.string(draw) if draw.random() < 0.05 else name: changed(one, draw)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [changed(one, draw) for one in [*value, *value[: draw.randrange(2)]]]
    if draw.random() < 0.02:
        return draw.choice((None, [], {}, [{}], 10**400, 1.5, True, "x"))
    kind = isinstance(value, str)
    return hostile.string(draw) if draw.random() < (0.6 if kind else 0.1) else value


def damage_record(folder: Path, draw: random.Random) -> str:
    record = changed(RECORD, draw)
    record["state"] = draw.choice(("complete", "failed", "running", record.get("state")))
    if record["state"] == "failed":
        record["error"] = changed(
            {"cell": 3, "code": "f", "name": "E", "message": "m", "traceback": "t"}, draw
        )
    here = folder / "01_x" / "a-to-b" / "aaa"
    here.mkdir(parents=True)
    (here / "report.html").touch()
    (here / "run.json").write_text(json.dumps(record))
    row = dict(zip(("method", "title", "verdict", "fold", "badge"), names(draw, 5), strict=True))
    write_table(here / "summary.csv", pd.DataFrame([row]).assign(uar=0.5))
    return "run.json"


def read_record(folder: Path) -> Page:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a record is left out
        return Page(runs.index(folder).read_text(encoding="utf-8"))


def check_page(page: Page) -> None:
    assert not page.wrong, page.wrong
    assert page.scripts == 2, f"{page.scripts} scripts"


# --- tables -------------------------------------------------------------------------------------


def names(draw: random.Random, n: int) -> list[str]:
    """Without halves of characters, which no table of pandas holds: readers refuse such names before."""
    return [hostile.string(draw, without="\ud800") for _ in range(n)]


def damage_table(folder: Path, draw: random.Random) -> str:
    """The strings of a case are kept as JSON, halves of characters and all."""
    columns = [f"{place}{name}" if place else name for place, name in enumerate(names(draw, 3))]
    (folder / "table.json").write_text(
        json.dumps([columns, [names(draw, 3) for _ in range(4)], names(draw, 1)])
    )
    return "table"


def read_table(folder: Path) -> tuple[list[list[str]], str, str, str]:
    columns, cells, (caption,) = json.loads((folder / "table.json").read_text())
    table = pd.DataFrame(cells, columns=columns).assign(number=[-1.5, 0.0, 2.0, -0.25])
    before = table.copy(deep=True)
    shown = plotting.display_table(table, caption).to_html()
    path = folder / "table.csv"
    write_table(path, table)
    written = path.read_bytes().decode()
    assert written == csv_text(table).encode(errors="backslashreplace").decode()
    pd.testing.assert_frame_equal(table, before)
    return [columns, *cells], shown, plotting.latex_table(table), written


def check_table(result: tuple[list[list[str]], str, str, str]) -> None:
    given, shown, latex, written = result
    shown.encode()
    page = Page(shown)
    assert not page.wrong and not page.scripts, page.wrong
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert len(rows) == len(given) and rows[2][-1] == "0.0", rows[2]
    for row, texts in zip(rows, given, strict=True):
        for cell, text in zip(row[:-1], texts, strict=True):
            assert not re.match(r"[=@\t\r\uff1d\uff0b\uff0d\uff20]|[+-][^\d.]", cell) or len(cell) == 1, cell
            assert cell.removeprefix("'") == re.sub("\r\n?", "\n", text).removeprefix("'")
    latex.encode()
    bare = re.sub(r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater)\{\}", "", latex)
    assert not re.search(r"(\\\\|rule)\n[\[*]", bare) and bare.count("\n") == len(given) + 5
    bare = re.sub(r"\\[{}$&#_%]|\\\\\n", "", bare).replace("$-$", "").replace(r"$\to$", "")
    assert bare.count("{") == bare.count("}") and not re.search(r"[$%#_^]", bare)
    assert not re.search(r"\\(?!begin|end|toprule|midrule|bottomrule)", bare), bare


# --- figures ------------------------------------------------------------------------------------


def damage_figure(folder: Path, draw: random.Random) -> str:
    kind = draw.choice(sorted(FIGURES))
    soundfile.write(folder / "tone.wav", 0.3 * np.sin(0.1 * np.arange(16_000)), 16_000)
    (folder / "names.json").write_text(json.dumps([kind, names(draw, 7), draw.random() < 0.2]))
    return kind


def read_figure(folder: Path) -> str:
    kind, drawn, same = json.loads((folder / "names.json").read_text())
    # Names differ, as those of methods, corpora and classes do; each is no longer than a line or two.
    short = [f"{name[:40]}{'' if same else place}" for place, name in enumerate(drawn)]
    if same:
        short = [f"{short[0]}{place}" for place in range(len(short))]
    given = Names(
        methods=tuple(short[:3]), corpora=tuple(name.replace("/", "|") for name in short[3:5]),
        classes=("neutral", short[5], "joy", "sadness"), speaker=short[6].replace("/", "|"), word=short[0],
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that the font lacks
        return plotting.img(FIGURES[kind](given, str(folder / "tone.wav")))


def check_figure(shown: str) -> None:
    shown.encode()
    page = Page(f"<p>{shown}</p>")
    assert not page.wrong and not page.scripts and shown.count("<img") == 1, page.wrong


def _target(
    name: str, damage: Callable[..., str], read: Callable[..., Any], check: Callable[..., None]
) -> Target:
    return Target(name=f"strings: {name}", write=lambda folder: None, damage=damage, read=read, check=check)


TARGETS: tuple[Target, ...] = (
    _target("records", damage_record, read_record, check_page),
    _target("tables", damage_table, read_table, check_table),
    _target("figures", damage_figure, read_figure, check_figure),
)
