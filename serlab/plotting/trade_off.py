"""How strongly to adapt: UAR by the trade-off of two losses, and who chooses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from serlab.plotting.marks import chance_line, highest, known, limits, require_rows, right_text
from serlab.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    MARKERS,
    PALETTE,
    Figure,
    finished,
    heading,
    legend_below,
    styled,
)
from serlab.plotting.texts import listing, number, sentences, wrapped

#: Columns of a sweep that are not the score of a selector.
_SWEEP = ("run", "method", "title", "trade_off", "fold", "seed", "uar")

#: The best of all settings, seen by looking at the test utterances.
ORACLE = "oracle"

#: Choosing lambda 0 without looking at anything.
NO_ALIGNMENT = "always 0"


def selectors(sweep: pd.DataFrame) -> list[str]:
    """Columns of a sweep that hold the score of a selector."""
    return [name for name in sweep if name not in _SWEEP and sweep[name].notna().any()]


def chosen_table(sweep: pd.DataFrame) -> pd.DataFrame:
    """Say which trade-off each selector chooses in each fit, and what UAR that gives.

    Of equal scores the smaller trade-off is chosen. The oracle chooses by the
    UAR of the test utterances, which nobody has; where the sweep has a
    trade-off of 0, always taking that is listed as a choice, too.

    Parameters
    ----------
    sweep : DataFrame
        method, title, trade_off, fold, seed, uar (of the test utterances) and
        one column a selector (larger is better).

    Returns
    -------
    DataFrame
        method, title, fold, seed, selector, trade_off, uar; and uar_oracle,
        uar_random (mean over trade-offs) and uar_zero (without alignment, NaN
        if that was not tried) of the same fit.
    """
    rows = []
    for (method, fold, seed), own in sweep.sort_values("trade_off").groupby(
        ["method", "fold", "seed"], sort=False
    ):
        zero = own[own["trade_off"] == 0]
        for name in _choosers(sweep):
            score = _score(own, name)
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
                        "uar_zero": zero["uar"].iloc[0] if len(zero) else np.nan,
                    }
                )
    columns = "method title fold seed selector trade_off uar uar_oracle uar_random uar_zero"
    order = list(dict.fromkeys(sweep["method"]))
    table = pd.DataFrame(rows, columns=columns.split())
    return table.sort_values(
        "method", key=lambda names: names.map(order.index), kind="stable", ignore_index=True
    )


def _choosers(sweep: pd.DataFrame) -> list[str]:
    """Selectors, who takes lambda 0, and the oracle."""
    always = [NO_ALIGNMENT] if (sweep["trade_off"] == 0).any() else []
    return [*selectors(sweep), *always, ORACLE]


def _score(own: pd.DataFrame, name: str) -> pd.Series:
    """What a selector goes by; larger is better."""
    if name == NO_ALIGNMENT:
        return (own["trade_off"] == 0).astype(float).where(own["trade_off"] == 0)
    return own["uar"] if name == ORACLE else own[name]


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
        chooses, uar_oracle; gap (oracle minus chosen), over_zero (chosen minus
        always taking lambda 0) and gap_random (oracle minus the mean over all
        trade-offs); n_fits.
    """
    table = _means(chosen_table(sweep), ["method", "title", "selector"])
    columns = "method title selector most_chosen uar uar_oracle gap over_zero gap_random n_fits"
    return table[columns.split()]


def cost_table(sweep: pd.DataFrame) -> pd.DataFrame:
    """Say what each selector costs, over all methods of a sweep (of several: put below each other).

    Every method weighs the same. The best selector first; the oracle, which
    nobody has, and always taking lambda 0 stand among them.

    Parameters
    ----------
    sweep : DataFrame
        As for :func:`chosen_table`.

    Returns
    -------
    DataFrame
        selector, uar, gap (to the oracle), over_zero (over always taking
        lambda 0), least_over_zero (in the method where it costs most), n_methods.
    """
    by_method = selector_table(sweep)
    table = by_method.groupby("selector", sort=False).agg(
        uar=("uar", "mean"),
        gap=("gap", "mean"),
        over_zero=("over_zero", "mean"),
        least_over_zero=("over_zero", "min"),
        n_methods=("method", "nunique"),
    )
    return table.sort_values("gap", kind="stable").reset_index()


