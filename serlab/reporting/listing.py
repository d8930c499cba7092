"""The page that lists all runs: filtered, sorted and compared in the browser, from numbers within it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any
from urllib.parse import quote

import pandas as pd

from serlab.evaluation import intervals
from serlab.reporting import opening, pages

#: Heading of a column -> what it sorts by; the choice comes first and is no column of numbers.
_HEADS = {
    "Run": "title",
    "Answer": "answer",
    "Highest UAR": "uar",
    "Declared gain": "gain",
    "Seeds": "seeds",
    "Made (UTC)": "made",
}
#: What the page filters by: label -> name in the rows.
_FILTERS = {"Notebook": "notebook", "Pair": "pair", "Preset": "preset", "State": "state"}


@dataclass(frozen=True)
class Listed:
    """A run as the list shows it.

    Attributes
    ----------
    record : mapping
        Content of run.json.
    report : str or None
        Relative address of its page.
    tables : Tables
    """

    record: Mapping[str, Any]
    report: str | None
    tables: opening.Tables


#: Files of pages of many runs, in the folder of their notebook -> what they show.
TOGETHER = {"matrix.html": "All pairs on one page", "leave-one-out*.html": "One corpus left out in turn"}


def _together(addresses: Sequence[str]) -> str:
    """A line for each kind of page that shows many runs."""
    lines = []
    for page, shows in TOGETHER.items():
        links = ", ".join(
            f'<a href="{quote(address)}">{html.escape(_of_many(address))}</a>'
            for address in addresses
            if fnmatch(address, f"*/{page}")
        )
        lines.append(f"<p>{shows}: {links}.</p>\n" if links else "")
    return "".join(lines)


def _of_many(address: str) -> str:
    """Name of a page of many runs: its notebook, and its number if it is not the first."""
    notebook, _, page = address.partition("/")
    number = re.search(r"-([0-9]+)\.html$", page)
    return f"{notebook} ({number[1]})" if number else notebook


def write(runs: Sequence[Listed], matrices: Iterable[str] = ()) -> str:
    """HTML of the list of all runs.

    Parameters
    ----------
    runs : sequence of Listed
        In the order in which they are shown first.
    matrices : iterable of str
        Relative addresses of pages that show many runs together.
    """
    together = _together(list(matrices))
    heads = "".join(
        f'<th scope="col" data-key="{key}"><button type="button">{text}</button></th>'
        for text, key in _HEADS.items()
    )
    rows = "".join(_row(number, run) for number, run in enumerate(runs))
    body = f"""{pages.QUESTION}{together}<p>Runs: {len(runs)}, newest first.{_without_page(runs)}</p>
{_filters(runs)}
<div class="scroll"><table class="runs">
<thead><tr><th scope="col" class="choose"><span hidden>Compare</span></th>{heads}</tr></thead>
<tbody>
{rows}</tbody>
</table></div>
<section class="compare" data-uar="UAR {intervals.HEADING}" aria-live="polite" hidden></section>
<script type="application/json" id="runs">{as_json([_numbers(run) for run in runs])}</script>"""
    script = (pages.TEMPLATE / "runs.js").read_text(encoding="utf-8")
    return pages.page("Reports", body, script=script)


def as_json(value: Any) -> str:
    """JSON that ends no element and opens no comment, wherever it stands in HTML."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _without_page(runs: Sequence[Listed]) -> str:
    if all(run.report or run.record["state"] != "complete" for run in runs):
        return ""
    return " A run without a link keeps what its page is made from: <code>serlab rebuild</code> makes it."


def _filters(runs: Sequence[Listed]) -> str:
    """Controls, hidden until the script is there to answer them."""
    choices = []
    for label, name in _FILTERS.items():
        found = sorted({_keys(run)[name] for run in runs} - {""})
        options = "".join(f'<option value="{html.escape(v)}">{html.escape(v)}</option>' for v in found)
        choices.append(
            f'<label>{label} <select data-filter="{name}"><option value="">all</option>{options}</select>'
            "</label>"
        )
    return (
        f'<form class="filters" hidden>{"".join(choices)}'
        '<label>Words <input type="search" data-filter="words"></label>'
        '<button type="reset">Show all</button><span class="found" role="status"></span></form>'
    )


def _keys(run: Listed) -> dict[str, str]:
    record, parameters = run.record, run.record["parameters"]
    return {
        "notebook": str(record["notebook"]),
        "pair": pages.question(parameters),
        "preset": str(parameters.get("preset", "")),
        "state": str(record["state"]),
    }


