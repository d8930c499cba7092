"""The page of one run: the answer first, then the notebook, then where it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import nbformat

from serlab.reporting import cleaning, opening, pages

_CONTENTS = "<!-- contents -->"


def write(
    notebook: nbformat.NotebookNode, record: Mapping[str, Any], tables: opening.Tables, *, index: str
) -> str:
    """Self-contained HTML of an executed notebook.

    Cells tagged ``remove-in-report`` vanish, those tagged ``hide-input`` lose
    their code, other code is shown when the reader asks for it.

    Parameters
    ----------
    notebook : NotebookNode
        From :func:`serlab.reporting.cleaning.clean`.
    record : mapping
        Content of run.json.
    tables : Tables
        Of the same run.
    index : str
        Relative address of the list of all runs.
    """
    from nbconvert.exporters import HTMLExporter
    from nbconvert.preprocessors import TagRemovePreprocessor
    from pygments.formatters import HtmlFormatter

    exporter = HTMLExporter(
        template_name=pages.TEMPLATE.name,
        extra_template_basedirs=[str(pages.TEMPLATE.parent)],
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
        "policy": pages.POLICY,
        "style": pages.style() + HtmlFormatter(nobackground=True).get_style_defs(".highlight"),
        "title": record["title"],
        "question": pages.question(record["parameters"]),
        "badges": pages.badges(record),
        "verdict": opening.verdict(tables.comparison),
        "headline": record["headline"],
        "opening": opening.write(tables),
        "trouble": pages.trouble(record),
        "facts": _facts(record),
        "index": index,
    }
    text, _ = exporter.from_notebook_node(cleaning.for_page(notebook, said=record["headline"]))
    return _with_contents(text)


def _facts(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    provenance, attempts = record["provenance"], record["attempts"]
    made = f"{record['started'].replace('T', ' ')[:16]} UTC, in {pages.duration(record['seconds'])}"
    if len(attempts) > 1:
        mixed = ", not all with the same code" if len({a["code"] for a in attempts}) > 1 else ""
        made += f", in {len(attempts)} attempts{mixed}"
    again = record.get("rebuilt")
    if again:
        made += (
            f"; tables and figures made again {again['at'].replace('T', ' ')[:16]}, by code {again['code']}"
        )
    shown = {
        **{name.replace("_", " "): pages.plain(value) for name, value in record["parameters"].items()},
        "made": made,
        "run": f"{record['digest']} (corpora {provenance['corpora'] or 'none'}, code {provenance['code']})",
        "serlab": f"{provenance['serlab']}, commit {provenance['commit'] or 'unknown'}",
        "platform": f"Python {provenance['python']}, {provenance['platform']}",
        "packages": ", ".join(f"{name} {version}" for name, version in provenance["packages"].items()),
    }
    return [(name, value) for name, value in shown.items() if value]


def _with_contents(text: str) -> str:
    """Put links to the sections where the template says; with few sections, none."""
    sections = re.findall(r'<h2 id="([^"]+)">(.*?)<a class="anchor-link"', text)
    items = "".join(f'<li><a href="#{name}">{heading}</a></li>\n' for name, heading in sections)
    return text.replace(_CONTENTS, f"<nav><ol>\n{items}</ol></nav>" if len(sections) > 2 else "", 1)
