"""UAR by what has been done to the tested recordings."""

from __future__ import annotations

import pandas as pd

from serlab.evaluation import intervals
from serlab.plotting.marks import chance_line, known, limits, panel_figure
from serlab.plotting.style import Figure, finished, heading, legend_below, note_figure, series, styled
from serlab.plotting.texts import listing, sentences, wrapped
from serlab.studies import robustness

_HEADING = "How much recording can it bear?"


@styled
def plot_robustness(table: pd.DataFrame, *, chance: float | None = None, title: str = "") -> Figure:
    """Show UAR from mild to severe changes of the test recordings: a panel a change, a line a method.

    Parameters
    ----------
    table : DataFrame
        From :func:`serlab.studies.robustness.run`.
    chance : float, optional
        Level to draw.
    title : str
        Added to the heading.
    """
    if table.empty:
        return note_figure(_HEADING, "No method was run.")
    kinds = list(dict.fromkeys(table["kind"]))
    figure, panels, columns = panel_figure(
        len(kinds), size=(3.1, 2.8), most_columns=3, margin=(0.6, 1.6), sharey=True
    )
    lines = list(dict.fromkeys(zip(table["title"], table["scale"], strict=True)))
    titles = list(dict.fromkeys(table["title"]))
    handles: dict[tuple[str, str], object] = {}
    for number, (axes, kind) in enumerate(zip(panels, kinds, strict=True)):
        own = table[table["kind"] == kind]
        places = {severity: place for place, severity in enumerate(dict.fromkeys(own["severity"]))}
        for line in lines:
            part = own[(own["title"] == line[0]) & (own["scale"] == line[1])]
            if part.empty:
                continue
            changed = line[1] == robustness.CHANGED
            look = series(titles.index(line[0])) | {"linestyle": "--" if changed else "-"}
            x = part["severity"].map(places).to_numpy()
            label = wrapped(
                f"{line[0]}, scaled by the {line[1]}" if _has_two(lines, line[0]) else line[0], 52
            )
            handles[line] = axes.plot(x, part["uar"], linewidth=2, markersize=6, label=label, **look)[0]
            if not changed:
                low, high = (part[f"uar_{end}"].to_numpy(dtype=float) for end in ("low", "high"))
                axes.fill_between(x, low, high, color=look["color"], alpha=0.12, linewidth=0)
        axes.set_xticks(range(len(places)), [name.replace(" ", "\n") for name in places])
        axes.set_title(wrapped(robustness.KINDS.get(kind, kind), 30))
        axes.grid(True)
        if number % columns == 0:
            axes.set_ylabel("UAR")
        if chance is not None:
            level = chance_line(axes, chance)
    panels[0].set_ylim(*limits(known(table, "uar", "uar_low", "uar_high"), chance))
    shown = [*handles.values(), *([level] if chance is not None else [])]
    note = f"One fit a fold, on recordings as they are. Bands: {intervals.LABEL} over speakers."
    legend_below(figure, shown, ncols=2, note=note)
    heading(figure, f"{_HEADING} {title}".strip())
    said = [f"{row.title}, {row.scale}: {row.says}" for row in robustness.says(table).itertuples()]
    return finished(figure, sentences(listing(said, most=6)))


def _has_two(lines: list[tuple[str, str]], title: str) -> bool:
    return sum(name == title for name, _ in lines) > 1


def robustness_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row a method and condition, with the change from recordings as they are."""
    spoiled = table[table["severity"] != robustness.CLEAN]
    columns = {
        "title": "method", "kind": "change", "severity": "severity", "scale": "scaled by",
        "n_utterances": "utterances", "uar": "UAR", "uar_low": "UAR_low", "uar_high": "UAR_high",
        "change": "from recorded", "change_low": "from recorded_low", "change_high": "from recorded_high",
    }  # fmt: skip
    shown = spoiled.assign(kind=spoiled["kind"].map(lambda kind: robustness.KINDS.get(kind, kind)))
    return shown[list(columns)].rename(columns=columns)
