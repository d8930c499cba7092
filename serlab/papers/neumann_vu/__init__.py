"""Neumann & Vu: Cross-lingual and Multilingual Speech Emotion Recognition on English and French.

Binary arousal and valence with an attentive convolutional network, four
conditions (section 4, a-d). ``published.csv`` holds both tables, the class
counts of footnote 1 and the numbers that stand in the text alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from serlab import papers

#: Method -> the paper's name of the condition, a to d, in the order of table 2.
CONDITIONS: dict[str, str] = {
    "acnn-target": "mono-lingual",
    "acnn-pooled": "multilingual",
    "acnn-source": "cross-lingual",
    "acnn-finetuned": "cross-lingual + fine-tuning",
}
METHODS: tuple[str, ...] = tuple(CONDITIONS)

#: What differs even on the paper's corpora: its folds are not printed.
DIFFERENCE = "same corpora; RECOLA's five groups of speakers are not printed"


def published() -> pd.DataFrame:
    """Numbers of the paper: table, source, target, dimension, method, metric, value, note.

    Shares are between 0 and 1. ``table`` is also "footnote 1" or a section.
    Of counts ``method`` is the class; the class "low" of valence is negative.
    """
    return papers.read("neumann_vu", "published")


def published_table() -> pd.DataFrame:
    """Table 2: one row a condition, one column a target and dimension."""
    cells = _uar()
    column = cells["target"] + " " + cells["dimension"]
    wide = cells.assign(column=column).pivot(index="method", columns="column", values="value")
    wide = wide.loc[list(METHODS), list(dict.fromkeys(column))]
    wide.insert(0, "condition", list(CONDITIONS.values()))
    return wide.rename_axis(columns=None).reset_index()


def beside_published(
    summary: pd.DataFrame, *, target: str, sources: Sequence[str], dimension: str
) -> pd.DataFrame:
    """Published and measured UAR of each condition, with the difference named.

    Parameters
    ----------
    summary : DataFrame
        Of an experiment.
    target, sources
        Of that experiment.
    dimension : {"arousal", "valence"}
        What it recognised.

    Returns
    -------
    DataFrame
        method, title, published, published_range, measured, low, high,
        difference. For the paper's corpora ``published`` is the cell of
        table 2, else the mean of its two targets, and the range goes from one
        to the other. ``measured`` (with its interval) is NaN where the method
        was not run.
    """
    cells = _uar()
    return papers.beside(
        cells[cells["dimension"] == dimension],
        summary,
        titles=CONDITIONS,
        measure="uar",
        target=target,
        sources=sources,
        without_source=("acnn-target",),
        reading=DIFFERENCE,
    )


def contradictions() -> pd.DataFrame:
    """What the paper says twice and differently, or leaves open, and how it is read here.

    Returns
    -------
    DataFrame
        subject, says, where, against, where_against, our_reading.
    """
    return papers.read("neumann_vu", "contradictions")


def not_run(installed: Sequence[str]) -> pd.DataFrame:
    """The paper's pairs, and which corpus each still needs: source, target, status."""
    return papers.run_status(_uar()[["source", "target"]], installed)


def _uar() -> pd.DataFrame:
    return published().query("table == '2'")
