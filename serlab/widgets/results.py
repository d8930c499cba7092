"""What a panel shows of a finished run: headline, figures, and each table with its CSV and LaTeX."""

from __future__ import annotations

import base64
import html

import ipywidgets as w
import pandas as pd

from serlab import plotting
from serlab.evaluation import intervals, verdicts
from serlab.experiment import Outcome
from serlab.files import csv_text

#: Columns of the summary that a panel shows, with their headings.
SUMMARY_COLUMNS = {
    "title": "method", "target_seen": "sees of the target", "transductive": "transductive",
    "uar": f"UAR {intervals.HEADING}", "accuracy": f"accuracy {intervals.HEADING}", "n_folds": "folds",
    "n_seeds": "seeds",
}  # fmt: skip
GAIN_COLUMNS = {
    "title": "method", "control_title": "over", "gain": f"gain {intervals.HEADING}", "p_holm": "p (Holm)",
    "verdict": "verdict",
}  # fmt: skip
AUDIT_COLUMNS = ("severity", "check", "finding", "remedy")


def result_widgets(outcome: Outcome) -> list[w.Widget]:
    """Headline, figures and tables of a finished run."""
    title = f"{' + '.join(outcome.parameters.sources) or 'no source'} to {outcome.parameters.target}"
    parts = [
        f"<p style='line-height: 1.4'><b>{html.escape(outcome.headline)}</b></p>",
        plotting.img(plotting.plot_uar(outcome.summary, chance=outcome.chance, title=title)),
        plotting.display_table(outcome.summary, "All methods", columns=SUMMARY_COLUMNS).to_html(),
        downloads(outcome.summary, "summary", columns=SUMMARY_COLUMNS),
    ]
    for question in verdicts.asked(outcome.comparison):
        own = outcome.comparison[outcome.comparison["question"] == question]
        parts += [
            plotting.img(plotting.plot_gain(own, question=question, title=title)),
            plotting.display_table(own, verdicts.QUESTIONS[question], columns=GAIN_COLUMNS).to_html(),
            downloads(own, f"gain-{question}", columns=GAIN_COLUMNS),
        ]
    findings = outcome.audit[outcome.audit["severity"] != "info"]
    if not findings.empty:
        parts.append(
            plotting.display_table(findings, "The auditor's findings", columns=AUDIT_COLUMNS).to_html()
        )
    return [w.HTML(part) for part in parts]


def downloads(table: pd.DataFrame, name: str, *, columns: dict[str, str]) -> str:
    """Links to a table as CSV (all of it) and as LaTeX (what is shown); for a page."""
    csv = csv_text(table)
    return (
        f"<p>{_link(name, 'csv', csv)} {_link(name, 'tex', plotting.latex_table(table, columns=columns))}</p>"
    )


def _link(name: str, ending: str, text: str) -> str:
    content = base64.b64encode(text.encode()).decode()
    kind = "LaTeX" if ending == "tex" else "CSV"
    stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    return (
        f"<a download='{stem}.{ending}' href='data:text/plain;charset=utf-8;base64,{content}'>{kind} of this "
        "table</a>"
    )
