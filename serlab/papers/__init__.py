"""What the papers printed, as data, and what of it can be set beside our numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files

import pandas as pd


def read(paper: str, name: str) -> pd.DataFrame:
    """A table ``<name>.csv`` of a paper; empty cells are empty strings in columns of text."""
    path = files("serlab.papers") / paper / f"{name}.csv"
    with path.open(encoding="utf-8") as file:
        return pd.read_csv(file, keep_default_na=False)


def run_status(pairs: pd.DataFrame, installed: Sequence[str]) -> pd.DataFrame:
    """Say of each source -> target pair whether its corpora are there.

    Parameters
    ----------
    pairs : DataFrame
        With source (may be empty) and target, and any further column.
    installed : sequence of str
        Corpora that can be read.

    Returns
    -------
    DataFrame
        ``pairs`` without repeats, and status: "can be run" or "not run: ... not installed".
    """
    pairs = pairs.drop_duplicates().reset_index(drop=True)
    missing = [
        [name for name in pair if name and name not in installed]
        for pair in pairs[["source", "target"]].to_numpy()
    ]
    return pairs.assign(
        status=[f"not run: {' and '.join(m)} not installed" if m else "can be run" for m in missing]
    )


def beside(
    cells: pd.DataFrame,
    summary: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    measure: str,
    target: str,
    sources: Sequence[str],
    without_source: Collection[str],
    reading: str = "",
) -> pd.DataFrame:
    """Published and measured numbers of each method, with the difference named.

    Parameters
    ----------
    cells : DataFrame
        Published: source, target, method, value, note.
    summary : DataFrame
        Of an experiment.
    titles : mapping
        Method -> title, in the order of the rows.
    measure : str
        Column of ``summary``, which has its ``_low`` and ``_high`` too.
    target, sources
        Of the experiment.
    without_source : collection of str
        Methods for which the source does not matter.
    reading : str
        How our protocol differs even where the corpora do not.

    Returns
    -------
    DataFrame
        method, title, published, published_range, measured, low, high,
        difference. ``published`` is the paper's cell of these corpora, else
        that of the same target with its own source, else the mean over its
        pairs, with the least and the greatest of them as range; NaN where it
        printed none. ``measured`` is NaN where a method was not run.
    """
    measured = summary.set_index("method").reindex(list(titles))
    ours = _pair(" + ".join(sources), target)
    rows = []
    for method, title in titles.items():
        own = cells[cells["method"] == method]
        needed = None if method in without_source else "+".join(sources)
        rows.append(
            {
                "method": method,
                "title": title,
                **_published(own, target, needed, ours, reading),
                "measured": measured.loc[method, measure],
                "low": measured.loc[method, f"{measure}_low"],
                "high": measured.loc[method, f"{measure}_high"],
            }
        )
    columns = "method title published published_range measured low high difference"
    return pd.DataFrame(rows, columns=columns.split())


def _pair(source: str, target: str) -> str:
    return f"{source} to {target}" if source else f"{target} alone"


def _published(
    cells: pd.DataFrame, target: str, source: str | None, ours: str, reading: str
) -> dict[str, object]:
    """The published side of one row; ``source`` None: any."""
    if cells.empty:
        return {"published": float("nan"), "published_range": "", "difference": "no number was published"}
    same_target = cells[cells["target"] == target]
    same = same_target if source is None else same_target[same_target["source"] == source]
    if len(same):
        shown = same
        difference = "; ".join(note for note in dict.fromkeys([reading, *same["note"]]) if note)
    elif len(same_target):
        shown = same_target
        theirs = " and ".join(dict.fromkeys(same_target["source"]))
        difference = f"same target, another source: ours is {ours}, the paper's source is {theirs}"
    else:
        shown = cells
        only = cells.iloc[0]
        theirs = (
            f"the mean of the paper's {len(cells)} pairs"
            if len(cells) > 1
            else _pair(only["source"], only["target"])
        )
        difference = f"other corpora: ours is {ours}, published is {theirs}"
    low, high = shown["value"].min(), shown["value"].max()
    return {
        "published": shown["value"].mean(),
        "published_range": f"{low:.2f} to {high:.2f}" if len(shown) > 1 else "",
        "difference": difference,
    }
