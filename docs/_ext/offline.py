"""Fails a build whose pages load something from elsewhere, or tell of the machine they were built on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

#: What a browser fetches by itself; links that a reader clicks are left alone.
_FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*?\ssrc=[\"'](?:https?:)?//[^>]*>"
    r"|<link\b[^>]*?\shref=[\"'](?:https?:)?//[^>]*>",
    re.IGNORECASE,
)
_FETCHED_BY_STYLE = re.compile(r"(?:@import\s+|url\()\s*[\"']?(?:https?:)?//[^)\s]+")


def fetched(text: str, suffix: str) -> list[str]:
    """What a page (``.html``) or style sheet (``.css``) loads from elsewhere."""
    return (_FETCHED if suffix == ".html" else _FETCHED_BY_STYLE).findall(text)


def check(app: Sphinx, exception: Exception | None) -> None:
    """Look through everything that was written."""
    if exception is not None or app.builder.format != "html":
        return
    here = {str(Path(app.srcdir).resolve().parent), str(Path.home())} - {"/"}
    for path in sorted(Path(app.outdir).rglob("*")):
        if path.suffix not in (".html", ".css"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for what in fetched(text, path.suffix):
            logger.warning("%s loads %s", path.relative_to(app.outdir), what)
        for folder in here:
            if path.suffix == ".html" and re.search(rf"{re.escape(folder)}(?![\w-])", text):
                logger.warning("%s names the folder %s of this machine", path.relative_to(app.outdir), folder)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
