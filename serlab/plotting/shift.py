"""How far source and target are apart: in the features, and in the layers of networks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from serlab.errors import ParameterError
from serlab.evaluation import ALPHA, intervals
from serlab.plotting.corpora import emotions
from serlab.plotting.features import matched
from serlab.plotting.marks import (
    cell_texts,
    cells,
    highest,
    interval_mark,
    known,
    limits,
    require_rows,
    scatter,
)
from serlab.plotting.style import (
    BLACK,
    BLUE,
    Figure,
    finished,
    heading,
    legend_below,
    note_figure,
    styled,
)
from serlab.plotting.texts import interval, names, sentences, titled, wrapped


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
    points = _components(Z)
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
    points = _components(Z)
    total = (Z**2).sum()
    lines = {"PC1": points[:, [0]], "PC2": points[:, [1]], "all features": Z}
    return pd.DataFrame(
        {
            name: {
                "variance": (values**2).sum() / total,
                "corpus": eta_squared(values, rows["corpus"]),
                "emotion": eta_squared(values, rows["emotion"]),
            }
            for name, values in lines.items()
        }
    ).T


def _components(Z: np.ndarray) -> np.ndarray:
    """First two principal components, shape (n, 2)."""
    from sklearn.decomposition import PCA

    return PCA(n_components=2, random_state=0).fit_transform(Z)


def eta_squared(values: np.ndarray, groups: pd.Series) -> float:
    """Share of the (summed) variance of centred columns between the group means."""
    codes = pd.factorize(groups)[0]
    between = sum((codes == g).sum() * (values[codes == g].mean(axis=0) ** 2).sum() for g in np.unique(codes))
    return float(between / (values**2).sum())


@styled
def plot_shift(X: pd.DataFrame, utterances: pd.DataFrame) -> Figure:
    """Show all utterances on two principal components, by corpus and by emotion.

    The tables are :func:`shift_coordinates` and :func:`shift_table`.
    """
    points, shares = shift_coordinates(X, utterances), shift_table(X, utterances)
    figure = Figure(figsize=(9.5, 4.9), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    whole = shares.loc["all features"]
    for axes, column in zip(panels, ["corpus", "emotion"], strict=True):
        present = [name for name in names(points[column]) if (points[column] == name).any()]
        handles = scatter(axes, points["pc1"], points["pc2"], points[column], present)
        columns = max(1, min(4, int(58 / (6 + max(len(name) for name in present)))))
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=columns,
                    columnspacing=1, handletextpad=0.2)  # fmt: skip
        axes.set_title(f"by {column}: {whole[column]:.0%} of the variance of all features")
        axes.set_xlabel(f"PC1 ({shares.loc['PC1', 'variance']:.0%} of variance)")
        axes.grid(True)
    panels[0].set_ylabel(f"PC2 ({shares.loc['PC2', 'variance']:.0%} of variance)")
    heading(figure, "Utterances in feature space (standardised, principal components)")
    finding = sentences(
        f"The corpus accounts for {whole['corpus']:.0%} of the variance of all features, the emotion for "
        f"{whole['emotion']:.0%}",
        "A classifier sees the corpus first" if whole["corpus"] > whole["emotion"] else "",
    )
    return finished(figure, finding)


def shift_change_table(
    shift: pd.DataFrame, summary: pd.DataFrame, *, titles: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Say how far source and target are apart in each layer, beside the UAR of the method.

    Parameters
    ----------
    shift : DataFrame
        method, fold, seed, layer, mmd2, p, a_distance, reason; see
        :func:`serlab.evaluation.details.shift_of_layers`.
    summary : DataFrame
        method, uar and its interval.
    titles : mapping, optional
        Method -> title.

    Returns
    -------
    DataFrame
        method, title, layer, a_distance with its lowest and highest fit, mmd2,
        differs (share of fits whose two-sample test has p < .05), n_fits, why
        (there is no number, empty otherwise), and uar with its interval;
        methods as in ``summary``, layers as they come.
    """
    require_rows(shift)
    if "reason" not in shift:
        shift = shift.assign(reason="")
    methods = [name for name in summary["method"] if name in set(shift["method"])]
    known = shift[shift["method"].isin(methods)]
    # Undecided tests are neither: a NaN is left out of the share.
    known = known.assign(differs=(known["p"] < ALPHA).where(known["p"].notna()).astype(float))
    table = known.groupby(["method", "layer"], sort=False).agg(
        a_distance=("a_distance", "mean"),
        a_distance_low=("a_distance", "min"),
        a_distance_high=("a_distance", "max"),
        mmd2=("mmd2", "mean"),
        differs=("differs", "mean"),
        n_fits=("layer", "size"),
        why=("reason", lambda reasons: "; ".join(sorted(set(reasons) - {""}))),
    )
    layers = list(dict.fromkeys(known["layer"]))
    order = [key for key in ((m, layer) for m in methods for layer in layers) if key in table.index]
    uar = summary.set_index("method").reindex(columns=["uar", "uar_low", "uar_high"])
    table = table.loc[order].reset_index().merge(uar, left_on="method", right_index=True)
    table.insert(1, "title", titled(titles, table["method"]))
    return table.reset_index(drop=True)


