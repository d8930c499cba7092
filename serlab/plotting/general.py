"""Tables in, figures out.

Every function is pure: it returns a :class:`matplotlib.figure.Figure` that
pyplot does not know of, and changes no global setting. What a figure shows is
a table that can be printed beside it: its argument, or what the ``*_table``
function next to it returns.

Colours are those of Okabe & Ito (2008, Color Universal Design), which people
with the common colour-vision deficiencies tell apart; marker, hatch or line
style says the same once more, for print in grey.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
import textwrap
from collections.abc import Collection, Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as _Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from pandas.api import types
from pandas.io.formats.style import Styler
from PIL import Image
from scipy import signal
from sklearn.decomposition import PCA

from serlab import metrics
from serlab.errors import ParameterError
from serlab.evaluation import class_names

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#777777"

#: For categories without an order of their own, with the marker and line style that go with each.
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK, YELLOW)
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")

#: access -> (what the legend says, colour, marker), in the order of figures.
ACCESS: dict[str, tuple[str, str, str]] = {
    "none": ("sees nothing of the target", BLUE, "o"),
    "unlabelled": ("sees unlabelled target utterances", GREEN, "s"),
    "few-shot": ("sees a few labelled target utterances", VERMILLION, "^"),
    "semi-supervised": ("sees a few labelled and other target utterances", PURPLE, "v"),
    "target-only": ("target only, no other corpus", BLACK, "D"),
}

#: verdict -> (colour, marker)
VERDICTS: dict[str, tuple[str, str]] = {
    "helps": (BLUE, "^"),
    "no difference shown": (GREY, "o"),
    "hurts": (VERMILLION, "v"),
}

DAGGER = "†"
MISSING = "\N{EN DASH}"
SPEAKERS_PER_ROW = 30

_STYLE = {
    "figure.dpi": 100,
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9.5,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "hatch.linewidth": 0.5,
}
_styled = matplotlib.rc_context(_STYLE)  # as a decorator it is entered anew at each call


class Figure(_Figure):
    """A figure that a notebook shows as the last value of a cell, without pyplot."""

    def _repr_mimebundle_(self, **_) -> dict[str, str | bytes]:
        return {"image/png": png(self), "text/plain": self.get_suptitle()}


def png(figure: _Figure) -> bytes:
    """The figure as a PNG file at its own resolution, in 256 colours: a third of the bytes."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    file = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(file, format="png", optimize=True)
    return file.getvalue()


def img(figure: _Figure) -> str:
    """The figure as an HTML element that holds its own data."""
    content = base64.b64encode(png(figure)).decode()
    name = html.escape(figure.get_suptitle(), quote=True)
    return f"<img src='data:image/png;base64,{content}' alt='{name}' style='max-width: 100%'>"


# --- corpora ------------------------------------------------------------------------------------


def counts_table(utterances: pd.DataFrame) -> pd.DataFrame:
    """Count utterances by speaker and emotion.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``, see :meth:`serlab.labels.LabelScheme.apply`.

    Returns
    -------
    DataFrame
        Index (corpus, speaker); one column an emotion, ``all``, and
        ``only``: the speaker's one emotion where there is just one. Such a
        speaker's voice says the emotion, so a model may learn the voice.
    """
    emotions = _emotions(utterances)
    counts = (
        utterances.groupby(["corpus", "speaker", "emotion"], observed=True)
        .size()
        .unstack("emotion", fill_value=0)
        .reindex(columns=emotions, fill_value=0)
        .sort_index(key=lambda names: names.map(_natural))
    )
    counts.columns = [str(name) for name in counts.columns]
    one = (counts > 0).sum(axis=1) == 1
    only = counts.idxmax(axis=1).where(one, "")
    return counts.assign(all=counts.sum(axis=1), only=only)


@_styled
def plot_counts(utterances: pd.DataFrame) -> Figure:
    """Show how many utterances each speaker has of each emotion, a panel a corpus.

    Speakers with one emotion only are outlined and starred: for them, speaker
    and emotion are confounded. The table is :func:`counts_table`.
    """
    table = counts_table(utterances)
    emotions = [name for name in table.columns if name not in ("all", "only")]
    strips = []  # (title, counts of the corpus, the speakers of one row of cells)
    for corpus, part in table.groupby(level="corpus"):
        n_only = int((part["only"] != "").sum())
        title = f"{corpus}: {part['all'].sum()} utterances, {_count(len(part), 'speaker')}"
        if n_only:
            title += f", {n_only} of them with one emotion only"
        n_strips = int(np.ceil(len(part) / SPEAKERS_PER_ROW))
        for number, rows in enumerate(np.array_split(np.arange(len(part)), n_strips)):
            strips.append(("" if number else title, part[emotions], part.iloc[rows]))

    widest = max(len(part) for *_, part in strips)
    cell = min(0.45, 8.0 / widest)
    longest = 0.09 * (1 + max(len(_speaker(name)) for name in table.index.get_level_values("speaker")))
    upright = longest > cell
    below = 0.25 + (longest if upright else 0.15)
    above = 0.3
    height = [0.28 * len(emotions) + below + above for _ in strips]
    left, head, foot = 1.45, 0.4, 0.35
    total = sum(height) + head + foot
    width = max(7.0, left + cell * widest + 0.2)
    figure = Figure(figsize=(width, total))
    top = total - head
    for (title, counts, part), tall in zip(strips, height, strict=True):
        bottom = top - tall + below
        axes = figure.add_axes(
            (left / width, bottom / total, cell * len(part) / width, 0.28 * len(emotions) / total)
        )
        _count_cells(axes, part, counts, upright)
        axes.set_title(title)
        top -= tall
    figure.suptitle("Utterances per speaker and emotion", x=0.01, y=1 - 0.1 / total, ha="left", va="top")
    if (table["only"] != "").any():
        figure.text(
            0.15 / width, 0.1 / total, color=VERMILLION, fontsize=9,
            s="* outlined: a speaker with one emotion only; the voice gives the label away",
        )  # fmt: skip
    return figure


