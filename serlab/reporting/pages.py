"""What all pages share: one frame, one style, and how a run is named on them. They load nothing."""

from __future__ import annotations

import html
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

TEMPLATE = Path(str(resources.files("serlab.reporting") / "template"))

#: What every page is about, below its title.
QUESTION = (
    '<p class="question">Does data in another language help here, how much, and can I believe it?</p>\n'
)

#: A page shows what is in it and asks nobody for more, whatever a notebook put out.
POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"


def page(title: str, body: str, *, script: str = "", refresh: int = 0) -> str:
    """A page in the style of all others; ``body`` is HTML, ``script`` runs at its end.

    With ``refresh`` a browser reads it again every so many seconds.
    """
    policy = POLICY + ("; script-src 'unsafe-inline'" if script else "")
    again = f'\n<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    end = f"<script>\n{script}\n</script>\n" if script else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">{again}
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
{end}</body>
</html>
"""


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
        # What the audit found beside what the protocol says of itself; a run that was cut off has the latter.
        warning = record.get("badge") or (PROTOCOLS[protocol].badge if protocol in PROTOCOLS else "")
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


def plain(value: Any) -> str:
    """A value of a parameter as text; lists with commas."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def duration(seconds: float | None) -> str:
    """Hours and minutes, or minutes and seconds; empty while it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