@styled
def plot_shift_change(
    shift: pd.DataFrame, summary: pd.DataFrame, *, titles: Mapping[str, str] | None = None
) -> Figure:
    """Show how far apart source and target are in each layer, beside UAR: did adaptation do anything?

    On speakers of both that the network has learned nothing of; where these are too few there is no number,
    and the reason is said. Left: proxy A-distance (0: a linear classifier cannot tell the corpora of
    unknown speakers apart, 2: never errs). Middle: squared MMD (biased: small
    samples of one distribution are above 0 too), starred where the two-sample
    test tells the corpora apart in half of the fits or more. Right: UAR. The table is
    :func:`shift_change_table`, with the same parameters.
    """
    if shift.empty:
        return note_figure("Shift between source and target", "No method of this run kept its layers.")
    table = shift_change_table(shift, summary, titles=titles)
    uars = table.drop_duplicates("method")
    first = uars.iloc[0]
    block = 0.62 * table["layer"].nunique()
    figure = Figure(figsize=(max(9.0, 4.8 + 2 * block), 0.4 * len(uars) + 1.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3, sharey=True, width_ratios=[block, block, 1.7])
    _layer_cells(left, table, "a_distance", most=2.0, decimals=2)
    most = max(known(table, "mmd2").max(initial=0), 1e-3)
    _layer_cells(middle, table, "mmd2", most=most, decimals=3, star=table["differs"] >= 0.5)
    left.set_title("A-distance (0 to 2)")
    middle.set_title("MMD\u00b2 (* corpora differ)")
    for y, (_, row) in enumerate(uars.iterrows()):
        interval_mark(right, y + 0.5, row, "uar", BLUE, "o")
    line = {"color": BLACK, "linestyle": ":", "linewidth": 1.3}
    right.axvline(first["uar"], **line, zorder=1)
    right.set_xlim(*limits(known(uars, "uar", "uar_low", "uar_high")))
    right.set_title(f"UAR, {intervals.LABEL}")
    right.grid(True, axis="x")
    right.spines["left"].set_visible(False)
    for axes in (middle, right):
        axes.tick_params(axis="y", length=0, labelleft=False)
    label = f"UAR of {first['title']}"
    legend_below(figure, [Line2D([], [], **line, label=label)], note=wrapped(_without_number(table), 110))
    heading(figure, "Shift between source and target in each layer, on held-out speakers, and UAR")
    return finished(figure, _shift_says(table))


def _layer_cells(
    axes, table: pd.DataFrame, value: str, *, most: float, decimals: int, star: pd.Series | bool = False
) -> None:
    """Cells of one measure: methods by layers; a layer that a network lacks is a dash."""
    methods, layers = (list(dict.fromkeys(table[name])) for name in ("method", "layer"))
    table = table.assign(star=star)
    grid, starred = (
        table.pivot(index="method", columns="layer", values=name).reindex(methods, columns=layers)
        for name in (value, "star")
    )
    marks = np.where(starred.eq(True), "*", "")
    written = cell_texts(grid, lambda number: f"{number:.{decimals}f}") + marks
    shown = table.drop_duplicates("method")["title"].map(wrapped)
    cells(axes, grid, written, rows=list(shown), columns=layers, low=0, high=1.25 * most, size=8.5)
    axes.set_xticks(axes.get_xticks(), layers, rotation=35, ha="right", rotation_mode="anchor")


def _shift_says(table: pd.DataFrame) -> str:
    """Of the first method and of those with the least shift and the highest UAR: mean A-distance and UAR."""
    mean = table.groupby("method", sort=False)["a_distance"].mean()
    measured = mean.dropna()
    uars = table.drop_duplicates("method").set_index("method").loc[measured.index]
    told = {name: "" for name in measured.index[:1] if name == mean.index[0]}
    if len(measured):
        told[measured.idxmin()] = "Least shift: "
    if uars["uar"].notna().any():
        told.setdefault(highest(uars.reset_index(), "uar")["method"], "Highest UAR: ")
    return sentences(
        *(
            f"{what}{uars.loc[name, 'title']}, mean A-distance {mean[name]:.2f}, "
            f"UAR {interval(uars.loc[name], 'uar')}"
            for name, what in told.items()
        ),
        _without_number(table),
    )


def _without_number(table: pd.DataFrame) -> str:
    """How many methods have no number, and why; empty where all have."""
    methods = table.drop_duplicates("method")
    without = methods[methods["why"] != ""]
    reasons = "; ".join(sorted(set(without["why"])))
    return f"{len(without)} of {len(methods)} methods have no number: {reasons}" if reasons else ""


def _standardised(X: pd.DataFrame, utterances: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Features with mean 0 and variance 1 over all rows, shape (n, d without constants)."""
    values, rows = matched(X, utterances)
    emotions(utterances)
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
