"""HTML that loads nothing: the report of one run, and the list of all runs."""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:  # takes a second: wrong usage is answered before
    import nbformat

TEMPLATE = Path(str(resources.files("serlab.reporting") / "template"))

_CONTENTS = "<!-- contents -->"
_WIDGET = "application/vnd.jupyter.widget-view+json"


def clean(notebook: nbformat.NotebookNode, hide: Callable[[str], str]) -> nbformat.NotebookNode:
    """Executed notebook fit to be given away.

    Widgets and scripts go (they would be blank without their kernel),
    progress bars keep their last state, and ``hide`` is applied to every text.

    Parameters
    ----------
    notebook : NotebookNode
        Not changed.
    hide : callable(str) -> str
        From :func:`serlab.provenance.hider`.
    """
    import nbformat

    notebook = nbformat.from_dict(hidden(notebook, hide))
    notebook.metadata.pop("widgets", None)
    papermill = notebook.metadata.get("papermill", {})
    for name in ("input_path", "output_path"):
        papermill.pop(name, None)
    papermill.get("parameters", {}).pop("run_folder", None)
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            # Who opens this notebook to run it again has no run folder.
            cell.source = re.sub(r"(?m)^run_folder = .*$", 'run_folder = ""', cell.source)
        if cell.cell_type != "code":
            continue
        outputs = []
        for output in cell.outputs:
            bundle = output.get("data", {})
            bundle.pop("application/javascript", None)
            if _WIDGET in bundle or (output.output_type in ("display_data", "execute_result") and not bundle):
                continue
            if output.output_type == "stream":
                # A terminal shows what follows the last carriage return of a line.
                output.text = re.sub(r"[^\n]*\r(?=[^\r\n])", "", output.text)
            outputs.append(output)
        cell.outputs = outputs
    return notebook


def hidden(value: Any, hide: Callable[[str], str]) -> Any:
    """Apply ``hide`` to every string of a JSON value, except pictures."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {
            key: item if key.startswith("image/") and "svg" not in key else hidden(item, hide)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [hidden(item, hide) for item in value]
    return value


def report(notebook: nbformat.NotebookNode, record: Mapping[str, Any], *, index: str) -> str:
    """Self-contained HTML of an executed notebook.

    Cells tagged ``remove-in-report`` vanish, those tagged ``hide-input`` lose
    their code, other code is folded away.

    Parameters
    ----------
    notebook : NotebookNode
        From :func:`clean`.
    record : mapping
        Content of run.json.
    index : str
        Relative address of the list of all runs.
    """
    from nbconvert.exporters import HTMLExporter
    from nbconvert.preprocessors import TagRemovePreprocessor
    from pygments.formatters import HtmlFormatter

    exporter = HTMLExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        embed_images=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    exporter.register_preprocessor(
        TagRemovePreprocessor(
            # The table at the end of the page has the parameters.
            remove_cell_tags=["parameters", "injected-parameters", "remove-in-report"],
            remove_input_tags=["hide-input"],
        ),
        enabled=True,
    )
    exporter.environment.globals["run"] = {
        "style": style() + HtmlFormatter(nobackground=True).get_style_defs(".highlight"),
        "title": record["title"],
        "question": question(record["parameters"]),
        "badges": badges(record),
        "headline": record["headline"],
        "trouble": trouble(record),
        "facts": _facts(record),
        "index": index,
    }
    text, _ = exporter.from_notebook_node(_without_title(notebook))
    return _with_contents(text)


def listing(runs: Iterable[tuple[Mapping[str, Any], str | None]], matrices: Iterable[str] = ()) -> str:
    """HTML of the list of all runs.

    Parameters
    ----------
    runs : iterable of (record, report)
        Content of run.json, and the relative address of the report or None.
    matrices : iterable of str
        Relative addresses of pages that show many runs together.
    """
    together = "".join(
        f'<p><a href="{quote(page)}">{html.escape(page.split("/")[0])}: all pairs on one page</a></p>\n'
        for page in matrices
    )
    rows = [_row(record, report) for record, report in runs]
    return page(
        "Reports",
        f"""<p class="question">Does data in another language help here, how much, and can I believe it?</p>
{together}<p>Runs: {len(rows)}, newest first.</p>
<table class="runs">
<thead><tr><th>Run</th><th>Headline</th><th>Seeds</th><th>Made (UTC)</th></tr></thead>
<tbody>
{"".join(rows)}
</tbody>
</table>""",
    )


def page(title: str, body: str) -> str:
    """A page in the style of all others; ``body`` is HTML."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>serlab: {html.escape(title)}</title>