def _count_cells(axes, part: pd.DataFrame, corpus: pd.DataFrame, upright: bool) -> None:
    """Draw the speakers of ``part``; ``corpus`` has the counts of the whole corpus."""
    emotions, totals, most = list(corpus.columns), corpus.sum(), int(corpus.to_numpy().max())
    counts = part[emotions].to_numpy().T
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=most * 1.15, aspect="auto")
    size = 9 if most < 1000 else 8
    for (row, column), n in np.ndenumerate(counts):
        if n:
            colour = "white" if n > 0.6 * most else "black"
            axes.text(column, row, str(n), ha="center", va="center", fontsize=size, color=colour)
    only = part["only"].to_numpy()
    speakers = part.index.get_level_values("speaker")
    labels = [_speaker(name) + ("*" if alone else "") for name, alone in zip(speakers, only, strict=True)]
    axes.set_xticks(range(len(part)), labels, rotation=90 if upright else 0)
    axes.set_yticks(range(len(emotions)), [f"{name} ({n})" for name, n in totals.items()])
    axes.set_xlabel("speaker", labelpad=1)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(len(part) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(emotions) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#CCCCCC", linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    for column, emotion in enumerate(only):
        if emotion:
            corner = (column - 0.46, emotions.index(emotion) - 0.44)
            axes.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, edgecolor=VERMILLION, linewidth=1.8))
            axes.get_xticklabels()[column].set(color=VERMILLION, fontweight="bold")


# --- features -----------------------------------------------------------------------------------


def feature_distribution_table(
    X: pd.DataFrame, utterances: pd.DataFrame, feature: str, sources: Sequence[str], target: str
) -> pd.DataFrame:
    """Describe one feature per corpus and emotion.

    Parameters
    ----------
    X : DataFrame, shape (n, d)
        Features; rows are matched to ``utterances`` by index.
    feature : str
        A column of ``X``.
    sources, target
        Corpora.

    Returns
    -------
    DataFrame
        corpus, emotion, n, mean, sd, q25, median, q75; in the feature's own
        unit. NaN where a corpus lacks an emotion.

    Raises
    ------
    ParameterError
        If the feature or a corpus is not in the tables.
    """
    values, rows = _feature(X, utterances, feature, [*sources, target])
    table = []
    for corpus in [*sources, target]:
        for emotion in _emotions(utterances):
            own = values[(rows["corpus"] == corpus) & (rows["emotion"] == emotion)]
            q25, median, q75 = own.quantile([0.25, 0.5, 0.75])
            table.append(
                {
                    "corpus": corpus, "emotion": emotion, "n": len(own), "mean": own.mean(),
                    "sd": own.std(), "q25": q25, "median": median, "q75": q75,
                }
            )  # fmt: skip
    return pd.DataFrame(table)


