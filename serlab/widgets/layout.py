"""Where things stand in a panel: what is always needed above, pickers below, the rare ones folded."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from pathlib import Path

import ipywidgets as w

from serlab import corpora, data, methods, plotting
from serlab.widgets.lines import heading
from serlab.widgets.pickers import RARE, explained, grid

#: The bar stays in view while any of the panel is. Cells cut off what they show, and what is cut off cannot
#: stick: here they do not, nor are they as wide as their widest picker, which a narrow cell would cut off.
#: Labels wrap instead of ending in dots.
STYLE = """<style>
.serlab-bar { position: sticky; top: 0; z-index: 5; background: var(--jp-layout-color0, white);
  border-bottom: 1px solid #888; padding: 4px 0; }
.jp-Cell:has(.serlab-bar), .jp-Cell *:has(.serlab-bar) { overflow: visible !important;
  contain: none !important; min-width: 0 !important; }
.serlab-panel .widget-label, .serlab-panel .widget-label-basic { white-space: normal !important;
  overflow: visible !important; line-height: 1.25 !important; height: auto !important; }
.serlab-panel .widget-checkbox { height: auto !important; min-height: 24px; }
.serlab-panel .widget-html-content { line-height: 1.35; }
</style>"""


def meaning_line() -> w.HTML:
    """Below a picker: what is chosen, in words."""
    return w.HTML(layout=w.Layout(margin="0 0 4px 7.6em", width="auto"))


def pickers(
    *,
    controls: Mapping[str, w.Widget],
    meanings: Mapping[str, w.HTML],
    sources: Mapping[str, w.Checkbox],
    chosen_methods: Mapping[str, w.Checkbox],
    studies: Mapping[str, w.Checkbox],
    how_to_get: str,
) -> w.Box:
    """All pickers, in two columns where there is room for two."""

    def shown(*names: str) -> list[w.Widget]:
        return [
            part
            for name in names
            if name in controls
            for part in (controls[name], *([meanings[name]] if name in meanings else []))
        ]

    rare = [controls[name] for name in controls if name in RARE]
    folded = w.Accordion([w.VBox(rare)], selected_index=None)
    folded.set_title(0, "Further parameters")
    left = w.VBox(
        [
            heading("Corpora"),
            *shown("target"),
            w.HTML("sources"),
            grid(sources.values(), "150px"),
            w.HTML(how_to_get),
            heading("Labels, features, protocol"),
            *shown("scheme", "features", "protocol", "shots", "folds", "preset"),
            *([folded] if rare else []),
        ],
        layout=w.Layout(flex="1 1 330px", min_width="0", margin="0 12px 0 0"),
    )
    groups: list[w.Widget] = [heading("Methods")]
    for access, (text, colour, _) in plotting.ACCESS.items():
        boxes = [box for name, box in chosen_methods.items() if methods.get(name).access == access]
        if boxes:
            groups += [w.HTML(f"<span style='color: {colour}'>&#9632;</span> {text}"), grid(boxes, "235px")]
    beside = [heading("Beside the methods"), grid(studies.values(), "300px")] if studies else []
    right = w.VBox(
        [*groups, w.HTML(what_methods_are(chosen_methods)), *shown("baseline"), *beside],
        layout=w.Layout(flex="1.5 1 480px", min_width="0"),
    )
    return w.HBox([left, right], layout=w.Layout(flex_flow="row wrap"))


def what_methods_are(names: Iterable[str]) -> str:
    """A line a method with its control, to be unfolded."""
    lines = "".join(
        f"<li><b>{html.escape(methods.get(name).title)}</b> &middot; {html.escape(explained(name))}</li>"
        for name in names
    )
    return f"<details><summary>What each method is, and its control</summary><ul>{lines}</ul></details>"


def how_to_get(installed: list[str], root: Path | str | None) -> str:
    """One line, to be unfolded: corpora that are not here."""
    missing = [corpus for name, corpus in corpora.CORPORA.items() if name not in installed]
    if not missing:
        return ""
    items = "".join(
        f"<li><b>{corpus.name}</b>: {html.escape(corpus.how_to_get)}"
        + (f" Or: <code>serlab download {corpus.name}</code>" if corpus.download else "")
        + "</li>"
        for corpus in missing
    )
    folder = html.escape(str(data.data_root(root)))
    return (
        f"<details><summary>{len(missing)} missing corpora: how to get them</summary>"
        f"<div style='line-height: 1.3'>Each goes into a folder of its name in <code>{folder}</code>. "
        f"<ul>{items}</ul></div></details>"
    )
