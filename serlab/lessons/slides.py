"""A lesson as slides: one file, that needs no network, no server and no library.

nbconvert's own slides load reveal.js from elsewhere, which a room without a network does not have. Here a
slide is a section of a page that snaps into place; arrow keys, space and a finger go on.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from serlab.lessons.versions import student_version

_STYLE = """
html { scroll-snap-type: y mandatory; font: 24px/1.45 system-ui, sans-serif; color: #111; background: #fff }
body { margin: 0 }
section { min-height: 100vh; box-sizing: border-box; scroll-snap-align: start; padding: 4vh 7vw;
  display: flex; flex-direction: column; justify-content: center; border-bottom: 1px solid #ddd }
section > * { max-width: 60rem }
h1 { font-size: 2em } h2 { font-size: 1.5em } h1, h2 { line-height: 1.2; margin: 0 0 .5em }
pre { font: 18px/1.4 ui-monospace, monospace; background: #f5f5f5; padding: .6em .8em; overflow-x: auto }
footer { font-size: 14px; color: #555; margin-top: auto; padding-top: 1em }
.hll, .err { background: none }
@media (max-width: 700px) { html { font-size: 17px; scroll-snap-type: none } pre { font-size: 13px } }
@media print { section { break-after: page; border: 0; min-height: 0 } }
"""

_SCRIPT = """
const slides = [...document.querySelectorAll("section")];
const on = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };
addEventListener("keydown", (event) => {
  if (!(event.key in on) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const tops = slides.map((slide) => Math.abs(slide.getBoundingClientRect().top));
  const next = tops.indexOf(Math.min(...tops)) + on[event.key];
  if (slides[next]) slides[next].scrollIntoView({ behavior: "instant" });
});
"""


def slides(notebook: Mapping[str, Any]) -> str:
    """A lesson as one page of slides: a slide a heading and an exercise, code without its solutions.

    Parameters
    ----------
    notebook : mapping
        JSON of a notebook with nbgrader's marks, see :func:`serlab.lessons.versions.student_version`.
    """
    parts: list[list[str]] = []
    title = "Lesson"
    for cell in student_version(notebook)["cells"]:
        source = cell["source"].strip()
        if cell["cell_type"] == "markdown":
            if source.startswith("# ") and not parts:
                title = source.splitlines()[0].removeprefix("# ").strip()
            if source.startswith("#") or source.startswith("**Exercise") or not parts:
                parts.append([])
            parts[-1].append(_prose(source))
        elif source and "hide-input" not in cell["metadata"].get("tags", []):
            if not parts:
                parts.append([])
            parts[-1].append(_code(source))
    sections = "\n".join(
        f"<section>{''.join(part)}<footer>{html.escape(title)} · {number} of {len(parts)}</footer></section>"
        for number, part in enumerate(parts, 1)
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}{_colours()}</style>\n</head>\n"
        f"<body>\n{sections}\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _prose(source: str) -> str:
    from nbconvert.filters.markdown import markdown2html

    return str(markdown2html(source))


def _code(source: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return str(highlight(source, PythonLexer(), HtmlFormatter(nobackground=True)))


def _colours() -> str:
    from pygments.formatters import HtmlFormatter

    # Colours of enough contrast on a projector.
    return str(HtmlFormatter(style="default", nobackground=True).get_style_defs(".highlight"))
