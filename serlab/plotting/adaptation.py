"""Figures of domain adaptation: what it did to representations, losses and answers.

As in :mod:`serlab.plotting`: tables in, figures out, and for every figure a
table that can be printed beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from serlab import metrics
from serlab.errors import ParameterError
from serlab.evaluation import ALPHA, ranking
from serlab.plotting.general import (
    BLACK,
    BLUE,
    GREY,
    LINES,
    MARKERS,
    MISSING,
    PALETTE,
    SKY,
    VERMILLION,
    Figure,
    _count,
    _finished,
    _interval,
    _known,
    _limits,
    _names,
    _note_figure,
    _number,
    _p_text,
    _require_rows,
    _right_texts,
    _row_figure,
    _row_labels,
    _scatter,
    _signed,
    _styled,
    _wrapped,
)
from serlab.plotting.networks import embedding_coordinates, embedding_table, first_fit

#: Columns of a sweep that are not the score of a selector.
_SWEEP = ("run", "method", "title", "trade_off", "fold", "seed", "uar")

#: The best of all settings, seen by looking at the test utterances.
ORACLE = "oracle"


# --- representations ----------------------------------------------------------------------------


def before_after_table(
    embeddings: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    before: str,
    after: str,
    colour_by: Sequence[str] = ("emotion", "corpus"),
    titles: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Say how much of the representation's variance emotion and corpus account for, before and after.

    Parameters as those of :func:`plot_before_after`.

    Returns
    -------
    DataFrame
        method, title, by, n_groups, variance (eta squared) and expected; see
        :func:`serlab.plotting.networks.embedding_table`.
    """
    tables = [
        embedding_table(fit, utterances, by=colour_by).assign(
            method=method, title=(titles or {}).get(method, method)
        )
        for method, fit in _same_fit(embeddings, before, after).items()
    ]
    return pd.concat(tables, ignore_index=True)[["method", "title", "by", "n_groups", "variance", "expected"]]


@_styled
def plot_before_after(
    embeddings: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    before: str,
    after: str,
    colour_by: Sequence[str] = ("emotion", "corpus"),
    kind: Literal["pca", "tsne"] = "tsne",
    seed: int = 0,
    titles: Mapping[str, str] | None = None,
) -> Figure:
    """Show representations without and with adaptation, coloured by emotion and by corpus.

    As Baklouti et al., figure 4, who colour by emotion alone. Each row is a
    projection of its own. The table is :func:`before_after_table`.

    Parameters
    ----------
    embeddings : DataFrame
        method, fold, seed, utterance, e_1 ... e_h.
    utterances : DataFrame
        With the columns ``colour_by``.
    before, after : str
        Methods; the first fold and seed that both have is shown.
    colour_by : sequence of str
    kind, seed
        See :func:`serlab.plotting.networks.embedding_coordinates`.
    titles : mapping, optional
        Method -> title.

    Raises
    ------
    ParameterError
        If a method has no embeddings, or they have no fold and seed in common.
    """
    fits = _same_fit(embeddings, before, after)
    shares = before_after_table(embeddings, utterances, before=before, after=after, colour_by=colour_by)
    shares = shares.set_index(["method", "by"])["variance"]
    figure = Figure(figsize=(4.3 * len(colour_by), 9.4), layout="constrained")
    panels = figure.subplots(2, len(colour_by), squeeze=False)
    for row, (method, fit) in zip(panels, fits.items(), strict=True):
        points = embedding_coordinates(fit, kind=kind, seed=seed)
        groups = utterances.loc[points.index]
        for axes, column in zip(row, colour_by, strict=True):
            names = [name for name in _names(groups[column]) if (groups[column] == name).any()]
            handles = _scatter(axes, points["x"], points["y"], groups[column], names)
            axes.set_title(f"by {column}: {shares[method, column]:.0%} of variance")
            axes.set(xticks=[], yticks=[], box_aspect=1)
            axes.spines[:].set(visible=True, color="#BBBBBB")
            if method == after:
                axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3,
                            columnspacing=1, handletextpad=0.2)  # fmt: skip
        when = "before" if method == before else "after"
        row[0].set_ylabel(f"{when}\n{_wrapped((titles or {}).get(method, method), 44)}", labelpad=6)
    fold, fit_seed = fits[before][["fold", "seed"]].iloc[0]
    name = {"pca": "principal components", "tsne": "t-SNE"}[kind]
    figure.suptitle(f"Before and after adaptation ({name}; fold {fold}, seed {fit_seed})", x=0.01, ha="left")
    return _finished(figure)


