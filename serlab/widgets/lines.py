"""Lines of text below pickers."""

from __future__ import annotations

import html

import ipywidgets as w

GREEN, RED = "#006B3C", "#B00020"


def write(line: w.HTML, text: str, colour: str = "inherit") -> None:
    """Show a message; an empty one takes no space."""
    line.value = f"<div style='color: {colour}; line-height: 1.4'>{html.escape(text)}</div>" if text else ""
    line.layout.display = None if text else "none"


def heading(text: str) -> w.HTML:
    """Above a group of pickers."""
    return w.HTML(f"<b>{text}</b>")