@_styled
def plot_feature_distribution(
    X: pd.DataFrame, utterances: pd.DataFrame, feature: str, sources: Sequence[str], target: str
) -> Figure:
    """Show how one feature is distributed, source against target, a panel an emotion.

    As Andova & Lustrek, figure 1. Histograms over common bins; the lines below
    the axis mark the medians. The table is :func:`feature_distribution_table`, whose
    parameters and errors are the same.
    """
    values, rows = _feature(X, utterances, feature, [*sources, target])
    emotions = _emotions(utterances)
    low, high = values.quantile([0.005, 0.995])
    outside = int(((values < low) | (values > high)).sum())
    if low == high:  # a constant feature still gets an axis
        low, high = low - 0.5, high + 0.5
    bins = np.linspace(low, high, 25)
    columns = 2 if len(emotions) <= 4 else 3
    lines = int(np.ceil(len(emotions) / columns))
    figure = Figure(figsize=(4.2 * columns if columns == 2 else 9.5, 1.1 + 2.1 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, emotion in zip(panels, emotions, strict=False):
        counted = []
        for number, corpus in enumerate([target, *sources]):
            own = values[(rows["corpus"] == corpus) & (rows["emotion"] == emotion)]
            counted.append(f"{corpus} {len(own)}")
            if len(own) == 0:
                continue
            share = np.histogram(own, bins=bins)[0] / len(own)
            style = _corpus_style(number)
            axes.stairs(share, bins, **style["area"])
            axes.plot([own.median()] * 2, [-0.07, -0.005], transform=axes.get_xaxis_transform(),
                      clip_on=False, **style["median"])  # fmt: skip
        axes.set_title(f"{emotion}  (n: {', '.join(counted)})")
        axes.tick_params(axis="x", pad=7)
    for axes in panels[len(emotions) :]:
        axes.set_visible(False)
    figure.supylabel("share of utterances", fontsize=9.5)
    for axes in panels[max(0, len(emotions) - columns) : len(emotions)]:
        axes.set_xlabel(feature)
        axes.tick_params(labelbottom=True)
    note = "Bars below the axes: medians." + (f" {outside} extreme values are not drawn." if outside else "")
    handles = [
        Patch(facecolor=style["area"].get("facecolor", "none"), edgecolor=style["area"]["edgecolor"],
              hatch=style["area"].get("hatch"), linestyle=style["area"]["linestyle"],
              linewidth=style["area"]["linewidth"],
              label=f"{corpus} ({'source' if number else 'target'})")
        for number, corpus in enumerate([target, *sources])
        for style in [_corpus_style(number)]
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower left", ncols=min(4, len(handles)), title=note,
                  title_fontsize=9, alignment="left")  # fmt: skip
    pair = f"{', '.join(sources)} against {target}" if sources else target
    figure.suptitle(f"{feature}: {pair}", x=0.01, ha="left")
    return _finished(figure)


def _corpus_style(number: int) -> dict[str, dict]:
    """Styles of the target (number 0: a hatched area) and of the sources (lines)."""
    if number == 0:
        area = {"fill": True, "facecolor": "#DDDDDD", "edgecolor": GREY, "hatch": "///", "linestyle": "-"}
        return {"area": {**area, "linewidth": 1.0}, "median": {"color": GREY, "linewidth": 4}}
    colour, line = PALETTE[(number - 1) % len(PALETTE)], LINES[(number - 1) % len(LINES)]
    area = {"edgecolor": colour, "linestyle": line, "linewidth": 1.8}
    return {"area": area, "median": {"color": colour, "linestyle": line, "linewidth": 2.2}}


def most_shifted_features(
    X: pd.DataFrame, utterances: pd.DataFrame, sources: Sequence[str], target: str, *, n: int = 10
) -> pd.DataFrame:
    """Rank the features that differ most between source and target.

    Both measures are taken within each emotion that both sides have, then
    averaged over these emotions, so that corpora which merely hold other
    shares of the emotions do not look shifted. Several sources are pooled, as
    a method sees them.

    Returns
    -------
    DataFrame
        n rows, largest shift first: feature; ks, the two-sample
        Kolmogorov-Smirnov statistic, 0 (same distribution) to 1 (disjoint);
        smd, the mean of source minus target in units of their pooled
        standard deviation (Cohen's d), NaN where that is 0. No rows without
        a source.

    Raises
    ------
    ParameterError
        If a corpus is not in the tables, or no emotion is on both sides.
    """
    values, rows = _matched(X, utterances)
    _require_corpora(rows, [*sources, target])
    if not sources:
        return pd.DataFrame(columns=["feature", "ks", "smd"])
    ks, smd = [], []
    for emotion in _emotions(utterances):
        same = (rows["emotion"] == emotion).to_numpy()
        source = values[same & rows["corpus"].isin(list(sources)).to_numpy()].to_numpy(dtype=float)
        own = values[same & (rows["corpus"] == target).to_numpy()].to_numpy(dtype=float)
        if len(source) > 1 and len(own) > 1:
            ks.append(_ks_statistic(source, own))
            smd.append(_mean_difference(source, own))
    if not ks:
        raise ParameterError(f"{', '.join(sources)} and {target} share no emotion (two utterances each)")
    table = pd.DataFrame({"feature": values.columns, "ks": np.mean(ks, axis=0), "smd": np.mean(smd, axis=0)})
    order = np.lexsort((-table["smd"].abs().fillna(0), -table["ks"]))
    return table.iloc[order[:n]].reset_index(drop=True)


def _ks_statistic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Largest distance of the empirical distributions, column by column; shape (d,)."""
    pooled = np.concatenate([a, b])
    order = np.argsort(pooled, axis=0, kind="stable")
    steps = np.where(order < len(a), len(b), -len(a))  # whole numbers: no rounding in the sum
    distance = np.abs(np.cumsum(steps, axis=0))
    ordered = np.take_along_axis(pooled, order, axis=0)
    # Within a run of equal values only the distance after the last one counts.
    distance[:-1][ordered[:-1] == ordered[1:]] = 0
    return distance.max(axis=0) / (len(a) * len(b))


def _mean_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cohen's d, column by column; shape (d,)."""
    free = len(a) + len(b) - 2
    squares = ((a - a.mean(axis=0)) ** 2).sum(axis=0) + ((b - b.mean(axis=0)) ** 2).sum(axis=0)
    return metrics.ratio(a.mean(axis=0) - b.mean(axis=0), np.sqrt(squares / free))


def shift_coordinates(X: pd.DataFrame, utterances: pd.DataFrame) -> pd.DataFrame:
    """Project standardised features on their first two principal components.

    Features are standardised over all utterances together; constant ones are
    left out.

    Returns
    -------
    DataFrame
        Index utterance; corpus, emotion, pc1, pc2.
    """
    Z, rows = _standardised(X, utterances)
    points = PCA(n_components=2, random_state=0).fit_transform(Z)
    return rows[["corpus", "emotion"]].assign(pc1=points[:, 0], pc2=points[:, 1])


def shift_table(X: pd.DataFrame, utterances: pd.DataFrame) -> pd.DataFrame:
    """Say how much of the features' variance corpus and emotion account for.

    Returns
    -------
    DataFrame
        Rows PC1, PC2 and "all features"; columns ``variance`` (share of the
        variance of the standardised features), ``corpus`` and ``emotion``:
        eta squared, the share of that variance which lies between the means
        of the corpora (emotions). A larger share for corpus than for emotion
        means that a classifier sees the corpus first.
    """
    Z, rows = _standardised(X, utterances)
    points = PCA(n_components=2, random_state=0).fit_transform(Z)
    total = (Z**2).sum()
    lines = {"PC1": points[:, [0]], "PC2": points[:, [1]], "all features": Z}
    return pd.DataFrame(
        {
            name: {
                "variance": (values**2).sum() / total,
                "corpus": _eta_squared(values, rows["corpus"]),
                "emotion": _eta_squared(values, rows["emotion"]),
            }
            for name, values in lines.items()
        }
    ).T


def _eta_squared(values: np.ndarray, groups: pd.Series) -> float:
    """Share of the (summed) variance of centred columns between the group means."""
    codes = pd.factorize(groups)[0]
    between = sum((codes == g).sum() * (values[codes == g].mean(axis=0) ** 2).sum() for g in np.unique(codes))
    return float(between / (values**2).sum())


@_styled
def plot_shift(X: pd.DataFrame, utterances: pd.DataFrame) -> Figure:
    """Show all utterances on two principal components, by corpus and by emotion.

    The tables are :func:`shift_coordinates` and :func:`shift_table`.
    """
    points, shares = shift_coordinates(X, utterances), shift_table(X, utterances)
    figure = Figure(figsize=(9.5, 4.9), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, column in zip(panels, ["corpus", "emotion"], strict=True):
        names = [name for name in _names(points[column]) if (points[column] == name).any()]
        handles = _scatter(axes, points["pc1"], points["pc2"], points[column], names)
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4,
                    columnspacing=1, handletextpad=0.2)  # fmt: skip
        share = shares.loc["all features", column]
        axes.set_title(f"by {column}: {share:.0%} of the variance of all features")
        axes.set_xlabel(f"PC1 ({shares.loc['PC1', 'variance']:.0%} of variance)")
        axes.grid(True)
    panels[0].set_ylabel(f"PC2 ({shares.loc['PC2', 'variance']:.0%} of variance)")
    figure.suptitle("Utterances in feature space (standardised, principal components)", x=0.01, ha="left")
    return _finished(figure)


# --- results ------------------------------------------------------------------------------------


@_styled
def plot_uar(summary: pd.DataFrame, *, n_classes: int | None = None, title: str = "") -> Figure:
    """Show the UAR of each method with its interval, grouped by what it sees of the target.

    Parameters
    ----------
    summary : DataFrame
        Summary table; ``title``, ``badge``, ``transductive`` and the interval
        may be missing.
    n_classes : int, optional
        For the chance level 1 / n_classes; by default the number of recall
        columns.
    title : str
        Added to the heading, for example "emodb to urdu".
    """
    _require_rows(summary)
    if n_classes is None:
        recalls = [name for name in summary if name.startswith("recall_")]
        # Not by suffix alone: "recall_low" may be the recall of a class named "low".
        bounds = {f"{name}_{end}" for name in recalls for end in ("low", "high")}
        n_classes = len(set(recalls) - bounds)
    rank = summary["access"].map({access: place for place, access in enumerate(ACCESS)})
    table = summary.assign(_rank=rank).sort_values(["_rank", "uar"], ascending=[True, False])
    gap = 0.35
    position = np.arange(len(table)) + gap * (table["_rank"].ne(table["_rank"].shift()).cumsum() - 1)
    figure, axes = _row_figure(position.max() + 1, extra=1.75)
    for y, (_, row) in zip(position, table.iterrows(), strict=True):
        _, colour, marker = ACCESS[row["access"]]
        _interval(axes, y, row["uar"], row.get("uar_low"), row.get("uar_high"), colour, marker)
    _row_labels(axes, position, [_method_label(row) for _, row in table.iterrows()])
    _right_texts(axes, position, {"UAR [95% CI]": _interval_texts(table, "uar")})
    axes.set_xlim(*_limits(_known(table, "uar", "uar_low", "uar_high"), 1 / n_classes if n_classes else None))
    handles = _access_handles(table["access"])
    if n_classes:
        axes.axvline(1 / n_classes, color=BLACK, linestyle=":", linewidth=1.3, zorder=1)
        handles.append(Line2D([], [], color=BLACK, linestyle=":",
                              label=f"chance, 1/{n_classes} = {1 / n_classes:.2f}"))  # fmt: skip
    if "transductive" in table and table["transductive"].astype(bool).any():
        handles.append(_note_handle(DAGGER, "transductive: saw the test utterances, without labels"))
    figure.legend(handles=handles, loc="outside lower left", ncols=2)
    axes.set_xlabel("UAR (unweighted average recall)")
    figure.suptitle("UAR per method" + (f": {title}" if title else ""), x=0.01, ha="left")
    return _finished(figure)


@_styled
def plot_gain(
    comparison: pd.DataFrame, *, title: str = "", titles: Mapping[str, str] | None = None
) -> Figure:
    """Show the transfer gain of each method over its baseline, with interval and p value.

    Parameters
    ----------
    comparison : DataFrame
        Comparison table; ``title`` may be missing. Without rows the figure
        says that there is nothing to compare.
    title : str
        Added to the heading.
    titles : mapping, optional
        Method -> title, to name the baseline.
    """
    if comparison.empty:
        return _note_figure("Transfer gain", "Nothing to compare: run the baseline and another method.")
    table = comparison.sort_values("gain", ascending=False, na_position="last")
    position = np.arange(len(table), dtype=float)
    figure, axes = _row_figure(len(table), extra=1.55)
    for y, (_, row) in zip(position, table.iterrows(), strict=True):
        colour, marker = VERDICTS[row["verdict"]]
        _interval(axes, y, row["gain"], row.get("gain_low"), row.get("gain_high"), colour, marker)
    _row_labels(axes, position, [_method_label(row) for _, row in table.iterrows()])
    gains = [_signed(gain) for gain in table["gain"]]
    _right_texts(axes, position, {"gain": gains, "p (Holm)": [_p_text(p) for p in table["p_holm"]]})
    axes.axvline(0, color=BLACK, linewidth=1.2, zorder=1)
    values = _known(table, "gain", "gain_low", "gain_high")
    reach = 1.08 * max(np.abs(values).max(initial=0.0), 0.05)
    axes.set_xlim(-reach, reach)
    handles = [
        Line2D([], [], color=colour, marker=marker, label=verdict)
        for verdict, (colour, marker) in VERDICTS.items()
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=3)
    baseline = table["baseline"].iloc[0]
    axes.set_xlabel(
        f"transfer gain: UAR minus that of {(titles or {}).get(baseline, baseline)}, 95% interval"
    )
    figure.suptitle("Transfer gain" + (f": {title}" if title else ""), x=0.01, ha="left")
    return _finished(figure)


@_styled
def plot_folds(
    results: pd.DataFrame, *, metric: str = "uar", titles: Mapping[str, str] | None = None
) -> Figure:
    """Show a measure of every fold and seed, a row a method.

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
    _require_rows(results)
    methods = list(dict.fromkeys(results["method"]))
    position = np.arange(len(methods), dtype=float)
    figure, axes = _row_figure(len(methods), extra=1.6)
    texts = []
    for y, method in zip(position, methods, strict=True):
        own = results[results["method"] == method]
        _, colour, marker = ACCESS[own["access"].iloc[0]] if "access" in own else ("", BLUE, "o")
        values = own[metric].dropna().sort_values().to_numpy(dtype=float)
        # Neighbours in value are spread over the row, in a fixed pattern, so that each is seen.
        spread = ((np.arange(len(values)) * 0.618034 + 0.5) % 1 - 0.5) * 0.55
        axes.scatter(
            values, y + spread, s=18, marker=marker, facecolors="none", edgecolors=colour, alpha=0.75
        )
        if len(values):
            axes.plot([np.median(values)] * 2, [y - 0.36, y + 0.36], color=BLACK, linewidth=2.2)
        missing = len(own) - len(values)
        texts.append(f"{len(values)}" + (f" ({missing} skipped)" if missing else ""))
    _row_labels(axes, position, [_wrapped((titles or {}).get(method, method)) for method in methods])
    _right_texts(axes, position, {"folds x seeds": texts})
    values = results[metric].dropna().to_numpy(dtype=float)
    axes.set_xlim(*_limits(values, None))
    handles = [Line2D([], [], color=BLACK, marker="|", markersize=11, markeredgewidth=2.2, linestyle="",
                      label="median")]  # fmt: skip
    if "access" in results:
        handles = [*_access_handles(results["access"], filled=False), *handles]
    figure.legend(handles=handles, loc="outside lower left", ncols=2)
    name = {"uar": "UAR", "macro_f1": "macro F1"}.get(metric, metric)
    axes.set_xlabel(f"{name} of one fold and seed")
    figure.suptitle(f"{name} fold by fold", x=0.01, ha="left")
    return _finished(figure)


def confusion_table(
    predictions: pd.DataFrame, methods: Sequence[str] | None = None, classes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Count answers by true class, over all folds and seeds.

    Parameters
    ----------
    predictions : DataFrame
        Prediction table; ``y_true`` and ``y_pred`` are class numbers.
    methods, classes : sequence of str, optional
        By default all methods, and the classes of the ``p_<class>`` columns.

    Returns
    -------
    DataFrame
        method, true, predicted, n (predictions) and share of the true class,
        NaN where the class never occurs.
    """
    classes = list(classes or class_names(predictions))
    rows = []
    for method in methods or dict.fromkeys(predictions["method"]):
        own = predictions[predictions["method"] == method]
        counts = metrics.confusion(own["y_true"], own["y_pred"], len(classes))
        share = metrics.ratio(counts, counts.sum(axis=1, keepdims=True))
        for (true, predicted), n in np.ndenumerate(counts):
            rows.append((method, classes[true], classes[predicted], n, share[true, predicted]))
    return pd.DataFrame(rows, columns=["method", "true", "predicted", "n", "share"])


@_styled
def plot_confusions(
    predictions: pd.DataFrame,
    methods: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    *,
    titles: Mapping[str, str] | None = None,
) -> Figure:
    """Show a confusion matrix per method: percent of the true class, and the count.

    The table is :func:`confusion_table`, with the same parameters.

    Parameters
    ----------
    titles : mapping, optional
        Method -> title.
    """
    classes = list(classes or class_names(predictions))
    table = confusion_table(predictions, methods=methods, classes=classes)
    _require_rows(table)
    methods = list(dict.fromkeys(table["method"]))
    most_columns = 4 if len(classes) <= 4 else 3 if len(classes) <= 5 else 2
    columns = min(most_columns, len(methods))
    lines = int(np.ceil(len(methods) / columns))
    side = max(1.75, 0.5 * len(classes))
    figure = Figure(
        figsize=(max(columns * (side + 0.3) + 1.1, 4.5), lines * (side + 0.55) + 1.5), layout="constrained"
    )
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for place, (axes, method) in enumerate(zip(panels.ravel(), methods, strict=False)):
        own = table[table["method"] == method]
        counts = own["n"].to_numpy().reshape(len(classes), len(classes))
        share = own["share"].to_numpy().reshape(len(classes), len(classes))
        axes.imshow(np.nan_to_num(share), cmap="Blues", vmin=0, vmax=1.1)
        for (row, column), n in np.ndenumerate(counts):
            known = np.isfinite(share[row, column])
            axes.text(column, row, f"{share[row, column]:.0%}\n{n}" if known else MISSING, fontsize=9,
                      ha="center", va="center", linespacing=0.95,
                      color="white" if known and share[row, column] > 0.6 else "black")  # fmt: skip
        name = _wrapped((titles or {}).get(method, method), 26)
        axes.set_title(f"{name}\nUAR {float(metrics.uar(counts)):.2f}", fontsize=9.5)
        axes.set_xticks(range(len(classes)), classes, rotation=90 if len(classes) > 2 else 0)
        axes.set_yticks(range(len(classes)), classes)
        axes.tick_params(length=0, labelbottom=place + columns >= len(methods))
        axes.spines[:].set_visible(False)
    for axes in panels.ravel()[len(methods) :]:
        axes.set_visible(False)
    figure.supylabel("true class", fontsize=9.5)
    figure.supxlabel("answer; percent of the true class and number of predictions", fontsize=9.5)
    figure.suptitle("Confusions over all folds and seeds", x=0.01, ha="left")
    return _finished(figure)


@_styled
def plot_matrix(table: pd.DataFrame, value: str = "uar") -> Figure | None:
    """Source by target, one panel a method.

    Parameters
    ----------
    table : DataFrame
        source, target, method, title, ``value``; a ``verdict`` of helps or
        hurts is marked. From :func:`serlab.reporting.matrix_page.collect`.
    value : {"uar", "gain"}

    Returns
    -------
    Figure or None
        None if no method has the value (gains, where nothing was compared).
    """
    if value not in table or table[value].isna().all():
        return None
    table = table[table[value].notna()]
    sources, targets = (sorted(table[name].unique()) for name in ("source", "target"))
    names = dict(zip(table["method"], table["title"], strict=True))
    columns = min(3, len(names))
    lines = int(np.ceil(len(names) / columns))
    figure = Figure(figsize=(3.1 * columns, lines * (0.5 * len(sources) + 1.0) + 0.9), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    limit = max(0.1, float(table[value].abs().max()))
    colours = {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit} if value == "gain" else {
        "cmap": "Blues", "vmin": 0.3, "vmax": 1.1}  # fmt: skip
    for place, (axes, (method, title)) in enumerate(zip(panels.ravel(), names.items(), strict=False)):
        own = table[table["method"] == method]
        grid = own.pivot_table(index="source", columns="target", values=value)
        axes.imshow(grid.reindex(sources, columns=targets).to_numpy(), aspect="auto", **colours)
        for row in own.itertuples():
            mark = {"helps": " +", "hurts": " -"}.get(getattr(row, "verdict", ""), "")
            shade = abs(getattr(row, value)) / limit if value == "gain" else (getattr(row, value) - 0.3) / 0.8
            axes.text(targets.index(row.target), sources.index(row.source),
                      (_signed if value == "gain" else _number)(getattr(row, value)) + mark,
                      ha="center", va="center", color="white" if shade > 0.6 else "black")  # fmt: skip
        axes.set_title(_wrapped(title, 30), fontsize=9.5)
        axes.set_xticks(range(len(targets)), targets)
        axes.set_yticks(range(len(sources)), sources)
        axes.tick_params(length=0, labelbottom=place + columns >= len(names))
        axes.spines[:].set_visible(False)
    for axes in panels.ravel()[len(names) :]:
        axes.set_visible(False)
    figure.supxlabel("target", fontsize=9.5)
    figure.supylabel("source", fontsize=9.5)
    text = "UAR" if value == "uar" else "Gain over the target alone (+ helps, - hurts, corrected p < .05)"
    figure.suptitle(text, x=0.01, ha="left")
    return _finished(figure)


@_styled
def plot_published(
    table: pd.DataFrame, *, metric: str = "accuracy", chance: float | None = None, title: str = ""
) -> Figure:
    """Show published numbers beside ours.

    Parameters
    ----------
    table : DataFrame
        title or method, published, measured, low, high (interval of ours;
        may be missing) and difference: how the protocols differ, printed
        below the figure. A row without ``measured`` is shown as not run;
        without rows the figure says that nothing was published.
    metric : str
        For the axis.
    chance : float, optional
        Level to draw.
    title : str
        Added to the heading.
    """
    if table.empty:
        return _note_figure("Published and measured", "Nothing published for this source and target.")
    position = np.arange(len(table), dtype=float)
    given = table["difference"].dropna() if "difference" in table else []
    notes = [note for note in dict.fromkeys(given) if note]
    foot = [textwrap.fill(f"({_letter(number)}) {note}", 115) for number, note in enumerate(notes)]
    n_lines = sum(text.count("\n") + 1 for text in foot)
    figure, axes = _row_figure(len(table), extra=1.6 + 0.16 * n_lines)
    labels = []
    for y, (_, row) in zip(position, table.iterrows(), strict=True):
        if pd.notna(row["measured"]) and pd.notna(row["published"]):
            axes.plot([row["published"], row["measured"]], [y, y], color="#BBBBBB", linewidth=5, zorder=1)
        _interval(axes, y, row["measured"], row.get("low"), row.get("high"), BLUE, "o")
        axes.plot(row["published"], y, "D", markerfacecolor="white", markeredgecolor=VERMILLION,
                  markeredgewidth=1.8, markersize=7, zorder=4)  # fmt: skip
        note = row.get("difference")
        mark = f" ({_letter(notes.index(note))})" if note in notes else ""
        labels.append(_wrapped(str(row["title"] if "title" in table else row["method"]) + mark))
    _row_labels(axes, position, labels)
    published = [_number(value) for value in table["published"]]
    measured = [_number(value, "not run") for value in table["measured"]]
    has_interval = len(_known(table, "low", "high")) > 0
    _right_texts(axes, position, {"paper": published, "ours": measured})
    axes.set_xlim(*_limits(_known(table, "published", "measured", "low", "high"), chance))
    handles = [
        Line2D([], [], linestyle="", marker="D", markerfacecolor="white", markeredgecolor=VERMILLION,
               markeredgewidth=1.8, label="published"),
        Line2D([], [], color=BLUE, marker="o", linestyle="-" if has_interval else "",
               label="measured here" + (", 95% interval" if has_interval else "")),
    ]  # fmt: skip
    if chance is not None:
        axes.axvline(chance, color=BLACK, linestyle=":", linewidth=1.3, zorder=1)
        handles.append(Line2D([], [], color=BLACK, linestyle=":", label=f"chance, {chance:.2f}"))
    axes.set_xlabel(metric)
    figure.legend(handles=handles, loc="outside lower left", ncols=3,
                  title="\n".join(foot) or None, title_fontsize=9, alignment="left")  # fmt: skip
    figure.suptitle("Published and measured" + (f": {title}" if title else ""), x=0.01, ha="left")
    return _finished(figure)


@_styled
def plot_utterance(samples: np.ndarray, *, sample_rate: int, title: str = "") -> Figure:
    """Show the waveform and the spectrogram of one utterance.

    Parameters
    ----------
    samples : ndarray, shape (n,)
        Mono, full scale 1.
    sample_rate : int
        Hz.
    """
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    wave, spectrum = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2])
    time = np.arange(len(samples)) / sample_rate
    wave.plot(time, samples, color=BLUE, linewidth=0.5)
    wave.set(ylim=(-1, 1), ylabel="amplitude")
    window = max(2, min(512, len(samples) // 4))  # 512 samples are 32 ms at 16 kHz
    _, _, power = signal.spectrogram(samples, fs=sample_rate, nperseg=window, noverlap=window * 3 // 4)
    level = 10 * np.log10(np.maximum(power, 1e-14))
    image = spectrum.imshow(
        level, origin="lower", aspect="auto", cmap="magma", vmin=level.max() - 70, vmax=level.max(),
        extent=(0, len(samples) / sample_rate, 0, sample_rate / 2),
    )  # fmt: skip
    figure.colorbar(image, ax=spectrum, label="level (dB)", pad=0.01)
    spectrum.set(xlabel="time (s)", ylabel="frequency (Hz)", xlim=(0, len(samples) / sample_rate))
    figure.suptitle(title, x=0.01, ha="left")
    return _finished(figure)


# --- tables -------------------------------------------------------------------------------------


def display_table(
    table: pd.DataFrame,
    caption: str = "",
    *,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    percent: Collection[str] = (),
    decimals: int = 3,
) -> Styler:
    """Format a table for a notebook and for static HTML alike.

    Numbers get ``decimals`` places, counts none, p values below .001 read
    "< .001", missing is a dash, True is "yes"; columns x, x_low and x_high
    become one, "0.560 [0.503, 0.618]"; long text wraps, so that a row is never
    wider than the page; a plain running index is not shown.

    Parameters
    ----------
    columns : mapping or sequence, optional
        Columns to show, in order; a mapping renames them. Names that the
        table lacks are passed over.
    percent : collection of str
        Columns (by their own names) to show as percent.
    """
    intervals = [name for name in table if f"{name}_low" in table and f"{name}_high" in table]
    bounds = {f"{name}_{end}" for name in intervals for end in ("low", "high")}
    order = [name for name in table if name not in bounds] if columns is None else columns
    order = [name for name in order if name in table]
    texts = pd.DataFrame(index=table.index)
    for name in order:
        as_percent = name in percent
        texts[name] = _column_texts(table[name], as_percent, decimals)
        if name in intervals:
            low, high = (
                _column_texts(table[f"{name}_{end}"], as_percent, decimals) for end in ("low", "high")
            )
            texts[name] = [
                value if MISSING in (value, a, b) else f"{value} [{a},\N{NO-BREAK SPACE}{b}]"
                for value, a, b in zip(texts[name], low, high, strict=True)
            ]
    numbers = [place for place, name in enumerate(order) if _is_number(table[name])]
    if isinstance(columns, Mapping):
        texts = texts.rename(columns=columns)
    # The same table gets the same HTML, so that a report can be compared with an older one.
    uuid = hashlib.sha256(texts.to_csv().encode()).hexdigest()[:8]
    style = texts.style.set_uuid(uuid).format(escape="html").format_index(escape="html", axis="columns")
    style = style.hide(axis="index") if isinstance(table.index, pd.RangeIndex) else style
    cell = "text-align: left; white-space: normal; line-height: 1.35; padding: 3px 8px;"
    rules = [
        {
            "selector": "",
            "props": "border-collapse: collapse; max-width: 100%; font-size: 0.9em",
        },
        {
            "selector": "caption",
            "props": "caption-side: top; text-align: left; font-weight: bold; white-space: nowrap",
        },
        {"selector": "th", "props": f"{cell} vertical-align: bottom; border-bottom: 1px solid #888"},
        {
            "selector": "td",
            "props": f"{cell} vertical-align: top; overflow-wrap: break-word; max-width: 30em",
        },
    ]
    for place in numbers:
        selector = f"td.col{place}, th.col{place}"
        props = "text-align: right; overflow-wrap: normal; font-variant-numeric: tabular-nums"
        rules.append({"selector": selector, "props": props})
    style = style.set_table_styles(rules)
    if table.empty:
        caption = f"{caption}: none"
    return style.set_caption(html.escape(caption)) if caption else style


def _is_number(column: pd.Series) -> bool:
    return types.is_numeric_dtype(column) and not types.is_bool_dtype(column)


def _column_texts(column: pd.Series, percent: bool, decimals: int) -> list[str]:
    # Counts that became float only because one of them is missing are still counts.
    known = column.dropna()
    is_count = types.is_integer_dtype(column) or (
        _is_number(column) and bool((known % 1 == 0).all()) and known.abs().max() > 1
    )

    def text(value) -> str:
        if (np.isscalar(value) and pd.isna(value)) or value is None:
            return MISSING
        if isinstance(value, bool | np.bool_):
            return "yes" if value else ""
        if not isinstance(value, int | float | np.number):
            return str(value)
        if percent:
            return f"{value:.1%}"
        if column.name in ("p", "p_holm"):
            return _p_text(value)
        return f"{value:.0f}" if is_count else f"{value:.{decimals}f}"

    return [text(value) for value in column]


# --- shared -------------------------------------------------------------------------------------


def _scatter(axes, x: pd.Series, y: pd.Series, groups: pd.Series, names: Sequence[str]) -> list[Line2D]:
    """Points with a colour and marker a group; gives the handles of a legend with counts.

    Points are drawn in a shuffled order (of the same seed), so that no group covers the others.
    Beyond eight groups colours go round with other markers.
    """
    order = np.random.default_rng(0).permutation(len(x))
    codes = pd.Categorical(groups, categories=names).codes[order]
    x, y = x.to_numpy()[order], y.to_numpy()[order]
    styles = [(PALETTE[i % 8], MARKERS[(i + i // 8) % 8]) for i in range(len(names))]
    for block in np.array_split(np.arange(len(order)), 8):
        for code in np.unique(codes[block]):
            own = block[codes[block] == code]
            axes.scatter(x[own], y[own], s=16, linewidths=0.5, alpha=0.7, facecolors="none",
                         edgecolors=styles[code][0], marker=styles[code][1])  # fmt: skip
    return [
        Line2D([], [], linestyle="", marker=marker, markerfacecolor="none", markeredgecolor=colour,
               label=f"{name} ({int((groups == name).sum())})")
        for name, (colour, marker) in zip(names, styles, strict=True)
    ]  # fmt: skip


def _finished(figure: Figure) -> Figure:
    """Lay the figure out while the style holds: ticks are made when first drawn."""
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    return figure


def _names(column: pd.Series) -> list[str]:
    """Values of a column, in the order of its categories where it has them."""
    return [
        str(name) for name in (column.cat.categories if hasattr(column, "cat") else sorted(column.unique()))
    ]


def _emotions(utterances: pd.DataFrame) -> list[str]:
    if "emotion" not in utterances:
        raise ParameterError("the utterances have no column 'emotion'; apply a label scheme first")
    if utterances.empty:
        raise ParameterError("there are no utterances to show")
    return _names(utterances["emotion"])


def _matched(X: pd.DataFrame, utterances: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows that both tables have: features may lack files that could not be used."""
    common = utterances.index.intersection(X.index)
    if len(common) == 0:
        raise ParameterError("features and utterances have no utterance in common")
    return X.loc[common], utterances.loc[common]


def _require_corpora(utterances: pd.DataFrame, names: Sequence[str]) -> None:
    present = sorted(set(utterances["corpus"]))
    for name in names:
        if name not in present:
            raise ParameterError(f"corpus {name!r} has no utterances here; there are: {', '.join(present)}")


def _require_rows(table: pd.DataFrame) -> None:
    if table.empty:
        raise ParameterError("there is nothing to show: the table has no rows")


def _known(table: pd.DataFrame, *columns: str) -> np.ndarray:
    """All values of these columns that are not missing; a column may be missing too."""
    values = table.reindex(columns=columns).to_numpy(dtype=float).ravel()
    return values[~np.isnan(values)]


def _feature(
    X: pd.DataFrame, utterances: pd.DataFrame, feature: str, corpora: Sequence[str]
) -> tuple[pd.Series, pd.DataFrame]:
    """One feature and its utterances, of the given corpora."""
    if feature not in X:
        near = [name for name in X.columns if feature.lower() in str(name).lower()][:3]
        hint = f"; did you mean {', '.join(near)}?" if near else f"; the first ones are {list(X.columns[:3])}"
        raise ParameterError(f"unknown feature {feature!r}{hint}")
    values, rows = _matched(X[[feature]], utterances)
    _require_corpora(rows, corpora)
    kept = rows["corpus"].isin(list(corpora))
    return values.loc[kept, feature].astype(float), rows[kept]


def _standardised(X: pd.DataFrame, utterances: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Features with mean 0 and variance 1 over all rows, shape (n, d without constants)."""
    values, rows = _matched(X, utterances)
    _emotions(utterances)
    bad = values.columns[~np.isfinite(values.to_numpy(dtype=float)).all(axis=0)]
    if len(bad):
        raise ParameterError(
            f"feature {bad[0]!r} is not finite in some utterances ({len(bad)} such features)"
        )
    Z = values.to_numpy(dtype=float)
    Z = Z[:, np.ptp(Z, axis=0) > 0]
    if len(Z) < 2 or Z.shape[1] < 2:
        raise ParameterError("a projection needs two utterances and two features that vary, or more")
    return (Z - Z.mean(axis=0)) / Z.std(axis=0), rows


def _note_figure(title: str, text: str) -> Figure:
    """A figure for a report in which the usual one has nothing to show."""
    figure = Figure(figsize=(9, 0.8), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left")
    figure.text(0.01, 0.2, text)
    return _finished(figure)


def _row_figure(rows: float, *, extra: float):
    """A figure with one line per method; ``extra`` inches for all that is not a line."""
    figure = Figure(figsize=(9, 0.4 * rows + extra), layout="constrained")
    axes = figure.subplots()
    axes.set_ylim(rows - 0.4, -0.6)
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure, axes


def _row_labels(axes, position: np.ndarray, labels: Sequence[str]) -> None:
    axes.set_yticks(position, labels, linespacing=1.05)


def _right_texts(axes, position: np.ndarray, columns: Mapping[str, Sequence[str]]) -> None:
    """Write columns of text at the right of the rows: heading -> one text a row."""
    offset = 12
    for heading, texts in columns.items():
        for y, text in zip([-0.8, *position], [heading, *texts], strict=True):
            axes.annotate(
                text, (1, y), xycoords=axes.get_yaxis_transform(), xytext=(offset, 0),
                textcoords="offset points", va="center", fontsize=9, annotation_clip=False,
                color=GREY if text is heading else BLACK,
            )  # fmt: skip
        offset += 10 + 6 * max(map(len, [heading, *texts]))


def _interval(axes, y: float, value: float, low: float | None, high: float | None, colour: str, marker: str):
    if pd.notna(low) and pd.notna(high):
        axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
        axes.plot([low, high], [y, y], "|", color=colour, markersize=7, markeredgewidth=1.6, zorder=2)
    if pd.notna(value):
        axes.plot(value, y, marker, color=colour, markersize=8, zorder=3)


def _limits(values: np.ndarray, chance: float | None) -> tuple[float, float]:
    """Limits that hold all values and the chance level, on tenths, within 0 and 1."""
    values = np.append(values, [] if chance is None else chance)
    if len(values) == 0:
        return 0.0, 1.0
    low = max(0.0, np.floor((values.min() - 0.02) * 10) / 10)
    high = min(1.0, np.ceil((values.max() + 0.02) * 10) / 10)
    return low - 0.01, high + 0.01


def _access_handles(access: pd.Series, *, filled: bool = True) -> list[Line2D]:
    present = set(access)
    return [
        Line2D([], [], linestyle="", color=colour, marker=marker, markersize=8, label=label,
               markerfacecolor=colour if filled else "none")
        for name, (label, colour, marker) in ACCESS.items()
        if name in present
    ]  # fmt: skip


def _note_handle(mark: str, text: str) -> Line2D:
    return Line2D([], [], linestyle="", marker=f"${mark}$", color=BLACK, markersize=8, label=text)


def _method_label(row: pd.Series) -> str:
    name = str(row.get("title") or row["method"])
    if bool(row.get("transductive", False)):
        name += f" {DAGGER}"
    name = _wrapped(name)
    return f"{name}\n[{row['badge']}]" if row.get("badge") else name


def _interval_texts(table: pd.DataFrame, name: str) -> list[str]:
    texts = []
    for _, row in table.iterrows():
        text, low, high = _number(row[name], "not run"), row.get(f"{name}_low"), row.get(f"{name}_high")
        known = pd.notna(row[name]) and pd.notna(low) and pd.notna(high)
        texts.append(f"{text} [{low:.2f}, {high:.2f}]" if known else text)
    return texts


def _number(value: float, missing: str = MISSING) -> str:
    return missing if pd.isna(value) else f"{value:.2f}"


def _signed(value: float) -> str:
    """A difference with its sign, a real minus sign, and no sign for what rounds to nothing."""
    if pd.isna(value):
        return "not run"
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}") if round(value, 2) else "0.00"


def _p_text(p: float) -> str:
    if pd.isna(p):
        return MISSING
    return "< .001" if p < 0.001 else f"{p:.3f}".replace("0.", ".", 1)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _letter(number: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[number] if number < 26 else str(number + 1)


def _speaker(name: str) -> str:
    """Speaker without the corpus: "emodb/03" becomes "03"."""
    return str(name).rpartition("/")[2]


def _natural(name: str) -> str:
    """Key that sorts "M2" before "M11"."""
    return re.sub(r"\d+", lambda digits: digits.group().zfill(9), str(name))


def _wrapped(text: str, width: int = 34) -> str:
    """Lines of about equal length, none longer than ``width`` where that can be."""
    n_lines = len(textwrap.wrap(text, width))
    while width > 1 and len(textwrap.wrap(text, width - 1)) == n_lines:
        width -= 1
    return textwrap.fill(text, width)