def _same_fit(embeddings: pd.DataFrame, before: str, after: str) -> dict[str, pd.DataFrame]:
    """Rows of the first fold and seed that both methods have."""
    if before == after:
        raise ParameterError(f"before and after are both {before!r}; choose two methods")
    kept = embeddings["method"].unique() if "method" in embeddings else []
    for method in (before, after):
        if method not in kept:
            raise ParameterError(
                f"no embeddings of {method!r} were kept; there are those of: {', '.join(kept) or 'none'}"
            )
    own = {method: embeddings[embeddings["method"] == method] for method in (before, after)}
    keys = [part[["fold", "seed"]].drop_duplicates() for part in own.values()]
    both = keys[0].merge(keys[1], on=["fold", "seed"]).head(1)
    if both.empty:
        raise ParameterError(f"{before!r} and {after!r} have no fold and seed in common")
    return {method: first_fit(part.merge(both, on=["fold", "seed"]), method) for method, part in own.items()}


# --- losses -------------------------------------------------------------------------------------


@_styled
def plot_loss_terms(history: pd.DataFrame, *, titles: Mapping[str, str] | None = None) -> Figure:
    """Show every term of the loss over epochs, a row a method, a column a term.

    Terms are drawn as they enter the sum, weights included. Thin lines are
    fits (fold and seed), the thick one is their mean.

    Parameters
    ----------
    history : DataFrame
        method, fold, seed, stage, epoch and ``loss_<term>``; rows without a term are passed over.
    titles : mapping, optional
        Method -> title.
    """
    terms = [name for name in history if name.startswith("loss_")]
    history = history.dropna(subset=terms, how="all") if terms else history.iloc[:0]
    if history.empty:
        return _note_figure("Terms of the loss", "No method of this run has a loss of several terms.")
    groups = list(history.groupby(["method", "stage"], sort=False))
    own_terms = [part[terms].columns[part[terms].notna().any()] for _, part in groups]
    columns = max(len(names) for names in own_terms)
    figure = Figure(figsize=(max(9.0, 2.4 * columns), 1.75 * len(groups) + 0.7), layout="constrained")
    panels = figure.subplots(len(groups), columns, squeeze=False)
    for row, ((method, _), part), names in zip(panels, groups, own_terms, strict=True):
        for number, (axes, name) in enumerate(zip(row, names, strict=False)):
            fits = part.pivot(index="epoch", columns=["fold", "seed"], values=name)
            colour, marker = PALETTE[number % 8], "." if len(fits) == 1 else ""
            axes.plot(fits.index, fits.to_numpy(), color=colour, linewidth=0.6, alpha=0.4, marker=marker)
            mean = fits.mean(axis=1)[fits.notna().mean(axis=1) >= 0.5]
            axes.plot(
                mean.index, mean, color=colour, linewidth=2.2, linestyle=LINES[number % 4], marker=marker
            )
            low, high = np.nanmin(fits.to_numpy()), np.nanmax(fits.to_numpy())
            axes.set_ylim(min(0.0, 1.05 * low), max(1.05 * high, 1e-6))
            axes.set_ylabel(name.removeprefix("loss_"))
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(True)
        for axes in row[len(names) :]:
            axes.set_visible(False)
        row[0].set_title(f"{(titles or {}).get(method, method)} ({_count(fits.shape[1], 'fit')})")
    figure.suptitle("Terms of the loss by epoch: fits (thin) and their mean", x=0.01, ha="left")
    return _finished(figure)


# --- shift --------------------------------------------------------------------------------------


