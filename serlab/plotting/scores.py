"""How good methods are: UAR, folds, classes, what a score rests on, and what was published."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from serlab import metrics
from serlab.evaluation import compact, intervals
from serlab.evaluation.scoring import POOLED
from serlab.plotting.marks import (
    chance_line,
    highest,
    interval_mark,
    known,
    limits,
    require_rows,
    right_texts,
    row_figure,
    spread,
    thinned,
)
from serlab.plotting.style import (
    BLACK,
    BLUE,
    GREEN,
    PALE,
    PURPLE,
    SKY,
    VERMILLION,
    Figure,
    finished,
    heading,
    legend_below,
    note_figure,
    styled,
)
from serlab.plotting.texts import (
    DAGGER,
    interval,
    letter,
    listing,
    number,
    sentences,
    titled,
    wrapped,
)
from serlab.wording import count

#: access -> (what the legend says, colour, marker), in the order of figures.
ACCESS: dict[str, tuple[str, str, str]] = {
    "none": ("sees nothing of the target", BLUE, "o"),
    "unlabelled": ("sees unlabelled target utterances", GREEN, "s"),
    "few-shot": ("sees a few labelled target utterances", VERMILLION, "^"),
    "semi-supervised": ("sees a few labelled and other target utterances", PURPLE, "v"),
    "target-only": ("target only, no other corpus", BLACK, "D"),
    "target-semi-supervised": ("target only, other utterances of it without labels, too", SKY, "P"),
}

#: measure -> colour, hatch: what the labels of a split share with its training data.
_CONFOUNDS = ((VERMILLION, "///"), (BLUE, ""), (GREEN, "..."), (SKY, "\\\\\\"))


# --- UAR ----------------------------------------------------------------------------------------


@styled
def plot_uar(
    summary: pd.DataFrame, *, n_classes: int | None = None, chance: float | None = None, title: str = ""
) -> Figure:
    """Show the UAR of each method with its interval, grouped by what it sees of the target.

    Parameters
    ----------
    summary : DataFrame
        Summary table; ``title``, ``badge``, ``transductive``, ``note`` and the
        interval may be missing.
    n_classes : int, optional
        For the chance level 1 / n_classes; by default the number of recall
        columns.
    chance : float, optional
        That level itself: where the target lacks a class of the scheme it is
        :attr:`serlab.experiment.Outcome.chance`.
    title : str
        Added to the heading, for example "emodb to urdu".
    """
    require_rows(summary)
    if chance is None:
        n_classes = _n_classes(summary) if n_classes is None else n_classes
        chance = 1 / n_classes if n_classes else None
    rank = summary["access"].map({access: place for place, access in enumerate(ACCESS)})
    table = summary.assign(_rank=rank).sort_values(["_rank", "uar"], ascending=[True, False])
    whole, (table, more) = table, thinned(table, "uar", groups=table["_rank"])
    figure, axes, position = row_figure(_method_labels(table), groups=table["_rank"])
    for y, (_, row) in zip(position, table.iterrows(), strict=True):
        _, colour, marker = ACCESS[row["access"]]
        interval_mark(axes, y, row, "uar", colour, marker)
    texts = [interval(row, "uar") for _, row in table.iterrows()]
    right_texts(axes, position, {f"UAR {intervals.HEADING}": texts})
    axes.set_xlim(*limits(known(table, "uar", "uar_low", "uar_high"), chance))
    axes.set_xlabel(f"UAR: {POOLED}")
    handles = _access_handles(table["access"])
    if chance is not None:
        handles.append(chance_line(axes, chance, upright=True))
        handles[-1].set_label(f"chance, 1/{round(1 / chance)} = {chance:.2f}")
    if "transductive" in table and table["transductive"].astype(bool).any():
        note = f"{DAGGER} transductive: saw the test utterances, without labels"
        handles.append(Line2D([], [], linestyle="", label=note))
    legend_below(figure, handles, ncols=2, note="\n".join(filter(None, (_notes(table), more))))
    heading(figure, "UAR per method", title)
    return finished(figure, _uar_says(whole, chance) + (f" {more}." if more else ""))


def _n_classes(summary: pd.DataFrame) -> int:
    recalls = [name for name in summary if name.startswith("recall_")]
    # Not by suffix alone: "recall_low" may be the recall of a class named "low".
    bounds = {f"{name}_{end}" for name in recalls for end in ("low", "high")}
    return len(set(recalls) - bounds)


def _notes(table: pd.DataFrame) -> str:
    """What has to be known of single rows."""
    if "note" not in table:
        return ""
    noted = table[table["note"].fillna("").str.len() > 0]
    return "\n".join(textwrap.fill(f"{_title(row)}: {row['note']}", 115) for _, row in noted.iterrows())


def _uar_says(table: pd.DataFrame, chance: float | None) -> str:
    """The best of those that saw the same of the target: others are not ranked against each other."""
    scored = table[table["uar"].notna()]
    if scored.empty:
        return "No method was run."
    says = []
    for access, (sees, _, _) in ACCESS.items():
        own = scored[scored["access"] == access]
        if len(own):
            best = highest(own, "uar")
            says.append(f"{sees.capitalize()}: highest {interval(best, 'uar')}, {_title(best)}")
    return sentences(*says, "" if chance is None else f"Chance: {number(chance)}")


# --- folds --------------------------------------------------------------------------------------


@styled
def plot_folds(
    results: pd.DataFrame, *, metric: str = "uar", titles: Mapping[str, str] | None = None
) -> Figure:
    """Show a measure of every fold and seed, a row a method; boxes hold their middle half.

    Parameters
    ----------
    results : DataFrame
        Results table, one row a method x fold x seed; rows of skipped folds
        (NaN) are counted at the right.
    metric : str
        A column of ``results``.
    titles : mapping, optional
        Method -> title.
    """
    require_rows(results)
    medians = results.groupby("method", sort=False)[metric].median().rename("median").to_frame()
    kept, more = thinned(medians, "median")
    methods = list(kept.index)
    shown = titled(titles, methods)
    figure, axes, position = row_figure([wrapped(name) for name in shown])
    texts = []
    for y, method in zip(position, methods, strict=True):
        own = results[results["method"] == method]
        _, colour, marker = ACCESS[own["access"].iloc[0]] if "access" in own else ("", BLUE, "o")
        values = own[metric].dropna().sort_values().to_numpy(dtype=float)
        axes.scatter(values, y + spread(len(values), 0.55), s=18, marker=marker, facecolors="none",
                     edgecolors=colour, alpha=0.75, zorder=3)  # fmt: skip
        if len(values):
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            axes.barh(y, high - low, 0.72, left=low, color="#EEEEEE", edgecolor=PALE, linewidth=1, zorder=1)
            axes.plot([middle] * 2, [y - 0.36, y + 0.36], color=BLACK, linewidth=2.2)
        missing = len(own) - len(values)
        texts.append(f"{len(values)}" + (f" ({missing} skipped)" if missing else ""))
    right_texts(axes, position, {"folds x seeds": texts})
    axes.set_xlim(*limits(known(results, metric)))
    handles = [Line2D([], [], color=BLACK, marker="|", markersize=11, markeredgewidth=2.2, linestyle="",
                      label="median; box: middle half")]  # fmt: skip
    if "access" in results:
        handles = [*_access_handles(results["access"], filled=False), *handles]
    legend_below(figure, handles, ncols=2, note=more)
    name = {"uar": "UAR", "macro_f1": "macro F1"}.get(metric, metric)
    axes.set_xlabel(f"{name} of one fold and seed")
    heading(figure, f"{name} fold by fold")
    named = dict(zip(medians.index, titled(titles, list(medians.index)), strict=True))
    return finished(figure, _folds_say(results, metric, named))


def _folds_say(results: pd.DataFrame, metric: str, titles: Mapping[str, str]) -> str:
    """Highest median, and the method whose folds differ most."""
    folds = results.dropna(subset=[metric]).groupby("method", sort=False)[metric]
    if not len(folds):
        return "No fold was run."
    median, low, high = folds.median(), folds.min(), folds.max()
    best, wide = median.idxmax(), (high - low).idxmax()
    skipped = int(results[metric].isna().sum())
    return sentences(
        f"Highest median: {titles[best]} {number(median[best])}",
        f"Widest: {titles[wide]}, {number(low[wide])} to {number(high[wide])} over "
        f"{count(folds.size()[wide], 'fold')}",
        f"{skipped} skipped" if skipped else "",
    )


# --- classes ------------------------------------------------------------------------------------


def per_class_table(
    predictions: pd.DataFrame, classes: Sequence[str], *, titles: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Precision, recall and F1 of each class, as tables 3 and 5 of Baklouti et al.

    Counts of all folds and seeds are added, as in :func:`serlab.plotting.confusion_table`:
    the mean recall is the UAR of the summary.

    Parameters
    ----------
    predictions : DataFrame
        method, fold, seed, y_true, y_pred (class numbers).
    classes : sequence of str
    titles : mapping, optional
        Method -> title.

    Returns
    -------
    DataFrame
        method, title, measure, one column a class, and mean over the classes.
        The precision of a class that is never answered is NaN, and its F1 0.
    """
    rows = []
    for method in compact.methods_in(predictions):
        part = compact.of_method(predictions, method)
        counts = metrics.confusion(part["y_true"], part["y_pred"], len(classes))
        true, answers, hits = counts.sum(axis=1), counts.sum(axis=0), np.diagonal(counts)
        measures = {
            "precision": metrics.ratio(hits, answers),
            "recall": metrics.ratio(hits, true),
            "F1": np.where(true > 0, metrics.ratio(2 * hits, true + answers), np.nan),
        }
        for name, values in measures.items():
            rows.append(
                {
                    "method": method,
                    "title": titled(titles, [method])[0],
                    "measure": name,
                    **dict(zip(classes, values, strict=True)),
                    "mean": float(metrics.mean_known(values)),
                }
            )
    return pd.DataFrame(rows, columns=["method", "title", "measure", *classes, "mean"])


