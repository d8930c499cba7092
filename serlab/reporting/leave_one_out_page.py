"""What the page of all corpora left out in turn says: figures, and the tables they are drawn from."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from serlab.evaluation import intervals, verdicts
from serlab.evaluation.scoring import POOLED
from serlab.reporting import pages

_GAINS = {
    "target": "left out", "title": "method", "control_title": "over", "gain": "gain in UAR",
    "verdict": "verdict",
}  # fmt: skip


def text(
    tables: Mapping[str, pd.DataFrame],
    *,
    links: Mapping[str, str],
    failed: Sequence[tuple[str, str]],
    chance: float | None,
    left_out: Mapping[str, str],
    asked: Mapping[str, object] = MappingProxyType({}),
) -> str:
    """HTML of the page below its title.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By the names of their files, see :func:`serlab.reporting.leave_one_out.write`.
    links : mapping of str to str
        Target -> address of its report; empty for none.
    failed : sequence of (str, str)
        Runs that are missing, and why.
    chance : float or None
    left_out : mapping of str to str
        Corpora that do not take part, and why.
    asked : mapping of str to object
        Parameters of all runs that the page names.
    """
    named = ", ".join(
        f"{html.escape(name)} <b>{html.escape(str(value))}</b>" for name, value in asked.items()
    )
    reached = tables["leave-one-out"]
    targets = [f"<b>{_link(name, links)}</b>" for name in links]
    parts = [
        f"{pages.QUESTION}<p>Each corpus in turn is the target, and all others together are the sources. "
        f"UAR ({POOLED}) with {intervals.PERCENT} intervals over test speakers, for orientation; what a gain "
        "is over, a method's control says. Targets are not independent of each other: each is a source of "
        f"all others. Runs: {len(links)} of {len(links) + len(failed)}. Reports: {', '.join(targets)}.</p>"
        + (f"<p>Asked: {named}.</p>" if named else "")
    ]
    if len(reached):
        parts.append("<h2>How far do the others carry?</h2>")
        parts.append(_figure("plot_left_out", reached, chance=chance))
        parts.append(_table(_wide(reached), "UAR on the corpus left out"))
        parts.append(_gains(tables["leave-one-out-gains"]))
    parts.append(_choices(tables["leave-one-out-choices"]))
    parts.append(_sources(tables, chance))
    parts += [_list("Not done", failed), _list("Corpora that do not take part", list(left_out.items()))]
    return "\n".join(part for part in parts if part)


def _list(heading: str, items: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<li><b>{html.escape(name)}</b>: {html.escape(why)}</li>" for name, why in items)
    return f"<h2>{heading}</h2><ul>{rows}</ul>" if rows else ""


def _sources(tables: Mapping[str, pd.DataFrame], chance: float | None) -> str:
    """Of sets of sources, where the notebook asks about them."""
    if tables["leave-one-out-sets"].empty:
        return "<p>The notebook has not asked about sets of sources; notebook 06 does.</p>"
    curve, worth = tables["leave-one-out-curve"], tables["leave-one-out-worth"]
    before, agreement = tables["leave-one-out-before"], tables["leave-one-out-agreement"]
    return "\n".join(
        [
            "<h2>How many sources?</h2>",
            _figure("plot_left_out_curve", curve, chance=chance),
            _folded("Table", _table(curve.drop(columns="method"), "UAR over the sets of each size")),
            "<h2>Which source helps which target?</h2>",
            "<p>UAR of all sources minus that of all but this one. Exploratory: no claim is made for any one "
            "of them.</p>",
            _figure("plot_helping", worth),
            _folded("Table", _table(worth.drop(columns="method"), "Alone, and what it adds to the others")),
            "<h2>Could that have been known before?</h2>",
            _figure("plot_known_before", before),
            _table(
                agreement, "Rank correlation within a target, mean over targets with three sources or more"
            ),
            _folded("Table", _table(before, "Known before, and measured after (means over methods)")),
        ]
    )


def _gains(gains: pd.DataFrame) -> str:
    """What was declared, target by target; the rest behind a fold."""
    if gains.empty:
        return ""
    declared = gains["primary"].astype(bool)
    parts = []
    for question in verdicts.asked(gains):
        own = gains[gains["question"] == question]
        shown = own[declared[own.index]]
        if len(shown):
            parts.append(f"<h3>{html.escape(verdicts.QUESTIONS[question])}</h3>{_gain_table(shown)}")
        rest = own[~declared[own.index]]
        if len(rest):
            heading = f"Exploratory: {verdicts.QUESTIONS[question]}"
            parts.append(_folded(heading, _gain_table(rest)))
    return "\n".join(parts)


def _choices(choices: pd.DataFrame) -> str:
    """What methods have chosen for each target, and by what."""
    if choices.empty:
        return ""
    columns = {"target": "left out", "title": "method", "way": "way", "penalty": "penalty", "uar": "mean UAR"}
    columns |= {name: name for name in choices if name.startswith("UAR on ")} | {"chosen": "chosen"}
    taken = choices[choices["chosen"] > 0].reset_index(drop=True)
    return "\n".join(
        [
            "<h2>What was chosen on the sources?</h2>",
            "<p>Each source is left out in turn and taken for a target without labels; the way with the "
            "highest mean UAR over them is used on the real target, of whose labels nothing is known.</p>",
            _table(taken, "Chosen, by the UAR on sources left out", columns=columns),
            _folded("All ways", _table(choices, "Each way with its best penalty", columns=columns)),
        ]
    )


def _gain_table(gains: pd.DataFrame) -> str:
    columns = [name for name in (*_GAINS, "gain_low", "gain_high") if name in gains]
    return _table(gains[columns].reset_index(drop=True), "Gain over the control", columns=_GAINS)


def _wide(reached: pd.DataFrame) -> pd.DataFrame:
    """A row a method, a column a target, each with its interval."""
    order = list(dict.fromkeys(reached["target"]))
    texts = reached.assign(
        text=[
            intervals.text(row.uar, row.uar_low, row.uar_high) if pd.notna(row.uar) else ""
            for row in reached.itertuples()
        ]
    )
    wide = texts.pivot_table(index="title", columns="target", values="text", aggfunc="first", sort=False)
    return wide.reindex(columns=order).fillna("").rename_axis(index="method", columns=None).reset_index()


def _figure(name: str, table: pd.DataFrame, **arguments: float | None) -> str:
    from serlab import plotting

    return f"<p>{plotting.img(getattr(plotting, name)(table, **arguments))}</p>" if len(table) else ""


def _table(table: pd.DataFrame, caption: str, columns: Mapping[str, str] | None = None) -> str:
    from serlab import plotting

    return f'<div class="scroll">{plotting.display_table(table, caption, columns=columns).to_html()}</div>'


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{html.escape(summary)}</summary>{content}</details>"


def _link(name: str, links: Mapping[str, str]) -> str:
    shown = html.escape(name)
    return f'<a href="{html.escape(links[name])}">{shown}</a>' if links[name] else shown