<style>
{style()}
</style>
</head>
<body>
<main>
<h1>{html.escape(title)}</h1>
{body}
</main>
</body>
</html>
"""


def _row(record: Mapping[str, Any], report: str | None) -> str:
    title = html.escape(record["title"])
    if report:
        title = f'<a href="{quote(report)}">{title}</a>'
    marks = " ".join(
        f'<span class="badge {mark["kind"]}">{html.escape(mark["text"])}</span>' for mark in badges(record)
    )
    headline = html.escape(trouble(record) or record["headline"])
    seeds = html.escape(plain(record["parameters"].get("seeds", "")))
    made = record["started"].replace("T", " ")[:16]
    return (
        f'<tr><td class="run">{title}<p>{html.escape(question(record["parameters"]))}</p>{marks}</td>'
        f"<td>{headline}</td><td>{seeds}</td>"
        f'<td class="when">{made}<br>{_duration(record["seconds"])}</td></tr>\n'
    )


def style() -> str:
    """The one style sheet."""
    return (TEMPLATE / "style.css").read_text(encoding="utf-8")


def question(parameters: Mapping[str, Any]) -> str:
    """Sources and target: "emodb + ravdess -> urdu", with an arrow."""
    target, sources = parameters.get("target", ""), " + ".join(parameters.get("sources", []))
    return f"{sources} \N{RIGHTWARDS ARROW} {target}" if sources and target else target or sources


def badges(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a reader must not overlook; kind is a CSS class."""
    from serlab.protocols import PROTOCOLS  # scikit-learn: not before a page is made

    marks = []
    protocol = record["parameters"].get("protocol")
    if protocol:
        warning = PROTOCOLS[protocol].badge if protocol in PROTOCOLS else ""
        marks.append({"kind": "warn" if warning else "", "text": warning or f"protocol {protocol}"})
    if record["parameters"].get("preset"):
        marks.append({"kind": "", "text": f"preset {record['parameters']['preset']}"})
    if record["synthetic"]:
        marks.append({"kind": "warn", "text": "synthetic: not evidence about emotion"})
    if record["state"] != "complete":
        marks.append({"kind": "bad", "text": record["state"]})
    return marks


def trouble(record: Mapping[str, Any]) -> str:
    """Why a run is not complete, in a sentence; empty for one that is."""
    error = record["error"]
    if error:
        return f"Cell {error['cell']} ({error['code']}): {error['name']}: {error['message']}"
    if record["state"] == "complete":
        return ""
    return "Still at work." if record["state"] == "running" else "The same command resumes it."


def _facts(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    provenance, attempts = record["provenance"], record["attempts"]
    made = f"{record['started'].replace('T', ' ')[:16]} UTC, in {_duration(record['seconds'])}"
    if len(attempts) > 1:
        mixed = ", not all with the same code" if len({a["code"] for a in attempts}) > 1 else ""
        made += f", in {len(attempts)} attempts{mixed}"
    shown = {
        **{name.replace("_", " "): plain(value) for name, value in record["parameters"].items()},
        "made": made,
        "run": f"{record['digest']} (corpora {provenance['corpora'] or 'none'}, code {provenance['code']})",
        "serlab": f"{provenance['serlab']}, commit {provenance['commit'] or 'unknown'}",
        "platform": f"Python {provenance['python']}, {provenance['platform']}",
        "packages": ", ".join(f"{name} {version}" for name, version in provenance["packages"].items()),
    }
    return [(name, value) for name, value in shown.items() if value]


def plain(value: Any) -> str:
    """A value of a parameter as text; lists with commas."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _with_contents(text: str) -> str:
    """Put links to the sections where the template says; with few sections, none."""
    sections = re.findall(r'<h2 id="([^"]+)">(.*?)<a class="anchor-link"', text)
    items = "".join(f'<li><a href="#{name}">{heading}</a></li>\n' for name, heading in sections)
    return text.replace(_CONTENTS, f"<nav><ol>\n{items}</ol></nav>" if len(sections) > 2 else "", 1)


def _without_title(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Copy without the first-level heading, which the page's header has."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^# ", cell.source, re.MULTILINE):
            cell.source = re.sub(r"(?m)^# .+\n*", "", cell.source, count=1)
            break
    return notebook
