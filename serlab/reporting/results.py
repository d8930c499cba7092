"""Results of finished runs as one page of Markdown, computed from their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.evaluation import intervals, verdicts
from serlab.evaluation.scoring import POOLED
from serlab.experiment import Outcome
from serlab.reporting import opening, pages, rebuilding, records

_OPENING = f"""# Results

Everything on this page is computed from predictions that are committed with the repository (`serlab
results reports`), nothing is typed. UAR is the unweighted average recall
({POOLED}), with {intervals.PERCENT} intervals over speakers: those who are
tested, with `one-subject` also those who are learned from, and with several seeds over these, too.
A *gain* is over the method's control (the same classifier, labels and
normalisation without the one thing that is asked for), paired by test speaker. A verdict is given on
what was declared beforehand alone, its p value corrected for the declared comparisons of the question
(Holm); all else is *exploratory*. UAR stand beside each other for orientation: rows are to be compared
only where they saw the same of the target. What earlier versions measured is on a page of its own:
[results of earlier versions](earlier-results.md).
"""
_NOTHING = "\nNo finished run with its predictions is committed yet.\n"
_HEADS = ("method", "saw of target", f"UAR {intervals.HEADING}")
_GAINS = ("method", "over", f"gain {intervals.HEADING}", "speakers", "p (Holm)", "verdict")


def text(reports: Path) -> str:
    """The page.

    Parameters
    ----------
    reports : Path
        Folder of all reports; runs on synthetic corpora are left out.

    Returns
    -------
    str
        The same for the same predictions: no dates, no paths of this machine.
    """
    kept = sorted(reports.glob("*/*/*/kept.json"))
    folders = [folder for folder, record in records.readable(kept) if _is_shown(record)]
    if not folders:
        return _OPENING + _NOTHING
    by_notebook: dict[str, list[Path]] = {}
    for folder in folders:
        by_notebook.setdefault(folder.parents[1].name, []).append(folder)
    return "\n".join([_OPENING, *(_notebook(own) for own in by_notebook.values())])


def _is_shown(record: dict[str, Any]) -> bool:
    return record["state"] == "complete" and not record["synthetic"]


def _notebook(folders: Sequence[Path]) -> str:
    """All runs of one notebook: their answers in one table, then each in full."""
    outcomes = {folder: rebuilding.tables(folder) for folder in folders}
    said = [
        {
            "pair": _pair(outcome),
            "preset, seeds": f"{outcome.parameters.preset}, {len(outcome.parameters.seeds)}",
            "answer": opening.verdict(outcome.comparison) or "",
            "highest UAR": _best(outcome),
        }
        for outcome in outcomes.values()
    ]
    title = records.read(folders[0])["title"]
    parts = [f"## {title}\n", _markdown(pd.DataFrame(said))]
    parts += [_run(folder, outcome) for folder, outcome in outcomes.items()]
    return "\n".join(parts)


def _run(folder: Path, outcome: Outcome) -> str:
    where = "/".join(["reports", *folder.parts[-3:]])
    gains = "\n".join(
        f"{verdicts.QUESTIONS[question]}\n\n{_markdown(_gained(outcome, question))}"
        for question in verdicts.asked(outcome.comparison)
    )
    return (
        f"### {_pair(outcome)}\n\n{outcome.headline}\n\n{gains}\n{_markdown(_methods(outcome))}\n"
        f"Made from `{where}`.\n"
    )


def _pair(outcome: Outcome) -> str:
    return pages.question({"sources": outcome.parameters.sources, "target": outcome.parameters.target})


def _best(outcome: Outcome) -> str:
    row = outcome.summary.loc[outcome.summary["uar"].idxmax()]
    return f"{_interval(row, 'uar')}, {row['title']}"


def _methods(outcome: Outcome) -> pd.DataFrame:
    """One row a method: what it saw, and how well it did."""
    rows = [
        (row["title"], row["target_seen"], _interval(row, "uar"))
        for row in outcome.summary.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=list(_HEADS))


def _gained(outcome: Outcome, question: str) -> pd.DataFrame:
    """One row a comparison of a question, what was declared first."""
    own = outcome.comparison[outcome.comparison["question"] == question]
    rows = []
    for row in own.to_dict("records"):
        ran = pd.notna(row["gain"])
        rows.append(
            (
                row["title"],
                row["control_title"],
                _interval(row, "gain") if ran else "",
                int(row["n_speakers"]) if ran else "",
                verdicts.p_text(row["p_holm"]),
                row["verdict"],
            )
        )
    return pd.DataFrame(rows, columns=list(_GAINS))


def _interval(row: Any, name: str) -> str:
    return intervals.text(row[name], row[f"{name}_low"], row[f"{name}_high"], sign=name == "gain")


def _markdown(table: pd.DataFrame) -> str:
    rows = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in rows)
