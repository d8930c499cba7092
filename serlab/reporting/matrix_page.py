"""The page that shows one notebook's runs together: pairs by methods, and which method is best.

Made from the tables in the runs' folders.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.errors import ParameterError, SerlabError
from serlab.evaluation import intervals, verdicts
from serlab.evaluation.scoring import POOLED
from serlab.files import write_table, write_text
from serlab.reporting import opening, pages, records
from serlab.reporting.matrix import Cell

#: With more methods than this, a row of one picture each is easier to read than a panel each.
_PANELS = 6

#: Columns of a run's summary that a matrix shows.
_SUMMARY = ("method", "title", "target_seen", "uar", "uar_low", "uar_high", "one_class", "badge")


_RANK_HEADINGS = {
    "title": "method",
    "mean_rank": "mean rank",
    "least_rank": "best rank",
    "greatest_rank": "worst rank",
    "n_first": "times first",
    "uar": "mean UAR",
    "n_runs": "runs",
}
_PAIR_HEADINGS = {
    "better": "better",
    "worse": "worse",
    "difference": "mean ranks apart",
    "z": "z",
    "p": "p",
    "p_holm": "p (Holm)",
}


def collect(done: Sequence[tuple[Cell, Path | SerlabError]]) -> pd.DataFrame:
    """One row a run and method: what varied, UAR with interval, report."""
    rows = []
    for varied, folder, tables in _finished(done):
        summary = tables.summary
        page = f"{folder.parent.name}/{folder.name}/report.html"
        page = page if (folder / "report.html").is_file() else ""
        for row in summary[[column for column in _SUMMARY if column in summary]].to_dict("records"):
            rows.append({**varied, **row, "run": folder.name, "report": page})
    return pd.DataFrame(rows)


def collect_gains(done: Sequence[tuple[Cell, Path | SerlabError]]) -> pd.DataFrame:
    """One row a run and comparison: what varied, then as :func:`serlab.evaluation.compare` has it."""
    rows = [
        {**varied, **row, "run": folder.name}
        for varied, folder, tables in _finished(done)
        for row in tables.comparison.to_dict("records")
    ]
    return pd.DataFrame(rows)


def _finished(
    done: Sequence[tuple[Cell, Path | SerlabError]],
) -> Iterator[tuple[dict[str, Any], Path, opening.Tables]]:
    """What varied, the folder and the tables of each run that is done."""
    for cell, found in done:
        if not isinstance(found, SerlabError):
            varied = {**cell.parameters, "source": "+".join(cell.parameters["sources"])}
            varied.pop("sources")
            yield varied, found, opening.Tables.of(found)


def write(folder: Path, done: Sequence[tuple[Cell, Path | SerlabError]]) -> Path:
    """Write ``matrix.csv``, ``gains.csv`` and ``matrix.html`` for runs that are done or have failed."""
    table, gains = collect(done), collect_gains(done)
    failed = [(cell.name, str(error)) for cell, error in done if isinstance(error, SerlabError)]
    write_table(folder / "matrix.csv", table)
    write_table(folder / "gains.csv", gains)
    varied = [name for name in done[0][0].parameters if name not in ("sources", "target")]
    sections = []
    groups = table.groupby(varied, sort=False) if varied and len(table) else [((), table)]
    for values, part in groups if len(table) else ():
        heading = ", ".join(f"{n} {v}" for n, v in zip(varied, values, strict=True)) or "All pairs"
        gained = gains[gains["run"].isin(part["run"])] if len(gains) else gains
        sections.append(f"<h2>{html.escape(heading)}</h2>\n{_gain_pictures(gained)}\n{_uar_picture(part)}")
        sections.append(_cells_table(part, gained))
        sections.append(_which_method(part))
    if failed:
        items = "".join(f"<li><b>{html.escape(name)}</b>: {html.escape(why)}</li>" for name, why in failed)
        sections.append(f"<h2>Not done</h2><ul>{items}</ul>")
    write_text(
        folder / "matrix.html", pages.page(f"{folder.name}: all pairs", _opening(done) + "\n".join(sections))
    )
    return folder / "matrix.html"


def _opening(done: Sequence[tuple[Cell, Path | SerlabError]]) -> str:
    """What the cells mean, and the parameters that all runs share."""
    whole = [(cell, found) for cell, found in done if isinstance(found, Path)]
    shared = []
    if whole:
        cell, folder = whole[0]
        parameters = records.read(folder)["parameters"]
        shown = {k: v for k, v in parameters.items() if k not in cell.parameters and v not in ("", [])}
        shared = [f"{name.replace('_', ' ')} {pages.plain(value)}" for name, value in shown.items()]
    says = f" {'; '.join(shared)}." if shared else ""
    return (
        f"{pages.QUESTION}<p>UAR ({POOLED}) with {intervals.PERCENT} intervals over test "
        "speakers, for orientation. A "
        "gain is over the control, the same without one thing; verdicts are on what was declared beforehand "
        "alone, corrected for the declared comparisons of a question in one run. A pair with a report links "
        "to it. "
        f"Runs: {len(whole)} of {len(done)}.{html.escape(says)}</p>\n"
    )


def _picture(part: pd.DataFrame, value: str) -> str:
    from serlab import plotting

    draw = plotting.plot_matrix
    if part["method"].nunique() > _PANELS:
        draw = plotting.plot_methods_by_run
    figure = draw(part, value)
    return "" if figure is None else f"<p>{plotting.img(figure)}</p>"


def _uar_picture(part: pd.DataFrame) -> str:
    """Heat maps of UAR."""
    return _picture(part, "uar")


def _gain_pictures(gains: pd.DataFrame) -> str:
    """Heat maps of what was declared, question by question; all others behind a fold."""
    if gains.empty:
        return ""
    # A method may be in several comparisons of a question: a row is a pair.
    over = gains.assign(
        method=gains["method"] + " over " + gains["control"],
        title=gains["title"] + " over " + gains["control_title"],
    )
    declared = over["primary"].astype(bool)
    parts = []
    for question in verdicts.asked(over):
        own = over["question"] == question
        parts.append(f"<h3>{html.escape(verdicts.QUESTIONS[question])}</h3>")
        parts.append(_picture(over[own & declared], "gain") or "<p>Nothing was declared beforehand.</p>")
        if (own & ~declared).any():
            shown = _picture(over[own & ~declared], "gain")
            parts.append(f"<details><summary>Exploratory comparisons</summary>{shown}</details>")
    return "\n".join(parts)


def _cells_table(part: pd.DataFrame, gains: pd.DataFrame) -> str:
    """UAR with interval and verdicts: pairs by methods, or methods by pairs where that is narrower."""
    titles = dict(zip(part["method"], part["title"], strict=True))
    links, texts = [], []
    for (source, target, run, report), own in part.groupby(["source", "target", "run", "report"], sort=False):
        rows = own.set_index("method")
        pair = f"{html.escape(source)} to {html.escape(target)}"
        links.append(f'<a href="{html.escape(report)}">{pair}</a>' if report else pair)
        said = _verdicts(gains[gains["run"] == run]) if len(gains) else {}
        texts.append(
            [_cell_text(rows.loc[name], said.get(name, [])) if name in rows.index else "" for name in titles]
        )
    names = [html.escape(title) for title in titles.values()]
    if len(names) <= max(len(links), _PANELS):
        return _table("pair", names, links, texts)
    return _table("method", links, names, zip(*texts, strict=True))


def _verdicts(gains: pd.DataFrame) -> dict[str, list[str]]:
    """Method -> verdicts of one run on what was declared."""
    said: dict[str, list[str]] = {}
    for row in gains[gains["primary"].astype(bool)].to_dict("records"):
        said.setdefault(row["method"], []).append(f"{row['question']}: {row['verdict']}")
    return said


def _table(corner: str, heads: Sequence[str], names: Sequence[str], texts: Iterable[Sequence[str]]) -> str:
    """HTML of a table whose parts are HTML."""
    head = "".join(f"<th scope='col'>{text}</th>" for text in (corner, *heads))
    body = "".join(
        f"<tr>{''.join(f'<td>{text}</td>' for text in (name, *row))}</tr>\n"
        for name, row in zip(names, texts, strict=True)
    )
    return (
        f'<div class="scroll"><table class="pairs"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _which_method(part: pd.DataFrame) -> str:
    """Mean ranks over the runs, with tests; or why there are none."""
    from serlab import plotting
    from serlab.evaluation import ranking
    from serlab.plotting.texts import p_equals

    table = part.assign(run=part["source"] + " to " + part["target"])
    try:
        test = ranking.friedman(table)
    except ParameterError as error:
        return f"<h3>Which method?</h3><p>Not ranked: {html.escape(str(error))}.</p>"
    pairs = ranking.pairwise_table(table)
    apart = pairs[pairs["told_apart"]].reset_index(drop=True)
    left_out = ranking.complete_blocks(table).left_out
    f = "\u221e" if math.isinf(test.f) else f"{test.f:.2f}"
    says = (
        f"{test.n_methods} methods are ranked by UAR in each of {test.n_runs} runs. Friedman\u2019s test "
        f"that all are equally good: \u03c7\u00b2 = {test.chi2:.2f}, p {p_equals(test.p)} (ranks permuted "
        f"within runs); Iman and Davenport: F = {f}, p {p_equals(test.p_f)}. Told apart (Holm): "
        f"{len(apart)} of {len(pairs)} pairs. The same corpora are in several runs, so runs are not "
        "independent: p values hold for these corpora and are too small for others. A method that sees "
        "labels of the target is ranked among those that do not."
    )
    if left_out:
        says += f" Left out: {'; '.join(left_out)}."
    ranks = ranking.rank_table(table).drop(columns="method").rename(columns=_RANK_HEADINGS)
    tables = [plotting.display_table(ranks, "Mean ranks", decimals=2)]
    if len(apart):
        tables.append(plotting.display_table(apart, "Pairs that are told apart", columns=_PAIR_HEADINGS))
    return (
        f"<h3>Which method?</h3>\n<p>{html.escape(says)}</p>\n"
        f"<p>{plotting.img(plotting.plot_ranks(table))}</p>\n"
        f"<details><summary>Ranks and pairs</summary>{''.join(shown.to_html() for shown in tables)}</details>"
    )


def _cell_text(row: pd.Series, said: Sequence[str]) -> str:
    text = intervals.text(row["uar"], row["uar_low"], row["uar_high"])
    return "<br>".join([text, *map(html.escape, said)])