def _means(chosen: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Means over fits."""
    table = chosen.groupby(keys, sort=False).agg(
        most_chosen=("trade_off", lambda values: values.mode().iloc[0]),
        uar=("uar", "mean"),
        uar_oracle=("uar_oracle", "mean"),
        uar_random=("uar_random", "mean"),
        uar_zero=("uar_zero", "mean"),
        n_fits=("uar", "size"),
    )
    table["gap"] = table["uar_oracle"] - table["uar"]
    table["gap_random"] = table["uar_oracle"] - table["uar_random"]
    table["over_zero"] = table["uar"] - table["uar_zero"]
    return table.reset_index()


@styled
def plot_sweep(sweep: pd.DataFrame, *, chance: float | None = None) -> Figure:
    """Show UAR against the trade-off (lambda), and what each selector chooses, a panel a method.

    Lines: mean over fits; bands: from the lowest to the highest seed. Below,
    a dot for each trade-off that a selector chose, its area the share of fits,
    and the mean UAR of its choices. The tables are :func:`chosen_table`,
    :func:`selector_table` and :func:`cost_table`.

    Parameters
    ----------
    sweep : DataFrame
        As for :func:`chosen_table`; a trade-off of 0 stands left of the log axis.
    chance : float, optional
        Level to draw.
    """
    require_rows(sweep)
    scores = selector_table(sweep)
    values = np.sort(sweep["trade_off"].unique())
    place = dict(zip(values, _log_places(values), strict=True))
    names = _choosers(sweep)
    methods = list(dict.fromkeys(sweep["method"]))
    columns = min(2, len(methods))
    lines = -(-len(methods) // columns)
    strip = 0.2 * len(names) + 0.1
    figure = Figure(figsize=(9.5 if columns > 1 else 6.5, lines * (2.5 + strip) + 0.4), layout="constrained")
    grid = figure.subplots(2 * lines, columns, sharex=True, squeeze=False, height_ratios=[1.9, strip] * lines)
    pairs = grid.reshape(lines, 2, columns).swapaxes(1, 2).reshape(-1, 2)
    handles = [Line2D([], [], color=BLUE, marker="o", linewidth=2, label="mean of fits; band: of seeds")]
    for position, (method, (curve, picks)) in enumerate(zip(methods, pairs, strict=False)):
        own = sweep[sweep["method"] == method]
        _sweep_curve(curve, own, place)
        if chance is not None:
            level = chance_line(curve, chance)
        curve.set_ylim(*limits(known(sweep, "uar"), chance))
        curve.set_title(wrapped(own["title"].iloc[0] if "title" in own else method, 50))
        curve.set_ylabel("" if position % columns else "UAR")
        _sweep_choices(picks, own, scores[scores["method"] == method], place, names)
        picks.tick_params(labelleft=position % columns == 0, labelbottom=True)
        picks.set_xticks(list(place.values()), [f"{value:g}" for value in values])
        picks.set_xlabel("trade-off (lambda)")
    for axes in pairs[len(methods) :].ravel():
        axes.set_visible(False)
    if 0 in values:
        handles.append(Line2D([], [], color=GREY, linestyle="--", label="lambda 0: no alignment"))
    if chance is not None:
        handles.append(level)
    legend_below(figure, handles)
    heading(figure, "UAR by trade-off, and what is chosen without target labels")
    return finished(figure, _choices_say(scores, cost_table(sweep)))


def _choices_say(scores: pd.DataFrame, costs: pd.DataFrame) -> str:
    """What the selector with the highest UAR chooses in each method, and the oracle; what choosing costs."""
    says = []
    for _, own in scores.groupby("method", sort=False):
        own = own.dropna(subset=["uar"])
        honest, oracle = own[~own["selector"].isin([ORACLE, NO_ALIGNMENT])], own[own["selector"] == ORACLE]
        best = [highest(honest, "uar")] if len(honest) else []
        chosen = [
            f"{row['selector'].replace('_', ' ')} most often chooses {row['most_chosen']:g}, "
            f"UAR {number(row['uar'])}"
            for row in [*best, *(row for _, row in oracle.iterrows())]
        ]
        says += [f"{own['title'].iloc[0]}: {', '.join(chosen)}"] if chosen else []
    honest = costs[~costs["selector"].isin([ORACLE, NO_ALIGNMENT])].dropna(subset=["over_zero"])
    better = int((honest["over_zero"] > 0).sum())
    over = f"{better} of {len(honest)} selectors choose better, on average, than always lambda 0"
    return sentences(listing(says), over if len(honest) else "")


def _log_places(values: np.ndarray) -> np.ndarray:
    """Positions on a log axis; 0 stands one decade below the smallest other value."""
    positive = values[values > 0]
    least = positive.min() if len(positive) else 1.0
    return np.log10(np.where(values > 0, values, least / 10))


def _sweep_curve(axes: Axes, own: pd.DataFrame, place: Mapping[float, float]) -> None:
    seeds = own.groupby(["trade_off", "seed"])["uar"].mean().unstack()
    x = seeds.index.map(place).to_numpy(dtype=float)
    axes.fill_between(x, seeds.min(axis=1), seeds.max(axis=1), color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(x, own.groupby("trade_off")["uar"].mean(), color=BLUE, marker="o", linewidth=2)
    if 0 in seeds.index:
        axes.axhline(own.loc[own["trade_off"] == 0, "uar"].mean(), color=GREY, linestyle="--", linewidth=1.2)
    axes.grid(True)
    axes.tick_params(axis="x", labelbottom=False)


def _sweep_choices(
    axes: Axes, own: pd.DataFrame, scores: pd.DataFrame, place: Mapping[float, float], names: Sequence[str]
) -> None:
    """A row of dots a selector: which trade-offs it chose, and the mean UAR of its choices."""
    chosen, uar = chosen_table(own), scores.set_index("selector")["uar"]
    for y, name in enumerate(names):
        picked = chosen.loc[chosen["selector"] == name, "trade_off"]
        if picked.empty:
            continue
        colour, marker = (BLACK, "*") if name == ORACLE else (PALETTE[(y + 1) % 8], MARKERS[(y + 1) % 8])
        share = picked.value_counts(normalize=True)
        axes.scatter(share.index.map(place), [y] * len(share), s=12 + 90 * share, color=colour, marker=marker,
                     linewidths=0)  # fmt: skip
        right_text(axes, y, number(uar[name]), offset=5, size=8.5)
    right_text(axes, -1.1, "UAR", offset=5, size=8.5, color=GREY)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names], fontsize=8.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(True)