def shift_change_table(
    shift: pd.DataFrame, summary: pd.DataFrame, *, titles: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Say how far source and target are apart in each layer, beside the UAR of the method.

    Parameters
    ----------
    shift : DataFrame
        method, fold, seed, layer, mmd2, p, a_distance; see :func:`serlab.evaluation.shift.shift_table`.
    summary : DataFrame
        method, uar and its interval.
    titles : mapping, optional
        Method -> title.

    Returns
    -------
    DataFrame
        method, title, layer, a_distance with its lowest and highest fit, mmd2,
        differs (share of fits whose two-sample test has p < .05), n_fits, and
        uar with its interval; methods as in ``summary``, layers as they come.
    """
    _require_rows(shift)
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
    )
    layers = list(dict.fromkeys(known["layer"]))
    order = [key for key in ((m, layer) for m in methods for layer in layers) if key in table.index]
    uar = summary.set_index("method").reindex(columns=["uar", "uar_low", "uar_high"])
    table = table.loc[order].reset_index().merge(uar, left_on="method", right_index=True)
    table.insert(1, "title", [(titles or {}).get(name, name) for name in table["method"]])
    return table.reset_index(drop=True)


@_styled
def plot_shift_change(
    shift: pd.DataFrame, summary: pd.DataFrame, *, titles: Mapping[str, str] | None = None
) -> Figure:
    """Show how far apart source and target are in each layer, beside UAR: did adaptation do anything?

    Left: proxy A-distance (0: a linear classifier cannot tell the corpora of
    unknown speakers apart, 2: never errs). Middle: squared MMD (biased: small
    samples of one distribution are above 0 too), starred where the two-sample
    test tells the corpora apart in half of the fits or more. Right: UAR. The table is
    :func:`shift_change_table`, with the same parameters.
    """
    if shift.empty:
        return _note_figure("Shift between source and target", "No method of this run kept its layers.")
    table = shift_change_table(shift, summary, titles=titles)
    methods, layers = (list(dict.fromkeys(table[name])) for name in ("method", "layer"))
    names = dict(zip(table["method"], table["title"], strict=True))
    block = 0.62 * len(layers)
    figure = Figure(figsize=(max(9.0, 4.8 + 2 * block), 0.4 * len(methods) + 2.0), layout="constrained")
    left, middle, right = figure.subplots(1, 3, sharey=True, width_ratios=[block, block, 1.7])
    starred = {key for key, own in table.groupby(["method", "layer"]) if own["differs"].iloc[0] >= 0.5}
    _layer_cells(left, table, "a_distance", methods, layers, most=2.0, decimals=2)
    _layer_cells(
        middle, table, "mmd2", methods, layers, most=max(_known(table, "mmd2").max(initial=0), 1e-3),
        decimals=3, starred=starred,
    )  # fmt: skip
    left.set_title("A-distance (0 to 2)")
    middle.set_title("MMD\u00b2 (* corpora differ)")
    uars = table.drop_duplicates("method")
    for y, (_, row) in enumerate(uars.iterrows()):
        _interval(right, y, row["uar"], row["uar_low"], row["uar_high"], BLUE, "o")
    right.axvline(uars["uar"].iloc[0], color=BLACK, linestyle=":", linewidth=1.3, zorder=1)
    right.set_xlim(*_limits(_known(uars, "uar", "uar_low", "uar_high"), None))
    right.set_title("UAR, 95% interval")
    right.grid(True, axis="x")
    right.spines["left"].set_visible(False)
    right.tick_params(axis="y", length=0)
    left.set_yticks(range(len(methods)), [_wrapped(names[method]) for method in methods])
    left.set_ylim(len(methods) - 0.5, -0.5)
    first = names[methods[0]]
    handles = [Line2D([], [], color=BLACK, linestyle=":", linewidth=1.3, label=f"UAR of {first}")]
    figure.legend(handles=handles, loc="outside lower right")
    figure.suptitle("Shift between source and target in each layer, and UAR", x=0.01, ha="left")
    return _finished(figure)


def _layer_cells(
    axes,
    table: pd.DataFrame,
    value: str,
    methods: list[str],
    layers: list[str],
    *,
    most: float,
    decimals: int,
    starred: set[tuple[str, str]] = frozenset(),
) -> None:
    """Cells of one measure: methods by layers; a layer that a network lacks is a dash."""
    grid = table.pivot(index="method", columns="layer", values=value).reindex(methods, columns=layers)
    axes.imshow(grid.to_numpy(dtype=float), cmap="Blues", vmin=0, vmax=1.25 * most, aspect="auto")
    for row, method in enumerate(methods):
        for column, layer in enumerate(layers):
            number = grid.loc[method, layer]
            text = MISSING if pd.isna(number) else f"{number:.{decimals}f}"
            star = "*" if (method, layer) in starred else ""
            axes.text(column, row, text + star, ha="center", va="center", fontsize=8.5,
                      color="white" if number > 0.75 * most else "black")  # fmt: skip
    axes.set_xticks(range(len(layers)), layers, rotation=35, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


# --- choice of the trade-off --------------------------------------------------------------------


def selectors(sweep: pd.DataFrame) -> list[str]:
    """Columns of a sweep that hold the score of a selector."""
    return [name for name in sweep if name not in _SWEEP and sweep[name].notna().any()]


def chosen_table(sweep: pd.DataFrame) -> pd.DataFrame:
    """Say which trade-off each selector chooses in each fit, and what UAR that gives.

    Of equal scores the smaller trade-off is chosen. The oracle chooses by the
    UAR of the test utterances, which nobody has.

    Parameters
    ----------
    sweep : DataFrame
        method, title, trade_off, fold, seed, uar (of the test utterances) and
        one column a selector (larger is better).

    Returns
    -------
    DataFrame
        method, title, fold, seed, selector, trade_off, uar; and uar_oracle
        and uar_random (mean over trade-offs) of the same fit.
    """
    rows = []
    for (method, fold, seed), own in sweep.sort_values("trade_off").groupby(
        ["method", "fold", "seed"], sort=False
    ):
        for name in [*selectors(sweep), ORACLE]:
            score = own["uar"] if name == ORACLE else own[name]
            if score.notna().any():
                best = own.loc[score.idxmax()]
                rows.append(
                    {
                        "method": method,
                        "title": best.get("title", method),
                        "fold": fold,
                        "seed": seed,
                        "selector": name,
                        "trade_off": best["trade_off"],
                        "uar": best["uar"],
                        "uar_oracle": own["uar"].max(),
                        "uar_random": own["uar"].mean(),
                    }
                )
    columns = "method title fold seed selector trade_off uar uar_oracle uar_random"
    order = list(dict.fromkeys(sweep["method"]))
    table = pd.DataFrame(rows, columns=columns.split())
    return table.sort_values(
        "method", key=lambda names: names.map(order.index), kind="stable", ignore_index=True
    )


def selector_table(sweep: pd.DataFrame) -> pd.DataFrame:
    """Say how well each selector chooses, as means over fits.

    The oracle takes the greatest of several noisy values, so that it lies
    above every honest choice even where the trade-off does not matter; a gap
    is to be read beside that of a random choice.

    Parameters
    ----------
    sweep : DataFrame
        As for :func:`chosen_table`.

    Returns
    -------
    DataFrame
        method, title, selector; most_chosen (trade-off); uar of what it
        chooses, uar_oracle; gap (oracle minus chosen) and gap_random (oracle
        minus the mean over all trade-offs); n_fits.
    """
    chosen = chosen_table(sweep)
    table = chosen.groupby(["method", "title", "selector"], sort=False).agg(
        most_chosen=("trade_off", lambda values: values.mode().iloc[0]),
        uar=("uar", "mean"),
        uar_oracle=("uar_oracle", "mean"),
        uar_random=("uar_random", "mean"),
        n_fits=("uar", "size"),
    )
    table["gap"] = table["uar_oracle"] - table["uar"]
    table["gap_random"] = table["uar_oracle"] - table["uar_random"]
    columns = "method title selector most_chosen uar uar_oracle gap gap_random n_fits"
    return table.reset_index()[columns.split()]


@_styled
def plot_sweep(sweep: pd.DataFrame, *, chance: float | None = None) -> Figure:
    """Show UAR against the trade-off (lambda), and what each selector chooses, a panel a method.

    Lines: mean over fits; bands: from the lowest to the highest seed. Below,
    a dot for each trade-off that a selector chose, its area the share of fits,
    and the mean UAR of its choices. The tables are :func:`chosen_table` and
    :func:`selector_table`.

    Parameters
    ----------
    sweep : DataFrame
        As for :func:`chosen_table`; a trade-off of 0 stands left of the log axis.
    chance : float, optional
        Level to draw.
    """
    _require_rows(sweep)
    chosen, scores = chosen_table(sweep), selector_table(sweep)
    values = np.sort(sweep["trade_off"].unique())
    place = {value: x for value, x in zip(values, _log_places(values), strict=True)}
    names = [*selectors(sweep), ORACLE]
    methods = list(dict.fromkeys(sweep["method"]))
    columns = min(2, len(methods))
    lines = int(np.ceil(len(methods) / columns))
    strip = 0.2 * len(names) + 0.1
    figure = Figure(figsize=(9.5 if columns > 1 else 6.5, lines * (2.5 + strip) + 0.7), layout="constrained")
    grid = figure.subplots(2 * lines, columns, sharex=True, squeeze=False, height_ratios=[1.9, strip] * lines)
    for number, method in enumerate(methods):
        line, column = divmod(number, columns)
        curve, picks = grid[2 * line, column], grid[2 * line + 1, column]
        own = sweep[sweep["method"] == method]
        _sweep_curve(curve, own, place, chance)
        curve.set_ylim(*_limits(_known(sweep, "uar"), chance))
        curve.set_title(_wrapped(own["title"].iloc[0] if "title" in own else method, 50))
        _sweep_choices(
            picks, chosen[chosen["method"] == method], scores[scores["method"] == method], place, names
        )
        picks.tick_params(labelleft=column == 0)
        curve.set_ylabel("UAR" if column == 0 else "")
        picks.set_xticks([place[value] for value in values], [f"{value:g}" for value in values])
        picks.tick_params(axis="x", labelbottom=True)
        picks.set_xlabel("trade-off (lambda)")
    for number in range(len(methods), lines * columns):
        line, column = divmod(number, columns)
        for axes in grid[2 * line : 2 * line + 2, column]:
            axes.set_visible(False)
    handles = [Line2D([], [], color=BLUE, marker="o", linewidth=2, label="mean of fits; band: of seeds")]
    if 0 in values:
        handles.append(Line2D([], [], color=GREY, linestyle="--", label="lambda 0: no alignment"))
    if chance is not None:
        handles.append(Line2D([], [], color=BLACK, linestyle=":", label=f"chance, {chance:.2f}"))
    figure.legend(handles=handles, loc="outside lower left", ncols=3)
    figure.suptitle("UAR by trade-off, and what is chosen without target labels", x=0.01, ha="left")
    return _finished(figure)


def _log_places(values: np.ndarray) -> np.ndarray:
    """Positions on a log axis; 0 stands one decade below the smallest other value."""
    positive = values[values > 0]
    least = positive.min() if len(positive) else 1.0
    return np.log10(np.where(values > 0, values, least / 10))


def _sweep_curve(axes, own: pd.DataFrame, place: Mapping[float, float], chance: float | None) -> None:
    seeds = own.groupby(["trade_off", "seed"])["uar"].mean().unstack()
    x = seeds.index.map(place).to_numpy(dtype=float)
    axes.fill_between(x, seeds.min(axis=1), seeds.max(axis=1), color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(x, own.groupby("trade_off")["uar"].mean(), color=BLUE, marker="o", linewidth=2)
    if 0 in seeds.index:
        axes.axhline(own.loc[own["trade_off"] == 0, "uar"].mean(), color=GREY, linestyle="--", linewidth=1.2)
    if chance is not None:
        axes.axhline(chance, color=BLACK, linestyle=":", linewidth=1.3)
    axes.grid(True)
    axes.tick_params(axis="x", labelbottom=False)


def _sweep_choices(
    axes, chosen: pd.DataFrame, scores: pd.DataFrame, place: Mapping[float, float], names: list[str]
) -> None:
    """A row of dots a selector: which trade-offs it chose, and the mean UAR of its choices."""
    uar = scores.set_index("selector")["uar"]
    for y, name in enumerate(names):
        own = chosen[chosen["selector"] == name]
        if own.empty:
            continue
        colour, marker = (BLACK, "*") if name == ORACLE else (PALETTE[(y + 1) % 8], MARKERS[(y + 1) % 8])
        share = own["trade_off"].value_counts(normalize=True)
        x = share.index.map(place)
        axes.scatter(x, [y] * len(x), s=12 + 90 * share, color=colour, marker=marker, linewidths=0)
        _beside(axes, y, _number(uar[name]), BLACK)
    _beside(axes, -1.1, "UAR", GREY)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names], fontsize=8.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(True)


def _beside(axes, y: float, text: str, colour: str) -> None:
    """Write at the right of a row."""
    axes.annotate(
        text, (1, y), xycoords=axes.get_yaxis_transform(), xytext=(5, 0), textcoords="offset points",
        va="center", fontsize=8.5, annotation_clip=False, color=colour,
    )  # fmt: skip


# --- answers ------------------------------------------------------------------------------------


def per_class_table(
    predictions: pd.DataFrame, classes: Sequence[str], *, titles: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Precision, recall and F1 of each class, as tables 3 and 5 of Baklouti et al.

    Counts of all folds of a seed are added, since a fold may lack a class;
    what follows from them is averaged over seeds.

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
    for method, part in predictions.groupby("method", sort=False):
        counts = np.stack(
            [metrics.confusion(own["y_true"], own["y_pred"], len(classes)) for _, own in part.groupby("seed")]
        )
        true, answers = counts.sum(axis=2), counts.sum(axis=1)
        hits = np.diagonal(counts, axis1=1, axis2=2)
        measures = {
            "precision": metrics.ratio(hits, answers),
            "recall": metrics.ratio(hits, true),
            "F1": np.where(true > 0, metrics.ratio(2 * hits, true + answers), np.nan),
        }
        for name, values in measures.items():
            mean = metrics.mean_known(values.T)
            rows.append(
                {
                    "method": method,
                    "title": (titles or {}).get(method, method),
                    "measure": name,
                    **dict(zip(classes, mean, strict=True)),
                    "mean": float(metrics.mean_known(mean)),
                }
            )
    return pd.DataFrame(rows, columns=["method", "title", "measure", *classes, "mean"])


# --- many runs ----------------------------------------------------------------------------------


@_styled
def plot_ranks(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show the mean rank of each method, and which methods are not told apart.

    A critical-difference diagram (Demsar 2006, figure 1) on its side: faint
    dots are single runs; each bar at the right joins methods of which no two
    are told apart (Holm, .05). The tables are
    :func:`serlab.evaluation.ranking.rank_table` and :func:`serlab.evaluation.ranking.pairwise_table`.

    Parameters
    ----------
    table : DataFrame
        run, method, title, uar; see :func:`serlab.evaluation.ranking.complete_blocks`.
    title : str
        Added to the heading.
    """
    ranks, test = ranking.rank_table(table), ranking.friedman(table)
    each = ranking.complete_blocks(table).ranks
    groups = ranking.not_told_apart(table)
    order = ranks["method"].tolist()
    position = np.arange(len(order), dtype=float)
    figure, axes = _row_figure(len(order), extra=1.75)
    for y, method in zip(position, order, strict=True):
        spread = ((np.arange(len(each)) * 0.618034 + 0.5) % 1 - 0.5) * 0.5
        axes.scatter(each[method], y + spread, s=14, facecolors="none", edgecolors=SKY, linewidths=0.9)
    axes.plot(ranks["mean_rank"], position, "D", color=BLUE, markersize=7, zorder=3)
    right = len(order) + 0.6
    for number, group in enumerate(groups):
        x = right + 0.035 * len(order) * number
        ends = order.index(group[0]) - 0.25, order.index(group[-1]) + 0.25
        axes.plot([x, x], ends, color=VERMILLION, linewidth=3.2, solid_capstyle="butt", clip_on=False)
    axes.set_xlim(0.7, right + 0.035 * len(order) * max(len(groups) - 1, 0) + 0.25)
    ticks = [tick for tick in range(1, len(order) + 1) if len(order) <= 12 or tick % 2 == 1]
    axes.set_xticks(ticks)
    _row_labels(axes, position, [_wrapped(name) for name in ranks.get("title", ranks["method"])])
    texts = {
        "mean rank": [f"{value:.1f}" for value in ranks["mean_rank"]],
        "mean UAR": [_number(value) for value in ranks["uar"]],
    }
    _right_texts(axes, position, texts)
    handles = [
        Line2D([], [], linestyle="", marker="D", color=BLUE, label="mean rank"),
        Line2D([], [], linestyle="", marker="o", color=SKY, markerfacecolor="none", label="one run"),
    ]  # fmt: skip
    if groups:
        handles.append(Line2D([], [], color=VERMILLION, linewidth=3.2, label="not told apart (Holm)"))
    figure.legend(handles=handles, loc="outside lower left", ncols=3)
    axes.set_xlabel(f"rank by UAR in each of {test.n_runs} runs, 1 is best")
    figure.suptitle(
        f"Which method? Friedman's test p {_equals(test.p)}" + (f": {title}" if title else ""),
        x=0.01, ha="left",
    )  # fmt: skip
    return _finished(figure)


def _equals(p: float) -> str:
    text = _p_text(p)
    return text if text.startswith("<") else f"= {text}"


@_styled
def plot_methods_by_run(table: pd.DataFrame, value: Literal["uar", "gain"] = "uar") -> Figure | None:
    """Show many methods on all pairs of corpora in one picture: a row a method, a column a pair.

    Parameters
    ----------
    table : DataFrame
        source, target, method, title, ``value`` with its ``_low`` and
        ``_high``, and verdict; from :func:`serlab.reporting.matrix_page.collect`.
    value : {"uar", "gain"}

    Returns
    -------
    Figure or None
        None if no method has the value.
    """
    if value not in table or table[value].isna().all():
        return None
    table = table[table[value].notna()]
    names = dict(zip(table["method"], table["title"], strict=True))
    methods = list(names)
    pairs = list(dict.fromkeys(zip(table["source"], table["target"], strict=True)))
    limit = max(0.1, float(table[value].abs().max()))
    figure = Figure(figsize=(2.9 + 1.12 * len(pairs), 0.44 * len(methods) + 1.3), layout="constrained")
    axes = figure.subplots()
    grid = table.pivot_table(index="method", columns=["source", "target"], values=value)
    grid = grid.reindex(index=methods, columns=pd.MultiIndex.from_tuples(pairs)).to_numpy()
    if value == "gain":
        axes.imshow(grid, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
        shade, write = np.abs(grid) / limit, _signed
    else:
        axes.imshow(grid, cmap="Blues", vmin=0.0, vmax=1.1, aspect="auto")
        shade, write = grid / 1.1, _number
    for row in table.itertuples():
        y, x = methods.index(row.method), pairs.index((row.source, row.target))
        mark = {"helps": " \u25b2", "hurts": " \u25bc"}.get(getattr(row, "verdict", ""), "")
        text = write(getattr(row, value)) + mark
        low, high = getattr(row, f"{value}_low", np.nan), getattr(row, f"{value}_high", np.nan)
        if pd.notna(low) and pd.notna(high):
            text += f"\n[{write(low)}, {write(high)}]"
        axes.text(x, y, text, ha="center", va="center", fontsize=8, linespacing=1.05,
                  color="white" if shade[y, x] > 0.6 else "black")  # fmt: skip
    axes.set_xticks(range(len(pairs)), [f"{source}\nto {target}" for source, target in pairs])
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(methods)), [_wrapped(names[method], 36) for method in methods])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    text = "UAR with 95% interval" if value == "uar" else "Gain over the target alone, 95% interval"
    if "verdict" in table and table["verdict"].isin(["helps", "hurts"]).any():
        text += " (\u25b2 helps, \u25bc hurts, corrected p < .05)"
    figure.suptitle(text, x=0.01, ha="left")
    return _finished(figure)