# --- what a score rests on ----------------------------------------------------------------------


@styled
def plot_confounds(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show bars of what a score may rest on: random split, disjoint speakers, speaker probe.

    Parameters
    ----------
    table : DataFrame
        measure (such as "random split"), metric (such as "UAR"), value, low,
        high, chance; optionally title, the method, which groups the rows.
        Probes are rows from :mod:`serlab.studies.speaker_probe`.
    title : str
        Added to the heading.
    """
    require_rows(table)
    names = (table["title"] if "title" in table else pd.Series("", index=table.index)).fillna("")
    table = table.rename(columns={"low": "value_low", "high": "value_high"})
    labels = [
        "\n".join(wrapped(text) for text in (measure, name) if text)
        for measure, name in zip(table["measure"], names, strict=True)
    ]
    figure, axes, position = row_figure(labels, groups=names, gap=0.5)
    measures = list(dict.fromkeys(table["measure"]))
    for y, (_, row) in zip(position, table.iterrows(), strict=True):
        colour, hatch = _CONFOUNDS[measures.index(row["measure"]) % len(_CONFOUNDS)]
        axes.barh(y, row["value"], 0.62, color=colour, alpha=0.55, hatch=hatch, edgecolor="white")
        axes.barh(y, row["value"], 0.62, fill=False, edgecolor=colour)
        axes.plot([row["value_low"], row["value_high"]], [y, y], "-", color=BLACK, linewidth=1.6, marker="|",
                  markersize=8)  # fmt: skip
        axes.plot([row["chance"]] * 2, [y - 0.42, y + 0.42], color=BLACK, linestyle=":", linewidth=1.8)
    texts = [interval(row, "value") for _, row in table.iterrows()]
    right_texts(axes, position, {f"value {intervals.HEADING}": texts, "measure": list(table["metric"])})
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("share of right answers: UAR of emotions, accuracy of speakers")
    label = "chance, or always the commonest"
    legend_below(figure, [Line2D([], [], color=BLACK, linestyle=":", linewidth=1.8, label=label)])
    heading(figure, "What the score rests on", title)
    says = [
        f"{', '.join(filter(None, (row['measure'], name)))}: {row['metric']} {text}, "
        f"chance {number(row['chance'])}"
        for (_, row), name, text in zip(table.iterrows(), names, texts, strict=True)
    ]
    return finished(figure, sentences(listing(says, most=6)))


# --- published ----------------------------------------------------------------------------------


@styled
def plot_published(
    table: pd.DataFrame, *, metric: str = "accuracy", chance: float | None = None, title: str = ""
) -> Figure:
    """Show published numbers beside ours.

    Parameters
    ----------
    table : DataFrame
        title or method, badge (beside the name; may be missing), published, measured, low, high (interval
        of ours; may be missing) and difference: how the protocols differ, one
        thing after another between semicolons, printed below the figure
        once each. A row without ``measured`` is shown as not run;
        without rows the figure says that nothing was published.
    metric : str
        For the axis.
    chance : float, optional
        Level to draw.
    title : str
        Added to the heading.
    """
    if table.empty:
        return note_figure("Published and measured", "Nothing published for this source and target.")
    names = [str(name) for name in (table["title"] if "title" in table else table["method"])]
    if "badge" in table:
        badges = table["badge"].fillna("")
        names = [f"{name} [{badge}]" if badge else name for name, badge in zip(names, badges, strict=True)]
    marks, notes = _footnotes(table)
    labels = [wrapped(name + mark) for name, mark in zip(names, marks, strict=True)]
    figure, axes, position = row_figure(labels)
    paper = {"marker": "D", "markerfacecolor": "white", "markeredgecolor": VERMILLION, "markeredgewidth": 1.8,
             "linestyle": ""}  # fmt: skip
    for y, (_, row) in zip(position, table.iterrows(), strict=True):
        if pd.notna(row["measured"]) and pd.notna(row["published"]):
            axes.plot([row["published"], row["measured"]], [y, y], color=PALE, linewidth=5, zorder=1)
        interval_mark(axes, y, row, "measured", BLUE, "o", ends=("low", "high"))
        axes.plot(row["published"], y, markersize=7, zorder=4, **paper)
    texts = {
        "paper": [number(value) for value in table["published"]],
        "ours": [number(value, "not run") for value in table["measured"]],
    }
    right_texts(axes, position, texts)
    axes.set_xlim(*limits(known(table, "published", "measured", "low", "high"), chance))
    axes.set_xlabel(metric)
    has_interval = len(known(table, "low", "high")) > 0
    ours = "measured here" + (f", {intervals.LABEL}" if has_interval else "")
    handles = [
        Line2D([], [], label="published", **paper),
        Line2D([], [], color=BLUE, marker="o", linestyle="-" if has_interval else "", label=ours),
    ]
    if chance is not None:
        handles.append(chance_line(axes, chance, upright=True))
    foot = [textwrap.fill(note, 115) for note in notes]
    legend_below(figure, handles, note="\n".join(foot))
    heading(figure, "Published and measured", title)
    return finished(figure, _published_says(table.assign(name=names), metric))


def _footnotes(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Mark of each row, and the lines it refers to; what is so of all that was measured is said once.

    Column "difference" says one thing after another, between semicolons.
    """
    given = table["difference"] if "difference" in table else pd.Series(None, index=table.index, dtype=object)
    said = [[part for part in str(text).split("; ") if part] if pd.notna(text) else [] for text in given]
    compared = (table["measured"].notna() & table["published"].notna()).tolist()
    measured = [own for own, is_compared in zip(said, compared, strict=True) if is_compared]
    shared = (
        [part for part in measured[0] if all(part in own for own in measured)] if len(measured) > 1 else []
    )
    of_all = dict.fromkeys(shared)
    apart = [
        [part for part in own if not (is_compared and part in of_all)]
        for own, is_compared in zip(said, compared, strict=True)
    ]
    notes = list(dict.fromkeys(part for own in apart for part in own))
    marks = [
        ", ".join(letter(place) for place in sorted({notes.index(part) for part in own})) for own in apart
    ]
    lines = [f"({letter(place)}) {note}" for place, note in enumerate(notes)]
    if of_all:
        lines.insert(0, f"All that was measured: {'; '.join(of_all)}")
    return [f" ({mark})" if mark else "" for mark in marks], lines


def _published_says(table: pd.DataFrame, metric: str) -> str:
    """How often the paper lies above what was measured here, and where by most."""
    both = table.dropna(subset=["published", "measured"])
    not_run = int(table["measured"].isna().sum())
    says = []
    if len(both):
        lead = both["published"] - both["measured"]
        most = highest(both.assign(lead=lead.abs()), "lead")
        says = [
            f"The paper's {metric} is above ours in {int((lead > 0).sum())} of {count(len(both), 'row')}",
            f"Largest difference: {most['name']}, {number(most['published'])} published, "
            f"{number(most['measured'])} here",
        ]
    return sentences(*says, f"{not_run} not run" if not_run else "")


# --- rows of methods ----------------------------------------------------------------------------


def _access_handles(access: pd.Series, *, filled: bool = True) -> list[Line2D]:
    present = set(access)
    return [
        Line2D([], [], linestyle="", color=colour, marker=marker, markersize=8, label=label,
               markerfacecolor=colour if filled else "none")
        for name, (label, colour, marker) in ACCESS.items()
        if name in present
    ]  # fmt: skip


def _title(row: pd.Series) -> str:
    return str(row.get("title") or row["method"])


def _method_labels(table: pd.DataFrame) -> list[str]:
    """Titles, marked where a method is transductive, with the badge of its protocol."""
    labels = []
    for _, row in table.iterrows():
        dagger = f" {DAGGER}" if bool(row.get("transductive", False)) else ""
        badge = f"\n[{row['badge']}]" if row.get("badge") else ""
        labels.append(wrapped(_title(row) + dagger) + badge)
    return labels
