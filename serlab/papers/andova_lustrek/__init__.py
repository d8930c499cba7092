"""Andova & Lustrek: Transferring Knowledge Between Emotional Speech Datasets.

Small targets, five ways to use a public source corpus beside one target
speaker's utterances (sections 3 and 4). ``published.csv`` holds tables 1-3.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from serlab import methods, papers

#: The paper's columns, in its order: tables 2 and 3.
METHODS: tuple[str, ...] = methods.GROUPS["andova-lustrek"]


def published() -> pd.DataFrame:
    """Tables 1-3 of the paper: table, source, target, method, metric, value, note.

    Accuracies are shares. In table 1 ``method`` is the emotion counted.
    """
    return papers.read("andova_lustrek", "published")


def published_accuracies() -> pd.DataFrame:
    """Tables 2 and 3 side by side: one row a method, one column a source -> target pair."""
    cells = published().query("metric == 'accuracy'")
    pair = cells["source"] + " to " + cells["target"]
    wide = cells.assign(pair=pair).pivot(index="method", columns="pair", values="value")
    wide = wide.loc[list(METHODS), list(dict.fromkeys(pair))]
    wide.insert(0, "title", [methods.get(name).title for name in METHODS])
    return wide.reset_index(drop=True).rename_axis(columns=None)


def beside_published(summary: pd.DataFrame, *, target: str, sources: Sequence[str]) -> pd.DataFrame:
    """Published and measured accuracy of each method, with the difference named.

    The paper reports accuracy averaged over train-test splits, so the measured
    column is that (``accuracy_fold_mean``), not the UAR of the headline.

    Parameters
    ----------
    summary : DataFrame
        From an experiment with protocol "one-subject".
    target, sources
        Of that experiment.

    Returns
    -------
    DataFrame
        method, title, published, published_range, measured, difference. For a
        pair of the paper, ``published`` is its cell; else it is the mean over
        the paper's pairs, and the range goes from the least to the greatest
        of them. ``measured`` is NaN where the method was not run.
    """
    cells = published().query("metric == 'accuracy'")
    same = cells[(cells["target"] == target) & (cells["source"] == "+".join(sources))]
    shown = same if len(same) else cells
    measured = summary.set_index("method")["accuracy_fold_mean"]
    rows = []
    for method in METHODS:
        own = shown[shown["method"] == method]
        reasons = [note for note in dict.fromkeys(own["note"]) if note]
        if not len(same):
            ours = f"{' + '.join(sources) or 'no source'} to {target}"
            reasons = [
                f"other corpora: ours is {ours}, published is the mean of the paper's {len(own)} pairs"
            ]
        rows.append(
            {
                "method": method,
                "title": methods.get(method).title,
                "published": own["value"].mean(),
                "published_range": f"{own['value'].min():.2f} to {own['value'].max():.2f}"
                if len(own) > 1
                else "",
                "measured": measured.get(method, float("nan")),
                "difference": "; ".join(reasons) or "same corpora and protocol",
            }
        )
    return pd.DataFrame(rows)


def contradictions() -> pd.DataFrame:
    """Cells of the tables with which the paper's text disagrees, or that it leaves unexplained."""
    noted = published().query("note != ''")
    return noted[["table", "source", "target", "method", "value", "note"]].reset_index(drop=True)


def not_run(installed: Sequence[str]) -> pd.DataFrame:
    """Published source -> target pairs, and which corpus each still needs.

    Returns
    -------
    DataFrame
        source, target, status ("can be run" or "not run: ... not installed").
    """
    pairs = published().query("metric == 'accuracy'")[["source", "target"]]
    return papers.run_status(pairs, installed)


def figure_one_feature(names: Sequence[str]) -> str:
    """The loudness feature of the paper's figure 1, or the first loudness-like one of another set."""
    for wanted in ("pcm_loudness_sma_amean", "loudness", "level", "energy", "rms"):
        for name in names:
            if wanted in name.lower():
                return name
    return names[0]