def _row(number: int, run: Listed) -> str:
    record = run.record
    title = html.escape(record["title"])
    name = html.escape(f"{record['title']}, {pages.question(record['parameters'])}")
    if run.report:
        title = f'<a href="{quote(run.report)}">{title}</a>'
    marks = " ".join(
        f'<span class="badge {mark["kind"]}">{html.escape(mark["text"])}</span>'
        for mark in pages.badges(record)
    )
    answer = opening.verdict(run.tables.comparison)
    headline = html.escape(pages.trouble(record) or record["headline"])
    seeds = html.escape(pages.plain(record["parameters"].get("seeds", "")))
    made = record["started"].replace("T", " ")[:16]
    uar, gain = _best(run.tables.summary), _declared(run.tables.comparison)
    sorts = {
        "title": record["title"] + pages.question(record["parameters"]), "answer": answer, "seeds": seeds,
        "made": record["started"], **({"uar": uar["uar"]} if uar else {}),
        **({"gain": gain["gain"]} if gain else {}),
    }  # fmt: skip
    data = {**_keys(run), **{f"sort-{key}": value for key, value in sorts.items()}}
    attributes = "".join(f' data-{key}="{html.escape(str(value))}"' for key, value in data.items())
    cells = [
        f'<td class="choose"><input type="checkbox" hidden value="{number}" '
        f'aria-label="Compare {name}"></td>',
        f'<td class="run">{title}<p>{html.escape(pages.question(record["parameters"]))}</p>{marks}</td>',
        f"<td>{f'<strong>{html.escape(answer)}</strong>' if answer else ''}"
        f'<p class="headline-in-list" title="{headline}">{headline}</p></td>',
        f"<td>{_interval(uar, 'uar')}</td><td>{_interval(gain, 'gain')}</td><td>{seeds}</td>",
        f'<td class="when">{html.escape(made)}<br>{pages.duration(record["seconds"])}</td>',
    ]
    return f"<tr{attributes}>{''.join(cells)}</tr>\n"


def _best(summary: pd.DataFrame) -> dict[str, Any]:
    if summary.empty or summary["uar"].isna().all():
        return {}
    return summary.loc[summary["uar"].idxmax()].to_dict()


def _declared(comparison: pd.DataFrame) -> dict[str, Any]:
    """The first comparison that was declared and run: not the largest, which would be chosen by its size."""
    if comparison.empty:
        return {}
    own = comparison[comparison["primary"].astype(bool) & comparison["gain"].notna()]
    return {} if own.empty else own.iloc[0].to_dict()


def _interval(row: Mapping[str, Any], name: str) -> str:
    if not row:
        return ""
    text = intervals.text(row[name], row[f"{name}_low"], row[f"{name}_high"], sign=name == "gain")
    title = html.escape(str(row.get("title", row["method"])))
    if name == "gain":
        title += f" over {html.escape(str(row.get('control_title', row['control'])))}"
    return f'<span class="number">{text}</span><br><small>{title}</small>'


def _numbers(run: Listed) -> dict[str, Any]:
    """What the comparison of ticked runs needs."""
    record, summary = run.record, run.tables.summary
    methods = [
        [
            row["method"],
            str(row.get("title", row["method"])),
            intervals.text(row["uar"], row["uar_low"], row["uar_high"]),
        ]
        for row in summary.to_dict("records")
    ]
    return {
        "title": record["title"],
        "pair": pages.question(record["parameters"]),
        "report": quote(run.report) if run.report else "",
        "parameters": {
            **{name: pages.plain(value) for name, value in record["parameters"].items()},
            "state": record["state"],
            "made": record["started"].replace("T", " ")[:16],
            "code": str(record["provenance"].get("code", "")),
            "corpora": str(record["provenance"].get("corpora", "")),
        },
        "methods": methods,
        "gains": [_gain(row) for row in run.tables.comparison.to_dict("records") if pd.notna(row["gain"])],
    }


def _gain(row: Mapping[str, Any]) -> list[str]:
    """Key, what is compared, gain and verdict."""
    title, over = row.get("title", row["method"]), row.get("control_title", row["control"])
    return [
        f"{row['question']}/{row['method']}/{row['control']}",
        f"{str(row['question']).capitalize()}: {title} over {over}",
        intervals.text(row["gain"], row["gain_low"], row["gain_high"], sign=True),
        row["verdict"],
    ]
